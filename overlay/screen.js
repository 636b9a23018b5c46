/** Tells the operator that this page is there: what it shows, whether OBS shows it, how smoothly. */

import { isHidden, moves } from "./motion.js";
import { options } from "./options.js";
import { tell } from "./socket.js";
import { state } from "./state.js";

const EVERY_MS = 4000;
const SAMPLE_MS = 500;
const SOON_MS = 60;

let isActive = true;
let timer = 0;
let fps = 0;

/** Begin to tell; `onShown` is called when the page can be seen again. */
export function startScreen(onShown) {
  const changed = () => {
    if (!isHidden()) onShown();
    tellScreenSoon();
  };
  document.addEventListener("visibilitychange", changed);
  addEventListener("obsSourceVisibleChanged", changed);
  addEventListener("obsSourceActiveChanged", (event) => {
    isActive = event.detail?.active !== false;
    changed();
  });
  tellScreenSoon();
}

export function tellScreenSoon() {
  clearTimeout(timer);
  timer = setTimeout(beat, SOON_MS);
}

function beat() {
  const visible = !isHidden();
  tell({
    type: "screen",
    widget: options.view,
    visible,
    active: visible && isActive,
    fps: visible ? fps : 0,
    seq: state.lastSeq,
    obs: Boolean(window.obsstudio),
  });
  timer = setTimeout(beat, EVERY_MS);
  // Who measures painting is not disturbed by a measurement of frames.
  if (visible && !options.ack && moves()) sample();
}

/** Count frames for a moment: a loop that never ends would keep the page drawing. */
function sample() {
  const begun = performance.now();
  let frames = 0;
  const frame = (now) => {
    frames += 1;
    if (now - begun < SAMPLE_MS) requestAnimationFrame(frame);
    else fps = Math.min(1000, Math.round((frames * 1000) / (performance.now() - begun)));
  };
  requestAnimationFrame(frame);
}
