/** A desk without a connection: what a card may have by the lease, hand-overs into the journal, and bringing it back. */

import { cardHash, mark } from "./card.js";
import { confirmed, forget, forgetList, journalHere, leaseHere, write, type Entry, type Lease, type Line } from "./kept.js";
import { call, newKey, session, Unreached } from "./server.js";

export interface Found {
  listed: boolean;
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
  return leftOf(marked, state.lease, state.lines, state.over);
}

function leftOf(marked: string, lease: Lease, lines: Line[], over: boolean): Found {
  const listed = over ? undefined : lease.claims.find((claim) => claim.mark === marked);
  const own = lines.filter((line) => line.entry.mark === marked);
  if (!listed) return { listed: false, mark: marked, left: {}, visits: null, served: own.length };
  const left = { ...listed.left };
  for (const line of own) {
    for (const part of line.entry.lots) {
      const item = itemOf(lease, part.lot);
      left[item] = (left[item] ?? 0) - part.quantity;
    }
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

/** Write a hand-over into the journal; it is on this device when this returns. */
export async function giveHere(found: Found, wanted: Record<string, number>): Promise<Entry> {
  const id = newKey();
  return write((lines, lease) => {
    if (!lease) throw new NotHere("gone");
    const now = leftOf(found.mark, lease, lines, Date.now() >= Date.parse(lease.until));
    if (!now.listed || (now.visits !== null && now.visits < 1)) throw new NotHere("claim");
    const there = stockLeft(lease, lines);
    const day = today(lease.time_zone);
    const lots: Entry["lots"] = [];
    for (const [item, amount] of Object.entries(wanted)) {
      if ((now.left[item] ?? 0) < amount) throw new NotHere("claim");
      let missing = amount;
      for (const line of lease.stock) {
        if (line.item !== item || (line.use_by && line.use_by < day)) continue;
        const part = Math.min(missing, there.get(line.lot) ?? 0);
        if (part <= 0) continue;
        lots.push({ lot: line.lot, quantity: part });
        there.set(line.lot, (there.get(line.lot) ?? 0) - part);
        missing -= part;
      }
      if (missing > 0) throw new NotHere("goods");
    }
    const claim = lease.claims.find((one) => one.mark === found.mark)?.claim ?? 0;
    return { id, lease: lease.lease, moment: new Date().toISOString(), by: session.staff ?? "desk", mark: found.mark, claim, lots, proof: "tap" };
  });
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
