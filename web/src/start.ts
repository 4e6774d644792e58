/** The first page: what this is, what to do first, and the studies there are. */

import { ask, Refused, type StudyLine } from "./api.js";
import { h, replace, toast } from "./dom.js";
import { t, tn, when } from "./words.js";

/** Show the first page. */
export async function showStart(main: HTMLElement): Promise<void> {
  document.title = "nearer";
  const { studies, only } = await ask<{ studies: StudyLine[]; only: string | null }>("/studies");
  const recent = studies.length
    ? h("section", { class: "block", "aria-labelledby": "recent" }, h("h2", { id: "recent" }, t("Your studies")),
        h("ul", { class: "studies" }, ...studies.map(line)))
    : null;
  const first = only === null
    ? h("section", { class: "choices", "aria-label": t("Begin") },
        choice(t("Try it with a real place"), t("Liechtenstein: 37,000 people, 11 centres today, 52 places that could become one. Ready in a few seconds."),
          t("Open the example"), () => begin("Liechtenstein", "liechtenstein"), true),
        choice(t("Plan my own city"), t("Bring your own files: where people live, the centres of today, and places that could open. They stay on this machine."),
          t("Bring my files"), () => { location.hash = "#/own"; }, false),
        choice(t("A made-up city"), t("Newtown: 60,000 people with streets, groups and costs, to try things out."),
          t("Make the city"), () => begin("Newtown", "newtown"), false))
    : null;
  replace(
    main,
    h("div", { class: "start" },
      h("h1", {}, t("Where should the next neighbourhood centres open?")),
      h("p", { class: "lead" }, t("nearer finds the places that bring the most people close to one, and proves how good the answer is.")),
      studies.length ? recent : null,
      first,
      studies.length ? null : recent),
  );
}

function line(one: StudyLine): HTMLElement {
  const plans = one.plans ? tn(one.plans, "{n} plan", "{n} plans") : t("no plan yet");
  return h("li", {}, h("a", { href: `#/study/${encodeURIComponent(one.id)}` }, h("bdi", {}, one.name)),
    h("span", { class: "quiet" }, `${plans} · ${when(one.changed)}`));
}

function choice(title: string, text: string, action: string, go: () => unknown, primary: boolean): HTMLElement {
  const button = h("button", { class: primary ? "primary" : "", type: "button" }, action);
  button.addEventListener("click", () => {
    button.disabled = true;
    void Promise.resolve(go()).finally(() => (button.disabled = false));
  });
  return h("div", { class: "choice" }, h("h2", {}, title), h("p", {}, text), button);
}

async function begin(name: string, example: string): Promise<void> {
  try {
    const made = await ask<{ id: string }>("/studies", "POST", { name, example, ...(example === "newtown" ? { people: 60000 } : {}) });
    location.hash = `#/study/${encodeURIComponent(made.id)}`;
  } catch (error) {
    toast(error instanceof Refused ? error.message : String(error), true);
  }
}
