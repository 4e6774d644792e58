/** What the map draws, layer by layer. */

import type * as Maplibre from "maplibre-gl";
import { studyAt, type Scene } from "./api.js";
import { choiceColours, css } from "./paint.js";

/** Sites from which on marks begin small. */
const MANY = 400;
/** Sites from which on those that could open, and the numbers, are left out until one comes closer than this. */
const VERY_MANY = 2000;
const CLOSER = 10.5;
/** Kinds of marks that are round and nothing else: circles cost the map far less than pictures that it has to place. */
const ROUND: Maplibre.ExpressionSpecification = ["in", ["get", "kind"], ["literal", ["candidate", "existing"]]];

/** Which features of what lies over the people a layer draws. */
const what = (name: "area" | "number" | "choice"): Maplibre.ExpressionSpecification => ["==", ["get", "what"], name];

/** Radius of a circle by how often its place is chosen. */
const byChoice = (scale: number): Maplibre.ExpressionSpecification => ["+", 8 * scale, ["*", 3 * scale, ["get", "k"]]];

/** Marks grow as one comes closer; where there are very many, those that could open begin as dots. */
function markSize(n: number): Maplibre.ExpressionSpecification {
  const many = n > MANY;
  return ["interpolate", ["linear"], ["zoom"], 9, ["match", ["get", "kind"], "opened", many ? 0.6 : 0.9, many ? 0.4 : 0.8], 13, 1] as unknown as Maplibre.ExpressionSpecification;
}

/**
 * The style of a study's map.
 *
 * `tiles` is the address of the people's tiles, `drawn` what is drawn by hand.
 */
export function styleOf(study: string, scene: Scene, tiles: string, drawn: GeoJSON.FeatureCollection): Maplibre.StyleSpecification {
  const streets = `${location.origin}/api${studyAt(study)}/tiles/${scene.rev}/streets/{z}/{x}/{y}`;
  const text = { "text-color": css("text"), "text-halo-color": css("page"), "text-halo-width": 1.6 };
  const font = ["system-ui", "Noto Sans", "sans-serif"];
  const width = (scale: number): Maplibre.ExpressionSpecification =>
    ["interpolate", ["exponential", 1.5], ["zoom"], 8, 0.4 * scale, 12, 0.9 * scale, 16, 5 * scale];
  const n = scene.sites.id.length;
  const closer = n > VERY_MANY ? CLOSER : 0;
  const size = (full: number, far: number): Maplibre.ExpressionSpecification => ["interpolate", ["linear"], ["zoom"], 9, full * (n > MANY ? far : 0.8), 13, full];
  const [west, south, east, north] = scene.bounds;
  const bounds: [number, number, number, number] = [west - 0.1, Math.max(south - 0.1, -85), east + 0.1, Math.min(north + 0.1, 85)];
  return {
    version: 8,
    sources: {
      areas: { type: "geojson", data: `${location.origin}/api${studyAt(study)}/areas` },
      ...(scene.streets ? { streets: { type: "vector", tiles: [streets], maxzoom: 14, bounds } } : {}),
      people: { type: "vector", tiles: [tiles], maxzoom: 14, bounds },
      sites: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
      drawn: { type: "geojson", data: drawn },
      over: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": css("outside") } },
      { id: "areas", type: "fill", source: "areas", filter: ["==", ["get", "kind"], "area"], paint: { "fill-color": css("page"), "fill-antialias": false } },
      { id: "inside", type: "fill", source: "areas", filter: ["==", ["get", "kind"], "boundary"], paint: { "fill-color": css("page"), "fill-antialias": false } },
      { id: "people", type: "fill", source: "people", "source-layer": "people", paint: { "fill-color": css("line"), "fill-opacity": 0.85, "fill-antialias": false } },
      { id: "people-out", type: "fill", source: "people", "source-layer": "people", filter: ["==", ["get", "k"], 6], layout: { visibility: "none" } },
      ...(scene.streets
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
      { id: "over-area", type: "fill", source: "over", filter: what("area"), paint: { "fill-color": css("closed"), "fill-opacity": 0.14 } },
      { id: "over-halo", type: "line", source: "over", filter: what("area"), paint: { "line-color": css("page"), "line-width": 5, "line-opacity": 0.8 } },
      { id: "over-line", type: "line", source: "over", filter: what("area"), paint: { "line-color": css("closed"), "line-width": 2 } },
      { id: "over-picked", type: "line", source: "over", filter: ["==", ["get", "key"], ""], paint: { "line-color": css("text"), "line-width": 4 } },
      { id: "over-choice", type: "circle", source: "over", filter: what("choice"), layout: { "circle-sort-key": ["get", "k"] }, paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, byChoice(0.6), 13, byChoice(1)], "circle-color": ["match", ["get", "k"], ...choiceColours().flatMap((colour, k) => [k, colour]), css("line")] as unknown as Maplibre.ExpressionSpecification, "circle-stroke-color": css("text"), "circle-stroke-width": 1 } },
      { id: "picked", type: "circle", source: "sites", filter: ["==", ["get", "picked"], true], paint: { "circle-radius": 17, "circle-color": "rgba(0,0,0,0)", "circle-stroke-color": css("text"), "circle-stroke-width": 2.5 } },
      { id: "candidates", type: "circle", source: "sites", minzoom: closer, filter: ["==", ["get", "kind"], "candidate"], paint: { "circle-radius": size(3, 0.2), "circle-color": css("page"), "circle-stroke-color": css("candidate"), "circle-stroke-width": size(2, 0.2) } },
      { id: "existing", type: "circle", source: "sites", filter: ["==", ["get", "kind"], "existing"], paint: { "circle-radius": size(4.75, 0.4), "circle-color": css("existing"), "circle-stroke-color": css("page"), "circle-stroke-width": size(2.5, 0.4) } },
      { id: "sites", type: "symbol", source: "sites", filter: ["!", ROUND], layout: { "icon-size": markSize(n), "icon-image": ["get", "kind"], "icon-allow-overlap": true, "icon-ignore-placement": true, "symbol-sort-key": ["get", "z"] } },
      { id: "numbers", type: "symbol", source: "sites", minzoom: closer, filter: ["!=", ["get", "label"], ""], layout: { "text-field": ["get", "label"], "text-font": font, "text-size": 12, "text-allow-overlap": true, "text-ignore-placement": true, "symbol-sort-key": ["get", "z"] }, paint: { "text-color": css("on-opened") } },
      { id: "names", type: "symbol", source: "sites", minzoom: 10, filter: ["any", ["==", ["get", "kind"], "opened"], ["==", ["get", "picked"], true]], layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 12.5, "text-anchor": "top", "text-offset": [0, 1.1], "text-optional": true, "text-max-width": 9 }, paint: text },
      { id: "over-name", type: "symbol", source: "over", minzoom: 11.5, filter: what("number"), layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 12.5, "text-anchor": "top", "text-offset": [0, 1.4], "text-max-width": 10, "symbol-sort-key": ["to-number", ["get", "key"]] }, paint: text },
      { id: "over-number", type: "symbol", source: "over", filter: what("number"), layout: { "icon-image": "gap", "text-field": ["get", "label"], "text-font": font, "text-size": 12.5, "symbol-sort-key": ["to-number", ["get", "key"]] }, paint: { "text-color": css("page") } },
      { id: "over-share", type: "symbol", source: "over", filter: what("choice"), layout: { "text-field": ["get", "label"], "text-font": font, "text-size": 12, "text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 1.7, "symbol-sort-key": ["-", 0, ["get", "k"]] }, paint: text },
      { id: "area-names", type: "symbol", source: "areas", filter: ["==", ["get", "kind"], "label"], layout: { "text-field": ["get", "name"], "text-font": font, "text-size": 13, "text-letter-spacing": 0.06 }, paint: { ...text, "text-color": css("quiet") } },
    ],
  };
}
