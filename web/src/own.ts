/** One's own files. */
import { h, replace } from "./dom.js";
import { t } from "./words.js";

export async function showOwn(main: HTMLElement, _hash: string): Promise<void> {
  replace(main, h("div", { class: "start" }, h("h1", {}, t("Plan my own city"))));
}
