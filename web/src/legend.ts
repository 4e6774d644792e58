/** What the map shows and what its colours mean, each class with the number of people in it. */

import { h, replace } from "./dom.js";
import { WIDE } from "./map.js";
import { changeColours, minuteColours } from "./paint.js";
import { overLegend, overPick } from "./over.js";
import type { StudyPage } from "./study.js";
import { readOpen, type Show } from "./view.js";
import { about, num, t, tn } from "./words.js";

const BREAKS = [5, 10, 15, 20, 30];

/** The row above the map: before, after, difference, whose map, and what a click does. */
export function renderTools(place: HTMLElement, page: StudyPage): void {
  const { view } = page;
  // with a plan that is still being fetched, what was asked for is shown as asked
  const changed = page.open_ !== "o" || (view.plan !== "" && !page.situations);
  const shown = changed || view.from ? view.show : "before";
  const show = (name: Show, text: string): HTMLElement =>
    h("button", { id: `show-${name}`, type: "button", "aria-pressed": String(shown === name), disabled: !changed && name !== "before",
      onclick: () => page.go({ show: name, from: "", served: false }) }, text);
  const groups = Object.keys(page.data.settings.people.groups);
  const phases = page.situations?.phases ?? [];
  replace(
    place,
    h("div", { class: "switch", role: "group", "aria-label": t("What the map shows") },
      show("before", page.view.against ? t("Other plan") : t("Today")), show("after", t("With the plan")), show("change", t("What changes"))),
    groups.length
      ? h("label", {}, h("span", {}, t("People")), h("select", { id: "group", onchange: (event: Event) => page.go({ group: (event.target as HTMLSelectElement).value }) },
          h("option", { value: "" }, t("Everyone")), ...groups.map((name) => h("option", { value: name, selected: name === view.group }, name))))
      : null,
    phases.length > 1
      ? h("label", {}, h("span", {}, t("Phase")), h("select", { id: "phase", onchange: (event: Event) => page.go({ phase: (event.target as HTMLSelectElement).value, at: "" }) },
          h("option", { value: "" }, t("All")), ...phases.map((one) => h("option", { value: one.name, selected: one.name === view.phase }, one.name))))
      : null,
    page.situations?.sent && !page.view.at && !page.view.phase
      ? h("div", { class: "switch", role: "group", "aria-label": t("Who goes where") },
          h("button", { id: "as-sent", type: "button", "aria-pressed": String(page.isSent), onclick: () => page.go({ nearest: false }) }, t("As room allows")),
          h("button", { id: "as-nearest", type: "button", "aria-pressed": String(!page.isSent), onclick: () => page.go({ nearest: true }) }, t("To the nearest")))
      : null,
    overPick(page),
    page.scene?.anywhere
      ? h("button", { id: "walk", type: "button", "aria-pressed": String(page.walking || view.from !== ""), onclick: () => {
          if (view.from) page.go({ from: "" });
          else {
            page.walking = !page.walking;
            page.render();
          }
        } }, view.from ? t("Back to the plan") : page.walking ? t("Click a place on the map") : t("How far from a place?"))
      : null,
  );
}

/** The legend. */
export function renderLegend(place: HTMLElement, page: StudyPage): void {
  if (!page.scene) {
    replace(place);
    return;
  }
  const comparing = page.view.show === "change" && !page.view.from;
  const limit = page.data.settings.streets.limit_min;
  const names = comparing ? changeNames() : minuteNames(limit);
  const colours = comparing ? changeColours() : [...minuteColours(), ""];
  const rows = names.map((name, k) => {
    const people = page.legend[k] ?? 0;
    if (!people && (comparing ? k !== 2 : (BREAKS[k - 1] ?? 0) >= limit || k === 6)) return null;
    const swatch = colours[k] ? h("span", { class: "swatch" }) : h("span", { class: "swatch hatched" });
    if (colours[k]) swatch.style.backgroundColor = colours[k] ?? "";
    return h("li", {}, swatch, h("span", {}, name), h("span", { class: "count" }, about(people)));
  });
  const open = readOpen(page.open_);
  const mark = (kind: string, text: string): HTMLElement => h("li", {}, h("span", { class: `mark mark-${kind}` }), h("span", {}, text));
  const n = (status: string): number => page.scene?.sites.status.filter((one) => one === status).length ?? 0;
  const title = page.view.from ? t("People by minutes from this place") : comparing ? t("People by minutes saved") : page.isSent && page.view.show === "after" ? t("People by minutes to the centre with room for them") : t("People by minutes to the nearest centre");
  replace(
    place,
    h("details", { open: place.querySelector("details")?.open ?? (place.parentElement?.clientWidth ?? 0) >= WIDE },
      h("summary", {}, title, strip(colours, comparing, limit)),
      h("ul", {}, ...rows.filter((row) => row !== null)),
      h("ul", { class: "marks" },
        mark("existing", t("centre of today")),
        page.view.show !== "before" && open.opened.length + open.points.length
          ? mark("opened", tn(open.opened.length + open.points.length, "one new centre", "{n} new centres")) : null,
        open.closed.length ? mark("closed", tn(open.closed.length, "one closed", "{n} closed")) : null,
        n("candidate") ? mark("candidate", t("could open ({n})", { n: num(n("candidate")) })) : null,
        n("other") ? mark("other", t("another provider's")) : null),
      overLegend(page)),
  );
}

/** The colours in one line, for when the legend is folded. */
function strip(colours: string[], comparing: boolean, limit: number): HTMLElement {
  const breaks = BREAKS.filter((one) => one < limit);
  const cells = colours.filter((colour, k) => colour && (comparing || k <= breaks.length)).map((colour, k) => {
    const cell = h("span", { class: "cell" }, comparing ? "" : num(BREAKS[k] ?? 0));
    cell.style.setProperty("--cell", colour);
    return cell;
  });
  return h("span", { class: "strip", "aria-hidden": "true" }, comparing ? t("longer") : "", ...cells, comparing ? t("shorter") : h("span", { class: "cell hatched" }));
}

function minuteNames(limit: number): string[] {
  return [
    t("up to {n} minutes", { n: num(5) }),
    ...[[5, 10], [10, 15], [15, 20], [20, 30]].map(([a, b]) => t("{a} to {b}", { a: num(a ?? 0), b: num(b ?? 0) })),
    t("over {n} minutes", { n: num(30) }),
    t("out of reach (over {n} minutes)", { n: num(limit) }),
  ];
}

function changeNames(): string[] {
  return [
    t("much longer, or lost"), t("longer"), t("no change"), t("up to 2 minutes less"), t("2 to 5 less"), t("5 to 10 less"), t("over 10 less"), t("newly within reach"),
  ];
}
