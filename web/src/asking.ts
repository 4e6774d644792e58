/** The questions: place, people and centres told, the plan asked for, the plans there are. */

import { failure, type PlanLine } from "./api.js";
import { h, replace } from "./dom.js";
import { furtherPart } from "./further.js";
import { goalName, GOALS } from "./goals.js";
import { jobBox } from "./job.js";
import { freshen, phasesOpen, rowsPart } from "./rows.js";
import { sharePart } from "./sharing.js";
import type { StudyPage } from "./study.js";
import { minutes, num, percent, t, tn, towards, when } from "./words.js";

/** Draw the questions; nothing that a person is typing is lost. */
export function renderAsk(pane: HTMLElement, page: StudyPage): void {
  if (pane.contains(document.activeElement) && document.activeElement instanceof HTMLInputElement && pane.querySelector("form")) {
    const jobs = pane.querySelector("#job-place");
    if (jobs) replace(jobs, jobPart(page));
    const refused = pane.querySelector("#refused");
    if (refused) replace(refused, page.refused);
    freshen(pane, page);
    return;
  }
  replace(pane, placePart(page), page.readonly ? null : planForm(page), h("div", { id: "job-place" }, jobPart(page)), plansPart(page), furtherPart(page),
    page.readonly ? null : sharePart(page));
}

function placePart(page: StudyPage): HTMLElement {
  const { scene } = page;
  const count = (status: string): number => scene?.sites.status.filter((one) => one === status).length ?? 0;
  return h("div", { class: "block" },
    h("h1", {}, h("bdi", {}, page.data.settings.study.name)),
    scene
      ? h("p", { class: "quiet" },
          t("{people} people.", { people: num(scene.people) }), " ",
          tn(count("existing"), "One centre today,", "{n} centres today,"), " ",
          tn(count("candidate"), "one place that could open.", "{n} places that could open."))
      : null);
}

function jobPart(page: StudyPage): HTMLElement | null {
  const { job } = page;
  if (!job) return null;
  if (job.state === "failed") {
    return h("div", { class: "block fault", role: "alert" }, h("p", {}, t("This could not be done:")),
      h("p", { dir: "auto" }, failure(job)),
      h("button", { id: "job-seen", type: "button", onclick: () => { page.job = null; page.render(); } }, t("All right")));
  }
  return jobBox(page.study, job, page.following);
}

function planForm(page: StudyPage): HTMLElement {
  const { plan } = page.data.settings;
  const goal = typeof plan.objective === "string" ? plan.objective : (plan.objective[0] ?? "travel");
  const groups = Object.keys(page.data.settings.people.groups);
  const number = h("input", { id: "number", name: "number", type: "number", min: 0, max: 100000, step: 1, required: true, value: plan.open ?? plan.open_max ?? 5 });
  const how = h("select", { id: "how", name: "how", "aria-label": t("Exactly or at most") },
    h("option", { value: "exactly", selected: plan.open !== null }, t("exactly")), h("option", { value: "most", selected: plan.open === null }, t("at most")));
  const near = h("input", { id: "near", name: "near", type: "number", min: 1, max: 600, step: "any", required: true, value: plan.coverage_min });
  const goals = h("select", { id: "goal", name: "goal" }, ...GOALS.map((one) => h("option", { value: one, selected: one === goal }, goalName(one))));
  const share = h("input", { id: "share", type: "number", min: 1, max: 100, step: "any", value: Math.round((plan.within_share ?? 0.9) * 100) });
  const budget = h("input", { id: "budget", type: "number", min: 0, step: "any", value: plan.budget ?? "", placeholder: t("no limit") });
  const limit = h("input", { id: "limit", type: "number", min: 1, max: 86400, value: 60 });
  const weights = groups.map((name) => ({ name, field: h("input", { id: `weight-${name}`, type: "number", min: 0, max: 10000, step: "any", value: plan.group_weights[name] ?? 1 }) }));
  const shareRow = h("label", { class: "field", hidden: goal !== "cost" }, h("span", {}, t("Share of people to bring near, in percent")), share);
  goals.addEventListener("change", () => { shareRow.hidden = goals.value !== "cost"; });
  const phased = phasesOpen(page);
  const counted = phased === null;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const cost = goals.value === "cost";
    const exactly = how.value === "exactly" && !cost && counted;
    const values: Record<string, unknown> = {
      "plan.open": exactly ? Number(number.value) : null,
      "plan.open_max": !exactly && counted ? Number(number.value) : null,
      "plan.objective": Array.isArray(plan.objective) && goals.value === goal ? plan.objective : goals.value,
      "plan.coverage_min": Number(near.value),
      "plan.within_share": cost ? Number(share.value) / 100 : null,
      "plan.budget": budget.value === "" ? null : Number(budget.value),
    };
    if (groups.length) {
      const heavy = Object.fromEntries(weights.filter((one) => Number(one.field.value) !== 1).map((one) => [one.name, Number(one.field.value)]));
      values["plan.group_weights"] = Object.keys(heavy).length ? heavy : null;
    }
    (document.activeElement as HTMLElement | null)?.blur();
    if (await page.change(values)) await page.begin({ kind: "plan", time_limit_s: Number(limit.value) });
  };

  const today = page.scene?.sites.status.filter((one) => one === "existing").length ?? 0;
  const inAll = h("small", { id: "in-all" });
  const count = (): void => {
    const more = phased ?? Number(number.value);
    inAll.textContent = page.scene ? t("{today} today and {more} new: {all} in all.", { today: num(today), more: num(more), all: num(today + more) }) : "";
  };
  number.addEventListener("input", count);
  count();
  const ruled = plan.force.length + plan.forbid.length;
  return h("form", { class: "block", onsubmit: submit },
    h("h2", {}, t("What should be planned?")),
    phased === null
      ? h("div", { class: "field" }, h("label", { for: "number" }, t("New centres")), h("div", { class: "row" }, how, number), inAll)
      : h("p", { class: "field" }, tn(phased, "One new centre, in phases.", "{n} new centres, in phases."), inAll),
    h("label", { class: "field" }, h("span", {}, t("What matters")), goals),
    shareRow,
    h("label", { class: "field" }, h("span", {}, t("Near means within so many minutes")), near),
    rowsPart(page, "agencies"), rowsPart(page, "phases"), rowsPart(page, "levels"),
    h("details", { id: "more", class: "list" }, h("summary", {}, t("Money, groups, time"), ruled ? `: ${tn(ruled, "one place is fixed", "{n} places are fixed")}` : ""),
      h("label", { class: "field" }, h("span", {}, t("Money for opening, in all")), budget),
      ...weights.map(({ name, field }) => h("label", { class: "field" }, h("span", {}, t("One of {group} counts as much as", { group: name })), field)),
      h("label", { class: "field" }, h("span", {}, t("Longest search, seconds")), limit),
      named(page, "force", t("Must open")), named(page, "forbid", t("Must not open"))),
    h("div", { id: "refused", class: "fault", role: "alert", dir: "auto" }, page.refused),
    h("button", { id: "plan", class: "primary wide", type: "submit", disabled: page.busy }, t("Find the best places")));
}

function named(page: StudyPage, key: "force" | "forbid", title: string): HTMLElement | null {
  const ids = page.data.settings.plan[key];
  if (!ids.length) return null;
  const name = (id: string): string => page.scene?.sites.name[page.scene.sites.id.indexOf(id)] ?? id;
  return h("div", { class: "field" }, h("span", {}, title),
    h("ul", { class: "chips" }, ...ids.map((id) => h("li", {}, h("bdi", {}, name(id)),
      h("button", { type: "button", class: "plain", "data-key": `${key}-${id}`, "aria-label": t("Take {name} out of this list", { name: name(id) }),
        onclick: () => void page.change({ [`plan.${key}`]: ids.length > 1 ? ids.filter((one) => one !== id) : null }).then(() => page.render()) }, "×")))));
}

function plansPart(page: StudyPage): HTMLElement | null {
  const { plans } = page.data;
  if (!plans.length) return null;
  const row = (one: PlanLine): HTMLElement => {
    const here = one.id === page.view.plan;
    const proven = one.status === "optimal" ? t("proven best") : t("at most {gap} better is possible", { gap: percent(one.gap, 2) });
    return h("li", { class: here ? "here" : "" },
      h("button", { type: "button", class: "plain line", "data-key": `plan-${one.id}`, "aria-current": here ? "true" : null,
        onclick: () => page.go({ plan: one.id, at: "", phase: "", selected: "", served: false, against: page.view.against === one.id ? "" : page.view.against }) },
        h("strong", {}, tn(one.opened, "One new centre", "{n} new centres")), ` ${minutes(one.before_min)}${towards()}${minutes(one.after_min)} ${t("min")}`,
        h("small", {}, `${proven} · ${when(one.made)}`)),
      !here && page.view.plan
        ? h("button", { type: "button", class: "small", "data-key": `against-${one.id}`, "aria-pressed": String(page.view.against === one.id),
            onclick: () => page.go({ against: page.view.against === one.id ? "" : one.id, show: "after" }) }, t("Compare"))
        : null);
  };
  return h("div", { class: "block" }, h("h2", {}, t("Plans")), h("ul", { class: "plans" }, ...plans.map(row)));
}
