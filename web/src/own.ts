/** One's own files: dropped, told apart, checked at once, and mended where they stand. */

import { ask, localised, part, type Fault } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { fromServer, num, t, tn } from "./words.js";

type Role = "people" | "existing" | "candidate" | "sites" | "streets" | "districts" | "exclude" | "unused";
type ColumnKey = "total" | "id" | "name" | "lon" | "lat" | "agency" | "cost";
type Columns = Record<ColumnKey, string | null>;

interface Brought {
  name: string;
  size: number;
  columns: string[];
  sample: string[][];
  rows: number | null;
  geometry: boolean;
  guess: Role;
  picked: Columns;
  problem: string;
}

interface Said {
  role: Role;
  columns: Columns;
  groups: string[];
}

interface Report {
  people: number;
  points: number;
  sites: Record<string, number>;
  unreachable_people: number;
  limit_min: number;
  notes: string[];
}

/** Show the page; the address names the study once there is one. */
export async function showOwn(main: HTMLElement, hash: string): Promise<void> {
  const study = new URLSearchParams(hash.split("?")[1] ?? "").get("study");
  const page = new OwnPage(main, study);
  document.title = `${t("Plan my own city")} – nearer`;
  await page.load();
}

class OwnPage {
  private files: Brought[] = [];
  private readonly said = new Map<string, Said>();
  private name = "";
  private mode = "";
  private asked: number | null = null;
  private faults: Fault[] = [];
  private problem = "";
  private report: Report | null = null;
  private busy = "";
  private checked = 0;

  constructor(readonly main: HTMLElement, private study: string | null) {}

  async load(): Promise<void> {
    if (this.study) {
      try {
        const found = await ask<{ name: string; files: Brought[] }>(`/studies/${part(this.study)}/draft`);
        this.name = found.name;
        this.take(found.files);
      } catch (error) {
        toast(said(error), true);
        this.study = null;
      }
    }
    this.draw();
    if (this.files.length) await this.check();
  }

  private take(files: Brought[]): void {
    this.files = files;
    for (const file of files) {
      const known = this.said.get(file.name);
      const columns = { ...file.picked };
      if (known) for (const key of Object.keys(columns) as ColumnKey[]) if (known.columns[key] && file.columns.includes(known.columns[key] ?? "")) columns[key] = known.columns[key];
      this.said.set(file.name, { role: known?.role ?? file.guess, columns, groups: known?.groups.filter((one) => file.columns.includes(one)) ?? [] });
    }
  }

  private has(role: Role): boolean {
    return this.files.some((file) => this.said.get(file.name)?.role === role);
  }

  /** How many are to open: what was asked, else five or as many as there are places for it. */
  private get number(): number {
    const places = this.files.filter((file) => this.said.get(file.name)?.role === "candidate").reduce((sum, file) => sum + (file.rows ?? 0), 0);
    return this.asked ?? (places ? Math.min(5, places) : 5);
  }

  private get way(): string {
    return this.mode || (this.has("streets") ? "walk" : "straight");
  }

  /** Take files in, one after the other, then look at all of them. */
  private async bring(given: File[]): Promise<void> {
    try {
      if (!this.study) {
        const field = this.main.querySelector<HTMLInputElement>("#city");
        this.name = field?.value.trim() || t("My city");
        this.study = (await ask<{ id: string }>("/studies", "POST", { name: this.name })).id;
        history.replaceState(null, "", `#/own?study=${part(this.study)}`);
      }
      for (const file of given) {
        this.busy = t("Taking in {name} …", { name: file.name });
        this.draw();
        const answer = await fetch(`/api/studies/${part(this.study)}/files/${part(file.name)}`, { method: "PUT", body: file });
        if (!answer.ok) toast(fromServer(((await answer.json()) as { error: string }).error), true);
      }
      await this.look();
    } catch (error) {
      toast(said(error), true);
    }
    this.busy = "";
    this.draw();
    await this.check();
  }

  private async look(): Promise<void> {
    if (!this.study) return;
    this.take((await ask<{ files: Brought[] }>(`/studies/${part(this.study)}/draft`)).files);
  }

  /** Check everything as it is said now; the last answer counts. */
  private async check(): Promise<void> {
    this.report = null;
    this.faults = [];
    this.problem = "";
    if (!this.study || !this.has("people") || !(this.has("candidate") || this.has("sites"))) {
      this.draw();
      return;
    }
    const mine = ++this.checked;
    this.busy = t("Checking …");
    this.draw();
    const files = this.files.filter((file) => !file.problem).map((file) => {
      const one = this.said.get(file.name) ?? { role: "unused" as Role, columns: file.picked, groups: [] };
      return { name: file.name, role: one.role, columns: one.columns, groups: Object.fromEntries(one.groups.map((group) => [group, group])) };
    });
    try {
      const body = { files, mode: this.way, open: this.number };
      const found = await ask<{ report: Report | null; faults: Fault[] }>(`/studies/${part(this.study)}/draft/check`, "POST", body);
      if (mine === this.checked) [this.report, this.faults] = [found.report, found.faults.map(localised)];
    } catch (error) {
      if (mine !== this.checked) return;
      this.problem = said(error);
    }
    if (mine === this.checked) {
      this.busy = "";
      this.draw();
    }
  }

  private change(name: string, changes: Partial<Said>): void {
    const one = this.said.get(name);
    if (one) this.said.set(name, { ...one, ...changes });
    void this.check();
  }

  private async mend(fault: Fault, value: string | null): Promise<void> {
    try {
      await ask(`/studies/${part(this.study ?? "")}/files/${part(fault.file ?? "")}/mend`, "POST", { row: fault.row, ...(value === null ? {} : { column: fault.column, value }) });
      await this.look();
    } catch (error) {
      toast(said(error), true);
    }
    await this.check();
  }

  private draw(): void {
    replace(this.main, h("div", { class: "start own" },
      h("h1", {}, this.study ? h("bdi", {}, this.name) : t("Plan my own city")),
      this.study ? null : h("label", { class: "field" }, h("span", {}, t("What is it called?")), h("input", { id: "city", type: "text", maxlength: 120, placeholder: t("My city") })),
      this.needs(),
      this.dropPlace(),
      h("p", { role: "status", class: "quiet", id: "own-status" }, this.busy),
      this.files.length ? this.end() : this.hint(),
      this.general(),
      ...this.files.map((file) => this.card(file))));
  }

  private needs(): HTMLElement {
    const line = (ok: boolean, text: string): HTMLElement =>
      h("li", { class: ok ? "ok" : "missing" }, text, h("span", { class: "hidden" }, ok ? t("(there)") : t("(missing)")));
    return h("ul", { class: "needs" },
      line(this.has("people"), t("Where people live: a table or map with the number of people at each point or area")),
      line(this.has("candidate") || this.has("sites"), t("Places that could become a centre: schools, halls, …")),
      line(this.has("existing") || this.has("sites"), t("The centres of today (if there are any)")),
      line(this.has("streets"), t("Streets, as an OpenStreetMap extract .osm.pbf (else distances count in straight lines)")));
  }

  private dropPlace(): HTMLElement {
    const input = h("input", { id: "files", type: "file", multiple: true, class: "hidden", tabindex: -1, onchange: () => void this.bring([...(input.files ?? [])]) });
    const place = h("div", { class: "drop" }, h("p", {}, t("Drop files here, or")),
      h("button", { id: "choose", type: "button", class: this.files.length ? "" : "primary", onclick: () => input.click() }, t("Choose files")), input,
      h("p", { class: "quiet" }, t("CSV, Excel, GeoJSON, GeoPackage, Parquet, GeoTIFF, .osm.pbf. They stay on this machine.")));
    input.setAttribute("aria-label", t("Choose files"));
    place.addEventListener("dragover", (event) => { event.preventDefault(); place.classList.add("over"); });
    place.addEventListener("dragleave", () => place.classList.remove("over"));
    place.addEventListener("drop", (event) => {
      event.preventDefault();
      place.classList.remove("over");
      void this.bring([...((event as DragEvent).dataTransfer?.files ?? [])]);
    });
    return place;
  }

  private card(file: Brought): HTMLElement {
    const one = this.said.get(file.name);
    const faults = this.faults.filter((fault) => fault.file === file.name);
    const role = h("select", { id: `role-${file.name}`, onchange: () => this.change(file.name, { role: role.value as Role }) },
      ...roles().map(([value, text]) => h("option", { value, selected: value === one?.role }, text)));
    return h("article", { class: faults.length || file.problem ? "brought has-faults" : "brought", "aria-label": file.name },
      h("div", { class: "row" }, h("h2", {}, h("bdi", {}, file.name)),
        h("span", { class: "quiet" }, file.rows === null ? "" : tn(file.rows, "one row", "{n} rows")),
        h("button", { type: "button", class: "small", "data-key": `out-${file.name}`, onclick: () => void this.takeOut(file.name) }, t("Take out"))),
      file.problem ? h("p", { class: "fault", dir: "auto" }, fromServer(file.problem)) : h("label", { class: "field" }, h("span", {}, t("What is in it?")), role),
      file.columns.length && one && !file.problem ? this.picks(file, one) : null,
      file.sample.length && !file.problem ? sample(file) : null,
      faults.length ? h("ul", { class: "faults", "aria-label": t("To be mended") }, ...faults.map((fault, k) => this.fault(fault, k))) : null);
  }

  private picks(file: Brought, one: Said): HTMLElement | null {
    const keys: ColumnKey[] = one.role === "people" ? ["total", "lon", "lat"] : one.role === "districts" ? ["name"] : ["existing", "candidate", "sites"].includes(one.role) ? ["id", "name", "lon", "lat", "agency", ...(one.role === "existing" ? [] : ["cost" as const])] : [];
    const wanted = keys.filter((key) => !(file.geometry && (key === "lon" || key === "lat")));
    if (!wanted.length) return null;
    const pick = (key: ColumnKey): HTMLElement => {
      const field = h("select", { id: `${key}-${file.name}`, onchange: () => this.change(file.name, { columns: { ...one.columns, [key]: field.value || null } }) },
        h("option", { value: "" }, "–"), ...file.columns.map((column) => h("option", { value: column, selected: column === one.columns[key] }, column)));
      return h("label", {}, h("span", {}, columnName(key)), field);
    };
    const others = file.columns.filter((column) => ![one.columns.total, one.columns.lon, one.columns.lat, one.columns.id].includes(column) && numeric(file, column));
    const groups = one.role === "people" && others.length
      ? h("fieldset", { class: "rows" }, h("legend", {}, t("Groups to look at apart")), ...others.map((column) =>
          h("label", { class: "row" }, h("input", { type: "checkbox", id: `group-${column}`, checked: one.groups.includes(column),
            onchange: (event: Event) => this.change(file.name, { groups: (event.target as HTMLInputElement).checked ? [...one.groups, column] : one.groups.filter((other) => other !== column) }) }), h("bdi", {}, column))))
      : null;
    return h("div", {}, h("div", { class: "picks" }, ...wanted.map(pick)), groups);
  }

  private fault(fault: Fault, k: number): HTMLElement {
    const where = [fault.row ? t("Row {n}", { n: num(fault.row) }) : "", fault.column ? t("column {name}", { name: fault.column }) : ""].filter(Boolean).join(", ");
    const canMend = fault.row !== null && fault.file !== null && /\.(csv|tsv|txt)$/i.test(fault.file);
    const field = h("input", { id: `mend-${fault.file}-${k}`, type: "text", value: fault.cell ?? "", "aria-label": t("New value") });
    return h("li", {},
      h("p", {}, where ? h("span", { class: "where" }, `${where}: `) : null, h("span", { dir: "auto" }, fault.message, fault.remedy ? ` – ${fault.remedy}` : "")),
      canMend
        ? h("form", { class: "row", onsubmit: (event: Event) => { event.preventDefault(); void this.mend(fault, field.value); } },
            fault.cell !== null && fault.cell !== undefined ? [field, h("button", { type: "submit" }, t("Save"))] : null,
            h("button", { type: "button", onclick: () => void this.mend(fault, null) }, t("Leave this row out")))
        : null);
  }

  private general(): HTMLElement | null {
    const rest = this.faults.filter((fault) => !this.files.some((file) => file.name === fault.file));
    if (!rest.length && !this.problem) return null;
    return h("div", { class: "brought has-faults", role: "alert" }, this.problem ? h("p", { dir: "auto" }, this.problem) : null,
      h("ul", { class: "faults" }, ...rest.map((fault) => h("li", { dir: "auto" }, fault.text))));
  }

  private hint(): HTMLElement {
    return h("p", { class: "quiet" }, t("No files at hand? The example on the first page shows how it works."));
  }

  private end(): HTMLElement {
    const way = h("select", { id: "way", onchange: () => { this.mode = way.value; void this.check(); } },
      ...([["walk", t("on foot, along streets")], ["bike", t("by bicycle, along streets")], ["drive", t("by car, along streets")], ["straight", t("on foot, in straight lines")]] as const)
        .filter(([value]) => value === "straight" || this.has("streets")).map(([value, text]) => h("option", { value, selected: value === this.way }, text)));
    const number = h("input", { id: "open", type: "number", min: 0, max: 100000, value: this.number, onchange: () => { this.asked = Number(number.value); void this.check(); } });
    const good = this.report;
    const today = good?.sites["existing"] ?? 0;
    return h("div", { class: "block", id: "own-end" },
      h("div", { class: "picks" }, h("label", {}, h("span", {}, t("How do people get there?")), way), h("label", {}, h("span", {}, t("New centres to begin with")), number)),
      good ? h("p", { class: "quiet", id: "in-all" }, t("{today} today and {more} new: {all} in all.", { today: num(today), more: num(this.number), all: num(today + this.number) })) : null,
      this.faults.length ? h("p", { class: "fault", role: "status" }, tn(this.faults.length, "One thing is to be mended.", "{n} things are to be mended.")) : null,
      good
        ? h("div", { id: "good" },
            h("p", { role: "status" }, t("Nothing is wrong with these files: {people} people, {today} centres of today, {could} places that could open.", {
              people: num(good.people), today: num(today), could: num(good.sites["candidate"] ?? 0) }),
              good.unreachable_people >= 1 ? ` ${t("{n} people are beyond {m} minutes of every place.", { n: num(good.unreachable_people), m: num(good.limit_min) })}` : ""),
            h("a", { id: "go", class: "button primary", href: `#/study/${part(this.study ?? "")}` }, t("Open the map")))
        : null);
  }

  private async takeOut(name: string): Promise<void> {
    await ask(`/studies/${part(this.study ?? "")}/files/${part(name)}`, "DELETE").catch((error: unknown) => toast(said(error), true));
    this.said.delete(name);
    await this.look();
    await this.check();
  }
}

const said = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function roles(): [Role, string][] {
  return [
    ["people", t("where people live")], ["candidate", t("places that could open")], ["existing", t("centres of today")],
    ["sites", t("both, with a column “status”")], ["streets", t("streets")], ["districts", t("areas with names")],
    ["exclude", t("ground where nothing may open")], ["unused", t("nothing of use here")],
  ];
}

function columnName(key: ColumnKey): string {
  switch (key) {
    case "total": return t("Number of people");
    case "id": return t("Id");
    case "name": return t("Name");
    case "lon": return t("Longitude");
    case "lat": return t("Latitude");
    case "agency": return t("Whose it is");
    case "cost": return t("Cost of opening");
  }
}

function numeric(file: Brought, column: string): boolean {
  const at = file.columns.indexOf(column);
  return file.sample.length > 0 && file.sample.every((row) => /^-?[\d.,]*$/.test(row[at] ?? ""));
}

function sample(file: Brought): HTMLElement {
  return h("details", { id: `sample-${file.name}` }, h("summary", {}, t("First rows")),
    h("div", { class: "sample", tabindex: 0, role: "region", "aria-label": t("First rows") }, h("table", {}, h("thead", {}, h("tr", {}, ...file.columns.map((column) => h("th", { scope: "col" }, column)))),
      h("tbody", {}, ...file.sample.map((row) => h("tr", {}, ...row.slice(0, file.columns.length).map((value) => h("td", {}, value))))))));
}
