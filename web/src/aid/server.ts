/** The desk's server: who is signed in, and how it is asked. */

import { isKnown, language, num, saidByServer, t, told, when } from "../words.js";

export interface Session {
  ledger: string;
  staff: string | null;
  role: string | null;
  may: string[];
  cards: boolean;
  signing: boolean;
  elsewhere: boolean;
  practice: { token: string; size: number; pin: string | null; lost: boolean }[];
  mark: string;
}

export type Row = Record<string, unknown>;

interface Trouble {
  code: string;
  message: string;
  remedy: string;
  text?: string;
  values?: Record<string, string | number>;
  faults?: { message: string }[];
}

/** A sentence, and the language that it is in. */
export interface Detail {
  text: string;
  lang: string;
}

/** The server said no; `message` is in the reader's language, `detail` in the server's own words. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly detail: Detail,
    readonly status: number,
  ) {
    super(inWords(code));
  }
}

/** No answer came: whatever was sent may or may not have arrived. */
export class Unreached extends Error {}

const EMPTY: Session = { ledger: "", staff: null, role: null, may: [], cards: false, signing: true, elsewhere: false, practice: [], mark: "" };
export let session: Session = EMPTY;

/** Whether whoever is signed in may do something. */
export const may = (act: string): boolean => session.may.includes(act);

/** A key for one command: the same key counts once. */
export const newKey = (): string => crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** Ask, or send with a key; throws `Refused` or `Unreached`. */
export async function call<T>(path: string, method = "GET", body?: unknown, key?: string): Promise<T> {
  const headers: Record<string, string> = { "x-nearer-desk": session.mark };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (key !== undefined) headers["idempotency-key"] = key;
  const answer = await sent(path, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return (await answer.json().catch(() => null)) as T;
}

/** Send something and get a file for it; throws `Refused` or `Unreached`. */
export async function fileFor(path: string, body: unknown): Promise<Blob> {
  const headers = { "x-nearer-desk": session.mark, "content-type": "application/json" };
  const answer = await sent(path, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.blob();
}

/** Send a form with files; throws `Refused` or `Unreached`. */
export async function sendForm<T>(path: string, form: FormData): Promise<T> {
  const answer = await sent(path, { method: "POST", headers: { "x-nearer-desk": session.mark }, body: form });
  return (await answer.json()) as T;
}

async function sent(path: string, how: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(`/api/aid${path}`, how);
  } catch {
    throw new Unreached();
  }
  if (!answer.ok) throw refusedBy(await answer.json().catch(() => null), answer.status);
  return answer;
}

/** What the server says of a refusal: in the reader's language where it is a sentence of the ledger's. */
function detailOf(trouble: Trouble): Detail {
  const { text, values, message, remedy, faults } = trouble;
  if (!text || (language !== "en" && !isKnown(text))) {
    const all = faults?.map((one) => one.message).join(" ") ?? message;
    return saidByServer(all.includes(remedy.slice(1)) || faults ? all : `${all} ${remedy}`);
  }
  const said: Record<string, string> = {};
  for (const [name, value] of Object.entries(values ?? {})) said[name] = valueOf(name, value);
  return { text: told(text, said), lang: language };
}

/** A value as people read it: numbers as the language writes them, words of the ledger's in it. */
function valueOf(name: string, value: string | number): string {
  if (typeof value === "number") return num(value);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return when(value);
  const words: Record<string, string> = {
    replaced: t("replaced"),
    blocked: t("blocked"),
    approved: t("approved"),
    declined: t("declined"),
    met: t("met"),
    withdrawn: t("withdrawn"),
    goods: t("goods"),
    money: t("money"),
    site: t("site"),
    item: t("item"),
    lot: t("lot"),
    household: t("household"),
    programme: t("programme"),
    period: t("period"),
    party: t("giver"),
    giver: t("giver"),
    gift: t("gift"),
    lease: t("lease"),
    proposal: t("proposal"),
    recipe: t("recipe"),
    request: t("request"),
    reservation: t("reservation"),
    shipment: t("shipment"),
    conflict: t("conflict"),
    pledge: t("pledge"),
    release: t("published table"),
    transaction: t("transaction"),
  };
  // A code is somebody's own word, and stands as it is whatever is around it.
  return (["what", "state", "outcome", "decision", "kind", "other"].includes(name) ? words[value] : undefined) ?? `\u2068${value}\u2069`;
}

function refusedBy(found: unknown, status: number): Error {
  const trouble = (found as { error?: Trouble } | null)?.error;
  if (trouble === undefined || typeof trouble === "string" || trouble.code === "busy") return new Unreached();
  return new Refused(trouble.code, detailOf(trouble), status);
}

/** All rows of a list that comes in pages. */
export async function all<T = Row>(path: string): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | null = null;
  do {
    const more: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { rows: T[]; next: string | null } = await call(`${path}${path.includes("?") ? "&" : "?"}limit=1000${more}`);
    rows.push(...page.rows);
    cursor = page.next;
  } while (cursor !== null && rows.length < 20_000);
  return rows;
}

/** Find out who is signed in; without a connection, who was. */
export async function whoIs(): Promise<void> {
  try {
    session = await call<Session>("/session");
    localStorage.setItem("nearer-desk-session", JSON.stringify({ ...session, mark: "" }));
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    session = { ...EMPTY, ...(JSON.parse(localStorage.getItem("nearer-desk-session") ?? "{}") as Partial<Session>) };
  }
}

/** Ask anew who is signed in, after a time without a connection; false where nobody is, and whoever was stays named here. */
export async function stillIn(): Promise<boolean> {
  const found = await call<Session>("/session");
  if (found.staff === null) return false;
  session = found;
  return true;
}

export async function signIn(staff: string, password: string): Promise<void> {
  session = await call<Session>("/session", "POST", { staff, password });
  localStorage.setItem("nearer-desk-session", JSON.stringify({ ...session, mark: "" }));
}

export async function signOut(): Promise<void> {
  await call("/session", "DELETE");
  localStorage.removeItem("nearer-desk-session");
  session = { ...EMPTY, signing: true, elsewhere: session.elsewhere };
}

function inWords(code: string): string {
  const words: Record<string, string> = {
    "sign-in": t("Staff code and password do not go together, or the session has ended."),
    "not-yours": t("Your role may not do that."),
    "too-often": t("Too many wrong passwords. Wait ten minutes."),
    "not-enough": t("There is not as much here."),
    claim: t("The household has had its share."),
    unknown: t("That is not known here."),
    refused: t("This cannot be done."),
    invalid: t("Something is filled in wrongly."),
    disk: t("The ledger cannot be written. Tell whoever runs the server."),
  };
  return words[code] ?? t("Something went wrong on the server. Try again: it counts once.");
}
