/** Answers to further questions, over the map: a sentence, a picture and a table each. */

import { answerOf, type Agencies, type Curve, type Frontier, type Sensitivity } from "./answers.js";
import { studyAt, type About } from "./api.js";
import { lineChart, type Line } from "./charts.js";
import { h, replace, s } from "./dom.js";
import { questionOf } from "./further.js";
import type { StudyPage } from "./study.js";
import { about, minutes, num, percent, t, tn, when } from "./words.js";

type Cell = string | HTMLElement | { text: string };

const KINDS: readonly string[] = ["curve", "frontier", "sensitivity", "agencies"];

/** The answer that the view asks for; nothing where it asks for the map. */
export async function renderSheet(place: HTMLElement, page: StudyPage): Promise<void> {
  const kind = page.view.about as About;
  const made = page.data.answers[kind];
  place.hidden = !KINDS.includes(kind) || !made;
  if (place.hidden || !made) {
    replace(place);
    place.dataset["shown"] = "";
    return;
  }
  const key = `${page.study} ${kind} ${made.made}`;
  const state = `${key} ${made.stale} ${page.busy}`;
  if (place.dataset["shown"] === state && page.scene !== null && place.dataset["named"]) return;
  const where = `${studyAt(page.study)}/${kind}/${kind}`;
  const found: unknown = await answerOf(page, kind);
  if (page.view.about !== kind) return;
  const fresh = !place.dataset["shown"]?.startsWith(key);
  place.dataset["shown"] = state;
  place.dataset["named"] = page.scene ? "yes" : "";
  replace(place,
    h("div", { class: "row sheet-head" }, h("h2", { id: "sheet-title", tabindex: -1 }, questionOf(kind)),
      h("button", { id: "sheet-close", type: "button", onclick: () => page.go({ about: "" }) }, t("Back to the map"))),
    made.stale ? h("p", { class: "fault" }, t("The study's settings have changed since this was answered ({when}).", { when: when(made.made) })) : null,
    body(kind, found, page),
    h("div", { class: "row" },
      page.readonly ? null : h("button", { id: "sheet-again", type: "button", disabled: page.busy, onclick: () => void page.begin({ kind, ...anew(kind, found) }) }, t("Answer it again")),
      h("a", { id: "answer-page", href: `/api${where}.html`, target: "_blank", rel: "noopener" }, t("Open the whole page, to print or hand round")),
      page.readonly ? null : h("span", { class: "quiet" }, t("On the command line:"), " ", h("code", { dir: "ltr" }, `nearer ${kind} ${page.study}`))));
  if (fresh) document.getElementById("sheet-title")?.focus();
}

/** What was asked beside the question itself. */
function anew(kind: About, found: unknown): Record<string, unknown> {
  return kind === "frontier" ? { against: (found as Frontier).second.name } : {};
}

function body(kind: About, found: unknown, page: StudyPage): HTMLElement {
  if (kind === "curve") return curve(found as Curve);
  if (kind === "frontier") return frontier(found as Frontier);
  if (kind === "sensitivity") return sensitivity(found as Sensitivity, page);
  return agencies(found as Agencies);
}

/** A table; columns after the first are numbers unless said otherwise. */
function grid(caption: string, heads: string[], rows: Cell[][], texts: number[] = [0]): HTMLElement {
  const cls = (k: number): string => (texts.includes(k) ? "" : "number");
  const inner = (cell: Cell): string | HTMLElement => (typeof cell === "string" ? cell : cell instanceof HTMLElement ? cell : h("bdi", {}, cell.text));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, h("table", {}, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, ...heads.map((head, k) => h("th", { scope: "col", class: cls(k) }, head)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map((cell, k) => (k === 0 ? h("th", { scope: "row", class: cls(0) }, inner(cell)) : h("td", { class: cls(k) }, inner(cell)))))))));
}

const proven = (one: { status?: string; gap: number }): string => (one.status === "optimal" || one.gap < 1e-9 ? t("proven best") : percent(one.gap, 2));
const hours = (personMinutes: number): string => about(personMinutes / 60);

/** What the lines of a chart are. */
function key(lines: Line[]): HTMLElement {
  return h("ul", { class: "key" }, ...lines.filter((line) => line.points.length).map((line) => h("li", {}, s("svg", { viewBox: "0 0 28 10", "aria-hidden": "true", class: `chart-${line.kind}` }, s("path", { d: "M1 5H27" })), line.name)));
}

function picture(title: string, x: string, y: string, lines: Line[], write: (n: number) => string, fromZero = true): HTMLElement {
  return h("figure", {}, lineChart(title, x, y, lines, write, fromZero), key(lines));
}

function curve(found: Curve): HTMLElement {
  const { sizes } = found;
  const per = found.weight || 1;
  const last = sizes[sizes.length - 1];
  const first = sizes[0];
  const lines: Line[] = [
    { name: t("no network can do better"), kind: "bound", points: sizes.map((one) => [one.centres, one.bound / per]) },
    { name: t("best network of each size"), kind: "best", points: sizes.map((one) => [one.centres, one.value / per]) },
  ];
  return h("div", {},
    first && last ? h("p", { class: "reading" }, t("From {a} to {b} centres the average way falls from {m} to {n} minutes.", { a: num(first.centres), b: num(last.centres), m: minutes(first.mean_min), n: minutes(last.mean_min) }), " ",
      found.falloff?.centres ? t("After {n} centres each further one brings less than half of what one brings on average.", { n: num(found.falloff.centres) }) : "") : null,
    picture(t("Average minutes by number of centres"), t("Centres"), t("Average minutes"), lines, minutes),
    grid(t("Each size and what its last centre brings"), [t("Centres"), t("Average minutes"), t("Within {m} minutes", { m: num(found.coverage_min) }), t("Each saves everybody, hours"), t("Better by at most")],
      sizes.filter((one) => one.solved).map((one) => [num(one.centres), minutes(one.mean_min), percent(one.within), one.each_brings === null ? "–" : hours(one.each_brings), proven(one)])));
}

function aim(name: string): string {
  switch (name) {
    case "travel": return t("everybody's minutes together, hours");
    case "coverage": return t("people near a centre");
    case "farthest": return t("longest way, minutes");
    case "equal": return t("minutes as good as if all had them");
    default: return t("cost");
  }
}

function frontier(found: Frontier): HTMLElement {
  const shown = (which: "first" | "second", value: number): number => (found[which].unit === "person-minutes" ? value / 60 : value);
  const write = (n: number): string => (Math.abs(n) < 100 && n !== Math.round(n) ? minutes(n) : about(n));
  const points = [...found.points].sort((a, b) => a.second - b.second);
  const lines: Line[] = [
    { name: t("no plan goes beyond"), kind: "bound", points: found.held === found.second.name ? points.map((one) => [shown("second", one.second), shown("first", one.bound)]) : [] },
    { name: t("best plans found"), kind: "best", points: points.map((one) => [shown("second", one.second), shown("first", one.first)]) },
  ];
  return h("div", {},
    h("p", { class: "reading" }, points.length < 2 ? t("One plan is best in both: the two goals do not cost each other anything here.") : tn(points.length, "One plan lies between the two goals.", "{n} plans lie between the two goals: each better in one and worse in the other than the next.")),
    points.length > 1 ? picture(t("One goal against the other"), aim(found.second.name), aim(found.first.name), lines, write, false) : null,
    grid(t("Each row is a plan"), [aim(found.first.name), aim(found.second.name), t("New centres"), t("Better by at most")],
      points.map((one) => [write(shown("first", one.first)), write(shown("second", one.second)), num(one.opened.length), proven(one)]), []));
}

function sensitivity(found: Sensitivity, page: StudyPage): HTMLElement {
  const n = found.scenarios.length;
  const always = found.choices.filter((one) => one.share >= 1 - 1e-9).length;
  const given = found.plans[0];
  const robust = found.plans[found.plans.length - 1];
  const bar = (share: number): HTMLElement => {
    const inner = h("i", {});
    inner.style.inlineSize = `${Math.round(share * 100)}%`;
    return h("span", { class: "meter" }, h("span", { class: "bar" }, inner), percent(share));
  };
  return h("div", {},
    h("p", { class: "reading" }, t("{n} cases were planned. {always} of {open} places are in the best plan whatever comes.", { n: num(n), always: num(always), open: num(found.open) })),
    robust && given ? h("p", {}, t("One plan for all cases is never more than {a} worse than the best; the plan as given may be {b} worse.", { a: percent(Math.max(robust.worst, 0), 1), b: percent(Math.max(given.worst, 0), 1) })) : null,
    h("p", {}, h("button", { id: "choices-map", type: "button", onclick: () => page.go({ about: "", over: "choices", tab: "choices" }) }, t("Show it on the map"))),
    grid(t("Places, and in how many cases they are in the best plan"), [t("Name"), t("In the best plan"), t("As given"), t("One plan for all")],
      found.choices.slice(0, 300).map((one) => [place(page, one.id, one.name, one.lon, one.lat), bar(one.share), one.as_given ? t("yes") : "–", one.robust ? t("yes") : "–"]), [0, 1, 2, 3]),
    grid(t("Cases"), [t("What is otherwise"), t("Places as given"), t("Better by at most"), t("Plan as given is worse by"), t("One plan for all is worse by")],
      found.scenarios.map((one, k) => [{ text: one.name }, num(one.sites.filter((id) => found.scenarios[0]?.sites.includes(id)).length), proven(one), percent(Math.max(given?.regret[k] ?? 0, 0), 1), percent(Math.max(robust?.regret[k] ?? 0, 0), 1)])));
}

function agencies(found: Agencies): HTMLElement {
  const saved = found.today_value - found.joint_value;
  const most = Math.max(...found.agencies.flatMap((one) => [one.alone_saves, one.contribution]), 1e-9);
  const bar = (value: number): HTMLElement => {
    const inner = h("i", {});
    inner.style.inlineSize = `${Math.round((Math.max(value, 0) / most) * 100)}%`;
    return h("span", { class: "meter" }, h("span", { class: "bar" }, inner), hours(value));
  };
  return h("div", {},
    h("p", { class: "reading" }, t("Together the agencies save everybody {n} hours against today.", { n: hours(saved) }), " ",
      found.joint_gain !== null && found.joint_gain > 1e-6 * Math.max(found.joint_value, 1) ? t("{n} of them would be lost if each carried out a plan of its own.", { n: hours(found.joint_gain) }) : ""),
    grid(t("What each agency brings, in hours that everybody together saves"), [t("Agency"), t("Saves alone"), t("Lost without it"), t("At least and at most"), t("Fair share")],
      found.agencies.map((one) => [{ text: one.name }, bar(one.alone_saves), bar(one.contribution), `${hours(one.contribution_least)} – ${hours(one.contribution_most)}`, one.shapley === null ? "–" : hours(one.shapley)]), [0, 1, 2]),
    grid(t("Who plans with whom"), [t("Agencies"), t("Saves, hours"), t("Better by at most"), t("Places it opens")],
      found.coalitions.map((one) => [{ text: one.members.join(", ") || t("nobody") }, hours(one.saves), proven(one), { text: names(one.sites.map((site) => site.name || site.id)) }]), [0, 3]));
}

function names(all: string[]): string {
  const most = 12;
  return all.length > most ? `${all.slice(0, most).join(", ")} … (${num(all.length)})` : all.join(", ") || "–";
}

/** A name that leads to its place on the map, among how often each place is chosen. */
function place(page: StudyPage, id: string, name: string, lon: number, lat: number): HTMLElement {
  return h("button", { type: "button", class: "plain line", "data-key": `sheet-${id}`, onclick: () => {
    page.go({ about: "", selected: id, over: "choices", tab: "choices" });
    page.look(lon, lat);
  } }, h("bdi", {}, name || id));
}
