/** Areas and centres as SVG: what stands in where there is no WebGL. */

import { studyAt, type Scene } from "./api.js";
import { h, s } from "./dom.js";
import type { CityMap, MapEvents, Mark, Overlay } from "./map.js";
import { t } from "./words.js";

export class PlainMap implements CityMap {
  drawn = false;
  private readonly note: HTMLElement;
  private readonly svg: SVGElement;
  private readonly ground = s("g");
  private readonly gaps = s("g");
  private readonly sites = s("g");
  private shapes: GeoJSON.FeatureCollection | null = null;

  constructor(readonly place: HTMLElement, study: string, readonly scene: Scene, readonly events: MapEvents) {
    this.note = h("p", { class: "plain-note" }, t("This browser cannot draw the full map (WebGL is off). The table holds everything."));
    this.svg = s("svg", { viewBox: "0 0 1000 1000", role: "img", "aria-label": t("Map of areas and centres"), class: "plain-map",
      preserveAspectRatio: document.documentElement.dir === "rtl" ? "xMinYMid meet" : "xMaxYMid meet" }, this.ground, this.gaps, this.sites);
    place.append(this.svg, this.note);
    void fetch(`/api${studyAt(study)}/areas`)
      .then((answer) => answer.json())
      .then((found: GeoJSON.FeatureCollection) => {
        this.shapes = found;
        this.drawGround();
        this.drawn = true;
        place.dataset["drawn"] = "yes";
      });
  }

  private at(lon: number, lat: number): [number, number] {
    const [west, south, east, north] = this.scene.bounds;
    const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
    const wide = (east - west) * squeeze;
    const scale = 940 / Math.max(wide, north - south, 1e-9);
    const x = 500 + ((lon - (west + east) / 2) * squeeze) * scale;
    return [Math.round(x * 10) / 10, Math.round((500 - (lat - (south + north) / 2) * scale) * 10) / 10];
  }

  private drawGround(): void {
    for (const shape of this.shapes?.features ?? []) this.ground.append(s("path", { d: this.path(shape.geometry), class: "plain-area" }));
  }

  private path(shape: GeoJSON.Geometry): string {
    const parts = shape.type === "Polygon" ? [shape.coordinates] : shape.type === "MultiPolygon" ? shape.coordinates : [];
    return parts.flat().map((ring) => `M${ring.map(([lon, lat]) => this.at(lon ?? 0, lat ?? 0).join(" ")).join("L")}Z`).join("");
  }

  over(overlay: Overlay | null): void {
    this.place.dataset["over"] = overlay?.kind ?? "";
    this.gaps.replaceChildren(...(overlay?.shapes.features ?? []).map((shape) => {
      const { what, key, label, name, k } = shape.properties ?? {};
      const picked = key === overlay?.picked ? " picked" : "";
      if (shape.geometry.type !== "Point") return s("path", { d: this.path(shape.geometry), class: `plain-gap${picked}`, onclick: () => this.events.gap(String(key)) }, s("title", {}, String(name)));
      const [lon, lat] = shape.geometry.coordinates;
      const [x, y] = this.at(lon ?? 0, lat ?? 0);
      if (what === "choice") return s("circle", { cx: x, cy: y, r: 14 + 4 * Number(k), class: `plain-choice choice-${k}` }, s("title", {}, String(label)));
      return s("text", { x, y: y + 6, class: "plain-rank", "text-anchor": "middle" }, String(label));
    }));
  }

  show(): void {}

  marks(marks: Mark[], selected: number): void {
    const radius = { existing: 9, opened: 15, candidate: 6, closed: 9, other: 8 };
    this.sites.replaceChildren(
      ...marks.map((mark) => {
        const [x, y] = this.at(mark.lon, mark.lat);
        const made = s("g", { class: `plain-site nr-${mark.kind}${mark.site === selected ? " picked" : ""}`, onclick: () => this.events.pick(mark.site) },
          s("title", {}, mark.name), s("circle", { cx: x, cy: y, r: radius[mark.kind] }));
        if (mark.label) made.append(s("text", { x, y: y + 6, "text-anchor": "middle" }, mark.label));
        return made;
      }),
    );
  }

  outline(): void {}
  fit(): void {}
  go(): void {}
  recolour(): void {}
  resize(): void {}
  camera(): void {}

  remove(): void {
    this.place.replaceChildren();
  }
}
