/* Makes the pages quicker to use. Everything works without it: links and forms stay what they are. */
import { Lingsou } from "./lingsou.js";

const shop = new Lingsou();
const RECENT = "lingsou.recent";
const MOST_RECENT = 8;
const PAUSE = 90; // milliseconds without a keystroke before suggestions are asked for

function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(RECENT));
    return Array.isArray(kept) ? kept.filter((each) => typeof each === "string") : [];
  } catch {
    return []; // storage is off, or holds what is not ours
  }
}

function keep(searches) {
  try {
    localStorage.setItem(RECENT, JSON.stringify(searches.slice(0, MOST_RECENT)));
  } catch {
    // Without storage there are no recent searches.
  }
}

function remember(q) {
  if (q) keep([q, ...recent().filter((each) => each !== q)]);
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Text with <em> as the service marks it; every other tag stays text. */
function marked(item) {
  const holder = element("span");
  const plain = (html) => new DOMParser().parseFromString(html.replaceAll("<", "&lt;"), "text/html").body.textContent;
  for (const [place, part] of (item.highlight ?? "").split(/<\/?em>/).entries()) {
    holder.append(place % 2 ? element("em", {}, plain(part)) : plain(part));
  }
  if (!holder.textContent) holder.textContent = item.text;
  return holder;
}

function addressOf(item) {
  if (item.kind === "product" && item.id) return `/product/${item.id.split("/").map(encodeURIComponent).join("/")}`;
  const filters = Object.entries(item.filters ?? {});
  return `/search?${new URLSearchParams(filters.length ? filters : { q: item.text })}`;
}

/** The search box as a combobox with a list of suggestions (WAI-ARIA "list autocomplete with manual selection"). */
class Suggestions {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input");
    this.list = element("div", { id: "suggestions", class: "suggestions", role: "listbox", "aria-label": form.dataset.suggestions });
    this.list.hidden = true;
    form.append(this.list);
    this.typed = this.input.value;
    this.active = -1;
    for (const [name, value] of Object.entries({ role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "suggestions" })) this.input.setAttribute(name, value);
    this.input.addEventListener("input", () => this.typing());
    this.input.addEventListener("focus", () => this.ask());
    this.input.addEventListener("click", () => this.list.hidden && this.ask());
    this.input.addEventListener("blur", () => this.close());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the box
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    form.addEventListener("submit", () => remember(this.input.value.trim()));
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  typing() {
    this.typed = this.input.value;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE);
  }

  async ask() {
    const q = this.typed.trim();
    this.asked?.abort();
    const asked = (this.asked = new AbortController());
    let groups = [];
    if (q && !Suggestions.missing) {
      try {
        groups = (await shop.suggest(q, { limit: 10, signal: asked.signal })).groups;
      } catch (error) {
        if (error.name === "AbortError") return;
        Suggestions.missing = error.status === 404; // a service without suggestions is not asked again
      }
    }
    if (asked.signal.aborted || document.activeElement !== this.input) return;
    const own = recent().filter((each) => each !== q && each.toLowerCase().startsWith(q.toLowerCase())).slice(0, q ? 3 : MOST_RECENT);
    if (own.length) groups = [{ kind: "recent", own: true, items: own.map((text) => ({ kind: "recent", text })) }, ...groups.filter((group) => group.kind !== "recent")];
    this.show(groups);
  }

  show(groups) {
    let number = 0;
    this.list.replaceChildren(
      ...groups.filter((group) => group.items.length).map((group) => {
        const name = this.form.dataset[group.kind] ?? group.kind;
        const box = element("div", { class: "group", role: "group", "aria-label": name }, element("div", { class: "name", "aria-hidden": "true" }, name));
        for (const item of group.items) {
          const option = element("div", { role: "option", id: `option-${number++}`, "aria-selected": "false" }, marked(item));
          if (item.count != null) option.append(element("span", { class: "count", "aria-hidden": "true" }, String(item.count)));
          Object.assign(option, { address: addressOf(item), text: item.text });
          box.append(option);
        }
        if (group.own) {
          const clear = element("div", { role: "option", id: `option-${number++}`, "aria-selected": "false" }, element("span", { class: "count" }, this.form.dataset.clear));
          clear.clears = true;
          box.append(clear);
        }
        return box;
      }),
    );
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
    this.open(number > 0);
  }

  open(yes) {
    this.list.hidden = !yes;
    this.input.setAttribute("aria-expanded", String(yes));
  }

  close() {
    clearTimeout(this.timer);
    this.asked?.abort();
    this.open(false);
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.isComposing) return; // Enter and arrows belong to the input method
    const options = this.list.hidden ? [] : this.options;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!options.length) return void this.ask();
      // One place more than there are options: the words as they were typed.
      const places = options.length + 1;
      this.mark(options, (this.active + 1 + (event.key === "ArrowDown" ? 1 : places - 1)) % places - 1);
    } else if (event.key === "Enter" && this.active >= 0 && options[this.active]) {
      event.preventDefault();
      this.choose(options[this.active]);
    } else if (event.key === "Escape" && options.length) {
      event.preventDefault();
      this.input.value = this.typed;
      this.close();
    }
  }

  mark(options, active) {
    this.active = active;
    options.forEach((option, place) => option.setAttribute("aria-selected", String(place === active)));
    const chosen = options[active];
    this.input.value = chosen && !chosen.clears ? chosen.text : this.typed;
    if (!chosen) return void this.input.removeAttribute("aria-activedescendant");
    this.input.setAttribute("aria-activedescendant", chosen.id);
    chosen.scrollIntoView({ block: "nearest" });
  }

  choose(option) {
    if (!option) return;
    if (option.clears) {
      keep([]);
      this.input.value = this.typed;
      return void this.ask();
    }
    if (option.address.startsWith("/search?q=")) remember(option.text);
    location.assign(option.address);
  }
}

/** Filters and sort order act at once: the results are exchanged, focus and scroll position stay. */
async function show(address) {
  const results = document.getElementById("results");
  results.classList.add("busy");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const focused = document.activeElement?.id;
    const open = [...results.querySelectorAll("details")].map((each) => each.open);
    const drawer = results.querySelector(".drawer").open;
    const fresh = page.getElementById("results");
    fresh.querySelector(".drawer").open = drawer && open.length > 0;
    results.replaceWith(fresh);
    document.title = page.title;
    for (const link of page.querySelectorAll(".languages a")) {
      document.querySelector(`.languages a[lang="${link.lang}"]`).href = link.getAttribute("href");
    }
    enhance(fresh);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    // A live region speaks when its text changes in place.
    const total = fresh.querySelector(".total");
    const text = total.textContent;
    total.textContent = "";
    requestAnimationFrame(() => (total.textContent = text));
  } catch {
    location.assign(address);
  }
}

function addressOfForm(form) {
  const pairs = [...new FormData(form)].filter(([, value]) => value !== "");
  return `${form.getAttribute("action")}?${new URLSearchParams(pairs)}`;
}

function enhance(root) {
  window.lingsou?.scan(root);
  for (const button of root.querySelectorAll("[data-script-hides]")) button.hidden = true;
  for (const form of root.querySelectorAll("form[data-live]")) {
    const act = () => {
      const address = addressOfForm(form);
      history.pushState({ live: true }, "", address);
      show(address);
    };
    form.addEventListener("change", act);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      act();
    });
  }
}

/** What the shopper does is reported under the name that the page gave; a page without one leaves nothing here. */
async function report(shopper) {
  if (!shopper) {
    for (const kept of ["queue", "client", "session"]) localStorage.removeItem(`lingsou.${kept}`);
    return;
  }
  await import("./lingsou-events.js");
  window.lingsou.identify(shopper);
  const product = document.querySelector("[data-lingsou-detail]")?.dataset.lingsouDetail;
  if (product) window.lingsou.detail(product);
}

for (const form of document.querySelectorAll("[data-search]")) new Suggestions(form);
enhance(document);
addEventListener("popstate", () => document.getElementById("results") && show(location.href));
const searched = new URLSearchParams(location.search).get("q");
if (location.pathname === "/search" && searched) remember(searched.trim());
report(document.body.dataset.shopper).catch(() => {}); // pages go on without
