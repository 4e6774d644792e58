/** Lists of a study: phases, agencies, sizes of centres; each row is kept in the study's file as soon as it is changed. */

import { h } from "./dom.js";
import { ownerOf, ownersAfter } from "./owners.js";
import type { StudyPage } from "./study.js";
import { num, t, tn } from "./words.js";

export type What = "phases" | "agencies" | "levels";
export type Row = Record<string, unknown>;

interface Field {
  key: string;
  name: string;
  step?: string;
}

const KEYS: Record<What, string> = { phases: "plan.phases", agencies: "agencies", levels: "levels" };
/** What a key is without being written. */
const USUAL: Row = { years: 1, cost: 0, running: 0 };

function fields(what: What): Field[] {
  if (what === "phases") return [{ key: "open", name: t("New centres"), step: "1" }, { key: "budget", name: t("Money") }, { key: "years", name: t("Lasts, years") }];
  if (what === "agencies") {
    return [{ key: "min_open", name: t("Opens at least"), step: "1" }, { key: "max_open", name: t("Opens at most"), step: "1" },
      { key: "budget", name: t("Money for opening") }, { key: "running_budget", name: t("Money a year") }];
  }
  return [{ key: "capacity", name: t("People it can serve") }, { key: "cost", name: t("Cost of opening") }, { key: "running", name: t("Cost a year") }];
}

function title(what: What): string {
  return what === "phases" ? t("Phases") : what === "agencies" ? t("Agencies") : t("Sizes of centres");
}

function hint(what: What): string {
  if (what === "phases") return t("What opens first, and what later. What is open stays open.");
  if (what === "agencies") return t("Who owns the places and pays for them. What is left empty has no limit.");
  return t("How many people a centre of each size can serve, smallest first.");
}

/** Rows of a list as the study's file has them. */
export function rowsOf(page: StudyPage, what: What): Row[] {
  const { settings } = page.data;
  return (what === "phases" ? settings.plan.phases : settings[what]) as unknown as Row[];
}

/** Agencies that the study's places name, with how many centres and places that could open each has. */
export function owners(page: StudyPage): Map<string, { today: number; could: number }> {
  const found = new Map<string, { today: number; could: number }>();
  const sites = page.scene?.sites;
  sites?.id.forEach((_, k) => {
    const name = ownerOf(page, k).agency;
    if (!name) return;
    const one = found.get(name) ?? { today: 0, could: 0 };
    if (sites.status[k] === "existing") one.today += 1;
    if (sites.status[k] === "candidate") one.could += 1;
    found.set(name, one);
  });
  return found;
}

/** One list under a heading that opens; the heading says how many rows there are. */
export function rowsPart(page: StudyPage, what: What): HTMLElement {
  const rows = rowsOf(page, what);
  const named = what === "agencies" && !rows.length ? owners(page).size : 0;
  return h("details", { id: `list-${what}`, class: "list" },
    h("summary", {}, `${title(what)}: `, h("strong", {}, said(page, what))),
    h("p", { class: "quiet" }, hint(what)),
    ...rows.map((row, k) => card(page, what, row, k)),
    what === "phases" && rows.length ? h("p", { class: "quiet", id: "phases-sum" }, sum(page)) : null,
    h("div", { class: "row" },
      named > 1 ? h("button", { type: "button", class: "small primary", id: "agencies-take", onclick: () => save(page, what, () => [...owners(page).keys()].map((name) => ({ name }))) },
        t("Plan with these: {names}", { names: [...owners(page).keys()].join(", ") })) : null,
      h("button", { type: "button", class: "small", id: `${what}-add`, onclick: () => save(page, what, (now) => [...now, fresh(page, what, now)]) },
        what === "phases" ? t("Add a phase") : what === "agencies" ? t("Add an agency") : t("Add a size"))));
}

/** What a heading says of its list. */
function said(page: StudyPage, what: What): string {
  const rows = rowsOf(page, what);
  if (rows.length) return num(rows.length);
  const named = what === "agencies" ? owners(page).size : 0;
  return named > 1 ? tn(named, "one in your files", "{n} in your files") : t("none");
}

/** Bring headings and sums up to date while somebody types in one of the lists, which stay as they are. */
export function freshen(pane: HTMLElement, page: StudyPage): void {
  for (const what of ["phases", "agencies", "levels"] as const) {
    const place = pane.querySelector(`#list-${what} summary strong`);
    if (place) place.textContent = said(page, what);
  }
  const place = pane.querySelector("#phases-sum");
  if (place) place.textContent = sum(page);
}

function card(page: StudyPage, what: What, row: Row, k: number): HTMLElement {
  const name = String(row["name"] ?? "");
  const put = (key: string, value: unknown): void => save(page, what, (now) => now.map((one, other) => (other === k ? { ...one, [key]: value } : one)));
  const own = what === "agencies" ? owners(page).get(name) : undefined;
  return h("fieldset", { class: "rows" },
    h("legend", { class: "hidden" }, name),
    h("div", { class: "row head" },
      h("input", { type: "text", id: `${what}-${k}-name`, value: name, maxlength: 120, "aria-label": `${t("Name")}: ${name}`, list: what === "agencies" ? "agency-names" : null,
        onchange: (event: Event) => put("name", (event.target as HTMLInputElement).value.trim()) }),
      h("button", { type: "button", class: "plain", "data-key": `${what}-out-${k}`, "aria-label": t("Take {name} out", { name }), onclick: () => save(page, what, (now) => now.filter((_, other) => other !== k)) }, "×")),
    what === "agencies" && k === 0 ? h("datalist", { id: "agency-names" }, ...[...owners(page).keys()].map((one) => h("option", { value: one }))) : null,
    what === "agencies" && page.scene
      ? h("p", { class: own ? "quiet" : "fault" }, own ? t("{today} centres today, {could} places that could open", { today: num(own.today), could: num(own.could) }) : t("No place is this agency's yet: click a place, then say whose it is."))
      : null,
    h("div", { class: "picks" }, ...fields(what).map((one) => h("label", {}, h("span", {}, one.name),
      h("input", { type: "number", min: 0, step: one.step ?? "any", id: `${what}-${k}-${one.key}`, value: row[one.key] ?? "", placeholder: one.key === "years" || one.key === "cost" || one.key === "running" ? null : "–",
        onchange: (event: Event) => {
          const typed = (event.target as HTMLInputElement).value;
          put(one.key, typed === "" ? null : Number(typed));
        } })))));
}

/** What the phases come to, all together. */
function sum(page: StudyPage): string {
  const all = phasesOpen(page);
  return all === null ? "" : tn(all, "One new centre in all.", "{n} new centres in all.");
}

/** How many the phases open in all; null where they do not say. */
export function phasesOpen(page: StudyPage): number | null {
  const counts = rowsOf(page, "phases").map((row) => row["open"]).filter((one): one is number => typeof one === "number");
  return counts.length ? counts.reduce((a, b) => a + b, 0) : null;
}

/** A new row that is whole as it stands. */
function fresh(page: StudyPage, what: What, rows: Row[]): Row {
  const taken = new Set(rows.map((row) => String(row["name"])));
  const free = (first: string): string => {
    let [name, k] = [first, 2];
    while (taken.has(name)) name = `${first} ${num(k++)}`;
    return name;
  };
  if (what === "agencies") return { name: [...owners(page).keys()].find((one) => !taken.has(one)) ?? free(t("Agency")) };
  if (what === "levels") return { name: free(rows.length ? t("Large") : t("Small")), capacity: rows.length ? Number(rows[rows.length - 1]?.["capacity"] ?? 1000) * 2 : 2500 };
  const last = String(rows[rows.length - 1]?.["name"] ?? "");
  const year = /^\d{4}$/.test(last) ? Number(last) + 1 : new Date().getFullYear() + 1;
  const { open, open_max: most } = page.data.settings.plan;
  // the first phase takes over what the plan asked for, the next begin with nothing
  return { name: free(String(year)), open: rows.length ? 0 : (open ?? most ?? 0) };
}

/** Keep a list: phases that say how many open stand in for the plan's own number, and give it back when they go. */
async function keep(page: StudyPage, what: What, change: (rows: Row[]) => Row[]): Promise<void> {
  const next = change(rowsOf(page, what));
  const plain = next.map((row) => Object.fromEntries(Object.entries(row).filter(([key, value]) => !isUsual(key, value))));
  const values: Row = { [KEYS[what]]: plain.length ? plain : null };
  if (what === "agencies" && page.data.settings.owners.length) {
    const kept = ownersAfter(page.data.settings.owners, rowsOf(page, what).map((row) => String(row["name"])), next.map((row) => String(row["name"])));
    values["owners"] = kept.length ? kept : null;
  }
  if (what === "phases") {
    const counts = next.map((row) => row["open"]).filter((one): one is number => typeof one === "number");
    if (counts.length) Object.assign(values, { "plan.open": null, "plan.open_max": null });
    else if (phasesOpen(page) !== null) values["plan.open"] = phasesOpen(page);
  }
  await page.change(values);
  page.render();
}

let before: Promise<void> = Promise.resolve();

/** One change after the other, so that none begins from what another has not written yet. */
function save(page: StudyPage, what: What, change: (rows: Row[]) => Row[]): void {
  before = before.then(() => keep(page, what, change));
}

function isUsual(key: string, value: unknown): boolean {
  if (value === null || value === USUAL[key]) return true;
  return typeof value === "object" && Object.keys(value as object).length === 0;
}
