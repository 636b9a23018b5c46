// Shared by all cards: put before each card's own script.
// Text reaches the page through text nodes and textContent alone, never as markup.

const LANGUAGE = document.documentElement.lang || "en";
const ANSWER_MS_MAX = 60_000; // sealing and opening recordings takes seconds

function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child != null));
  return element;
}

function icon(path) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const shape = document.createElementNS("http://www.w3.org/2000/svg", "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

// What viewers wrote, isolated from the direction of the text around it.
function foreign(text, attributes) {
  const element = h("bdi", { dir: "auto", ...attributes });
  element.textContent = text;
  return element;
}

function put(element, text) {
  // Unchanged text is left alone: a screen reader would say it again.
  if (element.textContent !== text) element.textContent = text;
}

function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}

const NUMBER = new Intl.NumberFormat(LANGUAGE);
const DECIMAL = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const PERCENT = new Intl.NumberFormat(LANGUAGE, { style: "percent", maximumFractionDigits: 1 });
const SHORT = new Intl.NumberFormat(LANGUAGE, { notation: "compact", minimumFractionDigits: 1, maximumFractionDigits: 1 });
const WHEN = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function count(value) {
  if (value == null) return "–";
  return value >= 1_000_000 ? SHORT.format(value) : NUMBER.format(value);
}

function duration(seconds) {
  if (seconds == null) return "–";
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${pad(minutes)}:${pad(whole % 60)}`;
}

function bytes(value) {
  if (value == null) return "–";
  const power = value < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3));
  return `${(value / 1000 ** power).toFixed(power ? 1 : 0)} ${["B", "kB", "MB", "GB"][power]}`;
}

function percent(value) {
  return value == null ? "–" : PERCENT.format(value);
}

function initial(name) {
  return (Array.from(name.trim())[0] || "?").toUpperCase();
}

function avatar(name, hue) {
  const element = h("span", { class: "avatar", "aria-hidden": "true", style: `--hue:${hue * 30}` });
  element.textContent = initial(name);
  return element;
}

function button(kind, text, path) {
  return h("button", { type: "button", class: `button ${kind}` }, path ? icon(path) : null, h("span", { class: "label" }, text));
}

function empty(words) {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, words.empty), h("p", {}, words.empty_hint));
}

const SECOND = new Intl.DateTimeFormat(LANGUAGE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

// One gap: when, how long, why, and for each kind what is missing and how well that is known.
function gapLine(gap, words) {
  const when = SECOND.format(gap.at);
  const time = h("time", { class: "digits", datetime: new Date(gap.at).toISOString(), title: WHEN.format(gap.at) },
    gap.end ? `${when} – ${SECOND.format(gap.end)}` : fill(words.gap_open, { when }));
  const length = gap.end ? h("span", { class: "strong digits" }, duration((gap.end - gap.at) / 1000)) : null;
  return h("li", { class: gap.end ? "gap" : "gap open", "data-id": gap.id },
    h("div", { class: "gap-head" }, time, length, h("span", {}, words[`why_${gap.cause}`] || gap.cause)),
    h("div", { class: "gap-cost" }, ...gapCost(gap, words)));
}

function gapCost(gap, words) {
  const chip = (text, kind) => h("span", { class: `cost ${kind}` }, text);
  if (!gap.end) return [chip(words.gap_pending, "lost")];
  const costs = gap.missed.map(({ kind, estimate, low, high, quality }) => {
    const bounds = quality === "exact" ? words.gap_exact
      : high == null ? fill(words.gap_unbounded, { low: count(low) })
      : fill(words.gap_between, { low: count(low), high: count(high) });
    return chip(`${estimate == null ? "?" : count(estimate)} ${words[`missed_${kind}`]} (${bounds})`, quality);
  });
  if (gap.lost) costs.push(chip(words.gap_lost, "lost"));
  else if (!costs.length) costs.push(chip(words.gap_nothing, "exact"));
  if (gap.recovered) costs.push(chip(fill(words.gap_recovered, { count: count(gap.recovered) }), "back"));
  return costs;
}

// Calls `show` with the card's state now and whenever it changes.
function follow(model, show) {
  const update = () => {
    const state = JSON.parse(model.state);
    if (state !== null) show(state);
  };
  model.on("state", update);
  update();
}

// Returns ask(verb, values) -> promise of {ok, text, hint, data}.
function asker(model, words) {
  const waiting = new Map();
  let number = 0;
  model.on("msg:custom", (answer) => {
    waiting.get(answer.number)?.(answer);
    waiting.delete(answer.number);
  });
  return (verb, values = {}) =>
    new Promise((resolve) => {
      number += 1;
      const mine = number;
      waiting.set(mine, resolve);
      setTimeout(() => {
        if (waiting.delete(mine)) resolve({ ok: false, text: words.silent, hint: "" });
      }, ANSWER_MS_MAX);
      model.send_msg({ verb, number: mine, ...values });
    });
}

// Asks while the button shows that it is at work, then says how it went.
async function press(button, busyText, work) {
  if (button.getAttribute("aria-busy") === "true") return null;
  const label = button.querySelector(".label") || button;
  const text = label.textContent;
  button.setAttribute("aria-busy", "true");
  label.textContent = busyText;
  const answer = await work();
  button.removeAttribute("aria-busy");
  if (label.textContent === busyText) label.textContent = text;
  if (answer.text) toast(answer);
  return answer;
}

const TOAST_MS = 7_000;
const TOASTS_MAX = 3;

// The page holds the list, so that it outlives the card that asked.
function toast({ ok, text, hint }) {
  const list = document.getElementById("toasts");
  if (!list) return;
  const line = h("div", { class: ok ? "toast good" : "toast bad" });
  line.append(h("strong", {}, text));
  if (hint) line.append(h("span", {}, hint));
  const close = h("button", { type: "button", "aria-label": list.dataset.close, onclick: () => line.remove() }, "×");
  line.append(close);
  list.append(line);
  while (list.children.length > TOASTS_MAX) list.firstChild.remove();
  setTimeout(() => line.remove(), ok ? TOAST_MS : 2 * TOAST_MS);
}

// Runs `work` every `ms` until the card is gone.
function every(model, ms, work) {
  const timer = setInterval(work, ms);
  model.on("remove", () => clearInterval(timer));
}


// -- the show

// Asks the show for something; a refusal is told where everybody looks.
function directing(ask) {
  return async (action, values = {}) => {
    const answer = await ask("show", { command: { action, ...values } });
    if (!answer.ok && !answer.mistakes) toast(answer);
    return answer;
  };
}

// Does the button's work once at a time; while it lasts the button shows it.
function working(one, work) {
  one.addEventListener("click", async () => {
    if (one.getAttribute("aria-busy") === "true") return;
    one.setAttribute("aria-busy", "true");
    await work();
    one.removeAttribute("aria-busy");
  });
  return one;
}

// A button that asks the show for one thing, with the key that does the same.
function cue(text, work, { kind = "", path = null, key = null, act = null } = {}) {
  const one = working(button(`small ${kind}`, text, path), work);
  if (act) one.dataset.act = act;
  if (key) {
    one.setAttribute("aria-keyshortcuts", key);
    one.append(h("kbd", { "aria-hidden": "true" }, key));
  }
  return one;
}

function iconCue(path, label, work, act) {
  return working(h("button", { type: "button", class: "icon-button small", "aria-label": label, title: label, "data-act": act }, icon(path)), work);
}

function person(user, words) {
  const name = user?.name || words.anonymous;
  return h("span", { class: "person" }, avatar(name, user?.hue ?? 0), foreign(name, { class: "name", title: user?.handle ? `@${user.handle}` : null }));
}

// A switch that shows what is so, not what was asked for: `show(on)` tells it.
function onOff(text, title, ask) {
  const one = h("button", { type: "button", class: "toggle", "aria-pressed": "false", title }, text);
  one.addEventListener("click", () => ask(one.getAttribute("aria-pressed") !== "true"));
  return { one, show: (on) => one.setAttribute("aria-pressed", String(Boolean(on))) };
}

// One of several, as a group of radio buttons that looks like one control.
let groups = 0;
function choiceOf(label, options, choose) {
  const name = `choice-${(groups += 1)}`;
  const inputs = options.map(([value, text, title]) => {
    const input = h("input", { type: "radio", name, value });
    input.addEventListener("change", () => choose(value));
    return { input, box: h("label", { title }, input, h("span", {}, text)) };
  });
  return {
    box: h("div", { class: "segments", role: "radiogroup", "aria-label": label }, ...inputs.map((one) => one.box)),
    show: (value) => { for (const { input } of inputs) input.checked = input.value === String(value); },
  };
}

// Makes the children of `list` those of `rows`. A row that says the same as before keeps
// its element: with it the focus, and a click that is half done.
function keep(list, rows, make) {
  const before = new Map([...list.children].map((one) => [one.dataset.key, one]));
  rows.forEach((row, place) => {
    const key = String(row.id);
    const said = JSON.stringify(row);
    let element = before.get(key);
    if (element?.said !== said) {
      const focused = element?.getRootNode().activeElement;
      const act = element?.contains(focused) ? focused.dataset.act : null;
      const made = make(row);
      made.dataset.key = key;
      made.said = said;
      element?.replaceWith(made);
      element = made;
      if (act) made.querySelector(`[data-act="${act}"]`)?.focus();
    }
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
  while (list.children.length > rows.length) list.lastChild.remove();
}

// A field with its label and room for what is wrong with it.
let fields = 0;
function fieldOf(text, control, hint) {
  const id = `field-${(fields += 1)}`;
  control.id = id;
  const problem = h("p", { class: "problem", id: `${id}-problem` });
  control.setAttribute("aria-describedby", `${id}-problem`);
  const box = h("div", { class: "field" }, h("label", { for: id }, text), control, hint ? h("p", { class: "field-hint" }, hint) : null, problem);
  const tell = (wrong) => {
    put(problem, wrong);
    control.toggleAttribute("aria-invalid", Boolean(wrong));
    if (wrong) control.setAttribute("aria-invalid", "true");
  };
  control.addEventListener("input", () => tell(""));
  return { box, control, tell };
}

const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

// Seconds from now to a time of the server, by its clock. What the page brought with it is as
// old as it took to load: a moment that has been, heard of at once, tells better.
function clockOf(model) {
  let skew_ms = Date.now() - model.clock_ms;
  return {
    left_s: (at_us) => (at_us / 1000 - (Date.now() - skew_ms)) / 1000,
    heard: (at_us) => { if (at_us) skew_ms = Math.min(skew_ms, Date.now() - at_us / 1000); },
  };
}
