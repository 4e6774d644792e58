/** What a plan may make good, in the reader's words. */

import { t } from "./words.js";

export const GOALS = ["travel", "coverage", "farthest", "equal", "cost"] as const;

/** A goal in words. */
export function goalName(goal: string): string {
  switch (goal) {
    case "travel": return t("the least walking for everyone together");
    case "coverage": return t("the most people near a centre");
    case "farthest": return t("nobody very far away");
    case "equal": return t("fair: help those who are far away most");
    case "cost": return t("the fewest centres that bring enough people near");
    default: return goal;
  }
}
