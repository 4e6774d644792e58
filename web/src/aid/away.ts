/** A desk without a connection: what a card may have by the lease, hand-overs into the journal, and bringing it back. */

import { cardHash, hex, mark, unhex } from "./card.js";
import { confirmed, forget, forgetList, journalHere, keepWitness, leaseHere, witnessesHere, write, type Entry, type Lease, type Line } from "./kept.js";
import { call, newKey, session, Unreached } from "./server.js";

export interface Found {
  listed: boolean;
  card: string;
  mark: string;
  left: Record<string, number>;
  visits: number | null;
  served: number;
}

/** Why the journal did not take a hand-over. */
export class NotHere extends Error {
  constructor(readonly why: "claim" | "goods" | "gone") {
    super(why);
  }
}

export interface State {
  lease: Lease;
  lines: Line[];
  waiting: number;
  refused: number;
  over: boolean;
}

/** The lease and journal of this device; null where there is none. */
export async function stateHere(): Promise<State | null> {
  const lease = await leaseHere();
  if (lease === null) return null;
  const over = Date.now() >= Date.parse(lease.until);
  if (over) await forgetList();
  const lines = await journalHere();
  const count = (state: string): number => lines.filter((line) => line.state === state).length;
  return { lease, lines, waiting: count("waiting"), refused: count("refused"), over };
}

/** What a card may have here; null where it is no card. */
export async function lookHere(token: string, state: State): Promise<Found | null> {
  const hash = await cardHash(token);
  if (hash === null) return null;
  const marked = await mark(state.lease.salt, hash);
  return { ...leftOf(marked, state.lease, state.lines, state.over), card: hex(hash) };
}

function leftOf(marked: string, lease: Lease, lines: Line[], over: boolean): Omit<Found, "card"> {
  const listed = over ? undefined : lease.claims.find((claim) => claim.mark === marked);
  const own = lines.filter((line) => line.entry.mark === marked);
  if (!listed) return { listed: false, mark: marked, left: {}, visits: null, served: own.length };
  const left = { ...listed.left };
  for (const line of own) {
    for (const part of line.entry.lots) {
      const item = itemOf(lease, part.lot);
      left[item] = (left[item] ?? 0) - part.quantity;
    }
    for (const part of line.entry.beyond ?? []) left[part.item] = (left[part.item] ?? 0) - part.quantity;
  }
  return { listed: true, mark: marked, left, visits: listed.visits === undefined ? null : listed.visits - own.length, served: own.length };
}

const itemOf = (lease: Lease, lot: string): string => lease.stock.find((line) => line.lot === lot)?.item ?? lot;

/** What is still here: base units of each leased lot. */
export function stockLeft(lease: Lease, lines: Line[]): Map<string, number> {
  const left = new Map(lease.stock.map((line) => [line.lot, line.quantity]));
  for (const line of lines) for (const part of line.entry.lots) left.set(part.lot, (left.get(part.lot) ?? 0) - part.quantity);
  return left;
}

/** Today where the desk is, as 2026-03-02. */
const today = (zone: string): string => new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(new Date());

/** What a household of a size gets, by the lease: for a card that is not on the list. */
export function sharesOf(lease: Lease, size: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [item, rules] of Object.entries(lease.rules)) {
    const fitting = rules.filter(([from]) => from <= size).at(-1);
    if (fitting) found[item] = fitting[1];
  }
  return found;
}

/** How a hand-over is confirmed; and, in an emergency, how many people an unlisted card's household was said to have. */
export interface How {
  proof: "tap" | "pin" | "witness";
  witness?: string;
  emergency?: boolean;
  size?: number;
}

/**
 * Write a hand-over into the journal; it is on this device when this returns.
 *
 * The rules are those of the ledger's own offline desk: a household on the list gets what it has left, from the leased
 * goods. In an emergency other goods may be given too, and a card that is not on the list is served once, with what a
 * household of its size gets. The ledger flags both.
 */
export async function giveHere(found: Found, wanted: Record<string, number>, how: How): Promise<Entry> {
  const id = newKey();
  return write((lines, lease) => {
    if (!lease) throw new NotHere("gone");
    const now = leftOf(found.mark, lease, lines, Date.now() >= Date.parse(lease.until));
    const emergency = how.emergency === true;
    const size = how.size ?? 0;
    if (now.listed ? now.visits !== null && now.visits < 1 : !emergency || now.served > 0) throw new NotHere("claim");
    const most = now.listed ? now.left : sharesOf(lease, size);
    const there = stockLeft(lease, lines);
    const day = today(lease.time_zone);
    const lots: Entry["lots"] = [];
    const beyond: { item: string; quantity: number }[] = [];
    for (const [item, amount] of Object.entries(wanted)) {
      if ((most[item] ?? 0) < amount) throw new NotHere("claim");
      let missing = amount;
      for (const line of lease.stock) {
        if (line.item !== item || (line.use_by && line.use_by < day)) continue;
        const part = Math.min(missing, there.get(line.lot) ?? 0);
        if (part <= 0) continue;
        lots.push({ lot: line.lot, quantity: part });
        there.set(line.lot, (there.get(line.lot) ?? 0) - part);
        missing -= part;
      }
      if (missing > 0 && !emergency) throw new NotHere("goods");
      if (missing > 0) beyond.push({ item, quantity: missing });
    }
    const claim = lease.claims.find((one) => one.mark === found.mark)?.claim;
    const household = now.listed && claim !== undefined ? { claim } : { card: found.card, size };
    return {
      id,
      lease: lease.lease,
      moment: new Date().toISOString(),
      by: session.staff ?? "desk",
      mark: found.mark,
      ...household,
      lots,
      ...(beyond.length ? { beyond } : {}),
      proof: how.proof,
      ...(how.witness === undefined ? {} : { witness: how.witness }),
    };
  });
}

/** Ask the ledger whether somebody may be a witness, and know them here too from then on, for as long as the lease is here. */
export async function learnWitness(staff: string, password: string): Promise<void> {
  await call("/cards/witness", "POST", { witness: staff, password });
  const salt = hex(crypto.getRandomValues(new Uint8Array(16)));
  await keepWitness({ staff, salt, hash: await stretched(password, salt) });
}

/** Whether somebody who is known here gave their password; null where they are not known here. */
export async function witnessIsRight(staff: string, password: string): Promise<boolean | null> {
  const known = (await witnessesHere()).find((one) => one.staff === staff);
  return known === undefined ? null : (await stretched(password, known.salt)) === known.hash;
}

/** PBKDF2 of a password: what is kept of it on this device. */
async function stretched(password: string, salt: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(password), "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: unhex(salt) as BufferSource, iterations: 600_000 };
  return hex(new Uint8Array(await crypto.subtle.deriveBits(how, key, 256)));
}

interface Told {
  kept: { id: string; conflicts?: unknown[] }[];
  refused: { id: string; why: string }[];
}

/** Bring what the ledger has not confirmed; true when all of it is there. Nobody is asked: it counts once, however often. */
export async function bring(): Promise<boolean> {
  for (;;) {
    const state = await stateHere();
    if (state === null) return true;
    const waiting = state.lines.filter((line) => line.state === "waiting");
    const entries = (waiting.length ? waiting : state.lines.filter((line) => line.state === "refused")).slice(0, 200).map((line) => line.entry);
    if (!entries.length) break;
    const told = await call<Told>("/journals", "POST", { version: 1, ledger: state.lease.ledger, desk: state.lease.desk, entries });
    await confirmed(told.kept, told.refused);
    if (!told.kept.length) break;
  }
  localStorage.setItem("nearer-desk-synced", new Date().toISOString());
  const state = await stateHere();
  return state === null || state.lines.every((line) => line.state === "kept");
}

/** When the journal was last brought; null for never. */
export const lastBrought = (): string | null => localStorage.getItem("nearer-desk-synced");

/** Bring the journal, end the lease and erase it here; false where an entry is not in the ledger. */
export async function giveBack(): Promise<boolean> {
  if (!(await bring())) return false;
  const lease = await leaseHere();
  if (lease === null) return true;
  try {
    await call("/commands/end-lease", "POST", { lease: lease.lease }, `give-back-${lease.lease}-${lease.salt}`);
  } catch (error) {
    if (error instanceof Unreached) throw error;
    const open = await call<{ rows: { lease: string }[] }>("/leases?limit=1000");
    if (open.rows.some((row) => row.lease === lease.lease)) throw error;
  }
  return forget();
}
