/** Colours and small drawings of the map, from the design tokens. */

import type { Mark } from "./map.js";

/** A colour by its role, in the scheme that is shown. */
export const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Colours of the classes of minutes, near to far; the last is out of reach. */
export const minuteColours = (): string[] => [0, 1, 2, 3, 4, 5].map((k) => css(`m${k}`));

/** Colours of the classes of change: much longer, longer, none, shorter in four steps, newly within reach. */
export const changeColours = (): string[] => [css("s4"), css("s2"), css("g0"), css("g1"), css("g2"), css("g3"), css("g4"), css("g5")];

/** Colours of how often a place is chosen, seldom to always: dark is always, the size says it too. */
export const choiceColours = (): string[] => [1, 2, 3, 4, 5].map((k) => css(`g${k}`));

/** A centre's mark, the same shapes as in the report: they tell apart without colour too. */
export function drawMark(kind: Mark["kind"] | "gap"): ImageData {
  const side = { existing: 36, opened: 56, candidate: 24, closed: 36, other: 32, gap: 44 }[kind];
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
  if (kind === "gap") circle(19, css("closed"), css("page"), 4);
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

/** What is out of reach, or not to be used. */
export function drawHatch(): ImageData {
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
