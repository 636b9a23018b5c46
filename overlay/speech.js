/**
 * Spoken names of winners and givers, by the browser's own voice. Off unless the address
 * says `tts=1` and the operator has switched it on; one word of his and it is silent.
 */

import { options } from "./options.js";
import { root } from "./state.js";

const CHARS_MAX = 140;
const WAITING_MAX = 4;
const PAUSE_MS_MIN = 1500;
const SAME_USER_MS_MIN = 20000;
const USERS_KEPT = 200;
const RANK = { winner: 0, gift: 1 };
const LINKS = /\b(?:https?:\/\/|www\.)\S+|\b[\w-]+\.(?:com|net|org|io|tv|gg|me|fr|de|co)\b\S*/gi;
const PICTURES = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\u200d\ufe0f]+/gu;
const LONG_RUNS = /(.)\1{3,}/gu;

const waiting = [];
const spokenAt = new Map();
let isOn = false;
let stops = null;
let readyAt = 0;
let timer = 0;

export function setStage(stage) {
  const stop = Number(stage.speech?.stop) || 0;
  isOn = stage.speech?.on === true && stage.is_blank !== true;
  if (!isOn || (stops !== null && stop !== stops)) hush();
  stops = stop;
}

/** Return what of a text is worth saying: no links, pictures or endless letters. */
export function sayable(text) {
  const clean = text.replace(LINKS, " ").replace(PICTURES, " ").replace(LONG_RUNS, "$1$1").replace(/[#@_*~^`|<>{}[\]\\]+/g, " ");
  return clean.replace(/\s+/g, " ").trim().slice(0, CHARS_MAX);
}

/** Say something soon: the lowest and oldest is dropped when too much waits. */
export function speak(kind, text, userId) {
  if (!isOn || !options.speaks || !globalThis.speechSynthesis) return;
  const now = performance.now();
  const user = String(userId ?? "");
  if (kind === "gift" && now - (spokenAt.get(user) ?? -Infinity) < SAME_USER_MS_MIN) return;
  spokenAt.delete(user);
  spokenAt.set(user, now);
  if (spokenAt.size > USERS_KEPT) spokenAt.delete(spokenAt.keys().next().value);
  waiting.push({ rank: RANK[kind] ?? 9, text: sayable(text) });
  waiting.sort((a, b) => a.rank - b.rank);
  if (waiting.length > WAITING_MAX) waiting.splice(waiting.findIndex((one) => one.rank === waiting.at(-1).rank), 1);
  plan();
}

export function hush() {
  waiting.length = 0;
  clearTimeout(timer);
  timer = 0;
  globalThis.speechSynthesis?.cancel();
}

function plan() {
  if (!timer && waiting.length) timer = setTimeout(next, Math.max(0, readyAt - performance.now()));
}

function next() {
  timer = 0;
  if (speechSynthesis.speaking) {
    readyAt = performance.now() + PAUSE_MS_MIN;
    return plan();
  }
  const one = waiting.shift();
  if (!one?.text) return plan();
  const words = new SpeechSynthesisUtterance(one.text);
  words.lang = root.lang;
  words.volume = options.volume || 1;
  speechSynthesis.speak(words);
  readyAt = performance.now() + PAUSE_MS_MIN;
  plan();
}
