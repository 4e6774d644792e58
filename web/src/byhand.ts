/** Opening, closing and moving centres by hand. */

import { toast } from "./dom.js";
import { nearestCandidate } from "./marks.js";
import type { StudyPage } from "./study.js";
import { readOpen, writeOpen, type Open, type View } from "./view.js";
import { t } from "./words.js";

/** A new centre was dragged: to a place that could open where one is near, else to where it was let go; whether it stays there. */
export function moved(page: StudyPage, site: number, lon: number, lat: number): boolean {
  const sites = page.scene?.sites;
  if (!sites) return false;
  const open = readOpen(page.open_);
  const near = nearestCandidate(page.scene, lon, lat, new Set(open.opened));
  const target = near !== null ? near : sites.status.includes("candidate") && !page.scene?.anywhere ? null : `${lon.toFixed(6)},${lat.toFixed(6)}`;
  if (target === null) {
    toast(t("There is no place that could open near there."), true);
    return false;
  }
  replaceSite(page, site, target);
  return true;
}

/** Take one new centre out and put another in. */
export function replaceSite(page: StudyPage, site: number, target: number | string): void {
  const open = readOpen(page.open_);
  const n = page.scene?.sites.id.length ?? 0;
  const points = open.points.filter((_, place) => place !== site - n);
  const opened = open.opened.filter((one) => one !== site);
  if (typeof target === "number") opened.push(target);
  else points.push(target);
  const selected = typeof target === "number" ? (page.scene?.sites.id[target] ?? "") : "";
  edit(page, { ...open, opened, points }, { selected });
}

/** Open or close one site by hand. */
export function toggle(page: StudyPage, site: number): void {
  const open = readOpen(page.open_);
  const existing = page.scene?.sites.status[site] === "existing";
  const key = existing ? "closed" : "opened";
  const has = open[key].includes(site);
  edit(page, { ...open, [key]: has ? open[key].filter((one) => one !== site) : [...open[key], site] });
}

/** Change what is open; the change can be undone. */
function edit(page: StudyPage, open: Open, more: Partial<View> = {}): void {
  const was = page.view.at;
  const text = writeOpen(open);
  const at = text === page.planned ? "" : text;
  page.history.made({ back: () => page.go({ at: was }), again: () => page.go({ at }), said: "" });
  page.go({ at, phase: "", show: page.view.show === "before" ? "after" : page.view.show, ...more });
}
