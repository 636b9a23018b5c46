/** The chat: one by one when there is time to read, all at once when there is none. */

import { moves } from "./motion.js";
import { options } from "./options.js";
import { nameOf } from "./people.js";
import { state } from "./state.js";
import { element, textOf, tidy } from "./text.js";
import { say } from "./words.js";

/** Comments waiting beyond this are shown at once: nobody could follow them one by one. */
const FAST_PENDING = 12;
const GROUP_MS_MIN = 80;
const GROUP_MS_MAX = 1000;
const KNOWN_MAX = 2000;
const LOOK_EVERY_MS = 500;
/** Over how much of the chat's top old rows grow faint: a share of it, but not more than some lines. */
const EDGE_SHARE = 0.18;
const EDGE_EM = 5;
const FAINT = 0.1;

const chat = document.querySelector(".tl-chat");
const feed = document.querySelector(".tl-feed");
const pending = [];
const known = new Set(); // ids of messages taken: a snapshot repeats what is on screen
let groupTimer = 0;
let flushAsked = false;
let burstGapMs = 750; // TikTok delivers in bursts; learnt from what arrives
let burstAt = 0;
let paceMs = GROUP_MS_MIN;
let em = 16; // the chat's font size, pixels
let fits = Infinity; // rows that the page has room for
let askFrame = () => {};

/** Begin: `ask` asks for a frame, in which :func:`flush` is called. */
export function startChat(ask) {
  askFrame = ask;
  look();
  fits = rowsIn(em);
  setInterval(look, LOOK_EVERY_MS);
}

/** Return how many rows are kept. More than fit would be laid out and painted for nobody. */
const rowsMax = () => (options.limited ? options.limit : Math.min(options.limit, fits));

const rowsIn = (height) => Math.ceil(innerHeight / height) + 1;

/** Now and then: learn from the smallest row how many fit, and fade what is old. */
function look() {
  em = Number.parseFloat(getComputedStyle(feed).fontSize);
  const heights = Array.from(feed.children, (row) => row.offsetHeight).filter(Boolean);
  if (heights.length) fits = rowsIn(Math.min(...heights));
  fadeOld();
  fadeEdge();
}

function isNew(id) {
  if (known.has(id)) return false;
  known.add(id);
  if (known.size > KNOWN_MAX) known.delete(known.values().next().value);
  return true;
}

export function takeComment(notice, isHistory) {
  const data = notice.data ?? {};
  if (data.msg_id && data.msg_id !== "0" && !isNew(data.msg_id)) return;
  pending.push({ seq: notice.seq, data, isHistory: isHistory || data.is_history === true, times: 1 });
  if (pending.length > options.limit) {
    pending.shift(); // it could only scroll by unseen
    state.skipped += 1;
  }
}

/** Decide when the waiting comments are shown: one by one when there is time to read them. */
export function planChat() {
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

/** In a frame: show what was decided to be shown at once. */
export function flush() {
  if (flushAsked && pending.length) {
    const rows = merged(pending.splice(0));
    showComments(rows, rows.length <= 3);
  }
  flushAsked = false;
}

/** Return the number up to which everything is in the page. */
export function shownSeq() {
  // What a seek brings with it has numbers below zero.
  return pending.length ? Math.max(0, pending[0].seq - 1) : state.receivedSeq;
}

function showNextGroup() {
  groupTimer = 0;
  if (!pending.length) return;
  showComments(pending.splice(0, 1), true);
  askFrame();
  if (pending.length) groupTimer = setTimeout(showNextGroup, paceMs);
}

export function learnPace() {
  const now = performance.now();
  const gap = now - burstAt;
  burstAt = now;
  if (gap < 3000) burstGapMs += (gap - burstGapMs) * 0.2;
  // What waits is spread over the time until the next burst, no longer.
  paceMs = Math.min(GROUP_MS_MAX, Math.max(GROUP_MS_MIN, burstGapMs / (pending.length + 1)));
}

/** Return a comment's text, made fit for display when it is shown: in a flood most never are. */
function shownText(comment) {
  return (comment.text ??= tidy(comment.data.text));
}

/** Merge equal texts of a crowd: thirty times the same emoji is the newest of them and a count. */
function merged(comments) {
  const byText = new Map();
  for (const comment of comments) {
    const key = shownText(comment).toLowerCase() || comment;
    comment.times += byText.get(key)?.times ?? 0;
    byText.delete(key); // it takes the newest's place, not the oldest's
    byText.set(key, comment);
  }
  return [...byText.values()];
}

function showComments(comments, animated) {
  const fragment = document.createDocumentFragment();
  const rows = comments.slice(-rowsMax()).map(commentRow);
  fragment.append(...rows);
  feed.append(fragment);
  while (feed.childElementCount > rowsMax()) feed.firstElementChild.remove();
  fadeEdge();
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
  row.append(nameOf(data.user), " ", textOf(text || say("emote")));
  if (!text) row.classList.add("tl-emote-only");
  if (comment.times > 1) row.append(" ", element("span", "tl-times", `\u00d7${comment.times}`));
  state.comments += 1;
  return row;
}

/** Let rows grow faint at the top. A mask over the chat would cost most of what a frame costs. */
function fadeEdge() {
  const last = feed.lastElementChild;
  if (!last) return;
  const room = chat.clientHeight;
  const edge = Math.min(room * EDGE_SHARE, em * EDGE_EM);
  const top = last.offsetTop + last.offsetHeight - room;
  // Read, then write: in turns, each row would have the page laid out anew.
  const faint = new Map();
  for (const row of feed.children) {
    const middle = row.offsetTop + row.offsetHeight / 2 - top;
    if (middle >= edge) break;
    faint.set(row, String(Math.max(FAINT, middle / edge)));
  }
  for (const row of feed.children) {
    if (!row.style.opacity && !faint.has(row)) break;
    row.style.opacity = faint.get(row) ?? "";
    row.toggleAttribute("inert", faint.has(row)); // on its way out: nothing to be read
  }
}

/** Slide the feed up by what was added. Transform and opacity only: no layout per frame. */
function slideIn(rows) {
  const added = rows.reduce((sum, row) => sum + row.offsetHeight, 0);
  const timing = { duration: 280, easing: "cubic-bezier(.2,.8,.2,1)" };
  feed.animate({ transform: [`translateY(${added}px)`, "none"] }, { ...timing, composite: "add" });
  for (const row of rows) row.animate({ opacity: [0, 1] }, timing);
}

function fadeOld() {
  if (!options.fadeMs) return;
  const now = performance.now();
  for (const row of [...feed.children]) {
    if (!row.dataset.until || Number(row.dataset.until) > now) continue;
    delete row.dataset.until;
    if (!moves()) row.remove();
    else row.animate({ opacity: 0 }, { duration: 600, fill: "forwards" }).onfinish = () => row.remove();
  }
}

/** Take back what TikTok or a moderator withdrew, on screen or still waiting. */
export function withdraw(data) {
  const messages = new Set(String(data.message_ids ?? "").split(",").filter(Boolean));
  const users = new Set(String(data.user_ids ?? "").split(",").filter(Boolean));
  const gone = (message, user) => messages.has(message) || users.has(user);
  for (const row of [...feed.children]) if (gone(row.dataset.msg, row.dataset.user)) row.remove();
  const kept = pending.filter((c) => !gone(String(c.data.msg_id), String(c.data.user?.user_id)));
  pending.splice(0, pending.length, ...kept);
  // Approved later, it comes again under its own id.
  for (const message of messages) known.delete(message);
}

/** Forget everything: another live, or a rehearsal. */
export function clearChat() {
  pending.length = 0;
  known.clear();
  clearTimeout(groupTimer);
  groupTimer = 0;
  flushAsked = false;
  feed.replaceChildren();
}

/** Return how many rows are on screen. */
export const rowCount = () => feed.childElementCount;
