/** A study's page: questions at the start side, the map in the middle, answers at the end side. */

import {
  ask, part, Refused, studyAt, type Figures, type Job, type PlanFolder, type Scene, type Situations, type Study,
} from "./api.js";
import { renderAnswer } from "./answer.js";
import { renderAsk } from "./asking.js";
import { moved } from "./byhand.js";
import { h, replace, toast } from "./dom.js";
import { History } from "./history.js";
import { follow, type Following } from "./job.js";
import { renderLegend, renderTools } from "./legend.js";
import { makeMap, type CityMap, type Mark, type Picture } from "./map.js";
import { ASKED, lay, loadOver, overlayOf, type Laid } from "./over.js";
import { marksOf } from "./marks.js";
import { renderSheet } from "./sheets.js";
import { Swipe } from "./swipe.js";
import { EMPTY, readOpen, writeView, type Open, type Over, type Tab, type View } from "./view.js";
import { language, t } from "./words.js";

/** Everything the panes show. */
export class StudyPage {
  scene: Scene | null = null;
  plan: PlanFolder | null = null;
  situations: Situations | null = null;
  /** Who goes where today, with what is shown, and with the plan it is compared to. */
  before: Figures | null = null;
  now: Figures | null = null;
  legend: number[] = [];
  job: Job | null = null;
  following: Following | null = null;
  readonly history = new History();
  drawing: [number, number][][] | null = null;
  hazard: [number, number][][] = [];
  /** What lies over the people, fetched. */
  laid: Laid | null = null;
  problem = "";
  /** Why the last change of the settings was not taken. */
  refused = "";
  private map: CityMap | null = null;
  private swipe: Swipe | null = null;
  private readonly askPane = h("section", { class: "pane ask", "aria-label": t("Questions") });
  private readonly answerPane = h("section", { class: "pane answer", "aria-label": t("Answers") });
  private readonly tools = h("div", { class: "tools" });
  private readonly mapPlace = h("div", { class: "map" });
  private readonly sheet = h("section", { class: "sheet", "aria-labelledby": "sheet-title", hidden: true });
  private readonly legendPlace = h("div", { class: "legend" });
  private asked = "";

  constructor(readonly study: string, public view: View, public data: Study) {}

  /** Put the page up; the map follows when the study is read. */
  async open(main: HTMLElement): Promise<void> {
    const handle = h("button", { class: "sheet-handle", type: "button", "aria-expanded": "false" }, t("Figures and table"));
    handle.addEventListener("click", () => {
      const up = main.classList.toggle("sheet-up");
      handle.setAttribute("aria-expanded", String(up));
      this.map?.resize();
    });
    const middle = h("section", { class: "middle", "aria-label": t("Map") }, this.tools, this.mapPlace, this.legendPlace, this.sheet);
    main.className = "study";
    replace(main, this.askPane, middle, handle, this.answerPane);
    document.title = `${this.data.settings.study.name} – nearer`;
    this.render();
    const running = this.data.jobs.find((job) => job.state === "running" || job.state === "waiting");
    if (running) this.watch(running);
    if (!this.view.plan && !this.view.at && this.data.plans[0]) this.view = { ...this.view, plan: this.data.plans[0].id };
    this.keepAddress();
    const scene = ask<Scene>(`${studyAt(this.study)}/scene`);
    scene.catch(() => undefined); // what is wrong is said when it is waited for
    preload("/vendor/maplibre-gl.mjs");
    await this.loadPlan();
    this.render();
    await this.loadScene(scene);
  }

  private async loadScene(scene: Promise<Scene>): Promise<void> {
    try {
      this.scene = await scene;
      if (this.mapPlace.isConnected) await this.makeMap();
      await this.refresh();
    } catch (error) {
      this.problem = error instanceof Refused ? error.message : String(error);
      this.render();
    }
  }

  private async makeMap(): Promise<void> {
    if (!this.scene) return;
    this.mapPlace.replaceChildren();
    this.map = await makeMap(this.mapPlace, this.study, this.scene, this.view.map, this.picture, {
      pick: (site) => this.pick(site),
      gap: (key) => this.pickGap(key === this.view.gap ? "" : key),
      place: (lon, lat) => this.clicked(lon, lat),
      wantsPlace: () => this.drawing !== null || this.walking,
      moved: (site, lon, lat) => {
        if (!moved(this, site, lon, lat)) this.map?.marks(this.marks(), this.selectedSite);
      },
      camera: (text) => {
        this.view = { ...this.view, map: text };
        this.swipe?.follow(text);
        this.keepAddress();
      },
    });
  }

  /** Show another view: what changed is fetched, and the address says it. */
  go(changes: Partial<View>, keep = false): void {
    this.view = { ...this.view, ...changes };
    if (keep) this.keepAddress();
    else history.pushState(null, "", writeView(this.view));
    void this.refresh();
  }

  /** Take up an address that was changed from outside (a link, back and forward). */
  take(view: View): void {
    const moved = view.map !== this.view.map && view.map;
    this.view = view;
    if (moved) this.map?.camera(view.map);
    void this.refresh();
  }

  private keepAddress(): void {
    history.replaceState(null, "", writeView(this.view));
  }

  /** What is open on the map, apart from what is shown. */
  get open_(): string {
    if (this.view.at) return this.view.at;
    if (this.view.phase) return this.situations?.phases.find((one) => one.name === this.view.phase)?.at ?? "o";
    return this.isSent ? (this.situations?.sent ?? "o") : this.planned;
  }

  /** Whether what is shown is where people are sent, rather than the nearest centre. */
  get isSent(): boolean {
    return this.situations?.sent != null && !this.view.at && !this.view.phase && !this.view.nearest;
  }

  /** What the plan opens, without changes by hand. */
  get planned(): string {
    return this.situations?.plan ?? "o";
  }

  get earlier(): string {
    return this.view.against ? (this.other?.plan ?? "o") : "o";
  }

  /** What people's squares are to show. */
  private get picture(): Picture {
    return {
      at: this.view.from ? `@${this.view.from}` : this.view.show === "before" ? this.earlier : this.open_,
      // what changes is told from today on, wherever people are sent
      before: this.view.show === "change" && !this.view.from ? this.earlier : "",
      group: this.view.group,
      only: this.view.served ? this.selectedSite : -1,
    };
  }

  private other: Situations | null = null;

  /** Fetch what the view needs and draw it. */
  async refresh(): Promise<void> {
    const asked = (this.asked = JSON.stringify([this.view, Date.now()]));
    try {
      await this.loadPlan();
      this.render();
      if (!this.scene) return;
      const where = `${studyAt(this.study)}`;
      const { at: shown, before: compared } = this.picture;
      const said = new URLSearchParams({ at: shown, before: compared, group: this.view.group });
      const draw = (): void => {
        this.map?.show(this.picture);
        this.map?.marks(this.marks(), this.selectedSite);
        this.map?.outline(this.drawing ?? this.hazard);
      };
      if (!this.view.from) draw(); // it need not wait for the figures; a place by hand may yet be refused
      const [before, now, legend, laid] = await Promise.all([
        this.before?.situation === this.earlier ? this.before : ask<Figures>(`${where}/figures?at=${part(this.earlier)}`),
        this.now?.situation === this.open_ ? this.now : ask<Figures>(`${where}/figures?at=${part(this.open_)}`),
        ask<{ people: number[] }>(`${where}/legend?${said}`),
        loadOver(this),
      ]);
      if (asked !== this.asked) return;
      [this.before, this.now, this.legend, this.laid] = [before, now, legend.people, laid];
      this.map?.over(overlayOf(this));
      if (this.view.from) draw();
      await this.swiping(shown);
      this.problem = "";
      this.render();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      toast(error.message, true);
      if (this.view.from) this.go({ from: "" }, true);
    }
  }

  private async swiping(shown: string): Promise<void> {
    const wanted = this.view.against !== "" && this.view.show !== "change" && this.scene !== null;
    if (!wanted) {
      this.swipe?.remove();
      this.swipe = null;
      return;
    }
    const at = this.view.show === "before" ? shown : this.earlier;
    if (!this.swipe && this.scene) {
      this.swipe = await Swipe.over(this.mapPlace, this.study, this.scene, this.view.map, at, this.view.group);
    }
    this.swipe?.show(at, this.view.group, this.marks(readOpen(this.earlier)));
  }

  private loaded = "";

  private async loadPlan(): Promise<void> {
    const wanted = `${this.view.plan} ${this.view.against}`;
    if (wanted === this.loaded) return;
    const where = `${studyAt(this.study)}/plans`;
    this.plan = null;
    this.situations = null;
    if (this.view.plan) {
      try {
        const situations = ask<Situations>(`${where}/${part(this.view.plan)}/situations`);
        situations.catch(() => undefined); // said below
        this.plan = await ask<PlanFolder>(`${where}/${part(this.view.plan)}`);
        this.render();
        this.situations = await situations;
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        toast(error.message, true);
        this.view = { ...this.view, plan: "" };
        this.keepAddress();
      }
    }
    this.other = this.view.against ? await ask<Situations>(`${where}/${part(this.view.against)}/situations`) : null;
    this.loaded = `${this.view.plan} ${this.view.against}`;
  }

  /** Position of the selected centre, -1 for none. */
  get selectedSite(): number {
    return this.scene?.sites.id.indexOf(this.view.selected) ?? -1;
  }

  /** Centres and candidates as the map marks them. */
  marks(open: Open = readOpen(this.view.show === "before" ? this.earlier : this.open_)): Mark[] {
    return marksOf(this, open);
  }

  /** What lies over the people, where there is such an answer. */
  get over(): Over {
    const { over } = this.view;
    return over && this.data.answers[ASKED[over]] ? over : "";
  }

  /** The table that is shown. */
  get tab(): Tab {
    const { tab } = this.view;
    return (tab === "gaps" || tab === "choices") && this.over !== tab ? "centres" : tab;
  }

  /** Look at a gap, or at none; the map comes to it where it was picked elsewhere. */
  pickGap(key: string, come = false): void {
    this.go({ gap: key, selected: "", served: false, tab: "gaps" });
    const gap = this.laid?.kind === "gaps" ? this.laid.found.gaps.find((one) => String(one.rank) === key) : undefined;
    if (gap && come) this.map?.fit(gap.extent);
  }

  private pick(site: number): void {
    const id = this.scene?.sites.id[site];
    if (id !== undefined) this.go({ selected: this.view.selected === id ? "" : id, served: false });
  }

  private clicked(lon: number, lat: number): void {
    if (this.drawing) {
      const ring = this.drawing[this.drawing.length - 1];
      ring?.push([round6(lon), round6(lat)]);
      this.map?.outline(this.drawing);
      this.render();
      return;
    }
    if (this.walking) {
      this.walking = false;
      this.go({ from: `${lon.toFixed(5)},${lat.toFixed(5)}`, served: false });
      return;
    }
    if (this.view.selected) this.go({ selected: "", served: false });
  }

  /** Whether the next click says where somebody walks from. */
  walking = false;

  /** Begin a job, and watch it. */
  async begin(body: Record<string, unknown>): Promise<void> {
    try {
      this.watch(await ask<Job>(`${studyAt(this.study)}/jobs`, "POST", { ...body, language }));
      document.getElementById("job-place")?.scrollIntoView({ block: "nearest" });
    } catch (error) {
      toast(error instanceof Refused ? error.message : String(error), true);
    }
  }

  /** Show how a job goes until it ends. */
  watch(job: Job): void {
    this.following?.close();
    this.job = job;
    this.following = follow(this.study, job.id, (now, ended) => {
      this.job = now;
      if (ended) void this.ended(now);
      else this.render();
    });
    this.render();
  }

  private async ended(job: Job): Promise<void> {
    this.following?.close();
    this.data = await ask<Study>(`${studyAt(this.study)}`);
    const good = job.state === "done" || job.state === "stopped";
    if (good) this.job = null;
    if (good && job.kind === "plan" && job.outcome.plan) {
      this.history.clear();
      toast(t("The plan is ready."));
      this.go({ ...EMPTY, plan: job.outcome.plan, map: this.view.map, group: this.view.group });
      return;
    }
    if (good && job.kind === "stress") {
      toast(t("The answer is ready."));
    } else if (good && job.kind === "gaps") {
      toast(t("The answer is ready."));
      lay(this, "gaps");
      return;
    } else if (good && job.kind !== "plan") {
      toast(t("The answer is ready."));
      this.go({ about: job.kind });
      return;
    }
    if (job.state === "cancelled") {
      this.job = null;
      toast(t("Cancelled; nothing was kept."));
    }
    this.render();
  }

  /** Whether others can reach this server. */
  reached = false;

  /** Whether nothing may be changed here. */
  get readonly(): boolean {
    return this.view.shared;
  }

  /** Change the study's own settings. */
  async change(values: Record<string, unknown>): Promise<boolean> {
    try {
      const found = await ask<{ settings: Study["settings"] }>(`${studyAt(this.study)}/settings`, "PATCH", { values });
      const answers = Object.fromEntries(Object.entries(this.data.answers).map(([kind, one]) => [kind, { ...one, stale: true }]));
      this.data = { ...this.data, settings: found.settings, answers };
      this.refused = "";
      return true;
    } catch (error) {
      this.refused = error instanceof Refused ? error.message : String(error);
      toast(this.refused, true);
      this.render();
      return false;
    }
  }

  /** Whether a job waits or runs. */
  get busy(): boolean {
    return this.job !== null && (this.job.state === "waiting" || this.job.state === "running");
  }

  async reload(): Promise<void> {
    this.data = await ask<Study>(`${studyAt(this.study)}`);
    this.render();
  }

  render(): void {
    this.askPane.parentElement?.classList.toggle("no-plan", this.data.plans.length === 0);
    renderAsk(this.askPane, this);
    renderAnswer(this.answerPane, this);
    renderTools(this.tools, this);
    renderLegend(this.legendPlace, this);
    void renderSheet(this.sheet, this);
    if (!this.scene && !this.mapPlace.childElementCount) {
      replace(this.mapPlace, h("p", { class: "waiting", role: "status" }, this.problem || t("Reading the study: streets, people and places …")));
    }
    if (this.problem && !this.scene) replace(this.mapPlace, h("p", { class: "waiting bad", role: "alert" }, this.problem));
  }

  /** Begin or end drawing ground by hand. */
  draw(on: boolean): void {
    if (on) {
      this.drawing = [[]];
      this.hazard = [];
    } else {
      this.hazard = (this.drawing ?? []).filter((ring) => ring.length > 2);
      this.drawing = null;
    }
    this.map?.outline(this.drawing ?? this.hazard);
    this.render();
  }

  look(lon: number, lat: number): void {
    this.map?.go(lon, lat);
  }

  recolour(): void {
    this.map?.recolour();
    this.swipe?.recolour();
    this.render();
  }

  leave(): void {
    this.following?.close();
    this.swipe?.remove();
    this.map?.remove();
    document.removeEventListener("keydown", this.keys);
  }

  readonly keys = (event: KeyboardEvent): void => {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (!typing && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      void (event.shiftKey ? this.history.again() : this.history.back());
    }
    if (event.key === "Escape" && (this.drawing || this.walking)) {
      this.walking = false;
      if (this.drawing) this.drawing = null;
      this.map?.outline([]);
      this.render();
    }
  };
}

/** Fetch a module before it is wanted; it runs no earlier. */
function preload(address: string): void {
  if (!document.head.querySelector(`link[href="${address}"]`)) document.head.append(h("link", { rel: "modulepreload", href: address }));
}

const round6 = (n: number): number => Math.round(n * 1e6) / 1e6;
