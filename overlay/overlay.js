/**
 * The page for OBS: chat and questions from the toolkit's socket.
 *
 * Options, all in the address:
 *   view=all|chat|question   what is shown
 *   theme=dark|light|clear   dark cards, light cards, outlined text only
 *   align=left|right|center  where the chat stands
 *   scale=0.5..3  limit=1..200  fade=SECONDS (0: never)  motion=0  smooth=0
 *   status=1  a line that tells the connection      transparent=0  a solid ground
 *   ribbon=0  a rehearsal looks like a live, for filming it: never in the scene you go live with
 *   debug=1   status, a checkerboard, and counters
 *   ack=1     for load tests: tells the server when each notice was painted
 *
 * What viewers write is data: it reaches the page through textContent only.
 */

const TEXT_CHARS_MAX = 500;
const NAME_CHARS_MAX = 40;
const COMBINING_MAX = 4;
const HUES = 12;

/** Comments waiting beyond this are shown at once: nobody could follow them one by one. */
const FAST_PENDING = 12;
const GROUP_MS_MIN = 80;
const GROUP_MS_MAX = 1000;

const QUESTIONS_MAX = 20;
const QUESTION_MS_MIN = 8000;
const QUESTION_MS_MAX = 12000;
const QUESTION_PRESSED_MS_MIN = 3500;
const QUESTION_PAUSE_MS = 350;
/** A question that arrives later than this was asked before we came back: no longer news. */
const STALE_MS = 30000;

const RETRY_MS_MIN = 250;
const RETRY_MS_MAX = 5000;
const SILENCE_MS_MAX = 25000;
const PONG_MS_MAX = 10000;
const ACK_MS = 250;
/** In one acknowledgement; the server takes messages of 4 KiB. */
const PAINTINGS_MAX = 64;

const options = readOptions(new URLSearchParams(location.search));
const root = document.documentElement;
const feed = document.querySelector(".tl-feed");
const questionSlot = document.querySelector(".tl-question-slot");
const ribbon = document.querySelector(".tl-ribbon");
const statusLine = document.querySelector(".tl-status");
const statusText = document.querySelector(".tl-status-text");

/** What tests and curious streamers may look at. */
const state = (window.__tl = {
  lastSeq: 0, // painted
  receivedSeq: 0,
  stream: "",
  connection: "connecting",
  comments: 0,
  skipped: 0, // never shown: more came than fit
  reconnects: 0,
  rehearsal: false,
});

// -- options -----------------------------------------------------------------

function readOptions(query) {
  const number = (name, fallback, low, high) => {
    const value = Number.parseFloat(query.get(name) ?? "");
    return Number.isFinite(value) ? Math.min(high, Math.max(low, value)) : fallback;
  };
  const choice = (name, ...values) => (values.includes(query.get(name)) ? query.get(name) : values[0]);
  const off = (name) => ["0", "false", "no", "off"].includes(query.get(name) ?? "");
  const on = (name) => query.has(name) && !off(name);
  return {
    view: choice("view", "all", "chat", "question"),
    theme: choice("theme", "dark", "light", "clear"),
    align: choice("align", "left", "right", "center"),
    scale: number("scale", 1, 0.5, 3),
    limit: Math.round(number("limit", 60, 1, 200)),
    fadeMs: number("fade", 0, 0, 3600) * 1000,
    still: off("motion"),
    smooth: !off("smooth"),
    status: on("status") || on("debug"),
    solid: off("transparent"),
    debug: on("debug"),
    ribbon: !off("ribbon"),
    ack: on("ack"),
  };
}

function applyOptions() {
  for (const name of ["view", "theme", "align"]) root.dataset[name] = options[name];
  root.style.setProperty("--tl-scale", String(options.scale));
  root.toggleAttribute("data-solid", options.solid);
  root.toggleAttribute("data-debug", options.debug);
  statusLine.hidden = !options.status;
}

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const moves = () => !options.still && !calm.matches && !isHidden();

// -- text --------------------------------------------------------------------

// Controls, bidi overrides and isolates, invisible fillers. Joiners stay: emoji and
// several scripts need them.
const UNWANTED =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\uffff]+/g;
const PILED_MARKS = new RegExp(`(\\p{M}{${COMBINING_MAX}})\\p{M}+`, "gu");
const graphemes = new Intl.Segmenter();

/** Return viewer text fit for display: no controls, no piled marks, at most `charsMax` characters. */
function tidy(text, charsMax) {
  // Cut first: a hostile text of megabytes costs no more than a long one.
  const cut = String(text ?? "").slice(0, charsMax * 8).toWellFormed();
  const clean = cut.replace(/\s+/g, " ").replace(UNWANTED, "").replace(PILED_MARKS, "$1").trim();
  if (clean.length <= charsMax) return clean;
  const kept = [];
  let units = 0;
  for (const { segment } of graphemes.segment(clean)) {
    // One "character" can be endless: count what it is made of.
    units += segment.length;
    if (kept.length >= charsMax || units > charsMax * 4) return kept.join("") + "\u2026";
    kept.push(segment);
  }
  return kept.join("");
}

/** Return a number that is the same for a viewer every time. */
function hueOf(user) {
  let hash = 7;
  for (const c of String(user?.user_id ?? user?.handle ?? "")) hash = Math.imul(hash ^ c.charCodeAt(0), 0x01000193);
  // Neighbouring ids differ in the low bits only: mix before taking the remainder.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % HUES;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function nameOf(user) {
  const made = element("bdi", "tl-name", tidy(user?.nickname || user?.handle || "Someone", NAME_CHARS_MAX));
  made.dataset.hue = String(hueOf(user));
  return made;
}

function textOf(text) {
  const made = element("bdi", "tl-text", text);
  made.dir = "auto";
  return made;
}

// -- chat --------------------------------------------------------------------

const pending = [];
const KNOWN_MAX = 2000;
const known = new Set(); // ids of messages taken: a snapshot repeats what is on screen
let groupTimer = 0;
let flushAsked = false;
let frameAsked = false;
let burstGapMs = 750; // TikTok delivers in bursts; learnt from what arrives
let burstAt = 0;
let paceMs = GROUP_MS_MIN;

function isNew(id) {
  if (known.has(id)) return false;
  known.add(id);
  if (known.size > KNOWN_MAX) known.delete(known.values().next().value);
  return true;
}

function takeComment(notice, isHistory) {
  const data = notice.data ?? {};
  if (data.msg_id && data.msg_id !== "0" && !isNew(data.msg_id)) return;
  pending.push({ seq: notice.seq, data, isHistory: isHistory || data.is_history === true, times: 1 });
  if (pending.length > options.limit) {
    pending.shift(); // it could only scroll by unseen
    state.skipped += 1;
  }
}

/** Decide when the waiting comments are shown: one by one when there is time to read them. */
function planChat() {
  if (!pending.length) return;
  const fast = pending.length > FAST_PENDING || !options.smooth || !moves();
  if (fast || pending[0].isHistory) {
    clearTimeout(groupTimer);
    groupTimer = 0;
    flushAsked = true;
    askFrame();
  } else if (!groupTimer && !flushAsked) {
    showNextGroup();
  }
}

function showNextGroup() {
  groupTimer = 0;
  if (!pending.length) return;
  showComments(pending.splice(0, 1), true);
  askFrame();
  if (pending.length) groupTimer = setTimeout(showNextGroup, paceMs);
}

function learnPace() {
  const now = performance.now();
  const gap = now - burstAt;
  burstAt = now;
  if (gap < 3000) burstGapMs += (gap - burstGapMs) * 0.2;
  // What waits is spread over the time until the next burst, no longer.
  paceMs = Math.min(GROUP_MS_MAX, Math.max(GROUP_MS_MIN, burstGapMs / (pending.length + 1)));
}

/** Return a comment's text, made fit for display when it is shown: in a flood most never are. */
function shownText(comment) {
  return (comment.text ??= tidy(comment.data.text, TEXT_CHARS_MAX));
}

/** Merge equal texts of a crowd: thirty times the same emoji is one line and a count. */
function merged(comments) {
  const byText = new Map();
  for (const comment of comments) {
    const key = shownText(comment).toLowerCase();
    const same = key && byText.get(key);
    if (same) {
      same.times += 1;
      same.seq = comment.seq;
    } else {
      byText.set(key || comment, comment);
    }
  }
  return [...byText.values()];
}

function showComments(comments, animated) {
  const fragment = document.createDocumentFragment();
  const rows = comments.map(commentRow);
  fragment.append(...rows);
  feed.append(fragment);
  while (feed.childElementCount > options.limit) feed.firstElementChild.remove();
  if (animated && moves()) slideIn(rows);
  if (options.fadeMs) for (const row of rows) row.dataset.until = String(performance.now() + options.fadeMs);
}

function commentRow(comment) {
  const { data } = comment;
  const row = element("li", "tl-comment");
  row.dataset.seq = String(comment.seq);
  row.dataset.msg = String(data.msg_id ?? "");
  row.dataset.user = String(data.user?.user_id ?? "");
  if (data.user?.is_moderator) row.dataset.role = "moderator";
  else if (data.user?.is_subscriber) row.dataset.role = "subscriber";
  const text = shownText(comment);
  row.append(nameOf(data.user), " ", textOf(text || "sent an emote"));
  if (!text) row.classList.add("tl-emote-only");
  if (comment.times > 1) row.append(" ", element("span", "tl-times", `\u00d7${comment.times}`));
  state.comments += 1;
  return row;
}

/** Slide the feed up by what was added. Transform and opacity only: no layout per frame. */
function slideIn(rows) {
  const added = rows.reduce((sum, row) => sum + row.offsetHeight, 0);
  const timing = { duration: 280, easing: "cubic-bezier(.2,.8,.2,1)" };
  feed.animate({ transform: [`translateY(${added}px)`, "none"] }, { ...timing, composite: "add" });
  for (const row of rows) row.animate({ opacity: [0, 1] }, timing);
}

function fadeOld() {
  const now = performance.now();
  for (const row of [...feed.children]) {
    if (!row.dataset.until || Number(row.dataset.until) > now) continue;
    delete row.dataset.until;
    if (!moves()) row.remove();
    else row.animate({ opacity: [1, 0] }, { duration: 600, fill: "forwards" }).onfinish = () => row.remove();
  }
}

/** Take back what TikTok withdrew, on screen or still waiting. */
function withdraw(data) {
  const messages = new Set(String(data.message_ids ?? "").split(",").filter(Boolean));
  const users = new Set(String(data.user_ids ?? "").split(",").filter(Boolean));
  const gone = (message, user) => messages.has(message) || users.has(user);
  for (const row of [...feed.children]) if (gone(row.dataset.msg, row.dataset.user)) row.remove();
  const kept = pending.filter((c) => !gone(String(c.data.msg_id), String(c.data.user?.user_id)));
  pending.splice(0, pending.length, ...kept);
}

// -- questions ---------------------------------------------------------------

const questions = [];
let questionTimer = 0;
let card = null;

function takeQuestion(notice) {
  const data = notice.data ?? {};
  const text = tidy(data.text, TEXT_CHARS_MAX);
  const id = `q${data.question_id}:${data.msg_id}`;
  if (!text || !isNew(id)) return;
  questions.push({ user: data.user, text });
  if (questions.length > QUESTIONS_MAX) questions.shift();
  if (!card && !questionTimer) questionTimer = setTimeout(showQuestion, 0);
}

function questionMs(text) {
  const calmMs = Math.min(QUESTION_MS_MAX, QUESTION_MS_MIN + text.length * 25);
  const pressure = Math.min(1, questions.length / 8);
  return calmMs + (QUESTION_PRESSED_MS_MIN - calmMs) * pressure;
}

function showQuestion() {
  questionTimer = 0;
  const next = questions.shift();
  if (!next) return;
  card = element("article", "tl-question");
  const head = element("header", "tl-question-head");
  head.append(element("span", "tl-question-mark", "?"), nameOf(next.user), element("span", "tl-question-asks", "asks"));
  const text = element("p", "tl-question-text", next.text);
  text.dir = "auto";
  const left = element("span", "tl-question-left");
  if (next.text.length > 140) card.classList.add("tl-question-long");
  card.append(head, text, left);
  questionSlot.replaceChildren(card);
  const ms = questionMs(next.text);
  if (moves()) {
    card.animate(
      { opacity: [0, 1], transform: ["translateY(-24px) scale(.96)", "none"] },
      { duration: 420, easing: "cubic-bezier(.2,1.1,.3,1)" },
    );
    left.animate({ transform: ["scaleX(1)", "scaleX(0)"] }, { duration: ms, fill: "forwards" });
  }
  questionTimer = setTimeout(hideQuestion, ms);
}

function hideQuestion() {
  const done = () => {
    questionSlot.replaceChildren();
    card = null;
    questionTimer = setTimeout(showQuestion, QUESTION_PAUSE_MS);
  };
  if (!card || !moves()) return done();
  card.animate(
    { opacity: [1, 0], transform: ["none", "translateY(-16px) scale(.98)"] },
    { duration: 260, easing: "ease-in", fill: "forwards" },
  );
  // A timer, not onfinish: a hidden page runs no animations.
  questionTimer = setTimeout(done, 280);
}

// -- painting ----------------------------------------------------------------

const afterPaint = new MessageChannel();
afterPaint.port1.onmessage = tellPainted;
let ackAt = 0;
let ackTimer = 0;

function askFrame() {
  if (frameAsked) return;
  frameAsked = true;
  // A hidden page gets no frames; it keeps only what it could show when it returns.
  requestAnimationFrame(() => {
    frameAsked = false;
    if (flushAsked && pending.length) {
      const rows = merged(pending.splice(0));
      showComments(rows, rows.length <= 3);
    }
    flushAsked = false;
    if (options.ack) notePainting(shownSeq());
    // Frame callbacks run before the paint, messages after it.
    afterPaint.port2.postMessage(0);
  });
}

/** Return the number up to which everything is in the page. */
function shownSeq() {
  // What a seek brings with it has numbers below zero.
  return pending.length ? Math.max(0, pending[0].seq - 1) : state.receivedSeq;
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
  say(ack);
  if (paintings.length) planAck();
}

const paintings = []; // [seq, milliseconds] not told yet
let paintedSeq = 0;

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

// -- state -------------------------------------------------------------------

function setRehearsal(is) {
  if (state.rehearsal === is) return;
  state.rehearsal = is;
  ribbon.hidden = !(is && options.ribbon);
  root.toggleAttribute("data-rehearsal", is);
  root.toggleAttribute("data-ribbon", is && options.ribbon);
  // What was rehearsed is never on screen without the ribbon, nor a live under it.
  clearStage();
}

function startRun(data) {
  if (data.kind === "none") return setRehearsal(false);
  setRehearsal(data.kind === "rehearsal");
  // Another live, or a rehearsal: what was on screen belongs to something else.
  clearStage();
}

function clearStage() {
  pending.length = questions.length = 0;
  known.clear();
  clearTimeout(groupTimer);
  clearTimeout(questionTimer);
  groupTimer = questionTimer = 0;
  flushAsked = false;
  card = null;
  feed.replaceChildren();
  questionSlot.replaceChildren();
}

function tellConnection(connection) {
  state.connection = connection;
  root.dataset.connection = connection;
  if (options.status) updateStatus();
}

let live = null; // what the server says of TikTok

function updateStatus() {
  const words = {
    connecting: "Connecting\u2026",
    waiting: "The server is away. This page reconnects by itself.",
    open: live?.connected ? `Live: @${tidy(live.user, NAME_CHARS_MAX)}` : "OK, waiting for the live",
  };
  let text = state.rehearsal && state.connection === "open" ? "OK, rehearsal" : words[state.connection];
  if (options.debug) {
    text += ` \u00b7 seq ${state.lastSeq} \u00b7 rows ${feed.childElementCount} \u00b7 skipped ${state.skipped}`;
  }
  statusText.textContent = text;
}

// -- notices -----------------------------------------------------------------

let serverAheadMs = 0; // the server's clock minus ours

function take(notice) {
  const { type, data = {} } = notice;
  switch (type) {
    case "hello":
      serverAheadMs = notice.at / 1000 - Date.now();
      return subscribe(data);
    case "reset":
      state.receivedSeq = notice.seq;
      return;
    case "snapshot":
      return takeSnapshot(notice);
    case "run":
      startRun(data);
      break;
    case "status":
      live = data;
      break;
    case "comment":
      markRehearsal(notice);
      takeComment(notice, false);
      break;
    case "question":
      markRehearsal(notice);
      if (!isStale(notice.at)) takeQuestion(notice);
      break;
    case "deletion":
      withdraw(data);
      break;
    case "subscribed":
    case "missed":
    case "pong":
    case "error":
      return;
  }
  if (notice.seq > state.receivedSeq) state.receivedSeq = notice.seq;
}

function markRehearsal(notice) {
  if (notice.rehearsal) setRehearsal(true);
}

const isStale = (atUs) => Date.now() + serverAheadMs - atUs / 1000 > STALE_MS;

function takeSnapshot(notice) {
  const { run, status, comments, questions: asked } = notice.data;
  live = status ?? live;
  setRehearsal(run === "rehearsal");
  state.receivedSeq = notice.seq;
  if (options.view !== "question") {
    for (const comment of comments ?? []) takeComment(comment, true);
  }
  if (options.view !== "chat") {
    for (const one of asked ?? []) if (!isStale(one.data?.received_at ?? 0)) takeQuestion(one);
  }
}

// -- socket ------------------------------------------------------------------

let socket = null;
let retryMs = RETRY_MS_MIN;
let watchdog = 0;

function topics() {
  const chat = ["comment", "deletion"];
  const wanted = { all: [...chat, "question"], chat, question: ["question"] }[options.view];
  return [...wanted, "run", "status"];
}

function connect() {
  const url = new URL("ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  url.search = "";
  socket = new WebSocket(url);
  socket.onmessage = (event) => {
    feedWatchdog();
    hear(event.data);
  };
  socket.onclose = retry;
  feedWatchdog();
}

function retry() {
  clearTimeout(watchdog);
  if (socket) socket.onclose = socket.onmessage = null;
  socket = null;
  tellConnection("waiting");
  // Jitter: after a restart not every page of a studio calls in the same moment.
  setTimeout(connect, retryMs * (0.5 + Math.random()));
  retryMs = Math.min(RETRY_MS_MAX, retryMs * 1.6);
}

/** A half-open connection looks like silence: ask, then start over. */
function feedWatchdog() {
  clearTimeout(watchdog);
  watchdog = setTimeout(() => {
    say({ type: "ping" });
    watchdog = setTimeout(() => {
      const dead = socket;
      retry();
      dead?.close();
    }, PONG_MS_MAX);
  }, SILENCE_MS_MAX);
}

function subscribe(hello) {
  const knows = state.stream === hello.stream;
  const wish = { type: "subscribe", topics: topics(), batch: true, ack: true, snapshot: true };
  if (state.stream) Object.assign(wish, { since: state.receivedSeq, stream: state.stream });
  if (!knows) state.lastSeq = paintedSeq = 0;
  if (state.stream) state.reconnects += 1;
  state.stream = hello.stream;
  say(wish);
  retryMs = RETRY_MS_MIN;
  tellConnection("open");
}

function say(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function hear(text) {
  let heard;
  try {
    heard = JSON.parse(text);
  } catch {
    return;
  }
  const notices = Array.isArray(heard) ? heard : [heard];
  for (const notice of notices) {
    if (notice && typeof notice === "object") take(notice);
  }
  if (notices.some((n) => n?.type === "comment")) learnPace();
  planChat();
  askFrame();
  if (options.status) updateStatus();
}

// -- visibility --------------------------------------------------------------

let obsHidden = false;
const isHidden = () => document.hidden || obsHidden;

function onVisibility() {
  if (!isHidden()) planChat();
}

document.addEventListener("visibilitychange", onVisibility);
addEventListener("obsSourceVisibleChanged", (event) => {
  obsHidden = event.detail?.visible === false;
  onVisibility();
});
if (options.fadeMs) setInterval(fadeOld, 500);
if (options.debug) setInterval(updateStatus, 500);

applyOptions();
tellConnection("connecting");
connect();
