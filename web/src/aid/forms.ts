/** Forms and tables made from short descriptions. */

import { h, replace } from "../dom.js";
import { num, saidByServer, t } from "../words.js";
import { bestUnit, list, nameOf, place, unitsOf } from "./lists.js";
import { unitNamed } from "./practice.js";
import { call, newKey, Refused, Unreached, type Detail, type Row } from "./server.js";

export interface Field {
  id: string;
  label: string;
  kind?: "text" | "number" | "date" | "datetime-local" | "choice" | "password";
  choices?: [string, string][];
  value?: string;
  optional?: boolean;
  help?: string;
}

/** One line of a command: so much of an item, in a unit. */
export interface Amount {
  item: string;
  quantity: string;
  unit: string;
}

export function field(one: Field): HTMLElement {
  const id = `f-${one.id}`;
  const props = { id, name: one.id, required: !one.optional, value: one.value, "aria-describedby": one.help ? `${id}-help` : null };
  const input =
    one.kind === "choice"
      ? h("select", props, one.optional ? h("option", { value: "" }, "–") : null, ...(one.choices ?? []).map(([code, name]) => h("option", { value: code, selected: code === one.value }, name)))
      : h("input", { ...props, type: one.kind ?? "text", step: "any", min: one.kind === "number" ? 0 : null });
  return h("div", { class: "field" }, h("label", { for: id }, one.label), input, one.help ? h("small", { id: `${id}-help` }, one.help) : null);
}

export const sites = (): [string, string][] => list("sites").map((row) => [String(row["site"]), String(row["name"])]);
export const goods = (): [string, string][] => list("items").filter((row) => row["kind"] === "goods").map((row) => [String(row["item"]), String(row["name"])]);
export const siteField = (id = "site", label = t("Site")): Field => ({ id, label, kind: "choice", choices: sites(), value: place()?.site ?? "" });

/** Lines of item, quantity and unit, with a button for one more; `first` is a quantity in base units to begin with. */
export function amountLines(more: (number: number) => Field[] = () => [], first?: { item: string; quantity: number }): { node: HTMLElement; read: () => Row[] } {
  const body = h("div", { class: "stack" });
  let count = 0;
  const add = (): void => {
    const number = (count += 1);
    const items = goods();
    const unit = h("select", { id: `f-unit-${number}`, name: "unit" });
    const fill = (item: string): void => replace(unit, ...unitsOf(item).reverse().map((one) => h("option", { value: one.unit }, unitNamed(one.unit))));
    const item = h("select", { id: `f-item-${number}`, name: "item", onchange: () => fill(item.value) }, ...items.map(([code, name]) => h("option", { value: code }, name)));
    const wished = number === 1 ? first : undefined;
    if (wished) item.value = wished.item;
    fill(item.value);
    const best = wished && bestUnit(wished.item, wished.quantity);
    if (best) unit.value = best.unit;
    const line = h(
      "fieldset",
      { class: "amount-line" },
      h("legend", { class: "hidden" }, t("Goods {n}", { n: number })),
      h("div", { class: "field" }, h("label", { for: item.id }, t("Item")), item),
      h("div", { class: "field" }, h("label", { for: `f-quantity-${number}` }, t("Quantity")), h("input", { id: `f-quantity-${number}`, name: "quantity", type: "number", step: "any", min: 0, required: true, value: wished && best ? wished.quantity / best.base : undefined })),
      h("div", { class: "field" }, h("label", { for: unit.id }, t("Unit")), unit),
      ...more(number).map(field),
    );
    body.append(line);
  };
  add();
  const node = h("div", {}, body, h("button", { type: "button", onclick: add }, t("One more")));
  const read = (): Row[] =>
    [...body.querySelectorAll("fieldset")].map((line) => {
      const row: Row = {};
      for (const input of line.querySelectorAll<HTMLInputElement | HTMLSelectElement>("input, select")) {
        const name = input.name.replace(/-\d+$/, "");
        if (input.value !== "") row[name] = input.value;
      }
      return row;
    });
  return { node, read };
}

/** A form that sends one command; the same key until it is answered, so that it counts once. */
export function commandForm(
  title: string,
  inside: (Node | null)[],
  send: { label: string; kind?: string; path?: string; body: (values: Row) => Row; done: (answer: Row, said: HTMLElement) => void | Promise<void> },
): HTMLFormElement {
  const said = h("div", { role: "status", class: "said" });
  let key = newKey();
  let sent = "";
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const values: Row = {};
    for (const [name, value] of new FormData(form)) if (typeof value === "string" && value !== "") values[name] = value;
    const body = send.body(values);
    if (sent !== "" && sent !== JSON.stringify(body)) key = newKey();
    sent = JSON.stringify(body);
    try {
      const answer = await call<Row>(send.path ?? `/commands/${send.kind}`, "POST", body, key);
      key = newKey();
      sent = "";
      replace(said, h("p", { class: "good" }, `✓ ${t("Done.")}`));
      await send.done(answer, said);
    } catch (error) {
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
      replace(said, ...fault(error));
    }
  };
  return h(
    "form",
    { class: "command", onsubmit: (event: Event) => void submit(event), "aria-label": title },
    h("h2", {}, title),
    ...inside,
    h("button", { class: "primary wide" }, send.label),
    said,
  );
}

export interface Column {
  name: string;
  show: (row: Row) => Node | string | number | null;
  number?: boolean;
}

/** Give a file to whoever sits here. */
export function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  window.setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** A button that does something with the server, and says below it what became of it. */
export function doing(label: string, work: () => Promise<string>, props: Record<string, unknown> = {}): HTMLElement {
  const said = h("p", { role: "status", class: "said" });
  const go = async (): Promise<void> => {
    try {
      const words = await work();
      replace(said, words ? h("span", { class: "good" }, `✓ ${words}`) : null);
    } catch (error) {
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
      replace(said, ...fault(error));
    }
  };
  return h("div", {}, h("button", { type: "button", class: "big", ...props, onclick: () => void go() }, label), said);
}

/** What a page says of a refusal, or of an answer that did not come. */
export function fault(error: Refused | Unreached): HTMLElement[] {
  if (error instanceof Unreached) return [h("span", { class: "fault" }, t("No answer. Send it again: it counts once."))];
  return [h("span", { class: "fault" }, error.message), detail(error.detail)];
}

/** What the server says, in the language it says it in. */
export const detail = (said: Detail): HTMLElement => h("small", { dir: "auto", lang: said.lang }, said.text);

/** A sentence of the server's in an element of its own, in the reader's language where its form is known. */
export function saidIn(tag: "li" | "span", sentence: string): HTMLElement {
  const { text, lang } = saidByServer(sentence);
  return h(tag, { lang, dir: "auto" }, text);
}

/** A table that scrolls in itself on a narrow screen. */
export function table(caption: string, columns: Column[], rows: Row[], empty: string): HTMLElement {
  if (!rows.length) return h("p", { class: "quiet" }, empty);
  const cell = (column: Column, row: Row): HTMLElement => {
    const shown = column.show(row);
    return h("td", { class: column.number ? "number" : null }, typeof shown === "number" ? num(shown) : shown);
  };
  return h(
    "div",
    { class: "table", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, ...columns.map((column) => h("th", { scope: "col", class: column.number ? "number" : null }, column.name)))),
      h("tbody", {}, ...rows.map((row) => h("tr", {}, ...columns.map((column) => cell(column, row))))),
    ),
  );
}

/** A table that begins with the newest rows; a button brings older ones below. `fetch` is given what `next` told. */
export async function newestTable(
  caption: string,
  columns: Column[],
  empty: string,
  fetch: (next: string | null) => Promise<{ rows: Row[]; next: string | number | null }>,
): Promise<HTMLElement> {
  const rows: Row[] = [];
  const holder = h("div", {});
  const more = async (next: string | null): Promise<void> => {
    const page = await fetch(next);
    const first = holder.querySelector("tbody")?.children.length ?? 0;
    rows.push(...page.rows);
    const following = page.next;
    const button = following === null ? null : h("button", { type: "button", class: "older", onclick: () => void older(String(following)) }, t("Older"));
    replace(holder, table(caption, columns, rows, empty), button);
    if (first) (holder.querySelector<HTMLElement>(".older") ?? holder.querySelector<HTMLElement>(".table"))?.focus();
  };
  const older = (next: string): Promise<void> =>
    more(next).catch((error: unknown) => {
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
      holder.append(h("p", { class: "fault", role: "alert" }, error instanceof Refused ? error.message : t("No connection.")));
    });
  await more(null);
  return holder;
}

export const text = (name: string) => (row: Row): string => (row[name] === null || row[name] === undefined ? "–" : String(row[name]));
export const named = (name: "sites" | "items" | "programmes", key: string) => (row: Row): string => (row[key] ? nameOf(name, row[key]) : "–");
