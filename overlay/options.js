/**
 * What the address asks for. A preset (`preset=NAME`) brings options too; what stands in
 * the address goes before it. README and the builder page list them all.
 */

import { wear } from "./sheets.js";
import { root, WIDGETS } from "./state.js";

export const THEMES = ["midnight", "paper", "neon", "candy", "clear", "contrast", "plain"];
const IN_ALL = WIDGETS.filter((name) => name !== "viewers" && name !== "connection");
const OF_VIEW = { chat: ["chat"], question: ["question", "quiz", "winner"] };
const OF_PAGE = { quiz: ["quiz", "winner"] };

const address = new URLSearchParams(location.search);

/** The options in force. Keep the object: a preset that is edited changes it in place. */
export const options = {};

/** Return what can be the name of a preset; empty for anything else. */
export const presetOf = (text) => (/^[a-z0-9-]{1,32}$/.test(text ?? "") ? text : "");

export const presetName = presetOf(address.get("preset"));

/** Take up the options of a preset (none by default) beneath those of the address; resolves when the theme is on. */
export function takeOptions(preset = {}) {
  const query = new URLSearchParams(preset);
  for (const [name, value] of address) query.set(name, value);
  Object.assign(options, read(query));
  apply();
  const isDefault = options.theme === THEMES[0];
  return wear("theme", isDefault ? "" : new URL(`themes/${options.theme}.css`, import.meta.url).href);
}

function read(query) {
  const number = (name, fallback, low, high) => {
    const value = Number.parseFloat(query.get(name) ?? "");
    return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : fallback;
  };
  const choice = (name, ...values) => (values.includes(query.get(name)) ? query.get(name) : values[0]);
  const off = (name) => ["0", "false", "no", "off"].includes(query.get(name) ?? "");
  const on = (name) => query.has(name) && !off(name);
  return {
    ...shownOf(query),
    theme: choice("theme", ...THEMES),
    language: /^[a-z]{2}$/.test(query.get("lang") ?? "") ? query.get("lang") : "",
    align: choice("align", "left", "right", "center"),
    place: choice("align", "center", "left", "right"),
    scale: number("scale", 1, 0.5, 3),
    limit: Math.round(number("limit", 60, 1, 200)),
    limited: query.has("limit"), // otherwise as many as fit
    fadeMs: number("fade", 0, 0, 3600) * 1000,
    still: off("motion"),
    smooth: !off("smooth"),
    status: on("status") || on("debug"),
    solid: off("transparent"),
    debug: on("debug"),
    ribbon: !off("ribbon"),
    ack: on("ack"),
    avatars: !off("avatars"),
    safe: query.get("policy") === "safe",
    volume: on("sound") ? number("sound", 1, 0, 1) : 0,
    sounds: volumesOf(query.get("sounds") ?? ""),
    speaks: on("tts"),
    board: choice("board", "live", "week", "all"),
    ground: query.get("bgColor") ?? "",
    ink: query.get("fontColor") ?? "",
    demo: on("demo"),
    demoStill: query.get("demo") === "still",
  };
}

/** Return which widgets this page shows: by its path, by `view`, or by `show` and `hide`. */
function shownOf(query) {
  const page = location.pathname.split("/").at(-1);
  const list = (name) => (query.get(name) ?? "").split(",").filter((one) => WIDGETS.includes(one));
  const view = Object.hasOwn(OF_VIEW, query.get("view")) ? query.get("view") : "all";
  if (WIDGETS.includes(page)) return { view: page, shows: new Set(OF_PAGE[page] ?? [page]) };
  const shows = new Set(OF_VIEW[view] ?? (query.has("show") ? list("show") : IN_ALL));
  for (const one of list("hide")) shows.delete(one);
  return { view, shows };
}

/** Read `gift:0.5,follow:0` into volumes by kind of alert. */
function volumesOf(text) {
  const volumes = {};
  for (const [, kind, volume] of text.matchAll(/([a-z]+):([\d.]+)/g)) {
    volumes[kind] = Math.min(1, Math.max(0, Number.parseFloat(volume) || 0));
  }
  return volumes;
}

function apply() {
  for (const name of ["view", "theme", "align", "place"]) root.dataset[name] = options[name];
  root.style.setProperty("--tl-scale", String(options.scale));
  colour("--tl-ground", options.ground);
  colour("--tl-ink", options.ink);
  root.toggleAttribute("data-solid", options.solid);
  root.toggleAttribute("data-ground", Boolean(options.ground));
  root.toggleAttribute("data-debug", options.debug);
  root.toggleAttribute("data-still", options.still);
  for (const widget of WIDGETS) root.toggleAttribute(`data-no-${widget}`, !options.shows.has(widget));
}

function colour(property, value) {
  if (CSS.supports("color", value)) root.style.setProperty(property, value);
  else root.style.removeProperty(property);
}
