/** The first thing that runs: language, scheme, and which page the address asks for. */

import { ask } from "./api.js";
import { h, replace } from "./dom.js";
import { openStudy } from "./opening.js";
import { showOwn } from "./own.js";
import { showStart } from "./start.js";
import type { StudyPage } from "./study.js";
import { readView, type View } from "./view.js";
import { language, learnFaults, remember, remembered, speak, t, wantedLanguage } from "./words.js";

interface About {
  version: string;
  aid: boolean;
  reached: boolean;
  languages: Record<string, string>;
}

/** Mark a dark page, for the few things that no colour variable reaches. */
function markScheme(): void {
  document.documentElement.toggleAttribute("data-dark", isDark());
}

let about: About;
let page: StudyPage | null = null;

async function start(): Promise<void> {
  about = await ask<About>("/about");
  await speak(wantedLanguage(), about.languages);
  await learnFaults();
  const scheme = remembered("scheme");
  if (scheme) document.documentElement.dataset["scheme"] = scheme;
  markScheme();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    markScheme();
    page?.recolour();
  });
  window.addEventListener("hashchange", () => void route());
  await route(true);
}

async function route(anew = false): Promise<void> {
  const view = readView(location.hash);
  if (view && page && !anew && page.study === view.study && page.view.shared === view.shared) {
    page.take(view);
    return;
  }
  page?.leave();
  page = null;
  const root = document.getElementById("page");
  if (!root) return;
  const main = h("main", { id: "main", tabindex: "-1" });
  replace(root, skipLink(), header(view), main);
  if (view) page = await openStudy(main, view, about.reached);
  else if (location.hash.startsWith("#/own")) await showOwn(main, location.hash);
  else await showStart(main);
}

function skipLink(): HTMLElement {
  const skip = h("a", { class: "skip", href: "#main" }, t("Skip to the content"));
  skip.addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("main")?.focus();
  });
  return skip;
}

function header(view: View | null): HTMLElement {
  const languages = h(
    "select",
    { id: "language", "aria-label": t("Language"), onchange: (event: Event) => void choose((event.target as HTMLSelectElement).value) },
    ...Object.entries(about.languages).map(([code, name]) => h("option", { value: code, selected: code === language, lang: code }, name)),
  );
  const dark = isDark();
  return h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: view?.shared ? null : "#/" }, h("img", { src: "/icon.svg", alt: "", width: 24, height: 24 }), "nearer"),
    view?.shared ? h("span", { class: "quiet" }, t("To read only")) : view ? h("a", { class: "quiet", href: "#/" }, t("All studies")) : null,
    about.aid && !view?.shared ? h("a", { class: "quiet", href: "/aid" }, t("Aid desk")) : null,
    h("span", { class: "grow" }),
    languages,
    h("button", { id: "scheme", class: "plain", type: "button", onclick: flip }, dark ? t("Light") : t("Dark")),
  );
}

const isDark = (): boolean => {
  const chosen = document.documentElement.dataset["scheme"];
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

function flip(): void {
  const now = isDark() ? "light" : "dark";
  document.documentElement.dataset["scheme"] = now;
  remember("scheme", now);
  markScheme();
  const button = document.getElementById("scheme");
  if (button) button.textContent = now === "dark" ? t("Light") : t("Dark");
  page?.recolour();
}

async function choose(code: string): Promise<void> {
  remember("language", code);
  await speak(code, about.languages);
  await learnFaults();
  await route(true);
  document.getElementById("language")?.focus();
}

void start();
