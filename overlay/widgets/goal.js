/** Goals: how far the room has come. */

import { icon } from "../icons.js";
import { bump, enter, fill } from "../motion.js";
import { options } from "../options.js";
import { element, textOf, tidy } from "../text.js";
import { amount, say } from "../words.js";

const ICONS = { likes: "heart", follows: "follow", gifts: "gift", diamonds: "diamond" };
const GOALS_MAX = 4;
const TITLE_CHARS_MAX = 48;
/** Words with which platforms find calls for interaction. */
const UNSAFE = /like|follow|gift|j.?aime|abonn|suivr|cadeau/i;

const slot = document.querySelector(".tl-goal-slot");
const rows = new Map();

export function update(value) {
  const goals = (value.goals ?? []).slice(0, GOALS_MAX);
  const ids = new Set(goals.map((goal) => String(goal.id)));
  for (const [id, row] of rows) {
    if (ids.has(id)) continue;
    row.remove();
    rows.delete(id);
  }
  for (const goal of goals) {
    const id = String(goal.id);
    const row = rows.get(id) ?? added(id, goal);
    bringUpToDate(row, goal);
  }
}

export function clear() {
  rows.clear();
  slot.replaceChildren();
}

function added(id, goal) {
  const row = element("article", "tl-panel tl-goal");
  const head = element("header", "tl-goal-head");
  head.append(icon(options.safe ? "target" : (ICONS[goal.kind] ?? "target")));
  head.append(textOf("", "tl-goal-title", "span"), element("span", "tl-goal-figures"));
  const track = element("span", "tl-track");
  track.append(element("span", "tl-bar"));
  row.append(head, track);
  rows.set(id, row);
  slot.append(row);
  enter(row, "translateX(-24px)");
  return row;
}

function titleOf(goal) {
  const kind = Object.hasOwn(ICONS, goal.kind) ? say(`goal.${goal.kind}`) : say("goal");
  const title = tidy(goal.title, TITLE_CHARS_MAX) || kind;
  return options.safe && UNSAFE.test(title) ? say("goal") : title;
}

function bringUpToDate(row, goal) {
  const value = Number(goal.value) || 0;
  const target = Math.max(1, Number(goal.target) || 1);
  const wasReached = row.dataset.reached === "true";
  row.dataset.reached = String(goal.is_reached === true);
  row.querySelector(".tl-goal-title").textContent = titleOf(goal);
  row.querySelector(".tl-goal-figures").textContent = `${amount(value)} / ${amount(target)}`;
  fill(row.querySelector(".tl-bar"), value / target);
  if (goal.is_reached && !wasReached) {
    const mark = row.querySelector(".tl-icon");
    mark.replaceWith(icon("check"));
    bump(row.querySelector(".tl-icon"));
  }
}
