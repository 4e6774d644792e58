/** Lists of a study that are short tables: phases, agencies, sizes of centres. */

import { h, replace } from "./dom.js";
import type { StudyPage } from "./study.js";
import { t } from "./words.js";

type Row = Record<string, string | number | null>;
interface Column {
  key: string;
  name: string;
  text?: boolean;
}

const KEYS = { phases: "plan.phases", agencies: "agencies", levels: "levels" } as const;

function columns(what: keyof typeof KEYS): Column[] {
  const name = { key: "name", name: t("Name"), text: true };
  if (what === "phases") return [name, { key: "open", name: t("New centres") }, { key: "budget", name: t("Money") }];
  if (what === "agencies") return [name, { key: "max_open", name: t("At most") }, { key: "budget", name: t("Money") }];
  return [name, { key: "capacity", name: t("People it can serve") }, { key: "cost", name: t("Cost") }];
}

function title(what: keyof typeof KEYS): string {
  return what === "phases" ? t("Phases") : what === "agencies" ? t("Agencies") : t("Sizes of centres");
}

/** A small table to edit; it is saved when a row is added, changed or taken out. */
export function editRows(page: StudyPage, what: keyof typeof KEYS): HTMLElement {
  const settings = page.data.settings as unknown as { plan: Record<string, Row[]> } & Record<string, Row[]>;
  const rows: Row[] = (what === "phases" ? settings.plan["phases"] : settings[what]) ?? [];
  const place = h("fieldset", { class: "rows" });
  const save = async (next: Row[]): Promise<void> => {
    const plain = next.map((row) => Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null && !emptyOf(value))));
    // phases that say how many open stand in for the plan's own number
    const more = what === "phases" && next.some((row) => row["open"] !== null && row["open"] !== undefined) ? { "plan.open": null, "plan.open_max": null } : {};
    if (await page.change({ ...more, [KEYS[what]]: plain.length ? plain : null })) page.render();
  };
  const draw = (shown: Row[]): void => {
    const fields = columns(what);
    replace(place, h("legend", {}, title(what)),
      shown.length
        ? h("table", {}, h("thead", {}, h("tr", {}, ...fields.map((one) => h("th", { scope: "col" }, one.name)), h("td", {}))),
            h("tbody", {}, ...shown.map((row, k) => h("tr", {},
              ...fields.map((one) => h("td", {}, h("input", {
                type: one.text ? "text" : "number", min: one.text ? null : 0, step: one.text ? null : "any", value: row[one.key] ?? "",
                id: `${what}-${k}-${one.key}`, "aria-label": `${one.name}, ${title(what)} ${k + 1}`,
                onchange: (event: Event) => {
                  const typed = (event.target as HTMLInputElement).value;
                  row[one.key] = one.text ? typed : typed === "" ? null : Number(typed);
                  void save(shown);
                },
              }))),
              h("td", {}, h("button", { type: "button", class: "plain", "aria-label": t("Take this row out"), onclick: () => void save(shown.filter((_, other) => other !== k)) }, "×"))))))
        : null,
      h("button", { type: "button", class: "small", id: `${what}-add`, onclick: () => draw([...shown, { name: "" }]) }, t("Add a row")));
  };
  draw(rows.map((row) => ({ ...row })));
  return place;
}

const emptyOf = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
