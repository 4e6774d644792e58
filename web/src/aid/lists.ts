/** What was set up, kept on this device too so that names stand without a connection; and quantities as people write them. */

import { language, t } from "../words.js";
import { named, unitNamed } from "./practice.js";
import { all, Unreached, type Row } from "./server.js";

const NAMES = ["sites", "items", "item_units", "programmes", "periods", "parties", "recipes"] as const;
type Name = (typeof NAMES)[number];
let lists: Record<Name, Row[]> | null = null;

/** Read everything that was set up. */
export async function readLists(): Promise<void> {
  try {
    const found = await Promise.all(NAMES.map((name) => all(`/lists/${name}`)));
    lists = Object.fromEntries(NAMES.map((name, place) => [name, found[place]])) as Record<Name, Row[]>;
    localStorage.setItem("nearer-desk-lists", JSON.stringify(lists));
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
    lists ??= JSON.parse(localStorage.getItem("nearer-desk-lists") ?? "null") as typeof lists;
  }
}

export const list = (name: Name): Row[] => named(lists?.[name] ?? []);

/** The name of a code: a site, an item, a programme. */
export function nameOf(name: "sites" | "items" | "programmes", code: unknown): string {
  const key = name.slice(0, -1);
  return String(list(name).find((row) => row[key] === code)?.["name"] ?? code);
}

export interface Measure {
  unit: string;
  base: number;
}

/** Units of an item, the base unit first. */
export function unitsOf(item: string): Measure[] {
  const base = list("items").find((row) => row["item"] === item)?.["unit"];
  const more = list("item_units").filter((row) => row["item"] === item);
  return [{ unit: String(base ?? ""), base: 1 }, ...more.map((row) => ({ unit: String(row["unit"]), base: Number(row["base_units"]) }))];
}

/** The largest unit that a quantity is a whole number of. */
export function bestUnit(item: string, quantity: number): Measure {
  const fitting = unitsOf(item).filter((one) => quantity !== 0 && quantity % one.base === 0);
  return fitting.sort((a, b) => b.base - a.base)[0] ?? { unit: unitsOf(item)[0]?.unit ?? "", base: 1 };
}

/** A quantity of base units in words: "5 kg". */
export const amount = (item: string, quantity: number): string => apart(bare(item, quantity));

function bare(item: string, quantity: number): string {
  const best = bestUnit(item, quantity);
  return `${figure(quantity / best.base)} ${unitNamed(best.unit)}`;
}

/** Text whose direction is its own, whatever stands around it. */
export const apart = (text: string): string => `\u2068${text}\u2069`;

export const figure = (n: number): string => new Intl.NumberFormat(language, { maximumFractionDigits: 3 }).format(n);

/** A sentence of amounts: "5 kg Rice, 2 piece Soap". */
export const amounts = (wanted: Record<string, number>): string =>
  Object.entries(wanted)
    .filter(([, quantity]) => quantity > 0)
    .map(([item, quantity]) => apart(`${bare(item, quantity)} ${nameOf("items", item)}`))
    .join(t(", "));

/** Today where a site is, as 2026-03-02: periods begin and end with its own days. */
export function todayAt(site: string): string {
  const zone = String(list("sites").find((row) => row["site"] === site)?.["time_zone"] ?? "UTC");
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(new Date());
}

/** The period of a programme that today lies in, at a site. */
export function periodNow(programme: string, site: string): string | null {
  const day = todayAt(site);
  const row = list("periods").find((one) => one["programme"] === programme && String(one["first_day"]) <= day && day <= String(one["last_day"]));
  return row ? String(row["period"]) : null;
}

/** Which desk this device is: kept here. */
export interface Place {
  site: string;
  programme: string;
  desk: string;
}

export function place(): Place | null {
  return JSON.parse(localStorage.getItem("nearer-desk-place") ?? "null") as Place | null;
}

export const setPlace = (found: Place): void => localStorage.setItem("nearer-desk-place", JSON.stringify(found));
