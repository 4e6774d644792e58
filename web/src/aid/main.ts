/** The desk's first thing that runs: words, who is signed in, which page. */

import { h, replace, toast } from "../dom.js";
import { language, learnFaults, remember, remembered, speak, t, wantedLanguage } from "../words.js";
import { LANGUAGES } from "./languages.js";
import { showCards } from "./cards.js";
import { detail } from "./forms.js";
import { showFiles } from "./files.js";
import { showAway } from "./lease.js";
import { showHandOver } from "./handover.js";
import { list, place, readLists, setPlace } from "./lists.js";
import { showConflicts, showCount, showEnrol, showIntake, showPlace, showRecord, showStock, showTransfers } from "./pages.js";
import { may, Refused, session, signIn, signOut, Unreached, whoIs } from "./server.js";
import { showRequests } from "./requests.js";
import { showSharing } from "./sharing.js";
import { showStaff } from "./staff.js";
import { statusLine, watch } from "./status.js";

interface Page {
  id: string;
  name: () => string;
  act: string;
  show: (main: HTMLElement) => Promise<void>;
}

const PAGES: Page[] = [
  { id: "give", name: () => t("Hand over"), act: "look", show: showHandOver },
  { id: "enrol", name: () => t("Enrol"), act: "enrol", show: showEnrol },
  { id: "cards", name: () => t("Cards"), act: "card", show: showCards },
  { id: "intake", name: () => t("Take in"), act: "receive", show: showIntake },
  { id: "stock", name: () => t("Stock"), act: "read", show: showStock },
  { id: "transfers", name: () => t("Transfers"), act: "send", show: showTransfers },
  { id: "requests", name: () => t("Requests"), act: "requests", show: showRequests },
  { id: "sharing", name: () => t("Sharing"), act: "propose", show: showSharing },
  { id: "count", name: () => t("Count"), act: "stocktake", show: showCount },
  { id: "conflicts", name: () => t("Conflicts"), act: "conflicts", show: showConflicts },
  { id: "away", name: () => t("Away"), act: "lease", show: showAway },
  { id: "record", name: () => t("Record"), act: "read", show: showRecord },
  { id: "files", name: () => t("Files"), act: "export-table", show: showFiles },
  { id: "staff", name: () => t("Staff"), act: "sign-ins", show: showStaff },
  { id: "place", name: () => t("This desk"), act: "read", show: showPlace },
];

async function start(): Promise<void> {
  if ("serviceWorker" in navigator) void navigator.serviceWorker.register("/aid-worker.js", { scope: "/aid" }).catch(() => undefined);
  await speak(wantedLanguage(), LANGUAGES);
  void learnFaults().catch(() => undefined);
  const scheme = remembered("scheme");
  if (scheme) document.documentElement.dataset["scheme"] = scheme;
  await whoIs();
  if (session.staff !== null) await readLists();
  window.addEventListener("hashchange", () => void route());
  await route();
  watch();
}

async function route(): Promise<void> {
  const root = document.getElementById("page");
  if (!root) return;
  document.title = t("nearer: aid desk");
  const main = h("main", { id: "main", tabindex: "-1", class: "desk" });
  if (session.staff === null) {
    replace(root, header(null), main);
    showSignIn(main);
    return;
  }
  const open = PAGES.filter((page) => may(page.act) && (session.cards || !["give", "enrol", "cards", "staff"].includes(page.id)));
  if (session.practice.length && place() === null) {
    const [where, what] = [list("sites")[0]?.["site"], list("programmes")[0]?.["programme"]];
    setPlace({ site: String(where), programme: String(what), desk: "desk-1" });
  }
  const asked = location.hash.slice(2).split("?")[0];
  const page = open.find((one) => one.id === asked) ?? (place() === null ? PAGES[PAGES.length - 1] : open[0]);
  if (!page) return;
  replace(root, header(page, open), statusLine(), main);
  try {
    await page.show(main);
  } catch (error) {
    if (error instanceof Unreached) replace(main, h("h1", {}, page.name()), h("p", { role: "alert" }, t("There is no connection. This page needs one.")));
    else if (error instanceof Refused) {
      if (error.code === "sign-in") await whoIs().then(route);
      else replace(main, h("h1", {}, page.name()), h("p", { role: "alert" }, error.message), detail(error.detail));
    } else throw error;
  }
}

/** Says that nothing here is real, where that is so. */
const practiceLine = (): HTMLElement | null =>
  session.practice.length ? h("p", { class: "practice", role: "note" }, t("Practice: nothing here is real, and nothing can be broken."), " ", h("a", { href: "/" }, t("To the planning map"))) : null;

function header(here: Page | null, open: Page[] = []): HTMLElement {
  const languages = h(
    "select",
    { id: "language", "aria-label": t("Language"), onchange: (event: Event) => void choose((event.target as HTMLSelectElement).value) },
    ...Object.entries(LANGUAGES).map(([code, name]) => h("option", { value: code, selected: code === language, lang: code }, name)),
  );
  return h(
    "header",
    { class: "desk-top" },
    h(
      "div",
      { class: "row" },
      h("a", { class: "brand", href: "#/" }, h("img", { src: "/icon.svg", alt: "", width: 24, height: 24 }), t("Aid desk")),
      h("span", { class: "grow" }),
      session.staff ? h("span", { class: "quiet" }, session.staff) : null,
      languages,
      session.signing && session.staff ? h("button", { type: "button", class: "plain", id: "sign-out", onclick: () => void out() }, t("Sign out")) : null,
    ),
    practiceLine(),
    open.length
      ? h("nav", { "aria-label": t("Pages") }, h("ul", {}, ...open.map((page) => h("li", {}, h("a", { href: `#/${page.id}`, "aria-current": page === here ? "page" : null }, page.name())))))
      : null,
  );
}

function showSignIn(main: HTMLElement): void {
  const code = h("input", { id: "staff", autocomplete: "username", autocapitalize: "none", required: true });
  const password = h("input", { id: "password", type: "password", autocomplete: "current-password", required: true });
  const said = h("p", { role: "alert", class: "fault" });
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await signIn(code.value.trim(), password.value);
      await readLists();
      await route();
    } catch (error) {
      password.value = "";
      said.textContent = error instanceof Refused ? error.message : t("No connection.");
      password.focus();
    }
  };
  replace(
    main,
    h("h1", {}, t("Sign in")),
    notIn(),
    h(
      "form",
      { class: "stack narrow", onsubmit: (event: Event) => void submit(event) },
      h("label", { for: "staff" }, t("Staff code")),
      code,
      h("label", { for: "password" }, t("Password")),
      password,
      h("button", { class: "primary wide giant" }, t("Sign in")),
      said,
    ),
    session.elsewhere ? h("p", {}, h("a", { class: "button wide", href: "/api/aid/oidc/begin" }, t("Sign in with another account"))) : null,
  );
  code.focus();
}

/** Why somebody who came from elsewhere is not signed in. */
function notIn(): HTMLElement | null {
  const why = new URLSearchParams(location.search).get("not-in");
  if (why === null) return null;
  const words: Record<string, string> = {
    expired: t("That took too long, or was begun elsewhere. Sign in once more."),
    refused: t("The other organisation did not let you in."),
    failed: t("The other organisation's answer could not be proven. Try again, or tell whoever runs the server."),
    "no-role": t("Your account is good, but has no role here. Ask a coordinator."),
    "no-code": t("Your account has no staff code that can be used here. Tell whoever runs the server."),
    "not-here": t("Your staff code is somebody else's here, or is let in no more. Ask a coordinator."),
  };
  return h("p", { role: "alert", class: "fault" }, words[why] ?? t("Something went wrong on the server. Try again: it counts once."));
}

async function out(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    if (!(error instanceof Refused)) {
      toast(t("No connection."), true);
      return;
    }
    await whoIs();
  }
  await route();
}

async function choose(code: string): Promise<void> {
  remember("language", code);
  await speak(code, LANGUAGES);
  void learnFaults().catch(() => undefined);
  await route();
  document.getElementById("language")?.focus();
}

void start();
