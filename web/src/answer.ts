/** The answers: one sentence, four figures, what is selected, and tables that say what the map says. */

import { part, studyAt, type Area, type FarPlace, type PlannedSite } from "./api.js";
import { replaceSite, toggle } from "./byhand.js";
import { h, replace } from "./dom.js";
import { agencyTable, hasAgencies, hasPhases, phaseTable } from "./partners.js";
import { gapCard, lay, overTable } from "./over.js";
import { ownerOf, ownerPart } from "./owners.js";
import type { StudyPage } from "./study.js";
import { readOpen, type Tab } from "./view.js";
import { about, language, minutes, num, percent, t, tn, towards } from "./words.js";

/** Draw the answers. */
export function renderAnswer(pane: HTMLElement, page: StudyPage): void {
  replace(pane, sentence(page), figures(page), edited(page), card(page), gapCard(page), tabs(page), table(page), files(page));
}

function near(page: StudyPage): number {
  return page.data.settings.plan.coverage_min;
}

function withinNear(page: StudyPage, within: Record<string, number>): number {
  return within[String(near(page))] ?? within[near(page).toFixed(1)] ?? 0;
}

function sentence(page: StudyPage): HTMLElement {
  const { before, now } = page;
  if (!before || !now) {
    if (page.plan) return planSentence(page);
    return h("p", { class: "reading quiet" }, page.scene ? "" : t("Figures follow when the study is read."));
  }
  const a = before.access;
  const b = now.access;
  const m = near(page);
  if (page.open_ === page.earlier) {
    return h("p", { class: "reading" }, t("Today {share} of all people have a centre within {m} minutes; {out} people are out of reach.", {
      share: percent(withinNear(page, a.within)), m: num(m), out: about(a.unreached) }), " ",
      page.data.plans.length ? "" : t("Say how many new centres there should be, and press “Find the best places”."));
  }
  const more = (withinNear(page, b.within) - withinNear(page, a.within)) * b.people;
  const open = readOpen(page.open_);
  const n = open.opened.length + open.points.length;
  return h("p", { class: "reading" }, tn(n, "With one new centre the average way changes from {a} to {b} minutes; {more} more people have one within {m} minutes.",
    "With {n} new centres the average way changes from {a} to {b} minutes; {more} more people have one within {m} minutes.",
    { a: minutes(a.mean_min), b: minutes(b.mean_min), more: about(Math.max(more, 0)), m: num(m) }));
}

function planSentence(page: StudyPage): HTMLElement {
  const found = page.plan?.plan;
  const m = near(page);
  const { before, after } = found?.measures ?? {};
  if (!found || !before || !after) return h("p", {});
  const more = (withinNear(page, after.within) - withinNear(page, before.within)) * after.people;
  return h("p", { class: "reading" }, tn(found.opened, "With one new centre the average way changes from {a} to {b} minutes; {more} more people have one within {m} minutes.",
    "With {n} new centres the average way changes from {a} to {b} minutes; {more} more people have one within {m} minutes.",
    { a: minutes(before.mean_min), b: minutes(after.mean_min), more: about(Math.max(more, 0)), m: num(m) }));
}

function figures(page: StudyPage): HTMLElement | null {
  const a = page.before?.access ?? page.plan?.plan.measures.before;
  const b = page.now?.access ?? page.plan?.plan.measures.after;
  if (!a || !b) return null;
  const same = page.open_ === page.earlier && page.before !== null;
  const one = (name: string, was: string, is: string, better: boolean | null): HTMLElement =>
    h("div", { class: "figure" }, h("dt", {}, name),
      h("dd", {}, same || was === is ? h("strong", {}, is) : [h("span", { class: "was" }, was), towards(), h("strong", { class: better === false ? "worse" : "" }, is)]));
  const m = num(near(page));
  return h("div", {},
    h("dl", { class: "figures" },
      one(t("Average minutes"), minutes(a.mean_min), minutes(b.mean_min), b.mean_min <= a.mean_min),
      one(t("Within {m} minutes", { m }), percent(withinNear(page, a.within)), percent(withinNear(page, b.within)), withinNear(page, b.within) >= withinNear(page, a.within)),
      one(t("Out of reach"), about(a.unreached), about(b.unreached), b.unreached <= a.unreached),
      one(t("Farthest, minutes"), minutes(a.farthest_min), minutes(b.farthest_min), null)),
    proof(page));
}

function proof(page: StudyPage): HTMLElement | null {
  const found = page.plan?.plan;
  if (!found || page.view.at || page.view.phase) return null;
  const text = found.status === "optimal"
    ? tn(found.opened, "No other choice of one place is better: proven.", "No other choice of {n} places is better: proven.")
    : t("No other choice can be more than {gap} better: proven.", { gap: percent(found.gap, found.gap < 0.001 ? 4 : 2) });
  return h("p", { class: "proof" }, text);
}

function edited(page: StudyPage): HTMLElement | null {
  const can = page.history.canBack || page.history.canAgain;
  if (!page.view.at && !can) return null;
  const planned = readOpen(page.planned);
  const open = readOpen(page.open_);
  const added = open.opened.filter((site) => !planned.opened.includes(site));
  const gone = planned.opened.filter((site) => !open.opened.includes(site));
  const people = page.now?.access.people ?? 0;
  const before = page.plan?.plan.measures.after.mean_min;
  const now = page.now?.access.mean_min;
  const change = page.view.at && before !== undefined && now !== undefined && page.plan ? (now - before) * people : null;
  const again = async (): Promise<void> => {
    const ids = page.scene?.sites.id ?? [];
    const force = open.opened.map((site) => ids[site] ?? "").filter(Boolean);
    const kept = [...new Set([...page.data.settings.plan.force.filter((id) => !gone.includes(ids.indexOf(id))), ...added.map((site) => ids[site] ?? "")])].filter(Boolean);
    const forbid = [...new Set([...page.data.settings.plan.forbid.filter((id) => !force.includes(id)), ...gone.map((site) => ids[site] ?? "")])].filter(Boolean);
    if (await page.change({ "plan.force": kept.length ? kept : null, "plan.forbid": forbid.length ? forbid : null })) await page.begin({ kind: "plan" });
  };
  return h("div", { class: "edited block" },
    page.view.at
      ? h("p", { role: "status" }, page.plan ? t("You changed the plan by hand.") : t("You opened places by hand."), " ",
          change === null ? "" : Math.abs(change) < 0.5 ? t("It is as good as the plan.") : change > 0
            ? t("Everybody together now needs {n} minutes more than with the plan.", { n: about(change) })
            : t("Everybody together now needs {n} minutes less than with the plan.", { n: about(-change) }))
      : h("p", { role: "status" }, page.history.last || (page.plan ? t("The plan as it was found.") : t("Nothing is changed."))),
    h("div", { class: "row" },
      h("button", { id: "undo", type: "button", disabled: !page.history.canBack, onclick: () => void page.history.back() }, t("Undo")),
      h("button", { id: "redo", type: "button", disabled: !page.history.canAgain, onclick: () => void page.history.again() }, t("Redo")),
      page.view.at && page.plan && !page.readonly && (added.length || gone.length) && !open.points.length
        ? h("button", { id: "again", type: "button", onclick: () => void again() }, t("Plan again with this kept")) : null));
}

function card(page: StudyPage): HTMLElement | null {
  const { scene } = page;
  const site = page.selectedSite;
  if (!scene || site < 0) return null;
  const planned = page.plan?.plan.sites.find((one) => one.id === page.view.selected);
  const open = readOpen(page.open_);
  const status = scene.sites.status[site];
  const isOpen = status === "existing" ? !open.closed.includes(site) : status === "other" || open.opened.includes(site);
  const people = page.now?.people[site] ?? 0;
  const name = scene.sites.name[site] || page.view.selected;
  const { force, forbid } = page.data.settings.plan;
  const list = (key: "force" | "forbid", ids: string[]): void =>
    void page.change({ [`plan.${key}`]: ids.length ? ids : null }).then(() => page.render());
  const rule = (key: "force" | "forbid", ids: string[], text: string): HTMLElement =>
    h("button", { id: `rule-${key}`, type: "button", class: "small", "aria-pressed": String(ids.includes(page.view.selected)),
      onclick: () => list(key, ids.includes(page.view.selected) ? ids.filter((id) => id !== page.view.selected) : [...ids, page.view.selected]) }, text);
  return h("article", { class: "card", "aria-labelledby": "card-name" },
    h("div", { class: "row" }, h("h2", { id: "card-name" }, h("bdi", {}, name)),
      h("button", { id: "card-close", class: "plain", type: "button", "aria-label": t("Close"), onclick: () => page.go({ selected: "", served: false }) }, "×")),
    h("p", { class: "quiet" }, [statusName(status ?? "", isOpen, open.opened.includes(site)), scene.sites.area[site], ownerOf(page, site).agency].filter(Boolean).join(" · ")),
    isOpen ? h("p", {}, page.isSent ? tn(people, "One person is sent here.", "{n} people are sent here.", { n: about(planned?.sent ?? people) })
      : tn(people, "It is the nearest centre for one person.", "It is the nearest centre for {n} people.", { n: about(people) }),
      planned?.room != null && !page.view.at ? ` ${t("It has room for {n}.", { n: num(planned.room) })}` : "") : null,
    planned?.status === "opened" && !page.view.at ? explain(page, planned) : null,
    h("div", { class: "row" },
      status === "other" ? null
        : h("button", { id: "toggle", type: "button", disabled: scene.sites.excluded[site] === true, onclick: () => toggle(page, site) },
            isOpen ? (status === "existing" ? t("What if it closed?") : t("Take it out")) : status === "existing" ? t("Keep it open") : t("Open it")),
      isOpen ? h("button", { id: "served", type: "button", "aria-pressed": String(page.view.served), onclick: () => page.go({ served: !page.view.served, show: page.view.show === "change" ? "after" : page.view.show }) }, t("Show who goes there")) : null),
    isOpen && status === "candidate" ? moveBy(page, site) : null,
    ownerPart(page, site),
    status === "candidate" && !page.readonly ? h("div", { class: "row" }, rule("force", force, t("Must open")), rule("forbid", forbid, t("Must not open"))) : null);
}

function statusName(status: string, isOpen: boolean, opened: boolean): string {
  if (status === "other") return t("another provider's");
  if (status === "existing") return isOpen ? t("centre of today") : t("closed");
  return opened ? t("new centre") : t("could open");
}

function explain(page: StudyPage, site: PlannedSite): HTMLElement {
  const people = page.plan?.plan.measures.after.people ?? 1;
  const nameOf = (id: string): string => page.scene?.sites.name[page.scene.sites.id.indexOf(id)] || id;
  const lost = site.loss_person_min ?? 0;
  return h("ul", { class: "why" },
    site.people_nearer ? h("li", {}, tn(site.people_nearer, "One person has a shorter way because of it.", "{n} people have a shorter way because of it.", { n: about(site.people_nearer) })) : null,
    h("li", {}, t("Without it everybody together would need {n} minutes more ({each} each on average).", { n: about(lost), each: minutes(lost / people) })),
    site.replacement
      ? h("li", {}, t("The best other place for it is {name}: then {n} minutes more.", { name: nameOf(site.replacement), n: about(site.replaced_loss_person_min ?? 0) }))
      : null);
}

/** Moving by keyboard: the same as dragging, to the nearest places that could open. */
function moveBy(page: StudyPage, site: number): HTMLElement | null {
  const sites = page.scene?.sites;
  if (!sites) return null;
  const open = new Set(readOpen(page.open_).opened);
  const lat = sites.lat[site] ?? 0;
  const squeeze = Math.cos((lat * Math.PI) / 180);
  const near = sites.id.map((_, k) => k)
    .filter((k) => sites.status[k] === "candidate" && !sites.excluded[k] && !open.has(k))
    .map((k) => ({ k, km: 111.2 * Math.hypot(((sites.lon[k] ?? 0) - (sites.lon[site] ?? 0)) * squeeze, (sites.lat[k] ?? 0) - lat) }))
    .sort((a, b) => a.km - b.km).slice(0, 12);
  if (!near.length) return null;
  return h("label", { class: "field" }, h("span", {}, t("Move it to (or drag it on the map)")),
    h("select", { id: "move", onchange: (event: Event) => {
      const to = (event.target as HTMLSelectElement).value;
      if (to !== "") replaceSite(page, site, Number(to));
    } }, h("option", { value: "" }, t("choose a place")),
      ...near.map(({ k, km }) => h("option", { value: k }, `${sites.name[k] || sites.id[k]} (${t("{km} km", { km: minutes(km) })})`))));
}

function tabs(page: StudyPage): HTMLElement {
  const tab = (name: Tab, text: string): HTMLElement =>
    h("button", { id: `tab-${name}`, role: "tab", type: "button", "aria-selected": String(page.tab === name), "aria-controls": "tab-panel", tabindex: page.tab === name ? 0 : -1,
      onclick: () => (name === "gaps" || name === "choices" ? lay(page, name) : page.go({ tab: name }, true)),
      onkeydown: (event: KeyboardEvent) => {
        const all = [...document.querySelectorAll<HTMLElement>("[role=tab]")];
        const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
        if (!step) return;
        const turned = document.documentElement.dir === "rtl" ? -step : step;
        const next = all[(all.indexOf(event.currentTarget as HTMLElement) + turned + all.length) % all.length];
        next?.focus();
        next?.click();
      } }, text);
  return h("div", { class: "tabs", role: "tablist", "aria-label": t("Tables") },
    tab("centres", t("Centres")), tab("areas", t("Areas")), page.plan ? tab("far", t("Still far")) : null,
    page.plan && hasPhases(page.plan.plan) ? tab("phases", t("Phases")) : null, page.plan && hasAgencies(page.plan.plan) ? tab("agencies", t("Agencies")) : null,
    page.data.answers.gaps ? tab("gaps", t("Gaps")) : null, page.data.answers.sensitivity ? tab("choices", t("How often")) : null);
}

function table(page: StudyPage): HTMLElement {
  const plan = page.plan?.plan;
  const { tab } = page;
  const inner = tab === "areas" ? areaTable(page)
    : tab === "far" && plan ? farTable(page, plan.far)
    : tab === "phases" && plan && hasPhases(plan) ? phaseTable(page, plan)
    : tab === "agencies" && plan && hasAgencies(plan) ? agencyTable(page, plan)
    : tab === "gaps" || tab === "choices" ? overTable(page)
    : centreTable(page);
  return h("div", { class: "table", id: "tab-panel", role: "tabpanel", tabindex: 0, "aria-labelledby": `tab-${page.tab}` }, inner);
}

interface Line {
  id: string;
  order: number | null;
  name: string;
  area: string;
  kind: string;
  people: number;
  saved: number | null;
  site: number;
}

function centreLines(page: StudyPage): Line[] {
  const sites = page.scene?.sites;
  const planned = new Map(page.plan?.plan.sites.map((one) => [one.id, one]) ?? []);
  if (!sites) {
    return [...planned.values()].map((one) => ({ id: one.id, order: one.order, name: one.name || one.id, area: one.area ?? "", kind: one.status === "opened" ? t("new centre") : t("centre of today"),
      people: one.people, saved: one.gain_person_min, site: -1 })).sort(byOrder);
  }
  const before = page.view.show === "before";
  const open = readOpen(before ? page.earlier : page.open_);
  const opened = new Set(open.opened);
  const figures_ = before ? page.before : page.now;
  return sites.id.flatMap((id, site) => {
    const status = sites.status[site] ?? "";
    const isOpened = opened.has(site);
    const shut = open.closed.includes(site);
    const one = planned.get(id);
    return [{ id, site, order: isOpened ? (one?.order ?? 9999) : null, name: sites.name[site] || id, area: sites.area[site] ?? "",
      kind: statusName(status, !shut && (status !== "candidate" || isOpened), isOpened),
      people: status === "candidate" && !isOpened ? -1 : (!before && page.isSent ? one?.sent : null) ?? figures_?.people[site] ?? 0, saved: isOpened && !page.view.at ? (one?.gain_person_min ?? null) : null }];
  }).sort(byOrder);
}

const byOrder = (a: Line, b: Line): number => (a.order ?? 1e6) - (b.order ?? 1e6) || b.people - a.people;

/** The table of centres as it was made last, and what it was made of: pages are drawn far more often than it changes. */
let centres: { of: unknown[]; made: HTMLElement } | null = null;

function centreTable(page: StudyPage): HTMLElement {
  const of = [page, page.plan, page.scene, page.situations, page.before, page.now, JSON.stringify({ ...page.view, map: "" }), language];
  if (!centres || of.some((one, k) => one !== centres?.of[k])) centres = { of, made: madeTable(page) };
  return centres.made;
}

function madeTable(page: StudyPage): HTMLElement {
  const lines = centreLines(page).slice(0, 600);
  const few = !lines.some((line) => line.saved !== null);
  return h("table", {},
    h("caption", { class: "hidden" }, t("Centres and places that could open")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col", class: "number" }, t("No.")), h("th", { scope: "col" }, t("Name")), h("th", { scope: "col", class: "number" }, t("People")),
      few ? null : h("th", { scope: "col", class: "number" }, t("Minutes saved a person")))),
    h("tbody", {}, ...lines.map((line) =>
      h("tr", { class: line.id === page.view.selected ? "here" : "" },
        h("td", { class: "number" }, line.order === null ? "" : line.order === 9999 ? "+" : num(line.order)),
        h("th", { scope: "row" },
          h("button", { type: "button", class: "plain line", "data-key": `site-${line.id}`, "aria-pressed": String(line.id === page.view.selected), onclick: () => {
            page.go({ selected: line.id === page.view.selected ? "" : line.id, served: false });
            const sites = page.scene?.sites;
            if (sites && line.site >= 0) page.look(sites.lon[line.site] ?? 0, sites.lat[line.site] ?? 0);
          } }, h("bdi", {}, line.name), h("small", {}, [line.kind, line.area].filter(Boolean).join(" · ")))),
        h("td", { class: "number" }, line.people < 0 ? "" : num(line.people)),
        few ? null : h("td", { class: "number" }, line.saved === null ? "" : minutes(line.saved / Math.max(line.people, 1)))))));
}

function areaTable(page: StudyPage): HTMLElement {
  const areas: Area[] = page.now?.areas ?? [];
  if (!areas.length) return h("p", { class: "quiet" }, t("This study names no areas."));
  return h("table", {},
    h("caption", { class: "hidden" }, t("Areas, those with the longest way first")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Area")), h("th", { scope: "col", class: "number" }, t("People")), h("th", { scope: "col", class: "number" }, t("Minutes today")),
      h("th", { scope: "col", class: "number" }, t("Then")), h("th", { scope: "col", class: "number" }, t("Within {m} minutes", { m: num(near(page)) })))),
    h("tbody", {}, ...[...areas].sort((a, b) => b.after_mean_min - a.after_mean_min).map((one) =>
      h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, one.name)), h("td", { class: "number" }, num(one.people)), h("td", { class: "number" }, minutes(one.before_mean_min)),
        h("td", { class: "number" }, minutes(one.after_mean_min)), h("td", { class: "number" }, percent(one.after_within))))));
}

function farTable(page: StudyPage, far: FarPlace[]): HTMLElement {
  if (!far.length) return h("p", { class: "quiet" }, t("Nobody is far from a centre."));
  const nameOf = (id: string): string => page.scene?.sites.name[page.scene.sites.id.indexOf(id)] || id;
  return h("table", {},
    h("caption", { class: "hidden" }, t("Places whose people remain far")),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("Place")), h("th", { scope: "col", class: "number" }, t("People")), h("th", { scope: "col", class: "number" }, t("Minutes")), h("th", { scope: "col" }, t("What would help")))),
    h("tbody", {}, ...far.map((one, k) => h("tr", {},
      h("th", { scope: "row" }, h("button", { type: "button", class: "plain line", "data-key": `far-${k}`, onclick: () => page.look(one.lon, one.lat) }, h("bdi", {}, one.name))),
      h("td", { class: "number" }, num(one.people)), h("td", { class: "number" }, one.minutes === null ? t("out of reach") : minutes(one.minutes)),
      h("td", {}, one.mend ? h("bdi", {}, nameOf(one.mend)) : "–")))));
}

function files(page: StudyPage): HTMLElement | null {
  const { plan } = page;
  if (!plan) return null;
  const where = `/api${studyAt(page.study)}/plans/${part(page.view.plan)}/files`;
  const names: Record<string, string> = { "plan.gpkg": t("for QGIS"), "sites.csv": t("for spreadsheets"), "plan.json": t("everything, for programs"), "proof.npz": t("the proof"), "run.json": t("how it was made") };
  return h("div", { class: "block files" },
    h("p", {}, h("a", { id: "report", class: "button", href: `${where}/report.html?language=${language}`, target: "_blank", rel: "noopener" }, t("Open the report"))),
    h("details", { id: "downloads" }, h("summary", {}, t("Download files")),
      h("ul", {}, ...plan.files.map((name) => h("li", {}, h("a", { href: `${where}/${name}?download=1`, download: true }, name), " ", h("span", { class: "quiet" }, names[name] ?? t("to hand round"))))),
      page.readonly ? null : h("p", { class: "quiet" }, t("The same on the command line:"), " ", h("code", { dir: "ltr" }, `nearer plan ${page.study} --out ${plan.folder}`))));
}

