/** The best players. Who overtakes slides to his new place. */

import { icon } from "../icons.js";
import { enter, moves } from "../motion.js";
import { options } from "../options.js";
import { avatarOf, nameOf } from "../people.js";
import { element } from "../text.js";
import { amount, say } from "../words.js";

const ROWS_MAX = 10;
const STREAK_MIN = 2;

const slot = document.querySelector(".tl-board-slot");
const rows = new Map();
let card = null;

export function update(value) {
  const players = (value[options.board] ?? []).filter((player) => player?.user).slice(0, ROWS_MAX);
  if (!players.length) return clear();
  if (!card) {
    card = element("article", "tl-panel tl-board");
    const head = element("header", "tl-board-head");
    head.append(icon("trophy"), element("span", "tl-board-title", say(`board.${options.board}`)));
    card.append(head, element("ol", "tl-board-rows"));
    slot.replaceChildren(card);
    enter(card, "translateX(24px)");
  }
  place(players);
}

export function clear() {
  rows.clear();
  card = null;
  slot.replaceChildren();
}

function place(players) {
  const before = new Map([...rows].map(([id, row]) => [id, row.offsetTop]));
  const ids = new Set(players.map((player) => String(player.user.user_id)));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.remove();
    rows.delete(id);
  }
  const list = card.querySelector(".tl-board-rows");
  for (const player of players) list.append(rowOf(player));
  if (!moves()) return;
  for (const [id, row] of rows) {
    const by = (before.get(id) ?? row.offsetTop) - row.offsetTop;
    if (by) row.animate({ transform: [`translateY(${by}px)`, "none"] }, { duration: 480, easing: "cubic-bezier(.2,.8,.2,1)" });
  }
}

function rowOf(player) {
  const id = String(player.user.user_id);
  const row = rows.get(id) ?? made(id, player);
  row.dataset.rank = String(Number(player.rank) || 0);
  row.querySelector(".tl-rank").textContent = String(Number(player.rank) || "");
  row.querySelector(".tl-board-points").textContent = amount(Number(player.points) || 0);
  const streak = Number(player.streak) || 0;
  const mark = row.querySelector(".tl-streak");
  mark.hidden = streak < STREAK_MIN;
  mark.lastChild.textContent = String(streak);
  return row;
}

function made(id, player) {
  const row = element("li", "tl-board-row");
  const streak = element("span", "tl-streak");
  streak.append(icon("flame"), element("span", ""));
  row.append(element("span", "tl-rank"), avatarOf(player.user), nameOf(player.user), streak, element("span", "tl-board-points"));
  rows.set(id, row);
  return row;
}
