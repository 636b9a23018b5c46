/**
 * What is on air: a question of the audience, a question of the quiz, its winner.
 *
 * One place, because only one of them is there at a time; each is drawn only where the
 * page shows that widget.
 */

import { Place, runFoot } from "../motion.js";
import { options } from "../options.js";
import { avatarOf, nameOf, plainName } from "../people.js";
import { element, textOf, tidy } from "../text.js";
import { say } from "../words.js";
import * as sound from "../sound.js";
import * as speech from "../speech.js";
import { quizCard, tickQuiz, updateQuiz } from "./quiz.js";
import { winnerCard, winnerOf } from "./winner.js";

const LONG_CHARS = 140;
const ON_AIR = ["on_air", "leading"];

const place = new Place(".tl-question-slot");
let before = "";

export const isOnAir = () => place.key !== null;

export function update(value, nowMs) {
  const key = `${value.round}:${value.id}`;
  const won = value.state === "decided" && value.winner && !value.is_void ? winnerOf(value) : null;
  const phase = `${key}:${value.state}:${won?.user.user_id}`;
  const isNews = before !== "" && before !== phase;
  before = phase;
  if (won && options.shows.has("winner")) {
    // The operator may judge otherwise while it is on screen.
    place.show(`winner:${phase}:${won.points}:${value.is_disputed}`, () => winnerCard(value));
    if (isNews) celebrate(value);
  } else if (value.source === "audience") {
    if (ON_AIR.includes(value.state) && options.shows.has("question")) showAsked(key, value, nowMs);
    else place.hide();
  } else if (value.text && value.state !== "idle" && options.shows.has("quiz")) {
    place.show(`quiz:${key}`, () => quizCard(value), (card) => updateQuiz(card, value, nowMs));
  } else {
    place.hide();
  }
}

export function tick(value, nowMs) {
  if (place.key === null || !ON_AIR.includes(value.state)) return;
  if (place.key.startsWith("quiz:")) tickQuiz(place.card, value, nowMs);
  else if (place.key.startsWith("asked:")) runFoot(place.card, value, nowMs);
}

export function clear() {
  place.clear();
}

function celebrate(value) {
  const { user, points } = winnerOf(value);
  sound.play("winner");
  speech.speak("winner", say("spoken.winner", { name: plainName(user), points }), user?.user_id);
}

function showAsked(key, value, nowMs) {
  const build = () => askedCard(value.asked_by, tidy(value.text), Number(value.asked_count) || 1);
  place.show(`asked:${key}`, build, (card) => runFoot(card, value, nowMs));
}

function askedCard(user, text, times) {
  const card = element("article", "tl-panel tl-question");
  const head = element("header", "tl-question-head");
  head.append(avatarOf(user), nameOf(user), element("span", "tl-question-asks", say("asks")));
  if (times > 1) head.append(element("span", "tl-chip", `\u00d7${times}`));
  if (text.length > LONG_CHARS) card.classList.add("tl-question-long");
  card.append(head, textOf(text, "tl-question-text", "p"), element("span", "tl-left"));
  return card;
}
