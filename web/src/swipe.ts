/** A second map over the first, cut off at a line that moves: two plans at the same place. */

import type { Scene } from "./api.js";
import { h } from "./dom.js";
import { makeMap, type CityMap, type Mark } from "./map.js";
import { t } from "./words.js";

export class Swipe {
  private constructor(readonly layer: HTMLElement, readonly slider: HTMLInputElement, readonly edge: HTMLElement, readonly map: CityMap) {}

  static async over(place: HTMLElement, study: string, scene: Scene, camera: string, at: string, group: string): Promise<Swipe> {
    const inner = h("div", { class: "map" });
    const layer = h("div", { class: "swipe" }, inner);
    const slider = h("input", { type: "range", min: 0, max: 100, value: 50, class: "swipe-line", "aria-label": t("Move the line between the two plans") });
    const edge = h("div", { class: "swipe-edge" });
    place.append(layer, edge, slider);
    const silent = { gap: () => undefined, pick: () => undefined, place: () => undefined, wantsPlace: () => false, moved: () => undefined, camera: () => undefined };
    const map = await makeMap(inner, study, scene, camera, { at, before: "", group, only: -1 }, silent, true);
    const swipe = new Swipe(layer, slider, edge, map);
    slider.addEventListener("input", () => swipe.cut());
    swipe.cut();
    return swipe;
  }

  private cut(): void {
    this.layer.style.clipPath = `inset(0 ${100 - Number(this.slider.value)}% 0 0)`;
    this.edge.style.left = `${this.slider.value}%`;
  }

  show(at: string, group: string, marks: Mark[]): void {
    this.map.show({ at, before: "", group, only: -1 });
    this.map.marks(marks, -1);
  }

  follow(camera: string): void {
    this.map.camera(camera);
  }

  recolour(): void {
    this.map.recolour();
  }

  remove(): void {
    this.map.remove();
    this.layer.remove();
    this.slider.remove();
    this.edge.remove();
  }
}
