/** Options and styles saved under a name: the address in OBS stays short, edits apply at once. */

import { presetName, presetOf, takeOptions } from "./options.js";
import { addressOf } from "./state.js";
import { wear } from "./sheets.js";

let changed = () => {};
let name = "";

export function onPreset(listener) {
  changed = listener;
}

export async function loadPreset() {
  if (presetName) await load(presetName);
}

/** Follow the preset that the operator chose, unless the address names one. */
export function followPreset(chosen) {
  const next = presetOf(chosen);
  if (!presetName && next !== name) load(next);
}

export function presetChanged(data) {
  if (data.name === name || data.name === presetName) load(data.name);
}

async function load(wanted) {
  name = wanted;
  try {
    const answer = wanted ? await fetch(addressOf(`api/overlay/presets/${wanted}`)) : null;
    const preset = answer?.ok ? await answer.json() : {};
    if (name !== wanted) return; // Another was chosen meanwhile.
    const styles = `${addressOf(`overlay/presets/${wanted}.css`).href}?v=${preset.revision}`;
    await Promise.all([takeOptions(preset.options), wear("preset", preset.css ? styles : "")]);
    changed();
  } catch {
    name = ""; // The server is away: its next word about it is heard.
  }
}
