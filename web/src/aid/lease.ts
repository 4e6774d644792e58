/** Away: take goods and a list of households along, bring the journal, give back. */

import { h, replace } from "../dom.js";
import { t, tn, when } from "../words.js";
import { bring, giveBack, learnWitness, stateHere, stockLeft, type State } from "./away.js";
import { amountLines, commandForm, field, table, text } from "./forms.js";
import { keepLease, witnessesHere, type Entry, type Lease, type Witness } from "./kept.js";
import { amount, nameOf, periodNow, place } from "./lists.js";
import { all, may, Refused, Unreached, type Row } from "./server.js";
import { syncSoon } from "./status.js";

/** The page. */
export async function showAway(main: HTMLElement): Promise<void> {
  const state = await stateHere();
  const inside = state ? withLease(main, state, await witnessesHere(), (await navigator.storage?.persisted?.()) ?? false) : take(main);
  replace(main, h("h1", {}, t("Away")), ...inside, h("div", { id: "others" }));
  if (!may("leases")) return;
  try {
    const rows = await all("/leases");
    const others = main.querySelector("#others");
    if (others) replace(others, h("h2", {}, t("Desks that are away")), leases(rows));
  } catch (error) {
    if (!(error instanceof Unreached)) throw error;
  }
}

function leases(rows: Row[]): HTMLElement {
  return table(
    t("Desks that are away"),
    [
      { name: t("Lease"), show: text("lease") },
      { name: t("Desk"), show: text("desk") },
      { name: t("Until"), show: (row) => when(String(row["until"])) },
      { name: t("Households"), show: (row) => Number(row["claims"]), number: true },
      { name: t("Handed over"), show: (row) => Number(row["handed_over"]), number: true },
    ],
    rows,
    t("No desk is away."),
  );
}

function take(main: HTMLElement): HTMLElement[] {
  const here = place();
  if (here === null) return [h("p", {}, h("a", { href: "#/place" }, t("Say first which desk this is.")))];
  const period = periodNow(here.programme, here.site);
  if (period === null) return [h("p", { class: "fault" }, t("The programme has no period today."))];
  const goods = amountLines();
  const done = async (answer: Row): Promise<void> => {
    await navigator.storage?.persist?.();
    await keepLease(answer["document"] as Lease);
    syncSoon();
    await showAway(main);
  };
  return [
    h("p", {}, t("Before a desk works without a connection it takes goods and the list of its households along. Other desks leave both alone meanwhile.")),
    commandForm(t("Take along"), [goods.node, field({ id: "hours", label: t("For how many hours"), kind: "number", value: "10" })], {
      label: t("Take along"),
      path: `/leases?desk=${here.desk}`,
      body: (values) => ({
        site: here.site,
        programme: here.programme,
        period,
        until: until(Number(values["hours"])),
        lines: goods.read(),
      }),
      done,
    }),
  ];
}

let asked = { hours: 0, until: "" };
/** The same moment as long as the same is asked, so that a form sent again is the same command. */
function until(hours: number): string {
  if (asked.hours !== hours || Date.parse(asked.until) < Date.now()) {
    asked = { hours, until: new Date(Date.now() + hours * 3_600_000).toISOString() };
  }
  return asked.until;
}

function withLease(main: HTMLElement, state: State, witnesses: Witness[], persisted: boolean): HTMLElement[] {
  const left = stockLeft(state.lease, state.lines);
  const said = h("p", { role: "status" });
  const doing = (work: () => Promise<string>) => async (): Promise<void> => {
    try {
      const words = await work();
      await showAway(main);
      main.querySelector("h1")?.after(h("p", { role: "status", class: "good" }, words));
    } catch (error) {
      said.className = "fault";
      said.textContent = error instanceof Unreached ? t("There is no connection. Everything stays on this device.") : error instanceof Refused ? `${error.message} ${error.detail.text}` : String(error);
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
    }
  };
  const sync = async (): Promise<string> => ((await bring()) ? t("Everything from this device is in the ledger.") : t("Some hand-overs are not in the ledger yet."));
  const back = async (): Promise<string> => ((await giveBack()) ? t("Given back. List and journal are erased from this device.") : t("Some hand-overs are not in the ledger yet, so nothing was erased."));
  return [
    h("p", {}, t("This device has the lease {lease} for {site}, until {when}.", { lease: state.lease.lease, site: nameOf("sites", state.lease.site), when: when(state.lease.until) })),
    h("p", {}, tn(state.lease.claims.length, "One household is on its list.", "{n} households are on its list.")),
    table(
      t("Goods with this desk"),
      [
        { name: t("Item"), show: (row) => nameOf("items", row["item"]) },
        { name: t("Lot"), show: text("lot") },
        { name: t("Left"), show: (row) => amount(String(row["item"]), left.get(String(row["lot"])) ?? 0), number: true },
      ],
      state.lease.stock as unknown as Row[],
      t("No goods were taken along."),
    ),
    h("div", { class: "row" }, h("button", { type: "button", id: "sync-now", class: "big", onclick: () => void doing(sync)() }, t("Bring the journal now")), h("button", { type: "button", id: "give-back", class: "big", onclick: () => void doing(back)() }, t("Give back and erase"))),
    said,
    h("p", { class: persisted ? "quiet" : "fault" }, persisted ? t("The browser keeps list and journal until they are given back.") : t("The browser did not promise to keep list and journal: where its storage is full it may erase them. Bring the journal often.")),
    h("h2", {}, t("Witnesses")),
    h("p", {}, t("Who has said their password here, with a connection, can be a witness here without one. It is erased with the list.")),
    witnesses.length ? h("p", {}, witnesses.map((one) => one.staff).join(t(", "))) : h("p", { class: "quiet" }, t("Nobody yet.")),
    witnessForm(main),
    h("h2", {}, t("Journal")),
    table(
      t("Journal"),
      [
        { name: t("Number"), show: (row) => Number(row["number"]), number: true },
        { name: t("When"), show: (row) => when((row["entry"] as { moment: string }).moment) },
        { name: t("Given"), show: (row) => given(state.lease, row) },
        { name: t("State"), show: (row) => stateWord(String(row["state"]), row["why"]) },
      ],
      state.lines as unknown as Row[],
      t("Nothing was given yet."),
    ),
  ];
}

function witnessForm(main: HTMLElement): HTMLElement {
  const said = h("p", { role: "status" });
  const code = h("input", { id: "new-witness", autocomplete: "off", autocapitalize: "none", required: true });
  const password = h("input", { id: "new-witness-password", type: "password", autocomplete: "off", required: true });
  const learn = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await learnWitness(code.value.trim(), password.value);
      await showAway(main);
    } catch (error) {
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
      password.value = "";
      said.className = "fault";
      said.textContent = error instanceof Refused ? error.message : t("No connection.");
    }
  };
  return h(
    "details",
    {},
    h("summary", {}, t("Another witness")),
    h(
      "form",
      { class: "stack", onsubmit: (event: Event) => void learn(event) },
      h("label", { for: "new-witness" }, t("Staff code of a second person")),
      code,
      h("label", { for: "new-witness-password" }, t("Their password")),
      password,
      h("button", {}, t("Know them here")),
      said,
    ),
  );
}

function given(lease: Lease, row: Row): string {
  const entry = row["entry"] as Entry;
  const leased = entry.lots.map((part) => ({ item: lease.stock.find((line) => line.lot === part.lot)?.item ?? part.lot, quantity: part.quantity }));
  return [...leased, ...(entry.beyond ?? [])].map((part) => `${amount(part.item, part.quantity)} ${nameOf("items", part.item)}`).join(t(", "));
}

function stateWord(state: string, why: unknown): string {
  if (state === "kept") return t("in the ledger");
  return state === "waiting" ? t("waits") : `${t("refused")}: ${String(why)}`;
}
