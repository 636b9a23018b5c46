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

function initial(name) {
  return (Array.from(name.trim())[0] || "?").toUpperCase();
}

function avatar(name, hue) {
  const element = h("span", { class: "avatar", "aria-hidden": "true", style: `--hue:${hue * 30}` });
  element.textContent = initial(name);
  return element;
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
  const close = h("button", { type: "button", "aria-label": "×", onclick: () => line.remove() }, "×");
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

