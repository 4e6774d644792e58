/** Cards: a household's, shown, changed, replaced when lost, blocked; new ones to print; and what is deleted when. */

import { h, replace } from "../dom.js";
import { num, t, tn } from "../words.js";
import { commandForm, doing, field, save, siteField, table, text } from "./forms.js";
import { nameOf } from "./lists.js";
import { call, fileFor, may, Refused, Unreached, type Row } from "./server.js";

/** What may be packed for, by its code. */
export const needs = (): [string, string][] => [
  ["infant", t("food and nappies for an infant")],
  ["no-cooking", t("no stove: nothing to cook")],
  ["no-gluten", t("no gluten")],
  ["no-meat", t("no meat")],
  ["carry-help", t("help with carrying")],
];

/** Boxes for what to pack for. */
export function needBoxes(chosen: string[] = []): { node: HTMLElement; read: () => string[] } {
  const boxes = needs().map(([code, name]) => h("label", { class: "row" }, h("input", { type: "checkbox", value: code, checked: chosen.includes(code) }), name));
  const inputs = boxes.map((box) => box.querySelector("input")).filter((box) => box !== null);
  const read = (): string[] => inputs.filter((box) => box.checked).map((box) => box.value);
  return { node: h("fieldset", { class: "needs" }, h("legend", {}, t("What to pack for")), ...boxes), read };
}

/** A card that was made just now, and the household's number: told once, to print or write down. */
export function newCard(card: string, household: string): HTMLElement {
  const print = async (): Promise<string> => {
    save(await fileFor("/labels/these", { cards: [card] }), "card.pdf");
    return t("The card is in your downloads, to print.");
  };
  return h(
    "div",
    { class: "new-card" },
    h("p", {}, t("Write the card down or print it now; it is kept nowhere:")),
    h("p", { class: "token", dir: "ltr" }, card),
    may("labels") ? doing(t("Print the card"), print) : null,
    h("p", {}, t("The household's number, to be kept at home: with it a lost card is replaced.")),
    h("p", { class: "token", dir: "ltr" }, household),
  );
}

/** The page. */
export function showCards(main: HTMLElement, said?: HTMLElement): Promise<void> {
  const input = h("input", { id: "whose", autocomplete: "off", autocapitalize: "characters", spellcheck: "false", dir: "ltr", class: "scan" });
  const trouble = h("p", { role: "alert", class: "fault" });
  const find = async (event: Event): Promise<void> => {
    event.preventDefault();
    const typed = input.value.trim();
    if (!typed) return;
    try {
      showHousehold(main, await call<Row>("/cards/show", "POST", { card: typed }));
    } catch (error) {
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
      const known = error instanceof Refused && error.code !== "unknown";
      trouble.textContent = known ? error.message : error instanceof Refused ? t("No household has this card or number.") : t("No connection.");
    }
  };
  replace(
    main,
    h("h1", {}, t("Cards")),
    said ?? null,
    h("p", {}, t("A card was lost, or something about a household has changed.")),
    h(
      "form",
      { class: "card-form", onsubmit: (event: Event) => void find(event) },
      h("label", { for: "whose" }, t("Scan the card, or type the household's number")),
      h("div", { class: "row" }, input, h("button", { class: "big" }, t("Look"))),
    ),
    trouble,
    may("labels") ? sheets() : null,
    may("retain") ? cleaning() : null,
  );
  input.focus();
  return Promise.resolve();
}

function showHousehold(main: HTMLElement, found: Row): void {
  const number = String(found["household"]);
  const boxes = needBoxes(found["needs"] as string[]);
  const lost = commandForm(
    t("The card was lost"),
    [
      h("p", {}, t("The household gets another card with what the old one had left. The old one is refused from now on.")),
      field({ id: "new", label: t("Printed card, scanned"), optional: true, help: t("Without one a new card is made and shown once.") }),
    ],
    {
      label: t("Replace the card"),
      path: "/cards/replace",
      body: (values) => ({ card: number, ...values }),
      done: (answer) => {
        const done = h("p", { class: "good", role: "status" }, `✓ ${t("The card is replaced.")}`);
        return showCards(main, h("section", {}, done, newCard(String(answer["card"]), String(answer["household"]))));
      },
    },
  );
  const change = commandForm(
    t("Change"),
    [
      field({ id: "size", label: t("People in the household"), kind: "number", value: String(found["size"]) }),
      field({ ...siteField("home", t("Where it comes")), value: String(found["home"]) }),
      field({ id: "language", label: t("Language (two letters)"), value: String(found["language"]) }),
      boxes.node,
      field({ id: "pin", label: found["has_pin"] ? t("Another PIN, of 4 to 8 digits") : t("PIN of 4 to 8 digits"), kind: "password", optional: true }),
    ],
    {
      label: t("Keep"),
      path: "/cards/change",
      body: (values) => ({ card: number, ...values, size: Number(values["size"]), needs: boxes.read() }),
      done: () => undefined,
    },
  );
  const block = async (): Promise<string> => {
    const answer = await call<Row>("/cards/block", "POST", { card: number });
    await showCards(main, h("p", { class: "good", role: "status" }, `✓ ${tn(Number(answer["blocked"]), "One card is blocked.", "{n} cards are blocked.")}`));
    return "";
  };
  replace(
    main,
    h("h1", {}, t("Cards")),
    h("p", {}, tn(Number(found["size"]), "One person, {site}.", "{n} people, {site}.", { site: nameOf("sites", found["home"]) })),
    table(
      t("Its cards"),
      [
        { name: t("State"), show: (row) => stateOf(String(row["state"])) },
        { name: t("Since"), show: text("since") },
      ],
      found["cards"] as Row[],
      t("It has no card."),
    ),
    lost,
    may("change-household") ? h("details", {}, h("summary", {}, t("Change what is kept of it")), change) : null,
    h("details", {}, h("summary", {}, t("Block without another card")), h("p", {}, t("No card of this household is good for anything from then on.")), doing(t("Block the card"), block)),
    h("button", { type: "button", class: "wide", onclick: () => void showCards(main) }, t("Back")),
  );
}

function stateOf(state: string): string {
  const words: Record<string, string> = { active: t("good"), replaced: t("replaced"), blocked: t("blocked") };
  return words[state] ?? state;
}

function sheets(): HTMLElement {
  const count = h("input", { id: "count", type: "number", min: 1, max: 2400, value: 24 });
  const make = async (): Promise<string> => {
    save(await fileFor(`/labels/cards?count=${Math.round(Number(count.value))}`, {}), "cards.pdf");
    return t("The sheets are in your downloads, to print.");
  };
  return h(
    "section",
    {},
    h("h2", {}, t("New cards to print")),
    h("p", {}, t("Sheets of 24. The cards are kept nowhere; each is given to a household when it is enrolled.")),
    h("div", { class: "field" }, h("label", { for: "count" }, t("How many")), count),
    doing(t("Make the sheets"), make),
  );
}

function cleaning(): HTMLElement {
  const clean = async (): Promise<string> => {
    const gone = await call<Record<string, number>>("/retain", "POST", {});
    return t("Gone: {keys} keys, {cards} cards, {households} households, {lines} lines of logs.", {
      keys: num(gone["keys"] ?? 0),
      cards: num(gone["cards"] ?? 0),
      households: num(gone["households"] ?? 0),
      lines: num((gone["log_lines"] ?? 0) + (gone["sign_ins"] ?? 0)),
    });
  };
  return h(
    "details",
    {},
    h("summary", {}, t("Delete what is no longer needed")),
    h(
      "p",
      {},
      t("Keys of periods that ended 30 days ago, cards that were replaced or blocked, households not seen for a year, and lines of logs that are 90 days old. What is deleted does not come back."),
    ),
    doing(t("Delete now"), clean),
  );
}
