/** The connection: opens, notices silence, comes back with jitter, says where it was. */

import { addressOf, root, state } from "./state.js";

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;
const SILENCE_MS_MAX = 25000;
const PONG_MS_MAX = 10000;

let socket = null;
let retryMs = RETRY_MS_MIN;
let watchdog = 0;
let hear = () => {};

/** Connect, and stay connected; `listener` gets each list of notices. */
export function startSocket(listener) {
  hear = listener;
  connect();
}

function connect() {
  const url = addressOf("ws");
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  socket = new WebSocket(url);
  socket.onmessage = (event) => {
    feedWatchdog();
    const notices = read(event.data);
    if (notices.length) hear(notices);
  };
  socket.onclose = retry;
  feedWatchdog();
}

function read(text) {
  try {
    const heard = JSON.parse(text);
    return (Array.isArray(heard) ? heard : [heard]).filter((notice) => notice && typeof notice === "object");
  } catch {
    return [];
  }
}

function retry() {
  clearTimeout(watchdog);
  if (socket) socket.onclose = socket.onmessage = null;
  socket = null;
  setConnection("waiting");
  // Jitter: after a restart not every page of a studio calls in the same moment.
  setTimeout(connect, retryMs * (0.5 + Math.random()));
  retryMs = Math.min(RETRY_MS_MAX, retryMs * 1.6);
}

/** A half-open connection looks like silence: ask, then start over. */
function feedWatchdog() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => {
    tell({ type: "ping" });
    watchdog = setTimeout(() => {
      const dead = socket;
      retry();
      dead?.close();
    }, PONG_MS_MAX);
  }, SILENCE_MS_MAX);
}

/** Say what is wanted, and from where on. Returns whether the numbers are those known. */
export function subscribe(stream, wanted) {
  const knows = state.stream === stream;
  const wish = wishOf(wanted);
  if (state.stream) Object.assign(wish, { since: state.receivedSeq, stream: state.stream });
  if (state.stream) state.reconnects += 1;
  state.stream = stream;
  tell(wish);
  retryMs = RETRY_MS_MIN;
  setConnection("open");
  return knows;
}

/** Something else is wanted than before: begin with the present state. */
export function resubscribe(wanted) {
  tell(wishOf(wanted));
}

const wishOf = (wanted) => ({ type: "subscribe", ...wanted, batch: true, ack: true, snapshot: true, public: true });

/** Say something to the server, if it is there. */
export function tell(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

export function setConnection(connection) {
  state.connection = connection;
  root.dataset.connection = connection;
}
