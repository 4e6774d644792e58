/** The practice ledger's names, in the reader's language; in every other ledger a name is somebody's own and stands as it is. */

import { t } from "../words.js";
import { session, type Row } from "./server.js";

const names = (): Record<string, string> => ({
  Harbour: t("Harbour"), "Market hall": t("Market hall"), Warehouse: t("Warehouse"), "The old mill": t("The old mill"), Basics: t("Basics"),
  Rice: t("Rice"), Beans: t("Beans"), Soap: t("Soap"),
});
const units = (): Record<string, string> => ({ g: t("g"), kg: t("kg"), sack: t("sack"), piece: t("piece"), box: t("box") });

const isPractice = (): boolean => session.practice.length > 0;

/** Rows of what was set up, as they are read. */
export function named(rows: Row[]): Row[] {
  if (!isPractice()) return rows;
  const known = names();
  const said = (value: unknown): unknown => (typeof value === "string" ? (known[value] ?? value) : value);
  return rows.map((row) => ({ ...row, ...("name" in row ? { name: said(row["name"]) } : {}), ...("organisation" in row ? { organisation: said(row["organisation"]) } : {}) }));
}

/** A unit as it is read. */
export const unitNamed = (unit: string): string => (isPractice() ? (units()[unit] ?? unit) : unit);
