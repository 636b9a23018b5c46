/**
 * The show's state, part by part, and who draws it. A state says all there is to know:
 * drawing it twice looks like once, and nothing depends on an earlier one.
 */

import * as sound from "./sound.js";
import * as speech from "./speech.js";
import { options } from "./options.js";
import { root, serverNow, state } from "./state.js";
import { setLanguage } from "./words.js";
import { followPreset } from "./preset.js";

const TICK_MS = 250;

/** Part of the show -> the widgets that it is wanted for; the first one names its module. */
const PARTS = {
  question: ["question", "quiz", "winner"],
  alert: ["alert"],
  goals: ["goal"],
  poll: ["poll"],
  leaderboard: ["leaderboard"],
};
const drawers = new Map();

const isWanted = (part) => PARTS[part].some((widget) => options.shows.has(widget));
const wantedParts = () => Object.keys(PARTS).filter(isWanted);

export const showTopics = () => ["show:stage", ...wantedParts().map((part) => `show:${part}`)];

export async function loadWidgets() {
  const load = async (part) => drawers.set(part, await import(`./widgets/${PARTS[part][0]}.js`));
  await Promise.all(wantedParts().filter((part) => !drawers.has(part)).map(load));
}

export function takePart(name, value) {
  if (!value || typeof value !== "object") return;
  state.show[name] = value;
  if (name === "stage") setStage(value);
  else draw(name);
}

/** Take all of it, from a snapshot: what is not in it is not there. */
export function takeShow(show) {
  if (!show || typeof show !== "object") return;
  for (const name of Object.keys(state.show)) if (!(name in show)) forget(name);
  // The stage first: language and whether anything may be seen at all.
  if (show.stage) takePart("stage", show.stage);
  for (const [name, value] of Object.entries(show)) if (name !== "stage") takePart(name, value);
}

/** Draw everything again: options or language have changed. */
export function redraw() {
  for (const [name, drawer] of drawers) {
    drawer.clear();
    if (state.show[name]) draw(name);
  }
}

function draw(name) {
  if (!drawers.has(name) || !isWanted(name)) return;
  drawers.get(name).update(state.show[name], serverNow());
  tellRoom();
}

/** Where there is little room, one thing is shown at a time. */
function tellRoom() {
  root.toggleAttribute("data-asking", drawers.get("question")?.isOnAir() === true);
  root.toggleAttribute("data-polling", drawers.get("poll")?.isOnAir() === true);
}

function forget(name) {
  delete state.show[name];
  if (name === "stage") setStage({});
  else drawers.get(name)?.clear();
  tellRoom();
}

function setStage(stage) {
  root.toggleAttribute("data-blank", stage.is_blank === true);
  sound.setStage(stage);
  speech.setStage(stage);
  if (!options.language) setLanguage(stage.language);
  followPreset(stage.preset);
}

/** Let clocks run, four times a second; what has none costs nothing. */
setInterval(() => {
  for (const name of ["question", "poll"]) {
    if (state.show[name] && drawers.has(name)) drawers.get(name).tick(state.show[name], serverNow());
  }
}, TICK_MS);
