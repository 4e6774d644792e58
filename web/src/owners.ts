/** Whose a place is and who pays which part of it: read from the places' own table, changed in the study's file. */

import type { Owner } from "./api.js";
import { h } from "./dom.js";
import { owners } from "./rows.js";
import type { StudyPage } from "./study.js";
import { percent, t } from "./words.js";

type Said = Omit<Owner, "site">;

/** What the study says of a place, or else its table. */
export function ownerOf(page: StudyPage, site: number): Said {
  const id = page.scene?.sites.id[site] ?? "";
  return page.data.settings.owners.find((one) => one.site === id) ?? inTable(page, site);
}

/** What the table of places says of one. */
function inTable(page: StudyPage, site: number): Said {
  const sites = page.scene?.sites;
  const pieces = (sites?.shares[site] ?? "").split(";").map((piece) => piece.trim()).filter(Boolean);
  const shares = Object.fromEntries(pieces.map((piece) => [piece.slice(0, piece.lastIndexOf(":")).trim(), Number(piece.slice(piece.lastIndexOf(":") + 1))]));
  return { agency: sites?.agency[site] ?? "", shares };
}

/** Entries that still hold once agencies were renamed or taken out. */
export function ownersAfter(all: Owner[], was: string[], is: string[]): Owner[] {
  const renamed = new Map(was.length === is.length ? was.map((name, k) => [name, is[k] ?? name]) : []);
  const now = (name: string): string => renamed.get(name) ?? name;
  return all.map((one) => ({ ...one, agency: now(one.agency), shares: Object.fromEntries(Object.entries(one.shares).map(([name, share]) => [now(name), share])) }))
    .filter((one) => !is.length || [one.agency, ...Object.keys(one.shares)].every((name) => name === "" || is.includes(name)))
    .map((one) => (is.length ? one : { ...one, shares: {} }));
}

/** Percentages as they are being typed for a place; they are kept once they come to 100. */
let typed: { site: string; parts: Map<string, string> } | null = null;

/** Who a place belongs to, and who pays for it; nothing where there are no agencies. */
export function ownerPart(page: StudyPage, site: number): HTMLElement | null {
  const id = page.scene?.sites.id[site];
  const named = page.data.settings.agencies.map((one) => one.name);
  const names = named.length ? named : [...owners(page).keys()];
  if (!id || !names.length || page.scene?.sites.status[site] === "other") return null;
  const now = ownerOf(page, site);
  if (page.readonly) {
    return Object.keys(now.shares).length ? h("p", { class: "quiet" }, `${t("Who pays")}: `, h("bdi", {}, Object.entries(now.shares).map(([name, share]) => `${name} ${percent(share)}`).join(", "))) : null;
  }
  if (typed && typed.site !== id) typed = null;
  const options = now.agency && !names.includes(now.agency) ? [now.agency, ...names] : names;
  const told = now.agency || t("nobody's");
  return h("details", { id: "owner", class: "list" }, h("summary", {}, `${t("Whose it is")}: `, h("strong", {}, h("bdi", {}, told))),
    h("label", { class: "field" }, h("span", {}, t("Whose it is")),
      h("select", { id: "owner-agency", onchange: (event: Event) => {
        typed = null;
        void say(page, site, { agency: (event.target as HTMLSelectElement).value, shares: {} });
      } },
        h("option", { value: "" }, t("nobody's")), ...options.map((name) => h("option", { value: name, selected: name === now.agency }, name)))),
    named.length > 1 ? parts(page, site, id, now, named) : null);
}

/** The part of each agency, in per cent. */
function parts(page: StudyPage, site: number, id: string, now: Said, names: string[]): HTMLElement {
  const part = (name: string): string => {
    const shares: Record<string, number> = Object.keys(now.shares).length ? now.shares : now.agency ? { [now.agency]: 1 } : {};
    return typed?.parts.get(name) ?? String(Math.round((shares[name] ?? 0) * 1e6) / 1e4);
  };
  const all = names.reduce((sum, name) => sum + Number(part(name) || 0), 0);
  const whole = Math.abs(all - 100) < 1e-6;
  const put = (name: string, text: string): void => {
    typed ??= { site: id, parts: new Map(names.map((one) => [one, part(one)])) };
    typed.parts.set(name, text);
    const said = [...typed.parts].map(([one, share]): [string, number] => [one, Number(share || 0)]);
    if (Math.abs(said.reduce((sum, [, share]) => sum + share, 0) - 100) > 1e-6) {
      page.render();
      return;
    }
    typed = null;
    const paying = said.filter(([, share]) => share > 0);
    const alone = paying.length === 1 && paying[0]?.[0] === now.agency;
    void say(page, site, { agency: now.agency, shares: alone ? {} : Object.fromEntries(paying.map(([one, share]) => [one, Math.round(share * 1e4) / 1e6])) });
  };
  return h("fieldset", { class: "rows" }, h("legend", {}, t("Who pays, per cent")),
    h("div", { class: "picks" }, ...names.map((name, k) => h("label", {}, h("span", {}, h("bdi", {}, name)),
      h("input", { type: "number", id: `owner-share-${k}`, min: 0, max: 100, step: "any", value: part(name), onchange: (event: Event) => put(name, (event.target as HTMLInputElement).value) })))),
    h("p", { class: "fault", id: "owner-sum", role: "alert" }, typed && !whole ? t("The parts come to {a}; they must come to {b}.", { a: percent(all / 100, 2), b: percent(1) }) : ""),
    typed ? h("button", { type: "button", class: "small", id: "owner-as-was", onclick: () => {
      typed = null;
      page.render();
    } }, t("As it was")) : null);
}

/** Write it to the study; the change can be undone. */
async function say(page: StudyPage, site: number, next: Said): Promise<void> {
  const id = page.scene?.sites.id[site] ?? "";
  const before = page.data.settings.owners;
  const table = inTable(page, site);
  const asTable = JSON.stringify([next.agency, next.shares]) === JSON.stringify([table.agency, table.shares]);
  const after = [...before.filter((one) => one.site !== id), ...(asTable ? [] : [{ site: id, ...next }])];
  if (await put(page, after)) {
    const name = page.scene?.sites.name[site] || id;
    page.history.made({ back: async () => void (await put(page, before)), again: async () => void (await put(page, after)), said: t("You changed whose {name} is, or who pays for it.", { name }) });
    page.render();
  }
}

async function put(page: StudyPage, list: Owner[]): Promise<boolean> {
  const plain = list.map((one) => ({ site: one.site, ...(one.agency ? { agency: one.agency } : {}), ...(Object.keys(one.shares).length ? { shares: one.shares } : {}) }));
  const done = await page.change({ owners: plain.length ? plain : null });
  if (done) page.render();
  return done;
}
