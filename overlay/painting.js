/** Tells the server what is on screen: the load test measures by it, the dashboard trusts it. */

import { flush, shownSeq } from "./chat.js";
import { options } from "./options.js";
import { tell } from "./socket.js";
import { root, state } from "./state.js";

const ACK_MS = 250;
/** In one acknowledgement; the server takes messages of 4 KiB. */
const PAINTINGS_MAX = 64;

const afterPaint = new MessageChannel();
afterPaint.port1.onmessage = tellPainted;
let frameAsked = false;
let ackAt = 0;
let ackTimer = 0;

export function askFrame() {
  if (frameAsked) return;
  frameAsked = true;
  // A hidden page gets no frames; it keeps only what it could show when it returns.
  requestAnimationFrame(() => {
    frameAsked = false;
    flush();
    if (options.ack) notePainting(shownSeq());
    // Frame callbacks run before the paint, messages after it.
    afterPaint.port2.postMessage(0);
  });
}

function tellPainted() {
  state.lastSeq = shownSeq();
  root.dataset.lastSeq = String(state.lastSeq);
  planAck();
}

function planAck() {
  if (ackTimer) return;
  ackTimer = setTimeout(sendAck, Math.max(0, ackAt + ACK_MS - performance.now()));
}

function sendAck() {
  ackTimer = 0;
  ackAt = performance.now();
  const ack = { type: "painted", seq: state.lastSeq };
  if (options.ack) Object.assign(ack, { frames: paintings.splice(0, PAINTINGS_MAX), skipped: state.skipped });
  tell(ack);
  if (paintings.length) planAck();
}

const paintings = []; // [seq, milliseconds] not told yet
let paintedSeq = 0;

/** Begin at zero: another server's numbers. */
export function forgetPaintings() {
  state.lastSeq = paintedSeq = 0;
}

/** Keep the moment at which `seq` was on screen: the next frame begins when this one is out. */
function notePainting(seq) {
  if (seq <= paintedSeq) return;
  paintedSeq = seq;
  requestAnimationFrame(() => {
    paintings.push([seq, Date.now()]);
    if (paintings.length > PAINTINGS_MAX * 4) paintings.shift();
    planAck();
  });
}
