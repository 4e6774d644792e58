/** Hand-over: scan, see yes or no, confirm. Three taps, one thing on the screen. */

import { h, replace } from "../dom.js";
import { t, tn, when } from "../words.js";
import { giveHere, learnWitness, lookHere, NotHere, sharesOf, stateHere, stockLeft, witnessIsRight, type Found, type How, type State } from "./away.js";
import { readCard } from "./card.js";
import { needs as needWords } from "./cards.js";
import { canScan, scanCard } from "./camera.js";
import { detail } from "./forms.js";
import { amount, amounts, apart, bestUnit, figure, nameOf, place, type Place } from "./lists.js";
import { unitNamed } from "./practice.js";
import { call, may, newKey, Refused, session, Unreached, type Detail } from "./server.js";
import { syncSoon } from "./status.js";

interface Look {
  may: boolean;
  leased: { desk: string; until: string } | null;
  visits_left: number | null;
  shares: { item: string; left: number; drawn: number }[];
  needs: string[];
  has_pin: boolean;
}

interface Sent {
  token: string;
  wanted: Record<string, number>;
  body: Record<string, unknown>;
  key: string;
}

interface Last {
  text: string;
  at: string;
  transaction: number | null;
}

let last: Last | null = null;
const unsettled: Sent[] = [];
window.addEventListener("beforeunload", (event) => unsettled.length && event.preventDefault());

/** The page. */
export async function showHandOver(main: HTMLElement): Promise<void> {
  const here = place();
  if (here === null) {
    location.hash = "#/place";
    return;
  }
  await ask(main, here);
}

async function ask(main: HTMLElement, here: Place, said?: Node): Promise<void> {
  const state = await stateHere();
  const field = cardField("card", t("Scan or type a card"), (token) => void look(main, here, token));
  replace(
    main,
    h("h1", {}, t("Hand over")),
    h("p", { class: "quiet" }, `${nameOf("sites", here.site)} · ${nameOf("programmes", here.programme)}`),
    said ?? null,
    field,
    canScan() ? h("button", { type: "button", class: "wide", id: "camera", onclick: () => void camera(main, here) }, t("Use the camera")) : null,
    lastBand(main, here),
    unsettledBand(),
    state && stockBand(state),
    practiceCards(main, here),
  );
  main.querySelector<HTMLInputElement>("#card")?.focus();
}

/** Cards to practise with: a tap is as good as a scan. */
function practiceCards(main: HTMLElement, here: Place): HTMLElement | null {
  if (!session.practice.length) return null;
  return h(
    "section",
    { "aria-label": t("Cards to practise with") },
    h("h2", {}, t("Cards to practise with")),
    h("p", {}, t("At a real desk a household brings its card and you scan it. Here, tap one.")),
    h(
      "ul",
      { class: "practice-cards" },
      ...session.practice.map((card) =>
        h(
          "li",
          {},
          h("button", { type: "button", onclick: () => void look(main, here, card.token) }, card.lost ? t("A card that was lost") : tn(card.size, "Household of one", "Household of {n}")),
          card.pin ? h("small", {}, t("Its PIN is {pin}.", { pin: apart(card.pin) })) : null,
        ),
      ),
    ),
    h("p", {}, t("Then try it without a connection: under Away take some goods along, switch the network off, and come back here.")),
  );
}

/** A field that a scanner types into: signs and Enter. */
function cardField(id: string, label: string, take: (token: string) => void): HTMLFormElement {
  const input = h("input", { id, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", dir: "ltr", class: "scan" });
  const submit = (event: Event): void => {
    event.preventDefault();
    const token = input.value.trim();
    input.value = "";
    if (token) take(token);
  };
  return h("form", { class: "card-form", onsubmit: submit }, h("label", { for: id }, label), h("div", { class: "row" }, input, h("button", { class: "big" }, t("Look"))));
}

async function camera(main: HTMLElement, here: Place): Promise<void> {
  const token = await scanCard(main);
  if (token === null) await ask(main, here);
  else await look(main, here, token);
}

async function look(main: HTMLElement, here: Place, token: string): Promise<void> {
  if (readCard(token) === null) {
    await ask(main, here, band(false, t("This is no card, or a sign is wrong."), t("Scan it again.")));
    return;
  }
  const state = await stateHere();
  const found = state && (await lookHere(token, state));
  if (state && found?.listed) {
    answerHere(main, here, token, state, found);
    return;
  }
  replace(main, h("p", { role: "status" }, t("One moment.")));
  try {
    const answer = await call<Look>("/cards/look", "POST", { card: token, site: here.site, programme: here.programme });
    answerThere(main, here, token, answer);
  } catch (error) {
    if (error instanceof Unreached) {
      if (state && found) notListed(main, here, token, state, found);
      else await ask(main, here, band(false, t("No connection."), t("There is no connection, so the card cannot be checked.")));
    } else if (error instanceof Refused) {
      const text = error.status === 409 ? t("No household has this card: it may have been replaced or blocked.") : error.message;
      if (error.code === "sign-in") location.reload();
      else await ask(main, here, band(false, t("No"), text, error.detail));
    } else throw error;
  }
}

function answerThere(main: HTMLElement, here: Place, token: string, found: Look): void {
  const left = Object.fromEntries(found.shares.map((share) => [share.item, share.left]));
  const send = (wanted: Record<string, number>, proof: Record<string, unknown>): void => {
    const lines = Object.entries(wanted).map(([item, quantity]) => ({ item, quantity }));
    const body = { card: token, site: here.site, programme: here.programme, lines, ...proof };
    void deliver(main, here, { token, wanted, body, key: newKey() });
  };
  if (!found.may) {
    void ask(main, here, band(false, t("No"), whyNot(found), undefined));
    return;
  }
  const done = Promise.resolve("");
  answer(main, here, token, left, found.needs, {
    tap: (wanted) => send(wanted, { proof: "tap" }),
    ...(found.has_pin ? { pin: (wanted, typed) => (send(wanted, { proof: "pin", pin: typed }), done) } : {}),
    witness: (wanted, code, password) => (send(wanted, { proof: "witness", witness: code, witness_password: password }), done),
  });
}

/** How a hand-over can be confirmed; a PIN or a password that does not hold is answered with a sentence. */
interface Ways {
  tap: (wanted: Record<string, number>) => void;
  pin?: (wanted: Record<string, number>, pin: string) => Promise<string>;
  witness: (wanted: Record<string, number>, staff: string, password: string) => Promise<string>;
}

/** The ways of a desk that works from its list. A PIN is known to the ledger alone; a witness may be known here. */
function away(token: string, send: (wanted: Record<string, number>, how: How) => void): Ways {
  return {
    tap: (wanted) => send(wanted, { proof: "tap" }),
    pin: async (wanted, typed) => {
      try {
        await call("/cards/pin", "POST", { card: token, pin: typed });
      } catch (error) {
        if (error instanceof Unreached) return t("A PIN can be checked with a connection only; a witness can confirm without one.");
        if (error instanceof Refused) return error.detail.text;
        throw error;
      }
      send(wanted, { proof: "pin" });
      return "";
    },
    witness: async (wanted, staff, password) => {
      if (staff === session.staff) return t("A witness is somebody else than who hands over.");
      try {
        const right = await witnessIsRight(staff, password);
        if (right === false) return t("Staff code and password do not go together.");
        if (right === null) await learnWitness(staff, password);
      } catch (error) {
        if (error instanceof Unreached) return t("This person is not known on this device yet, and there is no connection to ask: see Away.");
        if (error instanceof Refused) return error.message;
        throw error;
      }
      send(wanted, { proof: "witness", witness: staff });
      return "";
    },
  };
}

function whyNot(found: Look): string {
  if (found.leased) return t("This household is on the list of another desk.") + " " + t("It is {desk}, until {when}.", { desk: apart(found.leased.desk), when: when(found.leased.until) });
  if (found.visits_left === 0) return t("This household has come as often as it may in this period.");
  if (!found.shares.length) return t("This household is entitled to nothing here.");
  return t("This household has had its share in this period.");
}

function answerHere(main: HTMLElement, here: Place, token: string, state: State, found: Found): void {
  const none = Object.values(found.left).every((left) => left <= 0);
  if (none || (found.visits !== null && found.visits < 1)) {
    void ask(main, here, band(false, t("No"), t("This household has had its share in this period.")));
    return;
  }
  const goods = new Map<string, number>();
  const left = stockLeft(state.lease, state.lines);
  for (const line of state.lease.stock) goods.set(line.item, (goods.get(line.item) ?? 0) + (left.get(line.lot) ?? 0));
  const possible = Object.fromEntries(Object.entries(found.left).map(([item, amount]) => [item, Math.min(amount, goods.get(item) ?? 0)]));
  const send = (wanted: Record<string, number>, how: How): void => void keep(main, here, found, wanted, how);
  if (Object.values(possible).every((amount) => amount <= 0)) {
    const had = found.served ? t("This household has had what this desk can give it.") : t("This desk has none of it left.");
    const beyond = (): void => answer(main, here, token, found.left, [], away(token, (wanted, how) => send(wanted, { ...how, emergency: true })));
    const offer = h("details", {}, h("summary", {}, t("An emergency")), h("p", {}, t("Goods that are at hand and not this desk's may be given. A coordinator looks at it later.")), h("button", { type: "button", class: "wide", onclick: beyond }, t("Give what is at hand")));
    void ask(main, here, h("div", {}, band(false, t("No"), had), offer));
    return;
  }
  answer(main, here, token, possible, [], away(token, send));
}

/** A card that is not on the list while nobody can be asked: in an emergency it is served once, and flagged. */
function notListed(main: HTMLElement, here: Place, token: string, state: State, found: Found): void {
  const said = state.over ? t("This desk's list is over, and there is no connection to ask.") : t("This card is not on this desk's list, and there is no connection to ask.");
  if (found.served) {
    void ask(main, here, band(false, t("No"), t("This card was served here before; in an emergency it is served once.")));
    return;
  }
  const size = h("input", { id: "size", type: "number", min: 1, max: 100, required: true });
  const none = h("p", { role: "alert", class: "fault" });
  const go = (event: Event): void => {
    event.preventDefault();
    const people = Math.round(Number(size.value));
    const shares = sharesOf(state.lease, people);
    if (!Object.keys(shares).length) {
      none.textContent = t("This household is entitled to nothing here.");
      return;
    }
    answer(main, here, token, shares, [], away(token, (wanted, how) => void keep(main, here, found, wanted, { ...how, emergency: true, size: people })));
  };
  const offer = h(
    "details",
    {},
    h("summary", {}, t("An emergency")),
    h("p", {}, t("The household is served once, with what one of its size gets. A coordinator looks at it later.")),
    h("form", { class: "stack", onsubmit: go }, h("label", { for: "size" }, t("People in the household")), size, none, h("button", { class: "wide" }, t("Serve it once"))),
  );
  void ask(main, here, h("div", {}, band(false, t("No connection."), said), offer));
}

/** The large yes, with amounts to choose and ways to confirm. */
function answer(
  main: HTMLElement,
  here: Place,
  token: string,
  left: Record<string, number>,
  needs: string[],
  ways: Ways,
): void {
  const wanted: Record<string, number> = {};
  for (const [item, most] of Object.entries(left)) if (most > 0) wanted[item] = most;
  const chosen = (): Record<string, number> | null => {
    const some = Object.entries(wanted).filter(([, quantity]) => quantity > 0);
    return some.length ? Object.fromEntries(some) : null;
  };
  const tap = (): void => {
    const now = chosen();
    if (now) ways.tap(now);
  };
  const again = (scanned: string): void => {
    const [one, other] = [readCard(scanned), readCard(token)];
    if (one && other && one.every((byte, at) => byte === other[at])) tap();
    else void look(main, here, scanned);
  };
  replace(
    main,
    band(true, t("Yes"), t("This household may have {what}.", { what: amounts(wanted) }), undefined, true),
    needs.length ? h("p", { class: "needs-now" }, `${t("Please note:")} ${needs.map(needed).join(t(", "))}`) : null,
    h("div", { class: "amounts" }, ...Object.entries(left).filter(([, most]) => most > 0).map(([item, most]) => stepper(item, most, wanted))),
    h("button", { type: "button", class: "primary wide giant", id: "give", onclick: tap }, t("Hand over")),
    cardField("again", t("Or scan the card again to confirm"), again),
    proofs(ways, chosen),
    h("button", { type: "button", class: "wide", onclick: () => void ask(main, here) }, t("Back, nothing is handed over")),
  );
  main.querySelector<HTMLInputElement>("#again")?.focus({ preventScroll: true });
}

const needed = (need: string): string => needWords().find(([code]) => code === need)?.[1] ?? need;

function stepper(item: string, most: number, wanted: Record<string, number>): HTMLElement {
  const unit = bestUnit(item, most);
  const value = h("output", { class: "amount" }, amount(item, most));
  const set = (by: number): void => {
    wanted[item] = Math.max(0, Math.min(most, (wanted[item] ?? 0) + by * unit.base));
    value.textContent = apart(`${figure((wanted[item] ?? 0) / unit.base)} ${unitNamed(unit.unit)}`);
  };
  const name = nameOf("items", item);
  return h(
    "div",
    { class: "stepper", role: "group", "aria-label": name },
    h("span", { class: "grow" }, name),
    h("button", { type: "button", "aria-label": t("Less {what}", { what: name }), onclick: () => set(-1) }, "−"),
    value,
    h("button", { type: "button", "aria-label": t("More {what}", { what: name }), onclick: () => set(1) }, "+"),
  );
}

function proofs(ways: Ways, chosen: () => Record<string, number> | null): HTMLElement {
  const pin = h("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: 8 });
  const witness = h("input", { id: "witness", autocomplete: "off", autocapitalize: "none" });
  const password = h("input", { id: "witness-password", type: "password", autocomplete: "off" });
  const said = h("p", { role: "alert", class: "fault" });
  const by = (way: (wanted: Record<string, number>) => Promise<string>) => async (event: Event): Promise<void> => {
    event.preventDefault();
    const wanted = chosen();
    if (wanted) said.textContent = await way(wanted);
  };
  const byPin = ways.pin;
  return h(
    "details",
    {},
    h("summary", {}, t("Confirm in another way")),
    said,
    byPin
      ? h(
          "form",
          { class: "stack", onsubmit: (event: Event) => void by((wanted) => byPin(wanted, pin.value))(event) },
          h("label", { for: "pin" }, t("The household's PIN")),
          pin,
          h("button", {}, t("Hand over with the PIN")),
        )
      : null,
    h(
      "form",
      { class: "stack", onsubmit: (event: Event) => void by((wanted) => ways.witness(wanted, witness.value.trim(), password.value))(event) },
      h("label", { for: "witness" }, t("Staff code of a second person")),
      witness,
      h("label", { for: "witness-password" }, t("Their password")),
      password,
      h("button", {}, t("Hand over with a witness")),
    ),
  );
}

/** Send a hand-over; without an answer it is sent again with the same key until there is one. */
async function deliver(main: HTMLElement, here: Place, sent: Sent): Promise<void> {
  replace(main, h("p", { role: "status" }, t("One moment.")));
  try {
    const done = await call<{ transaction: number }>(`/cards/hand-over?desk=${here.desk}`, "POST", sent.body, sent.key);
    last = { text: amounts(sent.wanted), at: new Date().toISOString(), transaction: done.transaction };
    await ask(main, here, band(true, t("Handed over"), amounts(sent.wanted)));
  } catch (error) {
    if (error instanceof Unreached) {
      unsettled.push(sent);
      window.setTimeout(() => void again(main, here), 2000);
      await ask(main, here, band(false, t("Not confirmed yet"), t("There was no answer. Wait with the goods: it is sent again by itself and counts once.")));
    } else if (error instanceof Refused) {
      await ask(main, here, band(false, t("No"), error.code === "claim" ? t("This household has had its share in this period.") : error.message, error.detail));
    } else throw error;
  }
}

async function again(main: HTMLElement, here: Place): Promise<void> {
  const sent = unsettled[0];
  if (!sent) return;
  try {
    const done = await call<{ transaction: number }>(`/cards/hand-over?desk=${here.desk}`, "POST", sent.body, sent.key);
    unsettled.shift();
    last = { text: amounts(sent.wanted), at: new Date().toISOString(), transaction: done.transaction };
    if (main.querySelector("#card")) await ask(main, here, band(true, t("Handed over"), t("{what}: confirmed after all.", { what: amounts(sent.wanted) })));
  } catch (error) {
    if (error instanceof Refused) {
      unsettled.shift();
      if (main.querySelector("#card")) await ask(main, here, band(false, t("No"), t("{what} was not handed over.", { what: amounts(sent.wanted) }), error.detail));
    }
  }
  if (unsettled.length) window.setTimeout(() => void again(main, here), 2000);
}

async function keep(main: HTMLElement, here: Place, found: Found, wanted: Record<string, number>, how: How): Promise<void> {
  try {
    await giveHere(found, wanted, how);
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    const text = error.why === "goods" ? t("This desk has none of it left.") : t("This household has had its share in this period.");
    await ask(main, here, band(false, t("No"), text));
    return;
  }
  last = { text: amounts(wanted), at: new Date().toISOString(), transaction: null };
  const kept = how.emergency
    ? t("{what}. Kept on this device, with a flag for a coordinator; it goes to the ledger by itself.", { what: amounts(wanted) })
    : t("{what}. Kept on this device; it goes to the ledger by itself.", { what: amounts(wanted) });
  await ask(main, here, band(true, t("Handed over"), kept));
  syncSoon();
}

/** Yes or no: colour, sign and word. */
function band(yes: boolean, word: string, text: string, said?: Detail, alone = false): HTMLElement {
  return h(
    "div",
    { class: yes ? "verdict yes" : "verdict no", role: yes ? "status" : "alert" },
    h("span", { class: "sign", "aria-hidden": "true" }, yes ? "✓" : "✕"),
    h("div", {}, h(alone ? "h1" : "h2", { class: "word" }, word), h("p", {}, text), said ? detail(said) : null),
  );
}

function lastBand(main: HTMLElement, here: Place): HTMLElement | null {
  if (last === null) return null;
  const { transaction, text, at } = last;
  const undo = async (): Promise<void> => {
    try {
      await call("/commands/reverse", "POST", { transaction }, `undo-${String(transaction)}-${newKey()}`);
      last = null;
      await ask(main, here, band(true, t("Taken back"), text));
    } catch (error) {
      const said = error instanceof Refused ? error.message : t("No connection.");
      await ask(main, here, band(false, t("No"), said));
    }
  };
  return h(
    "div",
    { class: "last" },
    h("span", { class: "grow" }, t("Last: {what}, {when}", { what: text, when: when(at) })),
    transaction !== null && may("reverse")
      ? h("button", { type: "button", id: "undo", onclick: () => void undo() }, t("Take it back"))
      : h("small", {}, t("A coordinator can take it back.")),
  );
}

function unsettledBand(): HTMLElement | null {
  if (!unsettled.length) return null;
  return h("p", { class: "unsettled", role: "status" }, t("Waiting for an answer: {what}", { what: unsettled.map((sent) => amounts(sent.wanted)).join("; ") }));
}

function stockBand(state: State): HTMLElement {
  const left = stockLeft(state.lease, state.lines);
  const items: Record<string, number> = {};
  for (const line of state.lease.stock) items[line.item] = (items[line.item] ?? 0) + (left.get(line.lot) ?? 0);
  return h("p", { class: "quiet" }, t("With this desk: {what}", { what: amounts(items) || t("nothing") }));
}
