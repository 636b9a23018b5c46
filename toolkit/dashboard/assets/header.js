const TONES = {
  connected: "good", degraded: "warn", rehearsal: "warn", resolving: "busy", connecting: "busy", reconnecting: "busy", waiting: "busy", saving: "busy",
  needs_operator: "bad", offline: "quiet", idle: "quiet", ended: "quiet", stopped: "quiet",
};
const SUN = "M10 6a4 4 0 1 0 0 8 4 4 0 0 0 0-8Zm0-5v3m0 12v3M1 10h3m12 0h3M3.6 3.6l2.2 2.2m8.4 8.4 2.2 2.2m0-12.8-2.2 2.2m-8.4 8.4-2.2 2.2";
const MOON = "M16.5 12.2A7 7 0 0 1 7.8 3.5a7 7 0 1 0 8.7 8.7Z";

// A minor one has a card that says more, and gives way on a phone.
function fact(label, title, minor) {
  const value = h("dd", {});
  const box = h("div", { class: minor ? "fact minor" : "fact", hidden: true, title }, h("dt", {}, label), value);
  return { box, value };
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const ask = asker(model, words);
  const skew = Date.now() - model.clock_ms;
  const now = () => Date.now() - skew;

  const stateText = h("span", { role: "status" });
  const countdown = h("span", { class: "countdown" });
  const pill = h("div", { class: "pill" }, h("span", { class: "dot", "aria-hidden": "true" }), stateText, countdown);
  const facts = {
    user: fact(words.user), since: fact(words.since), recording: fact(words.recording), delay: fact(words.delay, words.delay_hint),
    outages: fact(words.outages, words.outages_hint, true), budget: fact(words.budget, words.budget_hint, true),
  };
  const user = foreign("");
  facts.user.value.append(user);
  facts.since.value.classList.add("digits");
  facts.delay.value.classList.add("digits");

  const theme = h("button", { type: "button", class: "icon-button theme" });
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice = readChoice();
  function showTheme() {
    const name = choice || (system.matches ? "dark" : "light");
    root.dataset.theme = name;
    const label = name === "dark" ? words.to_light : words.to_dark;
    theme.setAttribute("aria-label", label);
    theme.title = label;
    theme.replaceChildren(icon(name === "dark" ? SUN : MOON));
    model.send_msg({ verb: "look", theme: name, minutes_ahead: -new Date().getTimezoneOffset() });
  }
  theme.addEventListener("click", () => {
    choice = root.dataset.theme === "dark" ? "light" : "dark";
    keepChoice(choice);
    showTheme();
  });
  system.addEventListener("change", showTheme);
  const visibility = () => model.send_msg({ verb: "hidden", hidden: document.hidden });
  document.addEventListener("visibilitychange", visibility);
  model.on("remove", () => {
    system.removeEventListener("change", showTheme);
    document.removeEventListener("visibilitychange", visibility);
  });

  const language = makeLanguage(words);

  const ribbonText = h("span", { class: "ribbon-text" });
  const stop = h("button", { type: "button", class: "button small on-ribbon" }, h("span", { class: "label" }, words.ribbon_stop));
  stop.addEventListener("click", () => press(stop, words.ribbon_stopping, () => ask("stop_rehearsal")));
  const ribbon = h("div", { class: "ribbon", hidden: true },
    h("strong", {}, words.ribbon), ribbonText, stop);

  const warnings = h("ul", { class: "warnings", role: "alert", hidden: true });
  let warned = "";

  el.append(
    h("div", { class: "bar" },
      h("div", { class: "brand" }, h("span", { class: "mark", "aria-hidden": "true" }), h("h1", {}, document.title)),
      pill,
      h("dl", { class: "facts" }, ...Object.values(facts).map((one) => one.box)),
      language, theme),
    ribbon, warnings);

  let state = null;
  function tick() {
    if (!state) return;
    if (state.started_at) put(facts.since.value, duration((now() - state.started_at) / 1000));
    let wait = "";
    if (state.phase === "reconnecting" && state.next_at) {
      const seconds = Math.ceil((state.next_at - now()) / 1000);
      wait = seconds > 0 ? fill(words.next_in, { seconds }) : words.dialling;
    }
    put(countdown, wait);
  }
  follow(model, (next) => {
    state = next;
    pill.dataset.tone = TONES[state.phase] || "quiet";
    const endless = state.phase === "reconnecting" && !state.attempts_max;
    put(stateText, fill(words[endless ? "reconnecting_endless" : state.phase] || state.phase, state));
    user.textContent = state.user ? `@${state.user}` : "";
    facts.user.box.hidden = !state.user;
    facts.since.box.hidden = !state.started_at;
    facts.recording.value.textContent = state.recording;
    facts.recording.value.title = state.recording;
    put(facts.recording.box.firstChild, state.run === "none" ? words.shown : words.recording);
    facts.recording.box.hidden = !state.recording;
    facts.delay.value.textContent = state.delay_s == null ? "" : `${DECIMAL.format(state.delay_s)} s`;
    facts.delay.box.hidden = state.delay_s == null;
    facts.outages.value.textContent = state.outages ? fill(words.outages_value, state) : "";
    facts.outages.box.hidden = !state.outages;
    facts.budget.value.textContent = state.signatures_left ?? "";
    facts.budget.box.hidden = state.signatures_left == null;
    root.dataset.run = state.rehearsal ? "rehearsal" : state.run;
    root.dataset.active = state.active ? "yes" : "no";
    if (warned !== state.warnings.join()) {
      // Unchanged it is left alone: a screen reader would say it again.
      warned = state.warnings.join();
      warnings.hidden = !state.warnings.length;
      warnings.replaceChildren(...state.warnings.map((text) => h("li", {}, text)));
    }
    ribbon.hidden = !state.rehearsal;
    if (state.rehearsal) {
      put(ribbonText, fill(words.ribbon_text, state.rehearsal));
    }
    tick();
  });
  every(model, 500, tick);
  model.document.on_event("connection_lost", () => comeBack(words));
  showTheme();
  visibility();
}

// Loads the page again once the server answers. Panel's own way back (reconnect=True)
// fetches style sheets from a foreign address and leaves the page without updates.
const LOOK_MS = 1_000;
let isComingBack = false;
function comeBack(words) {
  if (isComingBack) return;
  isComingBack = true;
  const banner = document.getElementById("lost");
  banner.hidden = false;
  banner.textContent = words.lost;
  const look = async () => {
    try {
      const answer = await fetch(new URL("healthz", location.href.split(/[?#]/)[0]), { cache: "no-store" });
      if (answer.ok) return location.reload();
    } catch { /* not yet */ }
    setTimeout(look, LOOK_MS * (0.5 + Math.random()));
  };
  look();
}

// The server makes the page in the language of this cookie, else in the browser's.
const A_YEAR_S = 31_536_000;
function makeLanguage(words) {
  const now = document.documentElement.lang;
  const one = h("select", { class: "language", "aria-label": words.language },
    ...Object.entries(words).filter(([name]) => name.startsWith("language_")).map(([name, text]) => h("option", { value: name.slice(9), selected: name.slice(9) === now }, text)));
  one.addEventListener("change", () => {
    document.cookie = `toolkit-language=${one.value}; path=/; max-age=${A_YEAR_S}; samesite=lax`;
    location.reload();
  });
  return one;
}

// Browsers that refuse storage still switch, and forget.
function readChoice() {
  try { return localStorage.getItem("toolkit-theme"); } catch { return null; }
}
function keepChoice(name) {
  try { localStorage.setItem("toolkit-theme", name); } catch { /* for this page only */ }
}
