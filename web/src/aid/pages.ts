/** The desk's plain pages: a form or two and a table each. */

import { h, replace } from "../dom.js";
import { num, percent, t, when } from "../words.js";
import { needBoxes, newCard } from "./cards.js";
import { amountLines, commandForm, field, named, newestTable, saidIn, siteField, sites, table, text, type Column } from "./forms.js";
import { amount, list, nameOf, place, readLists, setPlace } from "./lists.js";
import { unitNamed } from "./practice.js";
import { takeInFile } from "./files.js";
import { all, call, may, session, type Row } from "./server.js";
import { ownPassword } from "./staff.js";

const site = (): string => place()?.site ?? sites()[0]?.[0] ?? "";
const quantity = (): Column => ({ name: t("Quantity"), show: (row) => amount(String(row["item"]), Number(row["quantity"])), number: true });
const item = (): Column => ({ name: t("Item"), show: named("items", "item") });

/** Which site, programme and desk this device works for. */
export function showPlace(main: HTMLElement): Promise<void> {
  const here = place();
  const programmes = list("programmes").map((row) => [String(row["programme"]), String(row["name"])] as [string, string]);
  const form = h(
    "form",
    {
      class: "command",
      onsubmit: (event: Event) => {
        event.preventDefault();
        const values = new FormData(event.target as HTMLFormElement);
        setPlace({ site: String(values.get("site")), programme: String(values.get("programme")), desk: String(values.get("desk")) });
        location.hash = may("look") ? "#/give" : "#/stock";
      },
    },
    h("h1", {}, t("This desk")),
    h("p", {}, t("It is asked once and kept on this device.")),
    field(siteField()),
    field({ id: "programme", label: t("Programme"), kind: "choice", choices: programmes, value: here?.programme ?? programmes[0]?.[0] ?? "" }),
    field({ id: "desk", label: t("Name of the desk"), value: here?.desk ?? `desk-${1 + Math.floor(Math.random() * 999)}`, help: t("Small letters, digits and dashes; each desk has its own.") }),
    h("button", { class: "primary wide giant" }, t("Keep")),
  );
  form.querySelector("input")?.setAttribute("pattern", "[a-z0-9][a-z0-9\\-]*");
  replace(main, form, session.signing ? ownPassword() : null);
  return Promise.resolve();
}

/** A new household gets a card. */
export function showEnrol(main: HTMLElement): Promise<void> {
  const boxes = needBoxes();
  const form = commandForm(
    t("Enrol a household"),
    [
      h("p", {}, t("No name, no document: a household is a number of people, and what to pack for it.")),
      field({ id: "size", label: t("People in the household"), kind: "number" }),
      field(siteField("home", t("Where it comes"))),
      field({ id: "language", label: t("Language (two letters)"), value: "en" }),
      boxes.node,
      field({ id: "pin", label: t("PIN of 4 to 8 digits"), optional: true, kind: "password" }),
      field({ id: "card", label: t("Printed card, scanned"), optional: true, help: t("Without one a new card is made and shown once.") }),
    ],
    {
      label: t("Enrol"),
      path: "/cards/enrol",
      body: (values) => ({ ...values, size: Number(values["size"]), needs: boxes.read() }),
      done: (answer, said) =>
        replace(said, h("p", { class: "good" }, `✓ ${t("Enrolled.")}`), newCard(String(answer["card"]), String(answer["household"]))),
    },
  );
  replace(main, h("h1", {}, t("Enrol")), form);
  return Promise.resolve();
}

/** A gift comes in. */
export async function showIntake(main: HTMLElement): Promise<void> {
  const lines = amountLines((number) => [
    { id: `use_by-${number}`, label: t("Use by"), kind: "date", optional: true },
    { id: `best_before-${number}`, label: t("Best before"), kind: "date", optional: true },
  ]);
  const givers = list("parties").map((row) => [String(row["party"]), String(row["organisation"] ?? row["party"])] as [string, string]);
  const form = commandForm(t("A gift has come in"), [field(siteField()), field({ id: "giver", label: t("Giver"), kind: "choice", choices: givers }), lines.node], {
    label: t("Take in"),
    kind: "receive",
    body: (values) => ({ site: values["site"], giver: values["giver"], lines: lines.read() }),
    done: (answer, said) => {
      const lots = (answer["lots"] as Row[] | undefined) ?? [];
      said.append(h("p", {}, t("Lots for the labels: {lots}", { lots: lots.map((lot) => String(lot["lot"])).join(", ") })));
    },
  });
  const giver = commandForm(
    t("A new giver"),
    [
      field({ id: "party", label: t("Code"), help: t("Small letters, digits and dashes; a private giver has a code alone.") }),
      field({ id: "organisation", label: t("Name of the organisation"), optional: true }),
    ],
    {
      label: t("Add"),
      kind: "add-party",
      body: (values) => values,
      done: async () => {
        await readLists();
        await showIntake(main);
      },
    },
  );
  replace(main, h("h1", {}, t("Take in")), form, h("details", {}, h("summary", {}, t("A new giver")), giver), h("details", {}, h("summary", {}, t("A whole file at once")), takeInFile(readLists)));
  await Promise.resolve();
}

/** What is where, and how it came and went. */
export async function showStock(main: HTMLElement): Promise<void> {
  const asked = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const where = asked.get("site") ?? site();
  const older = (next: string | null): Promise<{ rows: Row[]; next: string | null }> =>
    call(`/movements?site=${where}&kind=STOCK&newest=true&limit=50${next === null ? "" : `&cursor=${next}`}`);
  const rows = await all(`/balances?kind=STOCK&site=${where}`);
  const moved = await newestTable(
    t("Last movements"),
    [
      { name: t("When"), show: (row) => when(String(row["at"])) },
      { name: t("What"), show: (row) => actOf(String(row["kind"])) },
      item(),
      { name: t("Lot"), show: text("lot") },
      quantity(),
      { name: t("Then there"), show: (row) => amount(String(row["item"]), Number(row["then"])), number: true },
      { name: t("By"), show: text("actor") },
    ],
    t("Nothing has moved yet."),
    older,
  );
  const chosen = h(
    "select",
    { id: "where", onchange: (event: Event) => (location.hash = `#/stock?site=${(event.target as HTMLSelectElement).value}`) },
    ...sites().map(([code, name]) => h("option", { value: code, selected: code === where }, name)),
  );
  replace(
    main,
    h("h1", {}, t("Stock")),
    h("div", { class: "field" }, h("label", { for: "where" }, t("Site")), chosen),
    table(t("What is there"), [item(), { name: t("Lot"), show: text("lot") }, quantity(), { name: t("Use by"), show: text("use_by") }, { name: t("Best before"), show: text("best_before") }], rows, t("Nothing is there.")),
    may("labels") && rows.length ? h("p", {}, h("a", { class: "button", href: `/api/aid/labels?site=${where}`, download: "labels.pdf" }, t("Labels of these lots to print"))) : null,
    h("h2", {}, t("Last movements")),
    moved,
  );
}

function actOf(kind: string): string {
  const words: Record<string, string> = {
    receive: t("gift"),
    "hand-over": t("hand-over"),
    "hand-over-offline": t("hand-over"),
    send: t("sent"),
    arrive: t("arrived"),
    stocktake: t("counted"),
    lease: t("taken along"),
    "end-lease": t("given back"),
    reserve: t("set aside"),
    reverse: t("taken back"),
    release: t("free again"),
    damage: t("damaged"),
    lose: t("lost"),
    expire: t("past its day"),
    make: t("packed into kits"),
    buy: t("bought"),
    approve: t("set aside"),
    "give-back": t("returned to the giver"),
    "receive-pledge": t("gift"),
  };
  return words[kind] ?? kind;
}

/** Goods go to another site and arrive there. */
export async function showTransfers(main: HTMLElement): Promise<void> {
  const wished = new URLSearchParams(location.hash.split("?")[1] ?? "");
  const wishedItem = wished.get("item");
  const lines = amountLines(undefined, wishedItem === null ? undefined : { item: wishedItem, quantity: Number(wished.get("quantity")) });
  const again = (): Promise<void> => showTransfers(main);
  const send = commandForm(t("Send"), [field(siteField("site", t("From"))), field({ id: "to", label: t("To"), kind: "choice", choices: sites(), value: wished.get("to") ?? "" }), lines.node], {
    label: t("Send"),
    kind: "send",
    body: (values) => ({ site: values["site"], to: values["to"], lines: lines.read() }),
    done: again,
  });
  const rows = await all("/balances?kind=TRANSIT");
  const shipments = [...new Set(rows.map((row) => String(row["reference"])))];
  const cards = shipments.map((name) => {
    const inside = rows.filter((row) => row["reference"] === name);
    const id = (row: Row, what: string): string => `${what}-${String(row["lot"])}`;
    return commandForm(
      t("Shipment {name} to {site}", { name, site: nameOf("sites", inside[0]?.["site"]) }),
      inside.flatMap((row) => [
        h("p", {}, `${amount(String(row["item"]), Number(row["quantity"]))} ${nameOf("items", row["item"])} (${String(row["lot"])})`),
        field({ id: id(row, "good"), label: t("Arrived in good state, {unit}", { unit: unitNamed(String(row["unit"])) }), kind: "number", value: String(row["quantity"]) }),
        field({ id: id(row, "damaged"), label: t("Damaged, {unit}", { unit: unitNamed(String(row["unit"])) }), kind: "number", value: "0" }),
      ]),
      {
        label: t("It has arrived"),
        kind: "arrive",
        body: (values) => ({
          shipment: name,
          lines: inside.map((row) => ({ lot: row["lot"], good: Number(values[id(row, "good")]), damaged: Number(values[id(row, "damaged")]) })),
        }),
        done: again,
      },
    );
  });
  replace(main, h("h1", {}, t("Transfers")), h("h2", {}, t("On the way")), cards.length ? cards : h("p", { class: "quiet" }, t("Nothing is on the way.")), send);
}

/** What is really there. */
export async function showCount(main: HTMLElement): Promise<void> {
  const where = site();
  const [rows, head] = await Promise.all([all(`/balances?kind=STOCK&site=${where}`), call<Row>("/head")]);
  const reasons: [string, string][] = [
    ["unexplained", t("unexplained")],
    ["miscount", t("miscounted")],
    ["missing", t("missing")],
    ["theft", t("stolen")],
    ["found", t("found")],
  ];
  const form = commandForm(
    t("Count at {site}", { site: nameOf("sites", where) }),
    [
      h("p", {}, t("Fill in what you counted; what stays empty is not touched.")),
      ...rows.map((row) =>
        h(
          "fieldset",
          { class: "amount-line" },
          h("legend", {}, `${nameOf("items", row["item"])} ${String(row["lot"])}`),
          field({ id: `counted-${String(row["lot"])}`, label: t("Counted, {unit}", { unit: unitNamed(String(row["unit"])) }), kind: "number", optional: true }),
          field({ id: `reason-${String(row["lot"])}`, label: t("If it differs"), kind: "choice", choices: reasons, value: "unexplained" }),
        ),
      ),
    ],
    {
      label: t("Keep the count"),
      kind: "stocktake",
      body: (values) => ({
        site: where,
        cutoff: head["seq"],
        lines: rows
          .filter((row) => values[`counted-${String(row["lot"])}`] !== undefined)
          .map((row) => ({ lot: row["lot"], counted: Number(values[`counted-${String(row["lot"])}`]), reason: values[`reason-${String(row["lot"])}`] })),
      }),
      done: () => undefined,
    },
  );
  replace(main, h("h1", {}, t("Count")), rows.length ? form : h("p", { class: "quiet" }, t("Nothing is there.")));
}

/** Hand-overs that went beyond the books, each resolved with a reason. */
export async function showConflicts(main: HTMLElement): Promise<void> {
  const rows = await all("/conflicts");
  const reasons: [string, string][] = [
    ["emergency", t("It was an emergency")],
    ["goods-found", t("The goods were found")],
    ["goods-not-booked", t("The goods had not been booked")],
    ["entry-mistake", t("A mistake in the entry")],
    ["card-replaced", t("The card had been replaced")],
    ["clock", t("The desk's clock was wrong")],
    ["put-right", t("It was put right")],
    ["other", t("Something else")],
  ];
  const forms = rows.map((row) =>
    commandForm(
      `${kindOf(String(row["kind"]))} (${String(row["conflict"])})`,
      [
        h("p", {}, t("{site}, desk {desk}, {when}", { site: nameOf("sites", row["site"]), desk: String(row["desk"]), when: when(String(row["at"])) })),
        row["item"] ? h("p", {}, `${amount(String(row["item"]), Number(row["quantity"]))} ${nameOf("items", row["item"])}`) : null,
        may("resolve") ? field({ id: "reason", label: t("What was it?"), kind: "choice", choices: reasons }) : null,
      ],
      { label: t("Resolve"), kind: "resolve", body: (values) => ({ conflict: row["conflict"], reason: values["reason"] }), done: () => showConflicts(main) },
    ),
  );
  if (!may("resolve")) forms.forEach((form) => form.querySelector("button")?.remove());
  replace(main, h("h1", {}, t("Conflicts")), h("p", {}, t("These hand-overs have happened and went beyond the books. A coordinator says what each was.")), ...(forms.length ? forms : [h("p", { class: "good" }, `✓ ${t("Nothing is open.")}`)]));
}

function kindOf(kind: string): string {
  const words: Record<string, string> = {
    stock: t("More goods than the books had"),
    "use-by": t("Goods past their use-by day"),
    recalled: t("Goods that were recalled"),
    unleased: t("A card that was not on the list"),
    "unknown-card": t("A card that nobody has"),
    clock: t("The desk's clock was wrong"),
    closed: t("The site was closed"),
    visits: t("More visits than allowed"),
    claim: t("More than the household's share"),
    "leased-out": t("The card was with another desk"),
  };
  return words[kind] ?? kind;
}

/** The ledger's own proof, and its last entries. */
export async function showRecord(main: HTMLElement): Promise<void> {
  const head = await call<Row>("/head");
  const said = h("div", { role: "status", id: "audit-said" });
  const figures = h("div", {});
  const run = async (): Promise<void> => {
    replace(said, h("p", {}, t("Proving the ledger. This can take minutes.")));
    const report = await call<Row>("/audit", "POST");
    const findings = (report["findings"] as Row[]).map((one) => saidIn("li", String(one["text"])));
    replace(
      said,
      report["holds"]
        ? h("p", { class: "good" }, `✓ ${t("The ledger holds: {n} transactions, {m} postings, nothing is wrong.", { n: String(report["transactions"]), m: String(report["postings"]) })}`)
        : h("div", { class: "fault" }, h("p", {}, t("Something is wrong in the ledger:")), h("ul", {}, findings)),
    );
  };
  replace(
    main,
    h("h1", {}, t("Record")),
    h("p", {}, t("The ledger has {n} transactions; each holds on to the one before.", { n: String(head["seq"]) })),
    h("p", {}, h("small", {}, t("Last hash")), h("code", { dir: "ltr" }, String(head["hash"]))),
    may("audit") ? h("button", { type: "button", class: "big", id: "audit", onclick: () => void run() }, t("Prove the ledger")) : null,
    said,
    figures,
  );
  if (may("indicators")) replace(figures, ...(await report()));
}

/** How the last weeks went, in a few figures. */
async function report(): Promise<Node[]> {
  const found = await call<Row>("/indicators");
  const share = (key: string): string => (typeof found[key] === "number" ? percent(found[key]) : "–");
  const days = (key: string): string => (typeof found[key] === "number" ? num(found[key]) : "–");
  const rows: [string, string][] = [
    [t("Visits"), num(Number(found["visits"]))],
    [t("Households served"), num(Number(found["households"]))],
    [t("Of those expected"), share("coverage")],
    [t("Days from gift to hand-over, usually"), days("days_to_hand_over")],
    [t("Of what was handed over, traced to a giver"), share("to_a_giver")],
  ];
  return [
    h("h2", {}, t("From {first} to {last}", { first: String(found["first"]), last: String(found["last"]) })),
    h("dl", { class: "report" }, ...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
  ];
}
