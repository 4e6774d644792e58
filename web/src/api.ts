/** What the server says, typed, and how it is asked. */

import { fromServer, language, num, t } from "./words.js";

export interface Fault {
  message: string;
  file: string | null;
  row: number | null;
  column: string | null;
  remedy: string | null;
  text: string;
  cell?: string | null;
}

/** What could not be done, as the server says it. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    readonly faults: Fault[],
  ) {
    super(message);
  }
}

export interface StudyLine {
  id: string;
  name: string;
  changed: string;
  plans: number;
}

export interface PlanLine {
  id: string;
  made: string;
  opened: number;
  status: string;
  objective: string;
  gap: number;
  before_min: number;
  after_min: number;
  force: string[];
  forbid: string[];
  /** Jobs that put this plan to the test, newest first. */
  stress: string[];
}

export interface PlanSettings {
  open: number | null;
  open_max: number | null;
  objective: string | string[];
  coverage_min: number;
  budget: number | null;
  group_weights: Record<string, number>;
  force: string[];
  forbid: string[];
  within_share: number | null;
  everyone_within_min: number | null;
  phases: { name: string; open: number | null; open_max: number | null; budget: number | null; years: number }[];
}

export interface AgencySettings {
  name: string;
  budget: number | null;
  min_open: number | null;
  max_open: number | null;
}

/** Whose a place is and who pays which part, where the study says so itself; no shares: the owner pays all. */
export interface Owner {
  site: string;
  agency: string;
  shares: Record<string, number>;
}

export interface Study {
  id: string;
  settings: {
    study: { name: string };
    streets: { mode: string; limit_min: number };
    people: { groups: Record<string, string> };
    plan: PlanSettings;
    agencies: AgencySettings[];
    owners: Owner[];
    levels: { name: string }[];
  };
  unreached_min: number;
  staged: boolean;
  plans: PlanLine[];
  /** Further questions that were answered. */
  answers: Partial<Record<About, { made: string; stale: boolean }>>;
  jobs: Job[];
}

export type About = "gaps" | "curve" | "frontier" | "sensitivity" | "agencies";

export interface Scene {
  rev: string;
  bounds: [number, number, number, number];
  points: number;
  people: number;
  groups: Record<string, number>;
  sites: {
    id: string[];
    name: string[];
    status: string[];
    excluded: boolean[];
    lon: number[];
    lat: number[];
    area: (string | null)[];
    agency: (string | null)[];
    shares: (string | null)[];
  };
  streets: boolean;
  anywhere: boolean;
  sources: { path: string; kind: string; licence: string }[];
  notes: string[];
}

export interface Access {
  people: number;
  mean_min: number;
  mean_min_reached: number | null;
  within: Record<string, number>;
  farthest_min: number | null;
  unreached: number;
  unreachable_from_any_site: number;
  groups: Record<string, { people: number; mean_min: number; within: Record<string, number>; unreached: number }>;
}

export interface Area {
  name: string;
  people: number;
  before_mean_min: number;
  after_mean_min: number;
  before_unreached: number;
  after_unreached: number;
  before_within: number;
  after_within: number;
}

export interface Figures {
  situation: string;
  access: Access;
  people: number[];
  areas: Area[];
}

export interface PlannedSite {
  id: string;
  name: string;
  status: string;
  phase: string | null;
  agency: string | null;
  people: number;
  sent: number | null;
  room: number | null;
  area: string | null;
  order: number | null;
  gain_person_min: number | null;
  loss_person_min: number | null;
  people_nearer: number | null;
  replacement: string | null;
  replaced_loss_person_min: number | null;
}

export interface FarPlace {
  name: string;
  people: number;
  lon: number;
  lat: number;
  minutes: number | null;
  unreached: number;
  mend: string | null;
  mend_minutes: number | null;
}

export interface PlanDocument {
  study: string;
  status: string;
  objective: { name: string; value: number; unit: string };
  bound: number;
  gap: number;
  gain_gap: number;
  proof: string;
  opened: number;
  sites: PlannedSite[];
  measures: { before: Access; after: Access };
  far: FarPlace[];
  notes: string[];
  phases: PlannedPhase[];
  agencies: PlannedAgency[];
  settings: { agencies: AgencySettings[] };
}

export interface PlannedPhase {
  name: string;
  opened: string[];
  centres: number;
  spent: number;
  mean_min: number;
}

export interface PlannedAgency {
  name: string;
  venues_today: number;
  opened: string[];
  people: number;
  spent: number[];
  budget: number | null;
}

export interface PlanFolder {
  plan: PlanDocument;
  files: string[];
  folder: string;
}

export interface Situations {
  plan: string;
  /** The plan with everybody where they are sent; null where room has no limit. */
  sent: string | null;
  phases: { name: string; at: string }[];
}

export interface Share {
  id: string;
  token: string;
  made: string;
}

export interface Job {
  id: string;
  study: string;
  kind: string;
  state: "waiting" | "running" | "done" | "stopped" | "failed" | "cancelled";
  made: string;
  began: string | null;
  place: number;
  /** Seconds until one that waits is likely to begin. */
  begins_in_s: number | null;
  request: Record<string, unknown>;
  outcome: { error?: string; faults?: Fault[]; plan?: string; stress?: string; gap?: number };
}

export interface Progress {
  s: number;
  step: string;
  done: number;
  total: number | null;
  note?: string;
  value?: number | null;
  bound?: number | null;
}

/** A fault in the reader's language. */
export function localised(fault: Fault): Fault {
  if (language === "en") return fault;
  const message = fromServer(fault.message);
  const remedy = fault.remedy === null || fault.remedy === undefined ? null : fromServer(fault.remedy);
  const place = [fault.file, fault.row ? t("Row {n}", { n: num(fault.row) }) : "", fault.column].filter(Boolean).join(", ");
  return { ...fault, message, remedy, text: `${place ? `${place}: ` : ""}${message}${remedy ? `; ${remedy}` : ""}.` };
}

/** Why a job ended badly, in the reader's language. */
export function failure(job: Job): string {
  const faults = job.outcome.faults ?? [];
  return faults.length ? faults.map((one) => localised(one).text).join("\n") : fromServer(job.outcome.error ?? "");
}

/** Ask the server; throws `Refused` with its own words where it says no. */
export async function ask<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const given = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const answer = await fetch(`/api${path}`, { method, ...given });
  if (answer.status === 204) return undefined as T;
  const found: unknown = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    const said = found as { error?: string; faults?: Fault[] };
    const faults = (said.faults ?? []).map(localised);
    throw new Refused(faults.length ? faults.map((one) => one.text).join("\n") : fromServer(said.error ?? answer.statusText), answer.status, faults);
  }
  return found as T;
}

let token = "";

/** Read by a link that others gave, or, with "", as who is here. */
export function readBy(link: string): void {
  token = link;
}

/** Where the server keeps a study: under its own name, or under the link that lets one read it. */
export const studyAt = (study: string): string => (token ? `/shared/${part(token)}` : `/studies/${part(study)}`);

/** A part of an address. */
export const part = (text: string): string => encodeURIComponent(text);
