/** Who opens and pays what, and when: tables of a plan with agencies or phases. */

import type { PlanDocument } from "./api.js";
import { h } from "./dom.js";
import type { StudyPage } from "./study.js";
import { about, minutes, money, num, percent, t } from "./words.js";

const total = (numbers: number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Whether a plan has agencies, or more than one phase. */
export const hasAgencies = (plan: PlanDocument): boolean => plan.agencies.length > 0;
export const hasPhases = (plan: PlanDocument): boolean => plan.phases.length > 1;

/** What each agency opens, hosts and pays. */
export function agencyTable(page: StudyPage, plan: PlanDocument): HTMLElement {
  const paid = total(plan.agencies.map((one) => total(one.spent)));
  const people = total(plan.agencies.map((one) => one.people));
  return h("div", {},
    h("table", {},
      h("caption", { class: "hidden" }, t("What each agency opens, hosts and pays")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Agency")), h("th", { scope: "col", class: "number" }, t("Centres today")), h("th", { scope: "col", class: "number" }, t("Opens")),
        h("th", { scope: "col", class: "number" }, t("People")), h("th", { scope: "col", class: "number" }, t("Pays for opening")))),
      h("tbody", {}, ...plan.agencies.map((one) => {
        const pays = total(one.spent);
        return h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, one.name)), h("td", { class: "number" }, num(one.venues_today)), h("td", { class: "number" }, num(one.opened.length), h("small", {}, limits(plan, one.name))),
          h("td", { class: "number" }, about(one.people), h("small", {}, people > 0 ? percent(one.people / people) : "")),
          h("td", { class: "number" }, money(pays), h("small", {}, [paid > 0 ? percent(pays / paid) : "", one.budget !== null ? t("of {budget}", { budget: money(one.budget) }) : ""].filter(Boolean).join(" "))));
      }))),
    h("div", { class: "row" }, page.data.answers.agencies || !page.readonly
      ? h("button", { id: "coalitions", type: "button", disabled: page.busy && !page.data.answers.agencies,
          onclick: () => (page.data.answers.agencies ? page.go({ about: "agencies" }) : void page.begin({ kind: "agencies" })) }, t("What does each agency bring?"))
      : null));
}

/** How many an agency was to open, as it was asked. */
function limits(plan: PlanDocument, name: string): string {
  const asked = plan.settings.agencies.find((one) => one.name === name);
  return [asked?.min_open ? t("at least {n}", { n: num(asked.min_open) }) : "", asked?.max_open !== null && asked?.max_open !== undefined ? t("at most {n}", { n: num(asked.max_open) }) : ""]
    .filter(Boolean).join(", ");
}

/** What happens in each phase. */
export function phaseTable(page: StudyPage, plan: PlanDocument): HTMLElement {
  return h("table", {},
    h("caption", { class: "hidden" }, t("What happens in each phase")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Phase")), h("th", { scope: "col", class: "number" }, t("New centres")), h("th", { scope: "col", class: "number" }, t("Centres in all")),
      h("th", { scope: "col", class: "number" }, t("Money for opening")), h("th", { scope: "col", class: "number" }, t("Average minutes")))),
    h("tbody", {}, ...plan.phases.map((one) => h("tr", { class: one.name === page.view.phase ? "here" : "" },
      h("th", { scope: "row" }, h("button", { type: "button", class: "plain line", "data-key": `phase-${one.name}`, "aria-pressed": String(one.name === page.view.phase),
        onclick: () => page.go({ phase: one.name === page.view.phase ? "" : one.name, at: "" }) }, h("bdi", {}, one.name))),
      h("td", { class: "number" }, num(one.opened.length)), h("td", { class: "number" }, num(one.centres)), h("td", { class: "number" }, money(one.spent)), h("td", { class: "number" }, minutes(one.mean_min))))));
}
