/* Grading by keyboard, and files into the form. Without it, the same buttons send the same forms. */

for (const input of document.querySelectorAll("[data-fills]")) {
  input.closest("label").hidden = false;
  input.addEventListener("change", async () => {
    if (input.files.length) document.getElementById(input.dataset.fills).value = await input.files[0].text();
  });
}

class Judging {
  constructor(root) {
    this.root = root;
    this.cards = [...root.querySelectorAll("[data-card]")];
    this.sent = Promise.resolve(); // one request after the other, so that undoing takes back what was graded last
    const asked = this.cards.findIndex((card) => `#${card.id}` === location.hash);
    this.place = 0;
    this.go(asked >= 0 ? asked : Math.max(this.ungraded(0), 0), asked >= 0);
    root.addEventListener("submit", (event) => this.submit(event));
    root.addEventListener("click", (event) => this.click(event));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  get card() {
    return this.cards[this.place];
  }

  gradeOf(card) {
    return card.querySelector("[aria-pressed=true]")?.value ?? null;
  }

  /** The first card without a grade from `place` on, else before it; none: -1. */
  ungraded(place) {
    const order = [...this.cards.keys()];
    return [...order.slice(place), ...order.slice(0, place)].find((each) => this.gradeOf(this.cards[each]) === null) ?? -1;
  }

  go(place, focus = true) {
    if (place < 0 || place >= this.cards.length) return;
    this.place = place;
    for (const card of this.cards) card.removeAttribute("aria-current");
    this.card.setAttribute("aria-current", "true");
    if (!focus) return;
    this.card.focus({ preventScroll: true });
    this.card.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  press(card, grade) {
    const before = this.gradeOf(card);
    for (const button of card.querySelectorAll("[name=grade]")) button.setAttribute("aria-pressed", String(button.value === String(grade)));
    this.count((grade === null ? 0 : 1) - (before === null ? 0 : 1));
    return before;
  }

  count(change) {
    for (const text of this.root.querySelectorAll("[data-count]")) {
      text.dataset.count = Number(text.dataset.count) + change;
      text.textContent = text.dataset.text.replace("#", text.dataset.count);
    }
    const bar = this.root.querySelector(".judge-dock progress");
    bar.value += change;
    this.root.querySelector("[data-go]").classList.toggle("quiet-button", bar.value < bar.max);
  }

  async post(address, fields) {
    const answer = await fetch(address, { method: "POST", headers: { Accept: "application/json" }, body: new URLSearchParams({ csrf: this.root.dataset.csrf, ...fields }) });
    if (!answer.ok || !answer.headers.get("content-type")?.startsWith("application/json")) throw new Error(String(answer.status));
    return answer.json();
  }

  grade(card, grade) {
    if (!card) return;
    const before = this.press(card, grade);
    const product = card.querySelector("[name=product]").value;
    this.sent = this.sent.then(async () => {
      try {
        await this.post(`${this.root.dataset.judge}/grade`, { query: this.root.dataset.query, product, grade });
        delete card.dataset.state;
      } catch {
        card.dataset.state = "failed";
        if (this.gradeOf(card) === String(grade)) this.press(card, before);
      }
      this.root.querySelector("[data-unsaved]").hidden = !this.cards.some((each) => each.dataset.state);
    });
    const next = this.ungraded(this.cards.indexOf(card));
    if (next >= 0) this.go(next);
    else this.root.querySelector("[data-go]").focus();
  }

  undo() {
    this.sent = this.sent.then(async () => {
      const undone = await this.post(`${this.root.dataset.judge}/undo`, {}).catch(() => ({}));
      if (!undone.query) return;
      if (String(undone.query) !== this.root.dataset.query) return void location.assign(`${this.root.dataset.judge}/grade?query=${undone.query}#card-${undone.card}`);
      this.press(this.cards[undone.card - 1], undone.grade);
      this.go(undone.card - 1);
    });
  }

  async leave() {
    await this.sent;
    if (!this.cards.some((each) => each.dataset.state)) location.assign(this.root.dataset.next);
  }

  submit(event) {
    const card = event.target.closest("[data-card]");
    event.preventDefault();
    if (card) this.grade(card, event.submitter.value);
    else this.undo();
  }

  click(event) {
    if (event.target.closest("[data-go]") && !event.metaKey && !event.ctrlKey) {
      event.preventDefault();
      this.leave();
    } else if (event.target.closest("[data-card]")) this.go(this.cards.indexOf(event.target.closest("[data-card]")), false);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.target.matches("input, textarea, select")) return;
    // With a Chinese input method switched on, letters arrive as "Process"; the key's place still tells.
    const key = event.key === "Process" ? event.code.replace(/^(Key|Digit|Numpad)/, "").toLowerCase() : event.key.toLowerCase();
    if (/^[0-3]$/.test(key) && !event.repeat) this.grade(this.card, key);
    else if (key === "j") this.go(this.place + 1);
    else if (key === "k") this.go(this.place - 1);
    else if (key === "u" && !event.repeat) this.undo();
    else if (key === "n" && !event.repeat) this.leave();
    else return;
    event.preventDefault();
  }
}

const root = document.querySelector("[data-judge]");
if (root) new Judging(root);
