/** What may lie over the people on the map: areas with too few places, or how often each place is chosen; each with its table. */

import { answerOf, heldFor, type Gaps, type Sensitivity } from "./answers.js";
import { studyAt, type About } from "./api.js";
import { h } from "./dom.js";
import type { Overlay } from "./map.js";
import { choiceColours } from "./paint.js";
import type { StudyPage } from "./study.js";
import type { Over } from "./view.js";
import { about, minutes, num, percent, t, tn, when } from "./words.js";

/** What was fetched for it. */
export type Laid = { kind: "gaps"; found: Gaps; shapes: GeoJSON.FeatureCollection } | { kind: "choices"; found: Sensitivity };

type Gap = Gaps["gaps"][number];

/** The question that each answers. */
export const ASKED: Record<Exclude<Over, "">, About> = { gaps: "gaps", choices: "sensitivity" };

/** In how large a part of the cases a place is chosen, lower ends of the classes. */
const SHARES = [0, 0.25, 0.5, 0.75, 1];
/** Rows of a table; the file holds the rest. */
const MOST = 600;

export const overName = (over: Exclude<Over, "">): string => (over === "gaps" ? t("Areas with too few places") : t("How often each place is chosen"));

/** Fetch what the view lays over the people. */
export async function loadOver(page: StudyPage): Promise<Laid | null> {
  const kind = page.over;
  if (kind === "gaps") {
    const [found, shapes] = await Promise.all([answerOf(page, "gaps"), heldFor<GeoJSON.FeatureCollection>(page, "gaps", "gaps.geojson")]);
    return { kind, found, shapes };
  }
  return kind === "choices" ? { kind, found: await answerOf(page, "sensitivity") } : null;
}

/** The same as the map takes it. */
export function overlayOf(page: StudyPage): Overlay | null {
  const { laid } = page;
  if (!laid) return null;
  const point = (lon: number, lat: number, properties: Record<string, unknown>): GeoJSON.Feature => ({ type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties });
  if (laid.kind === "choices") {
    const features = laid.found.choices.map((one) => point(one.lon, one.lat, { what: "choice", key: one.id, k: shareClass(one.share), label: percent(one.share) }));
    return { kind: "choices", picked: page.view.selected, shapes: { type: "FeatureCollection", features } };
  }
  const named = new Map(laid.found.gaps.map((one) => [one.rank, one]));
  const areas = laid.shapes.features.map((shape) => {
    const rank = Number(shape.properties?.["rank"]);
    return { ...shape, properties: { what: "area", key: String(rank), label: num(rank), name: named.get(rank)?.name ?? "" } };
  });
  const numbers = laid.found.gaps.map((one) => point(one.lon, one.lat, { what: "number", key: String(one.rank), label: num(one.rank), name: one.name }));
  return { kind: "gaps", picked: page.view.gap, shapes: { type: "FeatureCollection", features: [...areas, ...numbers] } };
}

const shareClass = (share: number): number => SHARES.filter((low) => share >= low - 1e-9).length - 1;

/** Which of them is shown, where there is one to show. */
export function overPick(page: StudyPage): HTMLElement | null {
  const there = (["gaps", "choices"] as const).filter((one) => page.data.answers[ASKED[one]]);
  if (!there.length) return null;
  return h("label", {}, h("span", {}, t("Over it")), h("select", { id: "over", onchange: (event: Event) => lay(page, (event.target as HTMLSelectElement).value as Over) },
    h("option", { value: "" }, t("nothing")), ...there.map((one) => h("option", { value: one, selected: page.over === one }, overName(one)))));
}

/** Lay one over the people and its table beside it, or take it away. */
export function lay(page: StudyPage, over: Over): void {
  page.go({ over, gap: "", about: "", tab: over || (page.view.tab === "gaps" || page.view.tab === "choices" ? "centres" : page.view.tab) });
}

/** What it is, in the legend. */
export function overLegend(page: StudyPage): HTMLElement | null {
  const { laid } = page;
  if (!laid) return null;
  if (laid.kind === "gaps") {
    return h("ul", { class: "marks" }, h("li", {}, h("span", { class: "swatch swatch-gap" }),
      h("span", {}, tn(laid.found.gaps.length, "one area where people lack a place today", "{n} areas where people lack a place today")), h("span", { class: "count" }, about(laid.found.measures.lacking))));
  }
  const names = [t("in some cases"), t("in {a} or more", { a: percent(0.25) }), t("in {a} or more", { a: percent(0.5) }), t("in {a} or more", { a: percent(0.75) }), t("in every case")];
  const rows = names.map((name, k) => {
    const places = laid.found.choices.filter((one) => shareClass(one.share) === k).length;
    const swatch = h("span", { class: "mark mark-choice" });
    swatch.style.backgroundColor = choiceColours()[k] ?? "";
    swatch.style.inlineSize = swatch.style.blockSize = `${8 + 3 * k}px`;
    return places ? h("li", {}, swatch, h("span", {}, name), h("span", { class: "count" }, tn(places, "one place", "{n} places"))) : null;
  });
  return h("div", { class: "marks" }, h("p", {}, t("How often a place is in the best plan")), h("ul", {}, ...rows.reverse().filter((row) => row !== null)));
}

/** The table that says the same. */
export function overTable(page: StudyPage): HTMLElement | null {
  if (page.laid?.kind === "gaps") return h("div", {}, head(page, "gaps"), gapReading(page.laid.found), gapTable(page, page.laid.found), again(page, "gaps", { minutes: page.laid.found.standard.minutes }));
  if (page.laid?.kind === "choices") return h("div", {}, head(page, "sensitivity"), choiceTable(page, page.laid.found), h("p", {}, h("button", { id: "choices-more", type: "button", class: "small", onclick: () => page.go({ about: "sensitivity" }) }, t("What was otherwise"))));
  return null;
}

/** Whether the answer is of other settings than the study has now. */
function head(page: StudyPage, kind: About): HTMLElement | null {
  const made = page.data.answers[kind];
  return made?.stale ? h("p", { class: "fault" }, t("The study's settings have changed since this was answered ({when}).", { when: when(made.made) })) : null;
}

function again(page: StudyPage, kind: About, more: Record<string, unknown>): HTMLElement {
  return h("div", { class: "row" },
    page.readonly ? null : h("button", { id: "over-again", type: "button", class: "small", disabled: page.busy, onclick: () => void page.begin({ kind, ...more }) }, t("Answer it again")),
    h("a", { id: "answer-page", href: `/api${studyAt(page.study)}/${kind}/${kind}.html`, target: "_blank", rel: "noopener" }, t("Open the whole page, to print or hand round")),
    page.readonly ? null : h("span", { class: "quiet" }, t("On the command line:"), " ", h("code", { dir: "ltr" }, `nearer ${kind} ${page.study}`)));
}

function gapReading({ standard, measures, gaps }: Gaps): HTMLElement {
  return h("p", { class: "said" }, t("Measured against one centre for every {people} people within {m} minutes, {n} people lack a place; {far} of them have no centre that near.", {
    people: num(standard.people), m: num(standard.minutes), n: about(measures.lacking), far: about(measures.beyond) }), gaps.length ? "" : ` ${t("Nobody lacks a place.")}`);
}

function gapTable(page: StudyPage, { gaps }: Gaps): HTMLElement | null {
  if (!gaps.length) return null;
  return h("table", {},
    h("caption", { class: "hidden" }, t("Areas with too few places, those where most people lack one first")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "number" }, t("No.")), h("th", { scope: "col" }, t("Area")), h("th", { scope: "col", class: "number" }, t("People")), h("th", { scope: "col", class: "number" }, t("Lack a place")))),
    h("tbody", {}, ...gaps.slice(0, MOST).map((one) => {
      const here = String(one.rank) === page.view.gap;
      return h("tr", { class: here ? "here" : "" }, h("td", { class: "number" }, num(one.rank)),
        h("th", { scope: "row" }, h("button", { type: "button", class: "plain line", "data-key": `gap-${one.rank}`, "aria-pressed": String(here), onclick: () => page.pickGap(here ? "" : String(one.rank), true) },
          h("bdi", {}, one.name), one.mend ? h("small", {}, t("What would help"), ": ", h("bdi", {}, one.mend.name || one.mend.id)) : null)),
        h("td", { class: "number" }, num(one.people)), h("td", { class: "number" }, num(one.lacking)));
    })));
}

/** What is known of the gap that is looked at. */
export function gapCard(page: StudyPage): HTMLElement | null {
  if (page.laid?.kind !== "gaps") return null;
  const { gaps, standard } = page.laid.found;
  const gap = gaps.find((one) => String(one.rank) === page.view.gap);
  if (!gap) return null;
  return h("article", { class: "card gap", "aria-labelledby": "gap-name" },
    h("div", { class: "row" }, h("h2", { id: "gap-name" }, `${num(gap.rank)}. `, h("bdi", {}, gap.name)),
      h("button", { id: "gap-close", class: "plain", type: "button", "aria-label": t("Close"), onclick: () => page.pickGap("") }, "×")),
    h("ul", { class: "why" },
      h("li", {}, tn(gap.people, "One person lives here.", "{n} people live here.")),
      h("li", {}, t("{n} of them lack a place, {far} have no centre within {m} minutes.", { n: num(gap.lacking), far: num(gap.beyond), m: num(standard.minutes) })),
      gap.minutes === null ? null : h("li", {}, t("Those who reach a centre need {m} minutes on average.", { m: minutes(gap.minutes) })),
      ...gap.sizing.filter((one) => one.high > 0).map((one) => h("li", {}, sizing(one)))),
    mend(page, gap));
}

function sizing({ level, low, high }: Gap["sizing"][number]): string {
  const count = low === high ? tn(high, "It calls for one centre", "It calls for {n} centres") : t("It calls for {a} to {b} centres", { a: num(low), b: num(high) });
  return level ? `${count} (${level}).` : `${count}.`;
}

function mend(page: StudyPage, gap: Gap): HTMLElement {
  const { mend: best } = gap;
  if (!best) return h("p", {}, t("No place that could open would help here."));
  return h("div", { class: "row" }, h("span", {}, tn(best.lacking, "This place would help most: then one person would lack one.", "This place would help most: then {n} people would lack one.")),
    h("button", { id: "gap-mend", type: "button", onclick: () => {
      page.go({ selected: best.id });
      page.look(best.lon, best.lat);
    } }, h("bdi", {}, best.name || best.id)));
}

function choiceTable(page: StudyPage, { choices, scenarios }: Sensitivity): HTMLElement {
  return h("table", {},
    h("caption", { class: "said" }, tn(scenarios.length, "One case was planned.", "{n} cases were planned.")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Name")), h("th", { scope: "col", class: "number" }, t("In the best plan")), h("th", { scope: "col" }, t("As given")), h("th", { scope: "col" }, t("One plan for all")))),
    h("tbody", {}, ...choices.slice(0, MOST).map((one) => {
      const here = one.id === page.view.selected;
      return h("tr", { class: here ? "here" : "" },
        h("th", { scope: "row" }, h("button", { type: "button", class: "plain line", "data-key": `choice-${one.id}`, "aria-pressed": String(here), onclick: () => {
          page.go({ selected: here ? "" : one.id, served: false });
          page.look(one.lon, one.lat);
        } }, h("bdi", {}, one.name || one.id))),
        h("td", { class: "number" }, percent(one.share)), h("td", {}, one.as_given ? t("yes") : "–"), h("td", {}, one.robust ? t("yes") : "–"));
    })));
}
