/** Who works here, who signed in, and who read which card. */

import { h, replace } from "../dom.js";
import { t, when } from "../words.js";
import { commandForm, field, newestTable, table, text, type Column } from "./forms.js";
import { call, may, type Row } from "./server.js";

/** The page. */
export async function showStaff(main: HTMLElement): Promise<void> {
  replace(
    main,
    h("h1", {}, t("Staff and sign-ins")),
    may("staff") ? await people(main) : null,
    may("sign-ins") ? h("section", {}, h("h2", {}, t("Sign-ins")), await signIns()) : null,
    may("access-log") ? h("section", {}, h("h2", {}, t("Who read which card")), await reads()) : null,
  );
}

const roles = (): [string, string][] => [
  ["desk", t("desk: hands over, enrols")],
  ["stock", t("stock: takes in, sends, counts")],
  ["coordinator", t("coordinator: everything")],
  ["auditor", t("auditor: reads, proves")],
  ["viewer", t("viewer: reads")],
];
const roleOf = (role: string): string => roles().find(([code]) => code === role)?.[1] ?? role;

async function people(main: HTMLElement): Promise<HTMLElement> {
  const found = await call<{ rows: Row[] }>("/staff");
  const again = (): Promise<void> => showStaff(main);
  const codes = found.rows.map((row) => [String(row["staff"]), String(row["staff"])] as [string, string]);
  const add = commandForm(
    t("Somebody new"),
    [
      field({ id: "staff", label: t("Staff code"), help: t("Small letters, digits and dashes; no person's name.") }),
      field({ id: "role", label: t("Role"), kind: "choice", choices: found.rows.length ? roles() : roles().filter(([code]) => code === "coordinator") }),
      field({ id: "password", label: t("Password, ten signs or more"), kind: "password" }),
    ],
    { label: t("Add"), path: "/staff", body: (values) => values, done: again },
  );
  const states: [string, string][] = [
    ["in", t("may come in")],
    ["out", t("is let in no more")],
  ];
  const change = commandForm(
    t("Change somebody"),
    [
      field({ id: "staff", label: t("Staff code"), kind: "choice", choices: codes }),
      field({ id: "role", label: t("Role"), kind: "choice", choices: roles(), optional: true }),
      field({ id: "state", label: t("From now on"), kind: "choice", choices: states, optional: true }),
      field({ id: "password", label: t("New password, ten signs or more"), kind: "password", optional: true }),
    ],
    {
      label: t("Change"),
      path: "/staff/change",
      body: ({ state, ...values }) => ({ ...values, ...(state ? { disabled: state === "out" } : {}) }),
      done: again,
    },
  );
  return h(
    "section",
    {},
    table(
      t("Staff"),
      [
        { name: t("Staff code"), show: text("staff") },
        { name: t("Role"), show: (row) => roleOf(String(row["role"])) },
        { name: t("Since"), show: text("added_on") },
        { name: t("Until"), show: text("disabled_on") },
      ],
      found.rows,
      t("There is no staff: whoever opens this page may do everything. The first is a coordinator; from the next start of the server on everybody signs in."),
    ),
    may("add-staff") ? h("details", {}, h("summary", {}, t("Somebody new")), add) : null,
    may("change-staff") && codes.length ? h("details", {}, h("summary", {}, t("Change somebody")), change) : null,
  );
}

/** One's own password. */
export function ownPassword(): HTMLElement {
  return h(
    "details",
    {},
    h("summary", {}, t("My password")),
    commandForm(
      t("My password"),
      [field({ id: "password", label: t("Password until now"), kind: "password" }), field({ id: "new", label: t("New password, ten signs or more"), kind: "password" })],
      { label: t("Change it and sign in anew"), path: "/staff/password", body: (values) => values, done: () => location.reload() },
    ),
  );
}

const older = (path: string) => (next: string | null): Promise<{ rows: Row[]; next: number | null }> =>
  call(`${path}?limit=50${next === null ? "" : `&before=${next}`}`);
const moment = (): Column => ({ name: t("When"), show: (row) => when(String(row["at"])) });

function signIns(): Promise<HTMLElement> {
  return newestTable(
    t("Sign-ins"),
    [
      moment(),
      { name: t("Staff code"), show: (row) => (row["staff"] === null ? t("no staff code") : String(row["staff"])) },
      { name: t("What"), show: (row) => outcomeOf(String(row["outcome"])) },
      { name: t("How"), show: (row) => wayOf(String(row["way"])) },
      { name: t("Network"), show: (row) => (row["network"] === "terminal" ? t("this machine") : h("bdi", { dir: "ltr" }, String(row["network"]))) },
    ],
    t("Nobody has signed in yet."),
    older("/sign-ins"),
  );
}

function outcomeOf(outcome: string): string {
  const words: Record<string, string> = { in: t("signed in"), refused: t("refused"), waits: t("has to wait"), out: t("signed out") };
  return words[outcome] ?? outcome;
}

function wayOf(way: string): string {
  const words: Record<string, string> = { password: t("password"), witness: t("as a witness"), terminal: t("command line"), oidc: t("another account") };
  return words[way] ?? way;
}

function reads(): Promise<HTMLElement> {
  return newestTable(
    t("Who read which card"),
    [
      moment(),
      { name: t("Staff code"), show: text("staff") },
      { name: t("Why"), show: (row) => actOf(String(row["act"])) },
      { name: t("Card, as its first signs"), show: (row) => (row["card"] === null ? "–" : h("bdi", { dir: "ltr" }, String(row["card"]).slice(0, 12))) },
    ],
    t("No card was read yet."),
    older("/access-log"),
  );
}

function actOf(act: string): string {
  const words: Record<string, string> = {
    look: t("looked at"),
    "hand-over": t("hand-over"),
    witness: t("as a witness"),
    enrol: t("enrolled"),
    show: t("shown"),
    change: t("changed"),
    replace: t("replaced"),
    block: t("blocked"),
    list: t("list for a desk that goes away"),
    sync: t("journal of a desk that was away"),
  };
  return words[act] ?? act;
}
