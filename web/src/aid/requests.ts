/** Requests: what centres ask for and nothing has met yet, with answers; and asking. */

import { h, replace } from "../dom.js";
import { t } from "../words.js";
import { amountLines, commandForm, doing, field, named, siteField, table, text } from "./forms.js";
import { amount, nameOf } from "./lists.js";
import { all, call, may, newKey, type Row } from "./server.js";

/** The page. */
export async function showRequests(main: HTMLElement): Promise<void> {
  const again = (): Promise<void> => showRequests(main);
  const open = await all("/requests");
  const names = [...new Set(open.map((row) => String(row["request"])))];
  const lines = amountLines();
  const form = commandForm(t("Ask for goods"), [field(siteField()), lines.node, field({ id: "needed_by", label: t("Needed by"), kind: "date", optional: true })], {
    label: t("Ask"),
    kind: "ask",
    body: (values) => ({ site: values["site"], lines: lines.read(), ...(values["needed_by"] ? { needed_by: values["needed_by"] } : {}) }),
    done: again,
  });
  replace(
    main,
    h("h1", {}, t("Requests")),
    h("h2", {}, t("Open")),
    ...(names.length ? names.map((name) => request(open.filter((row) => row["request"] === name), again)) : [h("p", { class: "quiet" }, t("Nobody waits for anything."))]),
    may("ask") ? form : null,
  );
}

function request(rows: Row[], again: () => Promise<void>): HTMLElement {
  const [first] = rows;
  const name = String(first?.["request"]);
  const title = t("{site} asks ({name})", { site: nameOf("sites", first?.["site"]), name });
  const answer = (outcome: string): (() => Promise<string>) => async () => {
    await call("/commands/close-request", "POST", { request: name, outcome }, newKey());
    await again();
    return "";
  };
  return h(
    "section",
    { class: "command", "aria-label": title },
    h("h3", {}, title),
    table(
      title,
      [
        { name: t("Item"), show: named("items", "item") },
        { name: t("Asked"), show: (row) => amount(String(row["item"]), Number(row["asked"])), number: true },
        { name: t("Still open"), show: (row) => amount(String(row["item"]), Number(row["open"])), number: true },
        { name: t("Needed by"), show: text("needed_by") },
        ...(may("send") ? [{ name: t("Answer"), show: sendLink }] : []),
      ],
      rows,
      "",
    ),
    may("close-request")
      ? h("div", { class: "row" }, doing(t("Met in another way"), answer("met")), doing(t("Not needed any more"), answer("withdrawn")))
      : null,
  );
}

/** To the page that sends goods, with what is asked for filled in. */
function sendLink(row: Row): HTMLElement {
  const wanted = new URLSearchParams({ to: String(row["site"]), item: String(row["item"]), quantity: String(row["open"]) });
  const label = t("Send {what} to {site}", { what: nameOf("items", row["item"]), site: nameOf("sites", row["site"]) });
  return h("a", { class: "button", href: `#/transfers?${wanted.toString()}`, "aria-label": label }, t("Send"));
}
