/**
 * Our own sounds, made on the spot: a few notes for each kind of alert. Off unless the
 * address says `sound=1`, so that several sources of one scene do not play together.
 */

import { options } from "./options.js";
import { element } from "./text.js";
import { say } from "./words.js";

/** Notes as [semitones from A4, beginning in ms, length in ms]; one shape of wave each. */
const SOUNDS = {
  gift: { wave: "triangle", notes: [[3, 0, 140], [7, 90, 140], [12, 180, 420]] },
  follow: { wave: "sine", notes: [[0, 0, 160], [7, 110, 380]] },
  share: { wave: "sine", notes: [[7, 0, 120], [4, 100, 300]] },
  subscribe: { wave: "triangle", notes: [[0, 0, 120], [4, 90, 120], [7, 180, 120], [12, 270, 420]] },
  raid: { wave: "sawtooth", notes: [[-12, 0, 200], [-5, 160, 200], [0, 320, 500]] },
  winner: { wave: "triangle", notes: [[0, 0, 150], [0, 170, 90], [0, 280, 90], [5, 380, 260], [9, 620, 600]] },
};
const LOUDEST = 0.22;
const ATTACK_S = 0.012;
const SOUNDS_HZ_MAX = 2;

let stageVolume = 1;
let isBlank = false;
let context = null;
let playedAt = 0;
let hint = null;

export function setStage(stage) {
  const volume = Number(stage.sound?.volume ?? 1);
  stageVolume = Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1;
  isBlank = stage.is_blank === true;
}

/** Ask for a click where the browser wants one before it makes a sound; OBS does not. */
export function unlock() {
  if (!options.volume && !options.speaks) return;
  context ??= new AudioContext();
  if (context.state !== "suspended" || window.obsstudio) return hideHint();
  if (hint) return;
  hint = element("button", "tl-unlock", say("unlock"));
  hint.type = "button";
  document.querySelector(".tl-stage").append(hint);
  addEventListener("pointerdown", wake);
  addEventListener("keydown", wake);
}

async function wake() {
  await context.resume();
  // Speech has to be begun by a click, too.
  if (options.speaks) speechSynthesis.resume();
  hideHint();
}

function hideHint() {
  hint?.remove();
  hint = null;
  removeEventListener("pointerdown", wake);
  removeEventListener("keydown", wake);
}

export function play(kind) {
  const volume = options.volume * stageVolume * (options.sounds[kind] ?? 1);
  const now = performance.now();
  if (!volume || isBlank || !SOUNDS[kind] || now - playedAt < 1000 / SOUNDS_HZ_MAX) return;
  context ??= new AudioContext();
  if (context.state !== "running") return;
  playedAt = now;
  for (const note of SOUNDS[kind].notes) playNote(SOUNDS[kind].wave, note, volume * LOUDEST);
}

function playNote(wave, [semitones, beginMs, lengthMs], loud) {
  const at = context.currentTime + beginMs / 1000;
  const end = at + lengthMs / 1000;
  const tone = context.createOscillator();
  const level = context.createGain();
  tone.type = wave;
  tone.frequency.value = 440 * 2 ** (semitones / 12);
  level.gain.setValueAtTime(0, at);
  level.gain.linearRampToValueAtTime(loud, at + ATTACK_S);
  level.gain.exponentialRampToValueAtTime(0.0001, end);
  tone.connect(level).connect(context.destination);
  tone.start(at);
  tone.stop(end);
}
