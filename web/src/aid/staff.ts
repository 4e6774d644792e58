/** Who works here, who signed in, and who read which card. */

import { h, replace } from "../dom.js";
import { t, when } from "../words.js";
import { newestTable, text, type Column } from "./forms.js";
import { call, may, type Row } from "./server.js";

/** The page. */
export async function showStaff(main: HTMLElement): Promise<void> {
  replace(
    main,
    h("h1", {}, t("Staff and sign-ins")),
    may("sign-ins") ? h("section", {}, h("h2", {}, t("Sign-ins")), await signIns()) : null,
    may("access-log") ? h("section", {}, h("h2", {}, t("Who read which card")), await reads()) : null,
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
