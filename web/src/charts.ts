/** Plain charts, in the page's own colours and the reader's numbers; each says in words what it shows. */

import { s } from "./dom.js";
import { num } from "./words.js";

export interface Line {
  name: string;
  kind: "best" | "bound" | "other";
  points: [number, number][];
}

const WIDE = 560;
const HIGH = 260;
const EDGE = { left: 64, right: 16, top: 30, bottom: 44 };

/** Round numbers that span a range in about so many steps. */
export function ticks(low: number, high: number, wanted = 5): number[] {
  const span = Math.max(high - low, 1e-9);
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => span / one <= wanted + 0.5) ?? 10 * power;
  const found: number[] = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + step * 1e-6; at += step) found.push(Math.abs(at) < step * 1e-6 ? 0 : at);
  return found;
}

/** Lines over numbers; the first axis runs the way the page is read. */
export function lineChart(title: string, xName: string, yName: string, lines: Line[], write: (n: number) => string, fromZero = true): SVGElement {
  const all = lines.flatMap((line) => line.points);
  const xs = all.map((point) => point[0]);
  const ys = all.map((point) => point[1]);
  const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
  const low = Math.min(...ys);
  const high = Math.max(...ys);
  const room = fromZero ? 0 : Math.max((high - low) * 0.08, Math.abs(high) * 0.01);
  const [y0, y1] = [fromZero ? 0 : Math.max(low - room, 0), Math.max(high + room, 1e-9)];
  const rtl = document.documentElement.dir === "rtl";
  const across = (x: number): number => {
    const part = (x - x0) / Math.max(x1 - x0, 1e-9);
    return EDGE.left + (rtl ? 1 - part : part) * (WIDE - EDGE.left - EDGE.right);
  };
  const down = (y: number): number => HIGH - EDGE.bottom - ((y - y0) / Math.max(y1 - y0, 1e-9)) * (HIGH - EDGE.top - EDGE.bottom);
  const grid = ticks(y0, y1).map((y) => [
    s("line", { x1: EDGE.left, x2: WIDE - EDGE.right, y1: down(y), y2: down(y), class: "grid" }),
    s("text", { x: EDGE.left - 8, y: down(y) + 4, "text-anchor": "end", direction: "ltr" }, Number.isInteger(y) ? num(y) : write(y)),
  ]).flat();
  const below = ticks(x0, x1, 6).filter((x) => x >= x0 - 1e-9 && x <= x1 + 1e-9)
    .map((x) => s("text", { x: across(x), y: HIGH - EDGE.bottom + 18, "text-anchor": "middle", direction: "ltr" }, Number.isInteger(x) ? num(x) : write(x)));
  const drawn = lines.filter((line) => line.points.length).map((line) => {
    const path = line.points.map(([x, y], k) => `${k ? "L" : "M"}${across(x).toFixed(1)} ${down(y).toFixed(1)}`).join("");
    const dots = line.kind === "best" && line.points.length <= 40 ? line.points.map(([x, y]) => s("circle", { cx: across(x), cy: down(y), r: 3.5, class: "dot" })) : [];
    return s("g", { class: `chart-${line.kind}` }, s("path", { d: path }), ...dots);
  });
  return s("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "chart", role: "img", "aria-label": title }, ...grid, ...below, ...drawn,
    s("text", { x: (EDGE.left + WIDE - EDGE.right) / 2, y: HIGH - 6, "text-anchor": "middle", class: "axis" }, xName),
    s("text", { x: rtl ? WIDE - EDGE.right : 8, y: 14, "text-anchor": "start", class: "axis" }, yName));
}
