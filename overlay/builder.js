/** The builder: puts an address together, shows what it looks like, saves presets. */

import { addressOf, WIDGETS } from "./state.js";
import { THEMES } from "./options.js";
import { element } from "./text.js";
import { onLanguage, say, setLanguage, useWords } from "./words.js";

const PREVIEW_AFTER_MS = 200;
const MARGIN = 0.96;
const COPIED_MS = 1800;
const PRESETS = "api/overlay/presets";
/** As they are without an option: left out of the address. */
const DEFAULTS = { theme: THEMES[0], scale: "1", align: "", lang: "", limit: "60", fade: "0", board: "live", sound: "0" };
const IN_ALL = WIDGETS.filter((name) => name !== "viewers" && name !== "connection");

const find = (id) => document.getElementById(id);
const form = find("options");
const preview = find("preview");
const frame = find("window");
let timer = 0;

// -- the form --------------------------------------------------------------------

function build() {
  for (const name of ["all", ...WIDGETS]) option(find("widget"), name, `widget_${name}`);
  for (const name of WIDGETS) choice(find("shown"), "checkbox", "show", name, `widget_${name}`, IN_ALL.includes(name));
  for (const name of THEMES) choice(find("themes"), "radio", "theme", name, `theme_${name}`, name === THEMES[0]);
}

function option(select, value, word) {
  const made = element("option", "");
  made.value = value;
  made.dataset.word = word;
  select.append(made);
}

function choice(group, type, name, value, word, checked) {
  const label = element("label", type === "checkbox" ? "check" : "");
  const input = element("input", "");
  Object.assign(input, { type, name, value, defaultChecked: checked, checked });
  const text = element("span", "");
  text.dataset.word = word;
  label.append(input, text);
  group.append(label);
}

/** Return the options that differ from what a page is without any. */
function chosen() {
  const data = new FormData(form);
  const options = {};
  for (const [name, value] of Object.entries(DEFAULTS)) {
    if (data.get(name) !== null && data.get(name) !== value) options[name] = data.get(name);
  }
  const shown = data.getAll("show");
  if (data.get("widget") === "all" && shown.join() !== IN_ALL.join()) options.show = shown.join(",");
  if (!data.has("motion")) options.motion = "0";
  if (!data.has("avatars")) options.avatars = "0";
  if (data.has("policy")) options.policy = "safe";
  if (data.has("tts")) options.tts = "1";
  return options;
}

/** Put options into the form. */
function fillIn(options) {
  const value = (name) => options[name] ?? DEFAULTS[name];
  for (const name of ["scale", "align", "lang", "limit", "fade", "board", "sound"]) form.elements[name].value = value(name);
  form.elements.theme.value = value("theme");
  const shown = options.show === undefined ? IN_ALL : options.show.split(",");
  for (const box of form.elements.show) box.checked = shown.includes(box.value);
  form.elements.motion.checked = options.motion !== "0";
  form.elements.avatars.checked = options.avatars !== "0";
  form.elements.policy.checked = options.policy === "safe";
  form.elements.tts.checked = options.tts === "1";
}

// -- address and preview -----------------------------------------------------------

function pageOf(query) {
  const widget = form.elements.widget.value;
  const url = addressOf(widget === "all" ? "overlay" : `overlay/${widget}`);
  url.search = new URLSearchParams(query).toString();
  return url.href;
}

function address() {
  const name = find("presets").value;
  return pageOf(name ? { preset: name } : chosen());
}

function changed() {
  find("shown").hidden = form.elements.widget.value !== "all";
  for (const output of form.querySelectorAll("output")) {
    output.textContent = `${Math.round(form.elements[output.htmlFor.value].value * 100)} %`;
  }
  find("address").value = address();
  find("qr").src = `${addressOf("api/overlay/qr").href}?${new URLSearchParams({ text: address() })}`;
  clearTimeout(timer);
  timer = setTimeout(showPreview, PREVIEW_AFTER_MS);
}

function showPreview() {
  const url = pageOf({ ...chosen(), demo: "1", sound: "0", tts: "0", lang: chosen().lang ?? document.documentElement.lang });
  if (preview.src !== url) preview.src = url;
  fit();
  style();
}

function fit() {
  const [width, height] = find("size").value.split("x").map(Number);
  const scale = Math.min(frame.clientWidth / width, frame.clientHeight / height) * MARGIN;
  Object.assign(preview.style, { width: `${width}px`, height: `${height}px`, transform: `translate(-50%, -50%) scale(${scale})` });
  frame.dataset.ground = find("ground").value;
}

/** Show the styles in the preview before they are saved. */
function style() {
  const page = preview.contentWindow;
  if (!page?.document?.adoptedStyleSheets) return;
  const sheet = new page.CSSStyleSheet();
  sheet.replaceSync(find("css").value);
  page.document.adoptedStyleSheets = [sheet];
}

async function copy() {
  const field = find("address");
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    field.select();
    return;
  }
  find("copy").textContent = say("copied");
  setTimeout(() => {
    find("copy").textContent = say("copy");
  }, COPIED_MS);
}

// -- presets -------------------------------------------------------------------------

let presets = [];

async function ask(path, method = "GET", value = undefined) {
  const body = value === undefined ? undefined : JSON.stringify(value);
  const answer = await fetch(addressOf(path), { method, body, headers: body ? { "Content-Type": "application/json" } : {} });
  const told = await answer.json();
  if (!answer.ok) throw new Error([told.error, told.hint].filter(Boolean).join(" "));
  return told;
}

function tellAnswer(text, isBad = false) {
  find("answer").textContent = text;
  find("answer").toggleAttribute("data-bad", isBad);
}

async function listPresets(selected = find("presets").value) {
  presets = (await ask(PRESETS)).presets;
  const list = find("presets");
  list.replaceChildren();
  option(list, "", "preset_none");
  for (const { name } of presets) {
    const made = element("option", "", name);
    made.value = name;
    list.append(made);
  }
  list.value = presets.some(({ name }) => name === selected) ? selected : "";
  drawWords();
  changed();
}

function openPreset() {
  const preset = presets.find(({ name }) => name === find("presets").value);
  find("preset-name").value = preset?.name ?? "";
  find("css").value = preset?.css ?? "";
  if (preset) fillIn(preset.options);
  changed();
}

async function attempt(work) {
  try {
    await work();
  } catch (error) {
    tellAnswer(error.message, true);
  }
}

const save = () =>
  attempt(async () => {
    const name = find("preset-name").value.trim();
    if (!name) {
      find("preset-name").focus();
      return tellAnswer(say("preset_unnamed"), true);
    }
    await ask(`${PRESETS}/${encodeURIComponent(name)}`, "PUT", { options: chosen(), css: find("css").value });
    await listPresets(name);
    tellAnswer(say("saved"));
  });

const remove = () =>
  attempt(async () => {
    const name = find("presets").value;
    if (!name) return tellAnswer(say("preset_unchosen"), true);
    await ask(`${PRESETS}/${name}`, "DELETE");
    await listPresets("");
    tellAnswer(say("removed"));
  });

// -- begin -----------------------------------------------------------------------------

function drawWords() {
  document.title = say("title");
  for (const made of document.querySelectorAll("[data-word]")) made.textContent = say(made.dataset.word);
  for (const made of document.querySelectorAll("[data-label]")) made.setAttribute("aria-label", say(made.dataset.label));
  preview.title = say("preview");
  find("qr").alt = say("qr");
}

async function begin() {
  useWords("builder.");
  build();
  const known = [...find("page-language").options].map(({ value }) => value);
  const wanted = new URLSearchParams(location.search).get("lang") ?? navigator.language.slice(0, 2);
  find("page-language").value = known.includes(wanted) ? wanted : "en";
  onLanguage(() => {
    drawWords();
    changed();
  });
  await setLanguage(find("page-language").value);
  form.addEventListener("input", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  find("page-language").addEventListener("change", (event) => setLanguage(event.target.value));
  find("presets").addEventListener("change", openPreset);
  for (const id of ["size", "ground"]) find(id).addEventListener("change", fit);
  for (const [id, action] of [["copy", copy], ["save", save], ["remove", remove]]) find(id).addEventListener("click", action);
  preview.addEventListener("load", style);
  addEventListener("resize", fit);
  await attempt(() => listPresets());
}

begin();
