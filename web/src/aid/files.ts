/** Files: tables to take away, published tables, a copy of the ledger, a signed head; and files that come in. */

import { h, replace } from "../dom.js";
import { t, tn } from "../words.js";
import { commandForm, doing, fault, field, saidIn, save, sites, table, text } from "./forms.js";
import { list } from "./lists.js";
import { all, call, may, Refused, sendForm, Unreached, type Row } from "./server.js";

const TABLES = ["balances", "movements", "sites", "items", "programmes", "periods", "parties"] as const;

/** The page. */
export async function showFiles(main: HTMLElement): Promise<void> {
  const released = may("published") ? await all("/published") : [];
  const names: Record<(typeof TABLES)[number], string> = {
    balances: t("What is where"),
    movements: t("Every movement"),
    sites: t("Sites"),
    items: t("Items"),
    programmes: t("Programmes"),
    periods: t("Periods"),
    parties: t("Givers"),
  };
  replace(
    main,
    h("h1", {}, t("Files")),
    h("h2", {}, t("Tables to take away")),
    h(
      "ul",
      { class: "links" },
      ...TABLES.map((what) => h("li", {}, h("span", { class: "grow" }, names[what]), file(`/exports/tables/${what}.csv`, "CSV", names[what]), file(`/exports/tables/${what}.xlsx`, "XLSX", names[what]))),
    ),
    may("export-epcis") ? others() : null,
    h("h2", {}, t("Published tables")),
    table(
      t("Published tables"),
      [
        { name: t("Table"), show: text("release") },
        { name: t("From"), show: text("first") },
        { name: t("To"), show: text("last") },
        ...(may("export-hxl") ? [{ name: t("File"), show: (row: Row) => file(`/exports/hxl/${String(row["release"])}`, "CSV, HXL", String(row["release"])) }] : []),
      ],
      released,
      t("Nothing was published yet."),
    ),
    may("publish") ? publish(main) : null,
    may("head") || may("backup") ? h("section", {}, h("h2", {}, t("Keeping it")), may("head") ? head() : null, may("backup") ? copy() : null) : null,
  );
}

const file = (path: string, kind: string, of: string): HTMLElement => h("a", { class: "button", href: `/api/aid${path}`, download: "", "aria-label": `${of}, ${kind}` }, kind);

function others(): HTMLElement {
  const name = h("input", { id: "organisation", value: "", maxlength: 200 });
  const directory = async (): Promise<string> => {
    const rows = await call<unknown>(`/exports/hsds?organisation=${encodeURIComponent(name.value.trim() || "–")}`);
    save(new Blob([JSON.stringify(rows, null, 1)], { type: "application/json" }), "services.json");
    return t("It is in your downloads.");
  };
  return h(
    "section",
    {},
    h("h2", {}, t("For other programs")),
    h(
      "ul",
      { class: "links" },
      h("li", {}, h("span", { class: "grow" }, t("The way of the goods")), file("/exports/epcis", "EPCIS", t("The way of the goods"))),
      h("li", {}, h("span", { class: "grow" }, t("Visits by centre and month, for planning")), file("/exports/demand.csv", "CSV", t("Visits by centre and month, for planning"))),
    ),
    h("details", {}, h("summary", {}, t("Directory of programmes and centres (HSDS)")), h("div", { class: "field" }, h("label", { for: "organisation" }, t("Who offers them")), name), doing(t("Get the directory"), directory)),
  );
}

function publish(main: HTMLElement): HTMLElement {
  return h(
    "details",
    {},
    h("summary", {}, t("Publish a table")),
    commandForm(
      t("Publish a table"),
      [
        h("p", {}, t("Households served, for everybody. Counts that are too small are hidden, and what would tell them.")),
        field({ id: "first_day", label: t("First day, a Monday"), kind: "date" }),
        field({ id: "last_day", label: t("Last day, a Sunday"), kind: "date" }),
      ],
      { label: t("Publish"), kind: "publish", body: (values) => values, done: () => showFiles(main) },
    ),
  );
}

function head(): HTMLElement {
  const sign = async (): Promise<string> => {
    const found = await call<Row>("/heads", "POST");
    save(new Blob([`${JSON.stringify(found, null, 2)}\n`], { type: "application/json" }), `head-${String(found["seq"])}.json`);
    return t("It is in your downloads. Keep it elsewhere.");
  };
  return h("div", {}, h("p", {}, t("A signed head says what the ledger was today. Kept elsewhere, it shows later whether anything was cut off or written anew.")), doing(t("Sign the head"), sign));
}

const copy = (): HTMLElement =>
  h("p", {}, t("The whole ledger in one file; households, cards and keys are not in it."), " ", h("a", { class: "button", href: "/api/aid/backup", download: "" }, t("Get a copy")));

/** A spreadsheet of gifts, stock or items: told first what it would do, then done. */
export function takeInFile(done: () => Promise<void>): HTMLElement {
  const said = h("div", { role: "status" });
  const givers = list("parties").map((row) => [String(row["party"]), String(row["organisation"] ?? row["party"])] as [string, string]);
  const kinds: [string, string][] = [
    ["gifts", t("gifts")],
    ["stock", t("what is there already")],
    ["items", t("items")],
  ];
  const form = h(
    "form",
    { class: "command", "aria-label": t("A file") },
    h("p", {}, t("CSV or XLSX, 8 MB at most. It is told first what the file would do.")),
    field({ id: "what", label: t("What the file holds"), kind: "choice", choices: kinds.filter(([kind]) => may(`import-${kind}`)), value: "gifts" }),
    h("div", { class: "field" }, h("label", { for: "f-file" }, t("File")), h("input", { id: "f-file", name: "file", type: "file", accept: ".csv,.xlsx", required: true })),
    field({ id: "site", label: t("Site, where the file names none"), kind: "choice", choices: sites(), optional: true }),
    field({ id: "giver", label: t("Giver, where the file names none"), kind: "choice", choices: givers, optional: true }),
    h("label", { class: "row" }, h("input", { type: "checkbox", name: "add_items", value: "true" }), t("Add items that are not known yet")),
    h("button", { class: "primary wide" }, t("What would it do?")),
    said,
  );
  const send = async (apply: boolean): Promise<void> => {
    const sent = new FormData(form);
    for (const name of ["site", "giver"]) if (sent.get(name) === "") sent.delete(name);
    if (apply) sent.set("apply", "true");
    try {
      const found = await sendForm<{ rows: number; notes: string[]; commands: unknown[] }>("/imports", sent);
      const notes = h("ul", {}, ...found.notes.map((note) => saidIn("li", note)));
      if (apply) {
        replace(said, h("p", { class: "good" }, `✓ ${t("Done.")}`), notes);
        await done();
      } else {
        replace(
          said,
          h("p", {}, tn(found.rows, "One row is read.", "{n} rows are read.")),
          h("p", {}, tn(found.commands.length, "One entry would be made.", "{n} entries would be made.")),
          notes,
          found.commands.length ? h("button", { type: "button", class: "primary wide", onclick: () => void send(true) }, t("Take it in")) : null,
        );
      }
    } catch (error) {
      if (!(error instanceof Unreached || error instanceof Refused)) throw error;
      replace(said, ...fault(error));
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void send(false);
  });
  return form;
}
