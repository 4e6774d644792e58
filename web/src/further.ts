/** Further questions to a study: what is asked, how it goes, and the page that answers. */

import { part } from "./api.js";
import { h } from "./dom.js";
import type { StudyPage } from "./study.js";
import { t, tn } from "./words.js";

/** The block of further questions. */
export function furtherPart(page: StudyPage): HTMLElement | null {
  if (!page.scene) return null;
  const busy = page.job !== null && page.job.state !== "failed";
  const shown = page.answered;
  const where = `/api/studies/${part(page.study)}`;
  const pageOf = (kind: string): string =>
    kind === "stress" ? `${where}/plans/${part(page.view.plan)}/stress/${part(shown?.job.outcome.stress ?? "")}/stress.html` : `${where}/${kind}/${kind}.html`;
  const drawing = page.drawing !== null;
  const corners = page.drawing?.[0]?.length ?? 0;
  return h("div", { class: "block" }, h("h2", {}, t("Further questions")),
    h("div", { class: "stack" },
      h("button", { id: "gaps", type: "button", disabled: busy, onclick: () => void page.begin({ kind: "gaps", minutes: page.data.settings.plan.coverage_min }) }, t("Where are crowded areas without a centre?")),
      h("button", { id: "curve", type: "button", disabled: busy, onclick: () => void page.begin({ kind: "curve" }) }, t("What does each further centre bring?")),
      page.view.plan
        ? h("button", { id: "draw", type: "button", "aria-pressed": String(drawing), disabled: busy, onclick: () => page.draw(!drawing) },
            drawing ? tn(corners, "Done drawing (one corner)", "Done drawing ({n} corners)") : t("What if an area is flooded? Draw it"))
        : null,
      drawing ? h("p", { class: "quiet", role: "status" }, t("Click the corners on the map, one after the other.")) : null,
      page.hazard.length && page.view.plan
        ? h("button", { id: "stress", class: "primary", type: "button", disabled: busy, onclick: () => void page.begin({ kind: "stress", plan: page.view.plan, hazard: page.hazard }) }, t("See what happens then"))
        : null,
      shown
        ? h("p", { class: "ready" }, h("a", { id: "answer-page", href: pageOf(shown.kind), target: "_blank", rel: "noopener" }, answerName(shown.kind)))
        : null));
}

function answerName(kind: string): string {
  if (kind === "gaps") return t("Open the page about crowded areas");
  if (kind === "curve") return t("Open the page about each further centre");
  return t("Open the page about what happens then");
}

