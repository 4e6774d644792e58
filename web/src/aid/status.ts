/** The line under the header that says whether there is a connection and what waits; and the sync that goes on by itself. */

import { h, replace } from "../dom.js";
import { t, tn, when } from "../words.js";
import { bring, lastBrought, stateHere } from "./away.js";
import { Refused, stillIn, Unreached } from "./server.js";

const EVERY_MS = 10_000;
let line: HTMLElement | null = null;
let connected = true;
let signedIn = true;
let timer = 0;
let going: Promise<void> | null = null;

/** The line itself; it keeps up to date. */
export function statusLine(): HTMLElement {
  line = h("p", { id: "sync", class: "sync", role: "status" });
  void tell();
  return line;
}

/** Bring the journal as soon as can be. */
export function syncSoon(delay = 0): void {
  window.clearTimeout(timer);
  if (delay === 0) void tell();
  timer = window.setTimeout(() => void sync(), delay);
}

/** Keep trying for as long as the page is open. */
export function watch(): void {
  window.addEventListener("online", () => syncSoon());
  window.addEventListener("offline", () => {
    connected = false;
    void tell();
  });
  syncSoon();
}

async function sync(): Promise<void> {
  going ??= once().finally(() => (going = null));
  await going;
  await tell();
  syncSoon(connected ? EVERY_MS : EVERY_MS / 5);
}

async function once(): Promise<void> {
  try {
    const state = await stateHere();
    signedIn = await stillIn();
    if (state?.waiting && signedIn) await bring();
    connected = true;
  } catch (error) {
    connected = !(error instanceof Unreached);
    if (!(error instanceof Unreached || error instanceof Refused)) throw error;
  }
}

async function tell(): Promise<void> {
  if (line === null) return;
  const state = await stateHere();
  const brought = lastBrought();
  const parts = [connected ? t("Connected.") : t("No connection.")];
  if (state) {
    parts.push(
      state.waiting
        ? tn(state.waiting, "One hand-over waits on this device.", "{n} hand-overs wait on this device.")
        : t("Everything from this device is in the ledger."),
    );
    if (state.refused) parts.push(tn(state.refused, "One was refused: see Away.", "{n} were refused: see Away."));
    parts.push(state.over ? t("Its lease is over.") : t("Lease until {when}.", { when: when(state.lease.until) }));
    if (connected && !signedIn) parts.push(t("Sign in again to bring it; it is safe here."));
    if (brought) parts.push(t("Last in step {when}.", { when: when(brought) }));
  }
  const text = parts.join(" ");
  line.className = connected ? (state?.waiting ? "sync waiting" : "sync") : "sync off";
  if (line.textContent !== text) replace(line, text);
}
