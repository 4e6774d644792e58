/** Further questions to a study: what is asked, how it goes, and where the answer is. */

import { part, studyAt, type About } from "./api.js";
import { h } from "./dom.js";
import { goalName, GOALS } from "./goals.js";
import { lay } from "./over.js";
import type { StudyPage } from "./study.js";
import { t, tn } from "./words.js";

/** A question in words. */
export function questionOf(kind: About): string {
  switch (kind) {
    case "gaps": return t("Where are crowded areas without a centre?");
    case "curve": return t("What does each further centre bring?");
    case "frontier": return t("What does one goal cost the other?");
    case "sensitivity": return t("Which places stand if things turn out otherwise?");
    case "agencies": return t("What does each agency bring?");
  }
}

/** The block of further questions. */
export function furtherPart(page: StudyPage): HTMLElement | null {
  if (!page.scene) return null;
  const drawing = page.drawing !== null;
  const corners = page.drawing?.[0]?.length ?? 0;
  const tests = page.data.plans.find((one) => one.id === page.view.plan)?.stress ?? [];
  if (page.readonly && !tests.length && !Object.keys(page.data.answers).length) return null;
  return h("div", { class: "block" }, h("h2", {}, t("Further questions")),
    h("div", { class: "stack" },
      question(page, "gaps", { minutes: page.data.settings.plan.coverage_min }),
      question(page, "curve"),
      question(page, "sensitivity"),
      page.data.settings.agencies.length > 1 ? question(page, "agencies") : null,
      trade(page),
      page.view.plan && !page.readonly
        ? h("button", { id: "draw", type: "button", "aria-pressed": String(drawing), disabled: page.busy, onclick: () => page.draw(!drawing) },
            drawing ? tn(corners, "Done drawing (one corner)", "Done drawing ({n} corners)") : t("What if an area is flooded? Draw it"))
        : null,
      drawing ? h("p", { class: "quiet", role: "status" }, t("Click the corners on the map, one after the other.")) : null,
      page.hazard.length && page.view.plan
        ? h("button", { id: "stress", class: "primary", type: "button", disabled: page.busy, onclick: () => void page.begin({ kind: "stress", plan: page.view.plan, hazard: page.hazard }) }, t("See what happens then"))
        : null,
      ...tests.slice(0, 3).map((job, k) => h("p", { class: "ready" }, h("a", { id: k ? null : "stress-page", target: "_blank", rel: "noopener",
        href: `/api${studyAt(page.study)}/plans/${part(page.view.plan)}/stress/${part(job)}/stress.html` },
        k ? t("An earlier test of this plan") : t("Open the page about what happens then"))))));
}

/** A button that opens the answer, or asks for it where there is none yet. */
function question(page: StudyPage, kind: About, more: Record<string, unknown> = {}): HTMLElement | null {
  const made = page.data.answers[kind];
  if (!made && page.readonly) return null;
  const shown = kind === "gaps" ? page.over === "gaps" : page.view.about === kind;
  const show = (): void => (kind === "gaps" ? lay(page, shown ? "" : "gaps") : page.go({ about: shown ? "" : kind }));
  return h("button", { id: kind, type: "button", class: made && !made.stale ? "answered" : "", disabled: !made && page.busy, "aria-pressed": String(shown),
    onclick: () => (made ? show() : void page.begin({ kind, ...more })) }, questionOf(kind));
}

/** Two goals against each other: which is the other one. */
function trade(page: StudyPage): HTMLElement | null {
  if (page.data.answers.frontier || page.readonly) return question(page, "frontier");
  const { objective } = page.data.settings.plan;
  const own = typeof objective === "string" ? objective : (objective[0] ?? "travel");
  // with agencies, phases or money only the cost can be traded, and the farthest never against it
  const others = GOALS.filter((one) => one !== own && (page.data.staged ? one === "cost" && own !== "farthest" : one !== "cost"));
  if (!others.length) return null;
  const other = h("select", { id: "against", "aria-label": t("The other goal") }, ...others.map((one) => h("option", { value: one }, one === "cost" ? t("little money") : goalName(one))));
  return h("div", { class: "row" },
    h("button", { id: "frontier", type: "button", disabled: page.busy, onclick: () => void page.begin({ kind: "frontier", against: other.value }) }, questionOf("frontier")), other);
}
