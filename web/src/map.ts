/** The map: streets, people, areas and centres, drawn by MapLibre; an SVG with the same centres where WebGL is missing. */

import type * as Maplibre from "maplibre-gl";
import { studyAt, type Scene } from "./api.js";
import { changeColours, css, drawHatch, drawMark, minuteColours } from "./paint.js";
import { PlainMap } from "./plainmap.js";
import { styleOf } from "./style.js";
import { t } from "./words.js";

type Library = typeof Maplibre;

/** What people's squares show: who is where at which minutes, or what changes. */
export interface Picture {
  at: string;
  before: string;
  group: string;
  /** Position of the centre whose people alone are coloured, -1 for all. */
  only: number;
}

/** A centre as the map shows it. */
export interface Mark {
  site: number;
  lon: number;
  lat: number;
  kind: "existing" | "opened" | "candidate" | "closed" | "other";
  label: string;
  name: string;
  draggable: boolean;
}

/** What lies over the people, and which of it is looked at. */
export interface Overlay {
  kind: "gaps" | "choices";
  /** Each feature says `what` it is, and has a `key` and a `label`; a gap has a `name` too, a choice its class `k`, 0 for seldom. */
  shapes: GeoJSON.FeatureCollection;
  picked: string;
}

export interface MapEvents {
  gap: (key: string) => void;
  pick: (site: number) => void;
  place: (lon: number, lat: number) => void;
  /** Whether a click says a place, whatever stands there. */
  wantsPlace: () => boolean;
  moved: (site: number, lon: number, lat: number) => void;
  camera: (text: string) => void;
}

/** What both kinds of map can do. */
export interface CityMap {
  show: (picture: Picture) => void;
  marks: (marks: Mark[], selected: number) => void;
  outline: (rings: [number, number][][]) => void;
  over: (overlay: Overlay | null) => void;
  fit: (extent: [number, number, number, number]) => void;
  go: (lon: number, lat: number) => void;
  recolour: () => void;
  resize: () => void;
  camera: (text: string) => void;
  remove: () => void;
  readonly drawn: boolean;
}

const DIM = 99;
const NOTHING: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

let library: Promise<Library> | null = null;

/** The library, fetched once and only when a map is wanted. */
export function loadLibrary(): Promise<Library> {
  const address = "/vendor/maplibre-gl.mjs";
  library ??= import(address) as Promise<Library>;
  return library;
}

let software: boolean | null = null;

/** Whether WebGL is drawn by the processor, for want of a graphics card. */
function isSoftware(context: WebGL2RenderingContext): boolean {
  const told = context.getExtension("WEBGL_debug_renderer_info");
  const name = String(context.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : context.RENDERER));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

/** Whether this browser can draw with WebGL 2. */
export function hasWebgl(): boolean {
  try {
    const canvas = document.createElement("canvas");
    const context = canvas.getContext("webgl2");
    software ??= context !== null && isSoftware(context);
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return context !== null;
  } catch {
    return false;
  }
}

/** Make the map that this browser can draw. */
export async function makeMap(
  place: HTMLElement, study: string, scene: Scene, camera: string, picture: Picture, events: MapEvents, still = false,
): Promise<CityMap> {
  if (!hasWebgl()) return new PlainMap(place, study, scene, events);
  try {
    const found = await loadLibrary();
    return new TiledMap(found, place, study, scene, camera, picture, events, still);
  } catch (error) {
    console.warn(String(error));
    return new PlainMap(place, study, scene, events);
  }
}

class TiledMap implements CityMap {
  drawn = false;
  private readonly map: Maplibre.Map;
  /** Address of the people's tiles that the map has. */
  private tiles = "";
  private marked: Mark[] = [];
  private selected = -1;
  private rings: [number, number][][] = [];
  private overlay: Overlay | null = null;
  private ready = false;
  private dragging: Mark | null = null;

  constructor(
    readonly gl: Library,
    readonly place: HTMLElement,
    readonly study: string,
    readonly scene: Scene,
    camera: string,
    private picture: Picture,
    readonly events: MapEvents,
    still: boolean,
  ) {
    const [west, south, east, north] = scene.bounds;
    const [lon, lat, zoom] = camera.split(",").map(Number);
    const start = zoom !== undefined && [lon, lat, zoom].every(Number.isFinite)
      ? { center: [lon, lat] as [number, number], zoom }
      : { bounds: [[west, south], [east, north]] as [[number, number], [number, number]], fitBoundsOptions: { padding: room(place) } };
    this.map = new gl.Map({
      container: place,
      style: this.style(),
      ...start,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      maxZoom: 17,
      fadeDuration: 0,
      locale: words(),
      clickTolerance: 6,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    if (!still) {
      this.map.addControl(new gl.NavigationControl({ showCompass: false }), "top-right");
      this.map.addControl(new gl.ScaleControl({ maxWidth: 110 }), "top-left");
      const named = [...new Set(scene.sources.map((one) => one.licence).filter(Boolean))];
      const line = named.filter((one) => !named.some((other) => other !== one && other.includes(one))).join(" · "); // what another says too goes
      this.map.addControl(new gl.AttributionControl({ compact: false, customAttribution: line || "–" }), "bottom-right");
    }
    this.map.on("load", () => {
      this.ready = true;
      this.refresh();
    });
    this.map.on("idle", () => {
      this.drawn = true;
      place.dataset["drawn"] = "yes";
    });
    this.map.on("moveend", () => {
      const centre = this.map.getCenter();
      events.camera(`${centre.lng.toFixed(5)},${centre.lat.toFixed(5)},${this.map.getZoom().toFixed(2)}`);
    });
    if (software) this.drawLessWhileMoving();
    this.map.on("click", (event) => this.clicked(event));
    this.map.on("mousemove", (event) => {
      this.map.getCanvas().style.cursor = this.markAt(event.point) || this.gapAt(event.point) ? "pointer" : "";
    });
    this.map.on("mousedown", (event) => this.grabbed(event));
    this.map.on("touchstart", (event) => event.points.length === 1 && this.grabbed(event));
    const canvas = this.map.getCanvas();
    canvas.setAttribute("aria-label", t("Map. Everything on it is also in the table."));
    canvas.setAttribute("role", "application");
  }

  /** Where the processor draws every pixel: a quarter of them as long as somebody moves the map, all of them at rest. */
  private drawLessWhileMoving(): void {
    let less = false;
    this.map.on("movestart", (event) => {
      if (less || !event.originalEvent) return;
      less = true;
      this.map.setPixelRatio(devicePixelRatio / 2);
    });
    this.map.on("moveend", () => {
      if (!less) return;
      less = false;
      this.map.setPixelRatio(devicePixelRatio);
    });
  }

  private clicked(event: Maplibre.MapMouseEvent): void {
    const mark = this.markAt(event.point);
    const gap = mark ? "" : this.gapAt(event.point);
    if (this.events.wantsPlace()) this.events.place(event.lngLat.lng, event.lngLat.lat);
    else if (mark) this.events.pick(mark.site);
    else if (gap) this.events.gap(gap);
    else this.events.place(event.lngLat.lng, event.lngLat.lat);
  }

  /** Key of the gap under a point of the screen, "" where there is none. */
  private gapAt(point: Maplibre.Point): string {
    if (!this.ready || this.overlay?.kind !== "gaps") return "";
    const found = this.map.queryRenderedFeatures(point, { layers: ["over-number", "over-area"] });
    return String(found[0]?.properties["key"] ?? "");
  }

  private markAt(point: Maplibre.Point): Mark | null {
    let best: Mark | null = null;
    let least = 16;
    const [a, b] = [this.map.unproject([point.x - 20, point.y + 20]), this.map.unproject([point.x + 20, point.y - 20])];
    for (const mark of this.marked) {
      if (mark.lon < a.lng || mark.lon > b.lng || mark.lat < a.lat || mark.lat > b.lat) continue;
      const at = this.map.project([mark.lon, mark.lat]);
      const apart = Math.hypot(at.x - point.x, at.y - point.y) - (mark.kind === "opened" ? 4 : 0);
      if (apart < least) {
        least = apart;
        best = mark;
      }
    }
    return best;
  }

  private grabbed(event: Maplibre.MapMouseEvent | Maplibre.MapTouchEvent): void {
    const mark = this.events.wantsPlace() ? null : this.markAt(event.point);
    if (!mark?.draggable) return;
    event.preventDefault();
    this.dragging = mark;
    let moved = false;
    const start = event.point;
    const follow = (now: Maplibre.MapMouseEvent | Maplibre.MapTouchEvent): void => {
      if (!moved && Math.hypot(now.point.x - start.x, now.point.y - start.y) < 5) return;
      moved = true;
      this.drawMarks(now.lngLat);
    };
    const end = (now: Maplibre.MapMouseEvent | Maplibre.MapTouchEvent): void => {
      this.map.off("mousemove", follow);
      this.map.off("touchmove", follow);
      this.dragging = null;
      if (moved) this.events.moved(mark.site, now.lngLat.lng, now.lngLat.lat);
      else this.drawMarks();
    };
    this.map.on("mousemove", follow);
    this.map.on("touchmove", follow);
    this.map.once("mouseup", end);
    this.map.once("touchend", end);
  }

  show(picture: Picture): void {
    this.picture = picture;
    if (!this.ready) return;
    const tiles = this.peopleTiles();
    if (tiles !== this.tiles) (this.map.getSource("people") as Maplibre.VectorTileSource | undefined)?.setTiles([tiles]);
    this.tiles = tiles;
    this.map.setPaintProperty("people", "fill-color", this.peopleColours());
    this.map.setFilter("people-out", ["==", ["get", "k"], this.outClass()]);
  }

  marks(marks: Mark[], selected: number): void {
    this.marked = marks;
    this.selected = selected;
    this.drawMarks();
    this.place.dataset["sites"] = String(marks.length);
  }

  outline(rings: [number, number][][]): void {
    this.rings = rings;
    if (!this.ready) return;
    (this.map.getSource("drawn") as Maplibre.GeoJSONSource | undefined)?.setData(drawnShape(rings));
  }

  over(overlay: Overlay | null): void {
    this.overlay = overlay;
    if (!this.ready) return;
    const { shapes, picked } = overlay ?? { shapes: NOTHING, picked: "" };
    (this.map.getSource("over") as Maplibre.GeoJSONSource | undefined)?.setData(shapes);
    this.map.setFilter("over-picked", ["all", ["==", ["get", "what"], "area"], ["==", ["get", "key"], picked]]);
    this.place.dataset["over"] = overlay?.kind ?? "";
  }

  fit([west, south, east, north]: [number, number, number, number]): void {
    this.map.fitBounds([[west, south], [east, north]], { padding: room(this.place), maxZoom: 14, duration: calm() ? 0 : 400 });
  }

  go(lon: number, lat: number): void {
    const box = this.map.getBounds();
    if (!box.contains([lon, lat])) this.map.easeTo({ center: [lon, lat], duration: calm() ? 0 : 400 });
  }

  camera(text: string): void {
    const [lon, lat, zoom] = text.split(",").map(Number);
    if (lon !== undefined && lat !== undefined && zoom !== undefined) this.map.jumpTo({ center: [lon, lat], zoom });
  }

  recolour(): void {
    this.ready = false;
    this.map.setStyle(this.style(), { diff: false });
    this.map.once("styledata", () => {
      this.ready = true;
      this.refresh();
    });
  }

  resize(): void {
    this.map.resize();
  }

  remove(): void {
    this.map.remove();
  }

  private refresh(): void {
    this.addImages();
    this.show(this.picture);
    this.drawMarks();
    this.outline(this.rings);
    this.over(this.overlay);
  }

  private drawMarks(at: Maplibre.LngLat | null = null): void {
    if (!this.ready) return;
    const moved = (mark: Mark): [number, number] =>
      at && this.dragging?.site === mark.site ? [at.lng, at.lat] : [mark.lon, mark.lat];
    const order = { candidate: 0, other: 1, closed: 2, existing: 3, opened: 4 };
    const features = this.marked.map((mark) => ({
      type: "Feature" as const,
      geometry: { type: "Point" as const, coordinates: moved(mark) },
      properties: { kind: mark.kind, label: mark.label, name: mark.name, z: order[mark.kind], picked: mark.site === this.selected },
    }));
    (this.map.getSource("sites") as Maplibre.GeoJSONSource | undefined)?.setData({ type: "FeatureCollection", features });
  }

  private outClass(): number {
    return this.picture.before ? -1 : 6;
  }

  private peopleTiles(): string {
    const { at, before, group, only } = this.picture;
    const said = new URLSearchParams({ at });
    if (before) said.set("before", before);
    if (group) said.set("group", group);
    if (only >= 0) said.set("only", String(only));
    return `${location.origin}/api${studyAt(this.study)}/tiles/${this.scene.rev}/people/{z}/{x}/{y}?${said}`;
  }

  private peopleColours(): Maplibre.ExpressionSpecification {
    const colours = this.picture.before ? changeColours() : [...minuteColours(), css("line")];
    const pairs = colours.flatMap((colour, k) => [k, colour]);
    return ["match", ["get", "k"], ...pairs, DIM, css("line"), css("line")] as unknown as Maplibre.ExpressionSpecification;
  }

  private addImages(): void {
    for (const kind of ["opened", "closed", "other", "gap"] as const) {
      if (!this.map.hasImage(kind)) this.map.addImage(kind, drawMark(kind), { pixelRatio: 2 });
    }
    if (!this.map.hasImage("hatch")) this.map.addImage("hatch", drawHatch(), { pixelRatio: 2 });
    this.map.setPaintProperty("people-out", "fill-pattern", "hatch");
    this.map.setLayoutProperty("people-out", "visibility", "visible");
  }


  private style(): Maplibre.StyleSpecification {
    this.tiles = this.peopleTiles();
    return styleOf(this.study, this.scene, this.tiles, drawnShape(this.rings));
  }
}

/** From so wide a map on, its legend begins open and the city keeps clear of it. */
export const WIDE = 800;

/** Room around the city, more of it where the legend lies. */
function room(place: HTMLElement): { top: number; bottom: number; left: number; right: number } {
  const wide = place.clientWidth >= WIDE ? 310 : 24;
  const rtl = document.documentElement.dir === "rtl";
  return { top: 28, bottom: wide > 24 ? 36 : place.clientWidth < 560 ? 140 : 120, left: rtl ? 36 : wide, right: rtl ? wide : 36 };
}

const calm = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

function words(): Record<string, string> {
  return {
    "NavigationControl.ZoomIn": t("Closer"),
    "NavigationControl.ZoomOut": t("Farther"),
    "Map.Title": t("Map"),
    "AttributionControl.ToggleAttribution": t("Sources"),
  };
}

function drawnShape(rings: [number, number][][]): GeoJSON.FeatureCollection {
  const features = rings.filter((ring) => ring.length > 1).map((ring) => ({
    type: "Feature" as const,
    properties: {},
    geometry:
      ring.length > 2
        ? { type: "Polygon" as const, coordinates: [[...ring, ring[0] ?? [0, 0]]] }
        : { type: "LineString" as const, coordinates: ring },
  }));
  return { type: "FeatureCollection", features };
}
