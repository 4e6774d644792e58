/** Elements made by plain calls. */

type Child = Node | string | number | null | undefined | false | Child[];
type Props = Record<string, unknown>;

/** An element with attributes, `on…` handlers and children; text is text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Props = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  assign(made, props);
  append(made, children);
  return made;
}

/** The same for SVG. */
export function s(tag: string, props: Props = {}, ...children: Child[]): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  assign(made, props);
  append(made, children);
  return made;
}

function assign(made: Element, props: Props): void {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on") && typeof value === "function") {
      made.addEventListener(name.slice(2), value as EventListener);
    } else if (name === "value" && "value" in made) {
      (made as HTMLInputElement).value = String(value);
    } else {
      made.setAttribute(name, value === true ? "" : String(value));
    }
  }
}

function append(made: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(made, child);
    else if (child instanceof Node) made.append(child);
    else if (child !== null && child !== undefined && child !== false) made.append(String(child));
  }
}

/** Put children in place of what an element holds; the focus stays on what has the same id or data-key, and what was unfolded stays so. */
export function replace(parent: Element, ...children: Child[]): void {
  const active = parent.contains(document.activeElement) ? document.activeElement : null;
  const key = active?.id ? `#${CSS.escape(active.id)}` : active?.getAttribute("data-key");
  const scrolled = parent.scrollTop;
  const open = [...parent.querySelectorAll("details[open][id]")].map((one) => one.id);
  parent.replaceChildren();
  append(parent, children);
  for (const id of open) parent.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
  parent.scrollTop = scrolled;
  if (key) {
    const again = key.startsWith("#") ? parent.querySelector(key) : parent.querySelector(`[data-key="${CSS.escape(key)}"]`);
    (again as HTMLElement | null)?.focus({ preventScroll: true });
  }
}

/** Say something once, for eyes and for screen readers. */
export function toast(text: string, bad = false): void {
  const place = document.getElementById("toast");
  if (place === null) return;
  place.className = bad ? "shown bad" : "shown";
  place.textContent = text;
  window.setTimeout(() => place.textContent === text && (place.className = ""), bad ? 9000 : 4000);
}
