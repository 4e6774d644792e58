/** Words in the reader's language, and numbers as that language writes them. */

type Values = Record<string, string | number>;

const RTL = ["fa", "ar", "he", "ur"];
let table: Record<string, string | string[]> = {};
export let language = "en";

/** Text in the reader's language; {name} is replaced by its value. */
export function t(text: string, values: Values = {}): string {
  const found = table[text];
  return fill(typeof found === "string" ? found : text, values);
}

/** A text that came from the server, whose words are in the catalogue too. */
export const told = (text: string, values: Values): string => t(text, values);

/** Whether a text has a translation. */
export const isKnown = (text: string): boolean => text in table;

/** The form that goes with a number; {n} is the number as the language writes it. */
export function tn(n: number, one: string, many: string, values: Values = {}): string {
  const found = table[one];
  const forms = Array.isArray(found) ? found : [one, many];
  return fill(forms[Math.round(n) === 1 ? 0 : 1] ?? many, { n: num(n), ...values });
}

function fill(text: string, values: Values): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** Take up a language: its words, direction and numbers. */
export async function speak(wanted: string, known: Record<string, string>): Promise<void> {
  language = wanted in known ? wanted : "en";
  table = language === "en" ? {} : await (await fetch(`/api/words/${language}`)).json();
  document.documentElement.lang = language;
  document.documentElement.dir = RTL.includes(language) ? "rtl" : "ltr";
}

/** What the server says, by its form, in the reader's language; the longest forms first. */
let forms: { form: RegExp; said: string; slight: boolean }[] = [];
let and = " and ";

/** Take up the forms of faults and refusals in the language that is spoken. */
export async function learnFaults(): Promise<void> {
  const found = language === "en" ? {} : ((await (await fetch(`/api/words/${language}/faults`)).json()) as Record<string, string>);
  forms = read(found);
  and = (found["{} and {}"] ?? "{} and {}").replaceAll("{}", "");
}

function read(found: Record<string, string>): typeof forms {
  const plain = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const fixed = (text: string): string => text.replace(/\{\}/g, "");
  return Object.entries(found).sort(([a], [b]) => fixed(b).length - fixed(a).length).map(([form, said]) => ({
    form: new RegExp(`^${form.split("{}").map(plain).join("([^]*?)")}$`),
    said,
    slight: form.includes("{}") && fixed(form).replace(/[^a-z]/gi, "").length < 4,
  }));
}

/** A fault or refusal of the server's in the reader's language; what no form is known of stays as it is. */
export function fromServer(text: string): string {
  if (!forms.length) return text;
  const parts = text.split(SENTENCES);
  if (parts.length > 1) return parts.map((part, k) => (k % 2 ? part : fromServer(part))).join("");
  return whole(text) ?? inParts(text, [": ", "; ", ", ", " and "]);
}

/** What the server says, and the language that it is in then. */
export function saidByServer(text: string): { text: string; lang: string } {
  const said = fromServer(text);
  return { text: said, lang: said === text ? "en" : language };
}

/** Lines and sentences are said one by one; what parts them stays between them. */
const SENTENCES = /(\n *|(?<=[.?]) (?=[A-Z]))/;

/** A text of which a form is known; of a form that is hardly more than its values, only around numbers. */
function whole(text: string): string | null {
  for (const { form, said, slight } of forms) {
    const found = form.exec(text)?.slice(1);
    if (!found || (slight && found.some((one) => /[^\d.,]/.test(one)))) continue;
    let k = 0;
    return said.replace(/\{\}/g, () => value(found[k++] ?? ""));
  }
  return null;
}

/** A text made of others: where they were, what is wrong and what mends it. */
function inParts(text: string, marks: string[]): string {
  const [mark, ...rest] = marks;
  if (mark === undefined) return text.endsWith(".") ? `${whole(text.slice(0, -1)) ?? text.slice(0, -1)}.` : text;
  const parts = text.split(mark);
  const said = parts.map((part) => whole(part) ?? inParts(part, rest));
  const known = said.some((part, k) => part !== parts[k]) || parts.every((part) => /\d/.test(part));
  return said.join(known && mark === " and " ? and : mark);
}

/** A value in a sentence: text that is itself known is said, the rest stays as it was written. */
const value = (text: string): string => (text.includes(" ") ? fromServer(text) : text);

/** The language asked for before, or the browser's. */
export function wantedLanguage(): string {
  return remembered("language") ?? navigator.language.slice(0, 2);
}

/** A value kept on this machine; null where there is none or storage is off. */
export function remembered(key: string): string | null {
  try {
    return localStorage.getItem(`nearer-${key}`);
  } catch {
    return null;
  }
}

/** Keep a value on this machine, where that is possible. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`nearer-${key}`, value);
  } catch {
    // storage is off: the choice holds until the page is left
  }
}

/** A way to write numbers, made once: making one takes longer than writing a thousand. */
function writer(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${language} ${JSON.stringify(options)}`;
  let found = writers.get(key);
  if (!found) writers.set(key, (found = new Intl.NumberFormat(language, options)));
  return found;
}

const writers = new Map<string, Intl.NumberFormat>();

const format = (n: number, digits: number): string => writer({ minimumFractionDigits: digits, maximumFractionDigits: digits }).format(n);

/** A whole number. */
export const num = (n: number): string => format(Math.round(n), 0);

/** A count of people for prose: three figures kept. */
export function about(n: number): string {
  const size = Math.abs(Math.round(n));
  const step = size < 1000 ? 1 : 10 ** (String(size).length - 3);
  return num(Math.round(n / step) * step);
}

/** Minutes: one decimal under 10, none above; a dash where there are none. */
export function minutes(n: number | null | undefined): string {
  if (n === null || n === undefined || !Number.isFinite(n)) return "–";
  return Math.round(n * 10) / 10 < 10 ? format(n, 1) : format(n, 0);
}

/** A share as a whole percentage. */
export function percent(share: number, digits = 0): string {
  return writer({ style: "percent", maximumFractionDigits: digits }).format(share);
}

/** Money, short: 3.45M, 320K. */
export function money(n: number): string {
  return new Intl.NumberFormat(language, { notation: Math.abs(n) >= 100_000 ? "compact" : "standard", maximumSignificantDigits: 3 }).format(n);
}

/** A signed whole number. */
export function signed(n: number, digits = 0): string {
  return writer({ signDisplay: "exceptZero", maximumFractionDigits: digits }).format(n);
}

/** The arrow from a figure to the one after it, the way the page is read. */
export const towards = (): string => (document.documentElement.dir === "rtl" ? " ← " : " → ");

/** A date and time, short. */
export function when(iso: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}
