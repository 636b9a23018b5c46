/**
 * What the address asks for. A preset (`preset=NAME`) brings options too; what stands in
 * the address goes before it. README and the builder page list them all.
 */

import { root, state, WIDGETS } from "./state.js";

export const THEMES = ["midnight", "paper", "neon", "candy", "clear", "contrast", "plain"];
/** Names from before there were more. */
const THEME_ALIASES = { dark: "midnight", light: "paper" };
const IN_ALL = WIDGETS.filter((name) => name !== "viewers" && name !== "connection");
const OF_VIEW = { chat: ["chat"], question: ["question", "quiz", "winner"] };
const OF_PAGE = { quiz: ["quiz", "winner"] };

const address = new URLSearchParams(location.search);

/** The options in force. Keep the object: a preset that is edited changes it in place. */
export const options = {};

/** Name of the preset in the address; empty for none. */
export const presetName = /^[a-z0-9-]{1,32}$/.test(address.get("preset") ?? "") ? address.get("preset") : "";

/** Take up the options of a preset (none by default) beneath those of the address. */
export function takeOptions(preset = {}) {
  const query = new URLSearchParams(preset);
  for (const [name, value] of address) query.set(name, value);
  Object.assign(options, read(query));
  apply();
}

function read(query) {
  const number = (name, fallback, low, high) => {
    const value = Number.parseFloat(query.get(name) ?? "");
    return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : fallback;
  };
  const choice = (name, ...values) => (values.includes(query.get(name)) ? query.get(name) : values[0]);
  const off = (name) => ["0", "false", "no", "off"].includes(query.get(name) ?? "");
  const on = (name) => query.has(name) && !off(name);
  const theme = THEME_ALIASES[query.get("theme")] ?? query.get("theme");
  const demo = on("demo") || on("preview");
  return {
    ...shownOf(query, off),
    theme: THEMES.includes(theme) ? theme : THEMES[0],
    language: /^[a-z]{2}$/.test(query.get("lang") ?? "") ? query.get("lang") : "",
    align: choice("align", "left", "right", "center"),
    place: ["left", "right", "center"].includes(query.get("align")) ? query.get("align") : "center",
    scale: number("scale", 1, 0.5, 3) * (number("fontSize", 100, 50, 300) / 100),
    limit: Math.round(number("limit", 60, 1, 200)),
    fadeMs: number("fade", 0, 0, 3600) * 1000,
    still: off("motion"),
    smooth: !off("smooth"),
    status: on("status") || on("debug"),
    solid: off("transparent"),
    debug: on("debug"),
    ribbon: !off("ribbon"),
    ack: on("ack"),
    avatars: !off("avatars") && !on("noavatar"),
    safe: query.get("policy") === "safe",
    volume: on("sound") ? number("sound", 1, 0, 1) : 0,
    sounds: volumesOf(query.get("sounds") ?? ""),
    speaks: on("tts"),
    board: query.get("board") ?? "live",
    ground: query.get("bgColor") ?? "",
    ink: query.get("fontColor") ?? "",
    demo,
    demoStill: query.get("demo") === "still",
  };
}

/** Return which widgets this page shows: by its path, by `view`, or by `show` and `hide`. */
function shownOf(query, off) {
  const page = location.pathname.split("/").at(-1);
  const list = (name) => (query.get(name) ?? "").split(",").filter((one) => WIDGETS.includes(one));
  const view = Object.hasOwn(OF_VIEW, query.get("view")) ? query.get("view") : "all";
  if (WIDGETS.includes(page)) return { view: page, shows: new Set(OF_PAGE[page] ?? [page]) };
  const shows = new Set(OF_VIEW[view] ?? (query.has("show") ? list("show") : IN_ALL));
  for (const one of list("hide")) shows.delete(one);
  if (off("showChats")) shows.delete("chat");
  if (off("showGifts") && off("showFollows")) shows.delete("alert");
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
  state.widget = options.view;
}

function colour(property, value) {
  if (CSS.supports("color", value)) root.style.setProperty(property, value);
  else root.style.removeProperty(property);
}
