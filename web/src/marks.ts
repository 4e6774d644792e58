/** What stands on the map: centres, places that could open, and where somebody walks from. */

import type { Scene } from "./api.js";
import type { Mark } from "./map.js";
import type { StudyPage } from "./study.js";
import type { Open } from "./view.js";
import { num, t } from "./words.js";

/** Centres and candidates as the map marks them. */
export function marksOf(page: StudyPage, open: Open): Mark[] {
  const sites = page.scene?.sites;
  if (!sites) return [];
  const order = new Map(page.plan?.plan.sites.map((site) => [site.id, site.order]) ?? []);
  const opened = new Set(open.opened);
  const closed = new Set(open.closed);
  const found: Mark[] = sites.id.map((id, site) => {
    const status = sites.status[site];
    const kind = status === "other" ? "other" : status === "existing" ? (closed.has(site) ? "closed" : "existing") : opened.has(site) ? "opened" : "candidate";
    const number = kind === "opened" ? order.get(id) : null;
    return {
      site, kind, lon: sites.lon[site] ?? 0, lat: sites.lat[site] ?? 0, name: sites.name[site] ?? id,
      label: kind !== "opened" ? "" : number ? num(number) : "+", draggable: kind === "opened" && page.view.show !== "before",
    };
  });
  open.points.forEach((point, place) => {
    const [lon, lat] = point.split(",").map(Number);
    found.push({ site: sites.id.length + place, kind: "opened", lon: lon ?? 0, lat: lat ?? 0, name: t("New place"), label: "+", draggable: true });
  });
  if (page.view.from) {
    const [lon, lat] = page.view.from.split(",").map(Number);
    found.push({ site: -2, kind: "other", lon: lon ?? 0, lat: lat ?? 0, name: t("From here"), label: "", draggable: false });
  }
  return found;
}

/** The candidate nearest to a place if one is within a quarter of a kilometre, not open yet. */
export function nearestCandidate(scene: Scene | null, lon: number, lat: number, open: Set<number>): number | null {
  if (!scene) return null;
  const squeeze = Math.cos((lat * Math.PI) / 180);
  let best: number | null = null;
  let least = scene.anywhere ? 0.25 : Infinity;
  scene.sites.id.forEach((_, site) => {
    if (scene.sites.status[site] !== "candidate" || scene.sites.excluded[site] || open.has(site)) return;
    const apart = 111.2 * Math.hypot(((scene.sites.lon[site] ?? 0) - lon) * squeeze, (scene.sites.lat[site] ?? 0) - lat);
    if (apart < least) {
      least = apart;
      best = site;
    }
  });
  return best;
}
