/** How many watch. */

import { icon } from "../icons.js";
import { options } from "../options.js";
import { element } from "../text.js";
import { briefly } from "../words.js";

const slot = document.querySelector(".tl-viewers-slot");
let viewers = null;

/** Show a new count; null for none. */
export function setViewers(count) {
  viewers = Number.isFinite(count) && count >= 0 ? count : null;
  drawViewers();
}

export function drawViewers() {
  if (viewers === null || !options.shows.has("viewers")) return slot.replaceChildren();
  if (!slot.firstChild) {
    const pill = element("p", "tl-panel tl-viewers");
    pill.append(icon("eye"), element("span", "tl-viewers-count"));
    slot.append(pill);
  }
  slot.querySelector(".tl-viewers-count").textContent = briefly(viewers);
}
