/** A job as it runs: value and bound closing on each other, and how to end it. */

import { ask, part, studyAt, type Job, type Progress } from "./api.js";
import { h, s } from "./dom.js";
import { num, percent, t, tn } from "./words.js";

export interface Following {
  points: { s: number; value: number | null; bound: number | null }[];
  last: Progress | null;
  close: () => void;
}

/** Follow a job's events; `tell` is called at every change, with whether it has ended. */
export function follow(study: string, id: string, tell: (job: Job, ended: boolean) => void): Following {
  const source = new EventSource(`/api${studyAt(study)}/jobs/${part(id)}/events`);
  const following: Following = { points: [], last: null, close: () => source.close() };
  let job: Job | null = null;
  source.addEventListener("open", () => {
    following.points = []; // the server tells everything again after a break
  });
  source.addEventListener("progress", (event) => {
    for (const one of JSON.parse((event as MessageEvent<string>).data) as Progress[]) {
      following.last = one;
      if (one.value !== undefined) following.points.push({ s: one.s, value: one.value, bound: one.bound ?? null });
    }
    if (job) tell(job, false);
  });
  source.addEventListener("job", (event) => {
    job = JSON.parse((event as MessageEvent<string>).data) as Job;
    const ended = !["waiting", "running"].includes(job.state);
    if (ended) source.close();
    tell(job, ended);
  });
  return following;
}

/** The box that shows a job. */
export function jobBox(study: string, job: Job, following: Following | null): HTMLElement {
  const end = (keep: boolean): void => void ask(`${studyAt(study)}/jobs/${part(job.id)}/stop`, "POST", { keep });
  const last = following?.last;
  const known = following?.points.filter((one) => one.value !== null && one.bound !== null) ?? [];
  const now = known[known.length - 1];
  const gap = now && now.value ? Math.abs(now.value - (now.bound ?? 0)) / Math.abs(now.value) : null;
  const doing =
    job.state === "waiting"
      ? waitingWords(job)
      : stepWords(last);
  return h(
    "div",
    { class: "job", id: "job" },
    h("p", { role: "status", class: "doing" }, doing),
    known.length > 0 ? closing(known) : h("progress", { "aria-label": t("Progress"), ...(last?.total ? { value: last.done, max: last.total } : {}) }),
    gap !== null
      ? h("p", { class: "gap" }, gap < 1e-9 ? t("Nothing can be better: proven.") : t("At most {gap} better is still possible.", { gap: percent(gap, gap < 0.01 ? 3 : 1) }))
      : null,
    h("div", { class: "row" },
      job.state === "running" && job.kind === "plan"
        ? h("button", { id: "stop", class: "primary", type: "button", onclick: () => end(true) }, t("Stop and keep the best"))
        : null,
      h("button", { id: "cancel", type: "button", onclick: () => end(false) }, t("Cancel"))),
  );
}

/** How many are before a job that waits, and how long that is likely to take. */
function waitingWords(job: Job): string {
  const place = job.place ? tn(job.place, "One job is before this one.", "{n} jobs are before this one.") : t("This one is next.");
  const seconds = job.begins_in_s ?? 0;
  if (seconds < 1) return job.place ? place : t("Starting …");
  const wait = seconds < 60 ? t("It begins in less than a minute.") : tn(Math.round(seconds / 60), "It begins in about a minute.", "It begins in about {n} minutes.");
  return `${place} ${wait}`;
}

function stepWords(last: Progress | null | undefined): string {
  if (!last) return t("Starting …");
  const name = last.step;
  if (name.startsWith("Reading")) return t("Reading the files …");
  if (name === "travel times") return t("Measuring how far everything is: {done} of {total} places", { done: num(last.done), total: num(last.total ?? 0) });
  if (name === "Choosing sites") return t("Choosing places …");
  return t("Working …");
}

/** Two lines closing on each other: the best plan so far above, what no plan can beat below. */
function closing(points: Following["points"]): SVGElement {
  const wide = 300;
  const high = 90;
  const values = points.flatMap((one) => [one.value ?? 0, one.bound ?? 0]);
  const top = Math.max(...values);
  const bottom = Math.min(...values);
  const long = Math.max(points[points.length - 1]?.s ?? 1, 0.5);
  const start = points[0]?.s ?? 0;
  const x = (time: number): number => 4 + ((time - start) / Math.max(long - start, 0.1)) * (wide - 8);
  const y = (value: number): number => high - 6 - ((value - bottom) / Math.max(top - bottom, 1e-9)) * (high - 12);
  const path = (pick: "value" | "bound"): string =>
    points.map((one, k) => {
      const to = y(one[pick] ?? 0).toFixed(1);
      return k === 0 ? `M${x(one.s).toFixed(1)} ${to}` : `H${x(one.s).toFixed(1)}V${to}`;
    }).join("") + `H${wide - 4}`;
  return s("svg", { viewBox: `0 0 ${wide} ${high}`, class: "closing", role: "img", "aria-label": t("The best plan so far, and what no plan can beat, closing on each other") },
    s("path", { d: path("value"), class: "line-value" }), s("path", { d: path("bound"), class: "line-bound" }));
}
