/** Opening a study's page. */

import { ask, readBy, Refused, studyAt, type Study } from "./api.js";
import { h, replace } from "./dom.js";
import { StudyPage } from "./study.js";
import type { View } from "./view.js";
import { t } from "./words.js";

/** Open a study's page, or say why it cannot be. */
export async function openStudy(main: HTMLElement, view: View, reached: boolean): Promise<StudyPage | null> {
  replace(main, h("p", { class: "waiting", role: "status" }, t("Opening …")));
  readBy(view.shared ? view.study : "");
  try {
    const data = await ask<Study>(`${studyAt(view.study)}`);
    const page = new StudyPage(view.study, view, data);
    page.reached = reached;
    document.addEventListener("keydown", page.keys);
    void page.open(main);
    return page;
  } catch (error) {
    const text = error instanceof Refused ? error.message : String(error);
    main.className = "";
    replace(main, h("div", { class: "start" }, h("h1", {}, t("This study cannot be opened")), h("p", { class: "fault" }, text),
      view.shared ? null : h("p", {}, h("a", { href: "#/" }, t("All studies")))));
    return null;
  }
}
