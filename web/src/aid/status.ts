/** The line under the header that says whether there is a connection and what waits; and the sync that goes on by itself. */

import { h, replace } from "../dom.js";
import { language, t, tn, when } from "../words.js";
import { bring, lastBrought, stateHere } from "./away.js";
import { Refused, stillIn, Unreached } from "./server.js";

const EVERY_MS = 10_000;
let line: HTMLElement | null = null;
let age: HTMLElement | null = null;
let connected = true;
let since = Date.now();
let signedIn = true;
let timer = 0;
let going: Promise<void> | null = null;

/** The line itself; it keeps up to date. */
export function statusLine(): HTMLElement {
  line = h("span", {});
  age = h("span", { class: "age", "aria-live": "off" });
  void tell();
  return h("p", { id: "sync", class: "sync", role: "status", "aria-atomic": "false" }, line, " ", age);
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
    hear(false);
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
    hear(true);
  } catch (error) {
    hear(!(error instanceof Unreached));
    if (!(error instanceof Unreached || error instanceof Refused)) throw error;
  }
}

/** Whether the server answers; since when it does not. */
function hear(answers: boolean): void {
  if (connected || answers) since = Date.now();
  connected = answers;
}

/** How long ago, as people say it. */
function ago(then: number): string {
  const minutes = Math.round((Date.now() - then) / 60_000);
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
  if (minutes < 60) return format.format(-minutes, "minute");
  return minutes < 48 * 60 ? format.format(-Math.round(minutes / 60), "hour") : format.format(-Math.round(minutes / 1440), "day");
}

async function tell(): Promise<void> {
  if (line === null || age === null) return;
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
  }
  const text = parts.join(" ");
  const whole = line.parentElement;
  if (whole) whole.className = connected ? (state?.waiting ? "sync waiting" : "sync") : "sync off";
  if (line.textContent !== text) replace(line, text);
  // How old it is changes each minute and is not read out.
  const old = state && brought ? t("In step {ago}.", { ago: ago(Date.parse(brought)) }) : connected ? "" : t("Last heard from {ago}.", { ago: ago(since) });
  if (age.textContent !== old) age.textContent = old;
}
