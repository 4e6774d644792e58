/** Answers to further questions, as the commands write them; each is fetched once. */

import { ask, studyAt, type About } from "./api.js";
import type { StudyPage } from "./study.js";

export interface Curve {
  sizes: { centres: number; solved: boolean; value: number; bound: number; each_brings: number | null; mean_min: number; within: number; gap: number; status: string }[];
  weight: number;
  coverage_min: number;
  falloff: { centres: number | null } | null;
}

export interface Frontier {
  first: { name: string; unit: string };
  second: { name: string; unit: string };
  held: string;
  points: { first: number; second: number; bound: number; gap: number; status: string; opened: string[] }[];
}

export interface Sensitivity {
  open: number;
  scenarios: { name: string; what: string; gap: number; status: string; sites: string[]; hedged: boolean }[];
  choices: { id: string; name: string; lon: number; lat: number; count: number; share: number; as_given: boolean; robust: boolean }[];
  plans: { regret: number[]; worst: number }[];
}

export interface Gaps {
  standard: { minutes: number; people: number };
  measures: { lacking: number; beyond: number; need: number };
  gaps: { rank: number; name: string; people: number; lacking: number; beyond: number; minutes: number | null; lon: number; lat: number; extent: [number, number, number, number]; mend: { id: string; name: string; lacking: number; lon: number; lat: number } | null; sizing: { level: string; low: number; high: number }[] }[];
}

export interface Agencies {
  today_value: number;
  joint_value: number;
  joint_gain: number | null;
  agencies: { name: string; alone_saves: number; contribution: number; contribution_least: number; contribution_most: number; shapley: number | null }[];
  coalitions: { members: string[]; saves: number; gap: number; sites: { id: string; name: string; agency: string | null }[] }[];
}

interface Found {
  gaps: Gaps;
  curve: Curve;
  frontier: Frontier;
  sensitivity: Sensitivity;
  agencies: Agencies;
}

const held = new Map<string, Promise<unknown>>();

/** Fetch something once for as long as the answer of this kind is the same. */
export function heldFor<T>(page: StudyPage, kind: About, file: string): Promise<T> {
  const key = `${studyAt(page.study)}/${kind}/${file}`;
  const made = `${key} ${page.data.answers[kind]?.made ?? ""}`;
  let found = held.get(made) as Promise<T> | undefined;
  if (!found) {
    found = ask<T>(key);
    found.catch(() => held.delete(made));
    held.set(made, found);
  }
  return found;
}

/** The answer of a kind. */
export const answerOf = <K extends About>(page: StudyPage, kind: K): Promise<Found[K]> => heldFor(page, kind, `${kind}.json`);
