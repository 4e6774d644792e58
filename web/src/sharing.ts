/** Links for others to read a study: made, copied, withdrawn. */

import { ask, studyAt, type Share } from "./api.js";
import { h, toast } from "./dom.js";
import type { StudyPage } from "./study.js";
import { writeView } from "./view.js";
import { t, when } from "./words.js";

const known = new Map<string, Share[]>();

/** The block with a study's links; they are asked for when it is unfolded. */
export function sharePart(page: StudyPage): HTMLElement {
  const shares = known.get(page.study);
  const look = async (): Promise<void> => {
    known.set(page.study, (await ask<{ shares: Share[] }>(`${studyAt(page.study)}/shares`)).shares);
    page.render();
  };
  const make = async (): Promise<void> => {
    await ask(`${studyAt(page.study)}/shares`, "POST");
    await look();
    document.getElementById("share-link-0")?.focus();
  };
  const withdraw = async (one: Share): Promise<void> => {
    await ask(`${studyAt(page.study)}/shares/${one.id}`, "DELETE");
    await look();
    toast(t("The link was withdrawn; it leads nowhere now."));
  };
  const block = h("details", { class: "block", id: "sharing", ontoggle: () => { if (block.open && !known.has(page.study)) void look(); } },
    h("summary", {}, h("strong", {}, t("Let others read this"))),
    h("p", { class: "quiet" }, t("Who has the link sees the plan, its tables, map and report, and can change nothing.")),
    ...[...(shares ?? [])].reverse().map((one, k) => row(page, one, k, withdraw)),
    h("button", { type: "button", id: "share-make", onclick: () => void make() }, t("Make a link")),
    page.reached ? null : h("p", { class: "quiet" }, t("This server is reached from this machine only: so is the link. A server with accounts shows it to others (nearer serve --host).")));
  return block;
}

function row(page: StudyPage, one: Share, k: number, withdraw: (one: Share) => Promise<void>): HTMLElement {
  const link = `${location.origin}/${writeView({ ...page.view, shared: true, study: one.token, selected: "", served: false })}`;
  const field = h("input", { id: `share-link-${k}`, type: "text", readonly: true, dir: "ltr", value: link, "aria-label": t("Link made {when}", { when: when(one.made) }), onfocus: () => field.select() });
  return h("div", { class: "field" }, h("small", {}, t("Link made {when}", { when: when(one.made) })), h("div", { class: "row share" }, field,
    h("button", { type: "button", class: "small", "data-key": `copy-${one.id}`, onclick: () => void copy(field) }, t("Copy")),
    h("button", { type: "button", class: "small", "data-key": `withdraw-${one.id}`, onclick: () => void withdraw(one) }, t("Withdraw"))));
}

async function copy(field: HTMLInputElement): Promise<void> {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    toast(t("Copied."));
  } catch {
    toast(t("Copy it with Ctrl+C."));
  }
}
