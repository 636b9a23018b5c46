/** A poll: what is asked, how to vote, how it stands. */

import { icon } from "../icons.js";
import { enter, fill, Place, runFoot } from "../motion.js";
import { element, textOf, tidy } from "../text.js";
import { say } from "../words.js";

const OPTIONS_MAX = 8;
const LABEL_CHARS_MAX = 60;

const place = new Place(".tl-poll-slot");

export const isOnAir = () => place.key !== null;

export function update(value, nowMs) {
  const choices = (value.options ?? []).slice(0, OPTIONS_MAX);
  if (value.state === "idle" || !choices.length) return place.hide();
  const key = `${value.opened_at}:${choices.length}`;
  place.show(key, () => pollCard(value, choices), (card) => bringUpToDate(card, value, choices, nowMs));
}

export function tick(value, nowMs) {
  if (place.key !== null) runFoot(place.card, value, nowMs, value.state === "open");
}

export function clear() {
  place.clear();
}

function pollCard(value, choices) {
  const card = element("article", "tl-panel tl-poll");
  const head = element("header", "tl-poll-head");
  head.append(icon("poll"), element("span", "tl-chip", say("poll")), element("span", "tl-poll-total"));
  card.append(head, textOf(tidy(value.text), "tl-poll-text", "p"));
  const list = element("ol", "tl-poll-options");
  choices.forEach((choice, index) => list.append(optionRow(choice, index)));
  card.append(list, element("p", "tl-poll-hint"), element("span", "tl-left"));
  return card;
}

function optionRow(choice, index) {
  const row = element("li", "tl-poll-option");
  row.dataset.letter = "abcd"[index % 4];
  const track = element("span", "tl-track");
  track.append(element("span", "tl-bar"));
  const number = element("span", "tl-letter", String(index + 1));
  const label = textOf(tidy(choice.label, LABEL_CHARS_MAX), "tl-poll-label");
  row.append(number, label, element("span", "tl-poll-share"), track);
  return row;
}

function bringUpToDate(card, value, choices, nowMs) {
  const isClosed = value.state === "closed";
  const most = Math.max(...choices.map((choice) => Number(choice.votes) || 0));
  const rows = card.querySelectorAll(".tl-poll-option");
  choices.forEach((choice, index) => {
    const share = Number(choice.share) || 0;
    const row = rows[index];
    row.querySelector(".tl-poll-share").textContent = `${Math.round(share * 100)}\u202f%`;
    fill(row.querySelector(".tl-bar"), share);
    row.toggleAttribute("data-first", isClosed && most > 0 && Number(choice.votes) === most);
  });
  if (isClosed && card.dataset.state === "open") enter(card.querySelector(".tl-poll-total"), "scale(.6)");
  card.dataset.state = value.state;
  card.querySelector(".tl-poll-total").textContent = say("votes", { count: Number(value.total) || 0 });
  const hint = value.source === "tiktok" ? "" : say("poll.hint", { last: choices.length });
  card.querySelector(".tl-poll-hint").textContent = isClosed ? say("poll.closed") : hint;
  runFoot(card, value, nowMs, value.state === "open");
}
