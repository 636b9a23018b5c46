/** Motion: transform and opacity only, none where it is not wanted, none while nobody sees it. */

import { options } from "./options.js";

const calm = matchMedia("(prefers-reduced-motion: reduce)");
let isHiddenInObs = false;

addEventListener("obsSourceVisibleChanged", (event) => {
  isHiddenInObs = event.detail?.visible === false;
});

export const isHidden = () => document.hidden || isHiddenInObs;

export const moves = () => !options.still && !calm.matches && !isHidden();

const ENTER = { duration: 460, easing: "cubic-bezier(.2,1.1,.3,1)" };
const LEAVE_MS = 260;

/** Let something that was just added come in. */
export function enter(made, from = "translateY(-24px) scale(.96)") {
  if (moves()) made.animate({ opacity: [0, 1], transform: [from, "none"] }, ENTER);
}

/** Draw the eye to something that has changed in place, once. */
export function bump(made) {
  if (moves()) made.animate({ transform: ["scale(1)", "scale(1.22)", "scale(1)"] }, { duration: 320, easing: "ease-out" });
}

/** Scale a bar to `share` (0 to 1) of its length. */
export function fill(bar, share) {
  const to = `scaleX(${Math.min(1, Math.max(0, share || 0))})`;
  const from = bar.style.transform || "scaleX(0)";
  bar.style.transform = to;
  if (from !== to && moves()) bar.animate({ transform: [from, to] }, { duration: 600, easing: "cubic-bezier(.2,.8,.2,1)" });
}

/** While `runs`: let the bar at a card's foot run out until the state's question closes. Call as often as you like. */
export function runFoot(card, value, nowMs, runs = true) {
  const left = card.querySelector(".tl-left");
  left.hidden = !runs || !value.closes_at;
  if (!left.hidden) runOut(left, nowMs, value.opened_at / 1000, value.closes_at / 1000);
}

function runOut(bar, nowMs, fromMs, untilMs) {
  const key = `${fromMs}:${untilMs}`;
  const isRunning = bar.dataset.run === key && bar.getAnimations().length > 0;
  if (isRunning && moves()) return;
  const duration = Math.max(1, untilMs - fromMs);
  const left = Math.min(1, Math.max(0, (untilMs - nowMs) / duration));
  for (const running of bar.getAnimations()) running.cancel();
  bar.dataset.run = key;
  bar.style.transform = `scaleX(${left})`;
  if (moves() && left > 0) {
    bar.animate({ transform: [`scaleX(${left})`, "scaleX(0)"] }, { duration: left * duration, fill: "forwards" });
  }
}

/**
 * A place on the stage for one card at a time. The same key means the same card: it is
 * updated where it stands, so a state that arrives twice looks like one.
 */
export class Place {
  constructor(selector) {
    this.slot = document.querySelector(selector);
    this.key = null;
    this.card = null;
    this.leaving = 0;
  }

  /** Show the card of `key`: made by `build` when it is new, then brought up to date. */
  show(key, build, update = () => {}) {
    if (this.key !== key) {
      this.clear();
      this.key = key;
      this.card = build();
      this.slot.replaceChildren(this.card);
      update(this.card, true);
      enter(this.card);
    } else {
      update(this.card, false);
    }
  }

  /** Take the card away, gently. */
  hide() {
    if (this.key === null) return;
    this.key = null;
    if (!moves()) return this.clear();
    this.card.animate(
      { opacity: [1, 0], transform: ["none", "translateY(-16px) scale(.98)"] },
      { duration: LEAVE_MS, easing: "ease-in", fill: "forwards" },
    );
    // A timer, not onfinish: a hidden page runs no animations.
    this.leaving = setTimeout(() => this.clear(), LEAVE_MS + 20);
  }

  clear() {
    clearTimeout(this.leaving);
    // An animation that still runs would keep its card, for as long as it runs.
    for (const running of this.card?.getAnimations({ subtree: true }) ?? []) running.cancel();
    this.key = this.card = null;
    this.slot.replaceChildren();
  }
}
