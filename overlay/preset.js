/** Options and styles saved under a name: the address in OBS stays short, edits apply at once. */

import { presetName, takeOptions } from "./options.js";
import { addressOf } from "./state.js";
import { element } from "./text.js";

const listeners = [];
let name = "";
let sheet = null;

/** Have `listener` called when a preset has changed the options. */
export function onPreset(listener) {
  listeners.push(listener);
}

/** Load the preset that the address names. */
export async function loadPreset() {
  if (presetName) await load(presetName);
}

/** Follow the preset that the operator chose, unless the address names one. */
export function followPreset(chosen) {
  const next = /^[a-z0-9-]{1,32}$/.test(chosen ?? "") ? chosen : "";
  if (!presetName && next !== name) load(next);
}

/** A preset was saved or removed somewhere. */
export function presetChanged(data) {
  if (data.name === name || data.name === presetName) load(data.name);
}

async function load(wanted) {
  name = wanted;
  try {
    const answer = wanted ? await fetch(addressOf(`api/overlay/presets/${wanted}`)) : null;
    const preset = answer?.ok ? await answer.json() : {};
    if (name !== wanted) return; // Another was chosen meanwhile.
    takeOptions(preset.options);
    style(wanted, preset);
    for (const listener of listeners) listener();
  } catch {
    name = ""; // The server is away: its next word about it is heard.
  }
}

/** Exchange the style sheet without a moment in which there is none. */
function style(wanted, preset) {
  const old = sheet;
  sheet = null;
  if (!preset.css) return old?.remove();
  sheet = element("link", "tl-preset");
  sheet.rel = "stylesheet";
  sheet.href = `${addressOf(`overlay/presets/${wanted}.css`).href}?v=${preset.revision}`;
  sheet.onload = sheet.onerror = () => old?.remove();
  document.head.append(sheet);
}
