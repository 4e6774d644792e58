/** The map: streets, people, areas and centres, drawn by MapLibre; an SVG with the same centres where WebGL is missing. */

import type * as Maplibre from "maplibre-gl";
import { studyAt, type Scene } from "./api.js";
import { h, s } from "./dom.js";
import { t } from "./words.js";

type Library = typeof Maplibre;
type Style = Maplibre.StyleSpecification;

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

export interface MapEvents {
  pick: (site: number) => void;
  place: (lon: number, lat: number) => void;
  moved: (site: number, lon: number, lat: number) => void;
  camera: (text: string) => void;
}

/** What both kinds of map can do. */
export interface CityMap {
  show: (picture: Picture) => void;
  marks: (marks: Mark[], selected: number) => void;
  outline: (rings: [number, number][][]) => void;
  go: (lon: number, lat: number) => void;
  recolour: () => void;
  resize: () => void;
  camera: (text: string) => void;
  remove: () => void;
  readonly drawn: boolean;
}

const DIM = 99;
/** Sites from which on marks begin small. */
const MANY = 400;
/** Sites from which on those that could open, and the numbers, are left out until one comes closer than this. */
const VERY_MANY = 2000;
const CLOSER = 10.5;
/** Kinds of marks that are round and nothing else: circles cost the map far less than pictures that it has to place. */
const ROUND: Maplibre.ExpressionSpecification = ["in", ["get", "kind"], ["literal", ["candidate", "existing"]]];
const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Colours of the classes of minutes, near to far; the last is out of reach. */
export const minuteColours = (): string[] => [0, 1, 2, 3, 4, 5].map((k) => css(`m${k}`));

/** Colours of the classes of change: much longer, longer, none, shorter in four steps, newly within reach. */
export const changeColours = (): string[] => [css("s4"), css("s2"), css("g0"), css("g1"), css("g2"), css("g3"), css("g4"), css("g5")];

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
      this.map.getCanvas().style.cursor = this.markAt(event.point) ? "pointer" : "";
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
    if (mark) this.events.pick(mark.site);
    else this.events.place(event.lngLat.lng, event.lngLat.lat);
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
    const mark = this.markAt(event.point);
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
    for (const kind of ["opened", "closed", "other"] as const) {
      if (!this.map.hasImage(kind)) this.map.addImage(kind, drawMark(kind), { pixelRatio: 2 });
    }
    if (!this.map.hasImage("hatch")) this.map.addImage("hatch", drawHatch(), { pixelRatio: 2 });
    this.map.setPaintProperty("people-out", "fill-pattern", "hatch");
    this.map.setLayoutProperty("people-out", "visibility", "visible");
  }

  /** Marks grow as one comes closer; where there are very many, those that could open begin as dots. */
  private markSize(): Maplibre.ExpressionSpecification {
    const many = this.scene.sites.id.length > MANY;
    return ["interpolate", ["linear"], ["zoom"], 9, ["match", ["get", "kind"], "opened", many ? 0.6 : 0.9, many ? 0.4 : 0.8], 13, 1] as unknown as Maplibre.ExpressionSpecification;
  }

  private style(): Style {
    this.tiles = this.peopleTiles();
    const streets = `${location.origin}/api${studyAt(this.study)}/tiles/${this.scene.rev}/streets/{z}/{x}/{y}`;
    const text = { "text-color": css("text"), "text-halo-color": css("page"), "text-halo-width": 1.6 };
    const font = ["system-ui", "Noto Sans", "sans-serif"];
    const width = (scale: number): Maplibre.ExpressionSpecification =>
      ["interpolate", ["exponential", 1.5], ["zoom"], 8, 0.4 * scale, 12, 0.9 * scale, 16, 5 * scale];
    const n = this.scene.sites.id.length;
    const closer = n > VERY_MANY ? CLOSER : 0;
    const size = (full: number, far: number): Maplibre.ExpressionSpecification => ["interpolate", ["linear"], ["zoom"], 9, full * (n > MANY ? far : 0.8), 13, full];
    const [west, south, east, north] = this.scene.bounds;
    const bounds: [number, number, number, number] = [west - 0.1, Math.max(south - 0.1, -85), east + 0.1, Math.min(north + 0.1, 85)];
    return {
      version: 8,
      sources: {
        areas: { type: "geojson", data: `${location.origin}/api${studyAt(this.study)}/areas` },
        ...(this.scene.streets ? { streets: { type: "vector", tiles: [streets], maxzoom: 14, bounds } } : {}),
        people: { type: "vector", tiles: [this.tiles], maxzoom: 14, bounds },
        sites: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
        drawn: { type: "geojson", data: drawnShape(this.rings) },
      },
      layers: [
        { id: "ground", type: "background", paint: { "background-color": css("outside") } },
        { id: "areas", type: "fill", source: "areas", filter: ["==", ["get", "kind"], "area"], paint: { "fill-color": css("page"), "fill-antialias": false } },
        { id: "inside", type: "fill", source: "areas", filter: ["==", ["get", "kind"], "boundary"], paint: { "fill-color": css("page"), "fill-antialias": false } },
        { id: "people", type: "fill", source: "people", "source-layer": "people", paint: { "fill-color": css("line"), "fill-opacity": 0.85, "fill-antialias": false } },
        { id: "people-out", type: "fill", source: "people", "source-layer": "people", filter: ["==", ["get", "k"], 6], layout: { visibility: "none" } },
        ...(this.scene.streets
          ? ([
              { id: "paths", type: "line", source: "streets", "source-layer": "streets", filter: ["==", ["get", "kind"], "path"], paint: { "line-color": css("streets"), "line-width": width(0.5), "line-opacity": 0.8 } },
              { id: "minor", type: "line", source: "streets", "source-layer": "streets", filter: ["==", ["get", "kind"], "minor"], paint: { "line-color": css("streets"), "line-width": width(0.9) } },
              { id: "ferries", type: "line", source: "streets", "source-layer": "streets", filter: ["==", ["get", "kind"], "ferry"], paint: { "line-color": css("streets"), "line-width": width(1), "line-dasharray": [3, 3] } },
              { id: "major", type: "line", source: "streets", "source-layer": "streets", filter: ["in", ["get", "kind"], ["literal", ["major", "motorway"]]], paint: { "line-color": css("streets"), "line-width": width(1.8) } },
            ] as Maplibre.LayerSpecification[])
          : []),
        { id: "borders", type: "line", source: "areas", filter: ["==", ["get", "kind"], "edge"], paint: { "line-color": css("quiet"), "line-width": 0.8, "line-opacity": 0.6, "line-dasharray": [3, 2] } },
        { id: "drawn", type: "fill", source: "drawn", paint: { "fill-color": css("other"), "fill-opacity": 0.3 } },
        { id: "drawn-line", type: "line", source: "drawn", paint: { "line-color": css("other"), "line-width": 2 } },
        { id: "picked", type: "circle", source: "sites", filter: ["==", ["get", "picked"], true], paint: { "circle-radius": 17, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": css("text"), "circle-stroke-width": 2.5 } },
        { id: "candidates", type: "circle", source: "sites", minzoom: closer, filter: ["==", ["get", "kind"], "candidate"], paint: { "circle-radius": size(3, 0.2), "circle-color": css("page"), "circle-stroke-color": css("candidate"), "circle-stroke-width": size(2, 0.2) } },
        { id: "existing", type: "circle", source: "sites", filter: ["==", ["get", "kind"], "existing"], paint: { "circle-radius": size(4.75, 0.4), "circle-color": css("existing"), "circle-stroke-color": css("page"), "circle-stroke-width": size(2.5, 0.4) } },
        { id: "sites", type: "symbol", source: "sites", filter: ["!", ROUND], layout: { "icon-size": this.markSize(), "icon-image": ["get", "kind"], "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["get", "z"] } },
        { id: "numbers", type: "symbol", source: "sites", minzoom: closer, filter: ["!=", ["get", "label"], ""], layout: { "text-field": ["get", "label"], "text-font": font, "text-size": 12, "text-allow-overlap": true, "text-ignore-placement": true, "symbol-sort-key": ["get", "z"] }, paint: { "text-color": css("on-opened") } },
        { id: "names", type: "symbol", source: "sites", minzoom: 10, filter: ["any", ["==", ["get", "kind"], "opened"], ["==", ["get", "picked"], true]], layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 12.5, "text-anchor": "top", "text-offset": [0, 1.1], "text-optional": true, "text-max-width": 9 }, paint: text },
        { id: "area-names", type: "symbol", source: "areas", filter: ["==", ["get", "kind"], "label"], layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 13, "text-letter-spacing": 0.06 }, paint: { ...text, "text-color": css("quiet") } },
      ],
    };
  }
}

/** From so wide a map on, its legend begins open and the city keeps clear of it. */
export const WIDE = 800;

/** Room around the city, more of it where the legend lies. */
function room(place: HTMLElement): { top: number; bottom: number; left: number; right: number } {
  const wide = place.clientWidth >= WIDE ? 310 : 24;
  const rtl = document.documentElement.dir === "rtl";
  return { top: 28, bottom: wide > 24 ? 36 : place.clientWidth < 560 ? 140 : 96, left: rtl ? 36 : wide, right: rtl ? wide : 36 };
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

/** A centre's mark, the same shapes as in the report: they tell apart without colour too. */
export function drawMark(kind: Mark["kind"]): ImageData {
  const side = { existing: 36, opened: 56, candidate: 24, closed: 36, other: 32 }[kind];
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  if (!pen) return new ImageData(side, side);
  const middle = side / 2;
  const circle = (radius: number, fill: string, stroke: string, width: number): void => {
    pen.beginPath();
    pen.arc(middle, middle, radius, 0, 2 * Math.PI);
    pen.fillStyle = fill;
    pen.fill();
    pen.lineWidth = width;
    pen.strokeStyle = stroke;
    pen.stroke();
  };
  if (kind === "existing") circle(12, css("existing"), css("page"), 5);
  if (kind === "candidate") circle(8, css("page"), css("candidate"), 4);
  if (kind === "opened") {
    circle(25, css("page"), css("page"), 2);
    circle(22, css("opened"), css("text"), 3);
  }
  if (kind === "closed") {
    circle(12, css("page"), css("closed"), 5);
    pen.beginPath();
    for (const [a, b] of [[9, side - 9], [side - 9, 9]] as const) {
      pen.moveTo(9, a);
      pen.lineTo(side - 9, b);
    }
    pen.stroke();
  }
  if (kind === "other") {
    pen.fillStyle = css("other");
    pen.strokeStyle = css("page");
    pen.lineWidth = 4;
    pen.fillRect(5, 5, side - 10, side - 10);
    pen.strokeRect(5, 5, side - 10, side - 10);
  }
  return pen.getImageData(0, 0, side, side);
}

function drawHatch(): ImageData {
  const side = 16;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const pen = canvas.getContext("2d");
  if (!pen) return new ImageData(side, side);
  pen.fillStyle = css("line");
  pen.fillRect(0, 0, side, side);
  pen.strokeStyle = css("text");
  pen.lineWidth = 2.2;
  for (const start of [-side, 0, side]) {
    pen.beginPath();
    pen.moveTo(start, side);
    pen.lineTo(start + side, 0);
    pen.stroke();
  }
  return pen.getImageData(0, 0, side, side);
}

/** Areas and centres as SVG: what stands in where there is no WebGL. */
class PlainMap implements CityMap {
  drawn = false;
  private readonly note: HTMLElement;
  private readonly svg: SVGElement;
  private readonly ground = s("g");
  private readonly sites = s("g");
  private shapes: GeoJSON.FeatureCollection | null = null;

  constructor(readonly place: HTMLElement, study: string, readonly scene: Scene, readonly events: MapEvents) {
    this.note = h("p", { class: "plain-note" }, t("This browser cannot draw the full map (WebGL is off). The table holds everything."));
    this.svg = s("svg", { viewBox: "0 0 1000 1000", role: "img", "aria-label": t("Map of areas and centres"), class: "plain-map",
      preserveAspectRatio: document.documentElement.dir === "rtl" ? "xMinYMid meet" : "xMaxYMid meet" }, this.ground, this.sites);
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
    for (const shape of this.shapes?.features ?? []) {
      const parts = shape.geometry.type === "Polygon" ? [shape.geometry.coordinates] : shape.geometry.type === "MultiPolygon" ? shape.geometry.coordinates : [];
      const path = parts.flat().map((ring) => `M${ring.map(([lon, lat]) => this.at(lon ?? 0, lat ?? 0).join(" ")).join("L")}Z`).join("");
      this.ground.append(s("path", { d: path, class: "plain-area" }));
    }
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
  go(): void {}
  recolour(): void {}
  resize(): void {}
  camera(): void {}

  remove(): void {
    this.place.replaceChildren();
  }
}
