/** Sharing: a fair proposal with its reasons, approved or declined by a person. */

import { h, replace } from "../dom.js";
import { num, percent, t, tn, when } from "../words.js";
import { commandForm, doing, field, named, saidIn, sites, table, text } from "./forms.js";
import { amount, nameOf } from "./lists.js";
import { all, call, may, type Row } from "./server.js";

/** The page. */
export async function showSharing(main: HTMLElement): Promise<void> {
  const decided = await all("/decisions");
  const open = decided.filter((row) => row["decision"] === "open");
  const shown = await Promise.all(open.slice(-3).map((row) => call<Row>(`/proposals/${String(row["proposal"])}`)));
  const make = commandForm(
    t("A new proposal"),
    [
      h("p", {}, t("It shares what there is fairly among what centres ask for and miss. Nothing moves until a person approves it.")),
      field({ id: "days", label: t("For how many days"), kind: "number", value: "7" }),
    ],
    { label: t("Propose"), path: "/proposals", body: (values) => ({ days: Number(values["days"]) }), done: () => showSharing(main) },
  );
  replace(
    main,
    h("h1", {}, t("Sharing")),
    ...(shown.length ? shown.reverse().map((one) => proposal(main, one)) : [h("p", { class: "quiet" }, t("There is no proposal to decide on."))]),
    may("propose") ? make : null,
    may("propose") ? h("details", {}, h("summary", {}, t("A crisis")), crisis(main)) : null,
    may("propose") ? h("details", {}, h("summary", {}, t("What fairness costs")), frontier()) : null,
    h("h2", {}, t("Decided before")),
    table(
      t("Decided before"),
      [
        { name: t("Proposal"), show: text("proposal") },
        { name: t("From"), show: text("first_day") },
        { name: t("Decision"), show: (row) => (row["decision"] === "approved" ? t("approved") : t("declined")) },
        { name: t("By"), show: text("decided_by") },
        { name: t("When"), show: (row) => when(String(row["decided_at"])) },
      ],
      decided.filter((row) => row["decision"] !== "open").slice(-20).reverse(),
      t("Nothing was decided yet."),
    ),
  );
}

/** Sites that are out, and sites where need has grown: who takes over, what moves where. */
function crisis(main: HTMLElement): HTMLElement {
  const reasons: [string, string][] = [
    ["flood", t("flood")],
    ["fire", t("fire")],
    ["outage", t("no power or water")],
    ["staff", t("too few people work there")],
    ["safety", t("it is not safe")],
    ["full", t("it is full")],
    ["other", t("Something else")],
  ];
  const lines = sites().map(([code, name]) =>
    h(
      "fieldset",
      { class: "amount-line" },
      h("legend", {}, name),
      field({ id: `out-${code}`, label: t("Is out because"), kind: "choice", choices: reasons, optional: true }),
      field({ id: `surge-${code}`, label: t("Need, in percent of the usual"), kind: "number", optional: true }),
    ),
  );
  return commandForm(t("A crisis"), [h("p", {}, t("Say what has happened. One approval closes the sites, names who takes over, and sets the goods aside.")), ...lines, field({ id: "days", label: t("For how many days"), kind: "number", value: "7" })], {
    label: t("Propose what to do"),
    path: "/proposals",
    body: (values) => {
      const closing: Record<string, unknown> = {};
      const surges: Record<string, number> = {};
      for (const [code] of sites()) {
        if (values[`out-${code}`]) closing[code] = values[`out-${code}`];
        if (values[`surge-${code}`]) surges[code] = Math.round(10 * Number(values[`surge-${code}`]));
      }
      return { days: Number(values["days"]), closing, surges };
    },
    done: () => showSharing(main),
  });
}

function frontier(): HTMLElement {
  const shown = h("div", {});
  const find = async (): Promise<string> => {
    const found = await call<{ points: Row[] }>("/frontier", "POST", { time_limit_s: 20 });
    const kg = (name: string) => (row: Row): string => num(Number(row[name]));
    replace(
      shown,
      table(
        t("What fairness costs"),
        [
          { name: t("Of the fair share, each keeps"), show: (row) => percent(Number(row["kept"])), number: true },
          { name: t("The least served gets, of what it asked"), show: (row) => percent(Number(row["lowest"])), number: true },
          { name: t("Served, kg"), show: kg("served_kg"), number: true },
          { name: t("At most possible, kg"), show: kg("bound_kg"), number: true },
        ],
        found.points,
        t("Nobody asks for anything."),
      ),
    );
    return "";
  };
  return h("div", {}, h("p", {}, t("Sharing fairly can mean that less is served in all. The table says how much, were each centre to keep only a part of its fair share. Nothing is kept of it.")), doing(t("Find out"), find), shown);
}

/** What a crisis's proposal would do besides moving goods. */
function takeovers(one: Row): HTMLElement[] {
  const closures = one["closures"] as Row[];
  const surges = one["surges"] as Row[];
  const over = one["takeovers"] as Row[];
  return [
    ...closures.map((row) => h("p", {}, t("{site} is closed.", { site: nameOf("sites", row["site"]) }))),
    ...surges.map((row) => h("p", {}, t("{site}: need at {share} of the usual.", { site: nameOf("sites", row["site"]), share: percent(Number(row["per_mille"]) / 1000) }))),
    over.length
      ? table(
          t("Who takes over"),
          [
            { name: t("Instead of"), show: named("sites", "site") },
            { name: t("Goes to"), show: named("sites", "to") },
            { name: t("Part"), show: (row) => percent(Number(row["per_mille"]) / 1000), number: true },
          ],
          over,
          "",
        )
      : h("span", {}),
  ];
}

function proposal(main: HTMLElement, one: Row): HTMLElement {
  const name = String(one["proposal"]);
  const lines = one["lines"] as Row[];
  const left = new Set<number>();
  const box = (row: Row): HTMLElement => {
    const number = Number(row["line"]);
    const said = t("Line {n}", { n: number });
    return h("input", { type: "checkbox", checked: true, "aria-label": said, onchange: (event: Event) => void ((event.target as HTMLInputElement).checked ? left.delete(number) : left.add(number)) });
  };
  const quantity = { name: t("Quantity"), show: (row: Row) => amount(String(row["item"]), Number(row["quantity"])), number: true };
  const again = (): Promise<void> => showSharing(main);
  const reasons: [string, string][] = [
    ["out-of-date", t("out of date")],
    ["unfair", t("unfair")],
    ["impractical", t("impractical")],
    ["other", t("Something else")],
  ];
  return h(
    "section",
    { "aria-label": t("Proposal {name}", { name }) },
    h("h2", {}, t("Proposal {name}", { name })),
    h("p", {}, one["status"] === "proven" ? t("No other sharing is fairer: proven.") : t("A good sharing; whether a fairer one exists is not proven.")),
    ...(one["kind"] === "crisis" ? takeovers(one) : []),
    h("h3", {}, tn(lines.length, "One journey", "{n} journeys")),
    table(
      t("Journeys of {name}", { name }),
      [
        { name: t("Keep"), show: box },
        { name: t("Day"), show: text("day") },
        { name: t("From"), show: named("sites", "from") },
        { name: t("To"), show: named("sites", "to") },
        { name: t("Item"), show: named("items", "item") },
        quantity,
      ],
      lines,
      t("Nothing is to move."),
    ),
    h("h3", {}, t("Who gets what, and why")),
    table(
      t("Shares of {name}", { name }),
      [
        { name: t("Site"), show: named("sites", "site") },
        { name: t("Item"), show: named("items", "item") },
        { name: t("Asked"), show: (row) => amount(String(row["item"]), Number(row["asked"])), number: true },
        { name: t("Gets"), show: (row) => amount(String(row["item"]), Number(row["given"])), number: true },
        { name: t("Why"), show: (row) => saidIn("span", String(row["because"])) },
      ],
      one["shares"] as Row[],
      t("Nobody asks for anything."),
    ),
    may("approve")
      ? h(
          "div",
          {},
          commandForm(t("Approve"), [h("p", {}, t("The goods are set aside. Lines that are not kept stay where they are."))], {
            label: t("Approve"),
            kind: "approve",
            body: () => ({ proposal: name, without: [...left].sort((a, b) => a - b) }),
            done: again,
          }),
          h(
            "details",
            {},
            h("summary", {}, t("Decline")),
            commandForm(t("Decline"), [field({ id: "reason", label: t("Why"), kind: "choice", choices: reasons })], {
              label: t("Decline"),
              kind: "decline",
              body: (values) => ({ proposal: name, reason: values["reason"] }),
              done: again,
            }),
          ),
        )
      : null,
  );
}
