/** What the address bar holds: everything that a link must say for another to see the same. */

export type Show = "before" | "after" | "change";
export const TABS = ["centres", "areas", "far", "phases", "agencies", "gaps", "choices"] as const;
export type Tab = (typeof TABS)[number];
/** What lies over the people: areas with too few places, or how often each place is chosen. */
export type Over = "" | "gaps" | "choices";

export interface View {
  /** Its name, or the link it is read by. */
  study: string;
  /** Whether it is read by a link. */
  shared: boolean;
  plan: string;
  show: Show;
  /** What is open where it is not what the plan says: the server's own short text. */
  at: string;
  against: string;
  phase: string;
  group: string;
  selected: string;
  served: boolean;
  tab: Tab;
  /** Whether everybody is shown at the nearest centre, also where a plan sends people elsewhere. */
  nearest: boolean;
  /** Where somebody walks from, "lon,lat". */
  from: string;
  map: string;
  /** The further question whose answer is open, "" for the map. */
  about: string;
  over: Over;
  /** Rank of the gap that is looked at. */
  gap: string;
}

export const EMPTY: Omit<View, "study"> = {
  shared: false, plan: "", show: "after", at: "", against: "", phase: "", group: "", selected: "", served: false, nearest: false, tab: "centres", from: "", map: "", about: "", over: "", gap: "",
};

/** The view that an address says, or null where it is not a study's. */
export function readView(hash: string): View | null {
  const found = /^#\/(study|shared)\/([^?]+)(?:\?(.*))?$/.exec(hash);
  if (!found?.[2]) return null;
  const said = new URLSearchParams(found[3] ?? "");
  const text = (name: keyof View): string => said.get(name) ?? "";
  const show = text("show");
  const tab = text("tab");
  const over = text("over");
  return {
    ...EMPTY,
    study: decodeURIComponent(found[2]),
    shared: found[1] === "shared",
    plan: text("plan"),
    show: show === "before" || show === "change" ? show : "after",
    at: text("at"),
    against: text("against"),
    phase: text("phase"),
    group: text("group"),
    selected: text("selected"),
    served: said.has("served"),
    nearest: said.has("nearest"),
    tab: TABS.find((one) => one === tab) ?? "centres",
    from: text("from"),
    map: text("map"),
    about: text("about"),
    over: over === "gaps" || over === "choices" ? over : "",
    gap: text("gap"),
  };
}

/** The address of a view; what is as usual is left out. */
export function writeView(view: View): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(view)) {
    if (name === "study" || name === "shared" || value === EMPTY[name as keyof typeof EMPTY]) continue;
    said.set(name, value === true ? "1" : String(value));
  }
  // "@", "," and "." mean nothing in a fragment: kept readable
  const rest = said.toString().replace(/%40/g, "@").replace(/%2C/g, ",");
  return `#/${view.shared ? "shared" : "study"}/${encodeURIComponent(view.study)}${rest ? `?${rest}` : ""}`;
}

/** What is open, taken apart. */
export interface Open {
  opened: number[];
  closed: number[];
  points: string[];
}

/** Take apart what the server writes as `o3.17-2@9.5,47.1`. */
export function readOpen(text: string): Open {
  const found = /^o([\d.]*)(?:-([\d.]+))?((?:@[^@~]+)*)(?:~.*)?$/.exec(text);
  const numbers = (part: string | undefined): number[] => (part ? part.split(".").filter(Boolean).map(Number) : []);
  return { opened: numbers(found?.[1]), closed: numbers(found?.[2]), points: found?.[3]?.split("@").filter(Boolean) ?? [] };
}

/** Put together again. */
export function writeOpen(open: Open): string {
  const sorted = (numbers: number[]): string => [...new Set(numbers)].sort((a, b) => a - b).join(".");
  const closed = open.closed.length ? `-${sorted(open.closed)}` : "";
  return `o${sorted(open.opened)}${closed}${open.points.map((point) => `@${point}`).join("")}`;
}
