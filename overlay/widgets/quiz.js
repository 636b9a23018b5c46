/** A question of the quiz: choices with letters, a clock, who leads, the right answer. */

import { bump, enter, runFoot } from "../motion.js";
import { icon } from "../icons.js";
import { avatarOf, nameOf } from "../people.js";
import { element, textOf, tidy } from "../text.js";
import { say } from "../words.js";

const CHOICES_MAX = 8;
const CHOICE_CHARS_MAX = 90;
const WIDE_CHARS = 26;
const LONG_CHARS = 110;
const LATE_S = 5;
const STARS = { easy: 1, medium: 2, hard: 3 };

export function quizCard(value) {
  const card = element("article", "tl-panel tl-quiz");
  const text = tidy(value.text);
  if (text.length > LONG_CHARS) card.classList.add("tl-quiz-long");
  card.append(headOf(value), textOf(text, "tl-quiz-text", "p"));
  const choices = (value.choices ?? []).slice(0, CHOICES_MAX).map((one) => tidy(one, CHOICE_CHARS_MAX));
  if (choices.length) card.append(choicesOf(choices));
  card.append(footOf(), element("span", "tl-left"));
  return card;
}

function headOf(value) {
  const head = element("header", "tl-quiz-head");
  head.append(element("span", "tl-chip", say("question", { number: Number(value.round) || 1 })));
  if (value.category) head.append(textOf(tidy(value.category, 24), "tl-quiz-category", "span"));
  const stars = element("span", "tl-quiz-stars");
  for (let n = 0; n < (STARS[value.difficulty] ?? 0); n += 1) stars.append(icon("star"));
  head.append(stars, element("span", "tl-clock"));
  return head;
}

function choicesOf(choices) {
  const list = element("ol", "tl-choices");
  if (choices.some((one) => one.length > WIDE_CHARS)) list.classList.add("tl-choices-wide");
  choices.forEach((one, index) => {
    const row = element("li", "tl-choice");
    row.dataset.letter = "abcd"[index % 4];
    const letter = element("span", "tl-letter", String.fromCharCode(65 + index));
    row.append(letter, textOf(one, "tl-choice-text"));
    list.append(row);
  });
  return list;
}

function footOf() {
  const foot = element("footer", "tl-quiz-foot");
  foot.append(element("span", "tl-quiz-answered"), element("span", "tl-quiz-leader"));
  return foot;
}

/** Bring a card up to date with the state it was made of. */
export function updateQuiz(card, value, nowMs) {
  card.dataset.state = value.state;
  const answered = card.querySelector(".tl-quiz-answered");
  const words = say("answers", { count: Number(value.answered) || 0 });
  if (answered.textContent !== words) answered.textContent = words;
  setLeader(card.querySelector(".tl-quiz-leader"), value);
  if (value.state === "decided" || value.state === "closed") reveal(card, value);
  tickQuiz(card, value, nowMs);
}

function setLeader(slot, value) {
  const leader = value.state === "leading" || value.state === "on_air" ? value.leader : null;
  const id = leader ? String(leader.user_id) : "";
  if ((slot.dataset.user ?? "") === id) return;
  slot.dataset.user = id;
  slot.replaceChildren();
  if (!leader) return;
  slot.append(icon("flame"), element("span", "tl-quiz-first", say("leading")), avatarOf(leader), nameOf(leader));
  enter(slot, "translateX(18px)");
  bump(slot.querySelector(".tl-avatar"));
}

function reveal(card, value) {
  if (card.dataset.revealed) return;
  card.dataset.revealed = "1";
  const accepted = (value.accepted ?? []).map((one) => tidy(one, CHOICE_CHARS_MAX));
  const right = new Set(accepted.map((one) => one.toLowerCase()));
  let isShown = false;
  for (const row of card.querySelectorAll(".tl-choice")) {
    const isRight = right.has(row.querySelector(".tl-choice-text").textContent.toLowerCase());
    row.dataset.right = isRight ? "yes" : "no";
    if (isRight) row.append(icon("check"));
    isShown ||= isRight;
  }
  const leader = card.querySelector(".tl-quiz-leader");
  leader.replaceChildren();
  if (!isShown && accepted.length) {
    leader.append(icon("check"), element("span", "tl-quiz-first", say("answer")), textOf(accepted[0], "tl-quiz-solution"));
  }
  if (!value.winner || value.is_void) card.querySelector(".tl-quiz-answered").textContent = say("nobody");
}

export function tickQuiz(card, value, nowMs) {
  const clock = card.querySelector(".tl-clock");
  const runs = value.state === "on_air" || value.state === "leading";
  runFoot(card, value, nowMs, runs);
  clock.hidden = !runs || !value.closes_at;
  if (clock.hidden) return;
  const leftS = Math.max(0, Math.ceil((value.closes_at / 1000 - nowMs) / 1000));
  const digits = leftS < 60 ? String(leftS) : `${Math.floor(leftS / 60)}:${String(leftS % 60).padStart(2, "0")}`;
  if (clock.textContent !== digits) {
    clock.textContent = digits;
    clock.toggleAttribute("data-late", leftS <= LATE_S);
    if (leftS <= LATE_S) bump(clock);
  }
}
