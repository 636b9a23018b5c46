/**
 * The page for OBS: chat, questions, quiz, alerts ... from the toolkit's socket.
 *
 *   options   what the address asks for, and presets      words    languages
 *   socket    the connection                              painting what is on screen
 *   chat      the comments                                show     everything else, by part
 *   widgets/  how each looks                              screen   is it seen, in OBS?
 */

import { clearChat, learnPace, planChat, rowCount, shownSeq, startChat, takeComment, withdraw } from "./chat.js";
import { options, takeOptions } from "./options.js";
import { askFrame, forgetPaintings } from "./painting.js";
import { loadPreset, onPreset, presetChanged } from "./preset.js";
import { startScreen, tellScreenSoon } from "./screen.js";
import { loadWidgets, redraw, showTopics, takePart, takeShow } from "./show.js";
import { resubscribe, startSocket, subscribe } from "./socket.js";
import { unlock } from "./sound.js";
import { root, state } from "./state.js";
import { NAME_CHARS_MAX, tidy } from "./text.js";
import { onLanguage, say, setLanguage } from "./words.js";
import { drawViewers, setViewers } from "./widgets/viewers.js";

const STATUS_EVERY_MS = 500;
const CATCH_UP_MS_MIN = 5000;

const ribbon = document.querySelector(".tl-ribbon");
const statusLine = document.querySelector(".tl-status");
const statusText = document.querySelector(".tl-status-text");

// -- runs ----------------------------------------------------------------------

function setRehearsal(is) {
  if (state.rehearsal === is) return;
  state.rehearsal = is;
  drawRibbon();
  // What was rehearsed is never on screen without the ribbon, nor a live under it.
  clearStage();
}

function drawRibbon() {
  ribbon.hidden = !(state.rehearsal && options.ribbon);
  root.toggleAttribute("data-rehearsal", state.rehearsal);
  root.toggleAttribute("data-ribbon", state.rehearsal && options.ribbon);
}

function startRun(data) {
  if (data.kind === "none") return setRehearsal(false);
  setRehearsal(data.kind === "rehearsal");
  // Another live, or a rehearsal: what was on screen belongs to something else.
  clearStage();
}

/** Forget what was heard. The show's own parts begin anew by themselves and say so. */
function clearStage() {
  clearChat();
  setViewers(null);
}

// -- notices -------------------------------------------------------------------

let heardTopics = "";
let caughtUpAt = -Infinity;

function topics() {
  const wanted = ["run", "status", "overlay:preset", ...showTopics()];
  if (options.shows.has("chat")) wanted.push("comment", "deletion");
  if (options.shows.has("viewers")) wanted.push("viewer_count");
  return wanted;
}

const wanted = () => ({ topics: topics(), comments_max: options.limit });

function hear(notices) {
  for (const notice of notices) take(notice);
  if (notices.some((n) => n.type === "comment")) learnPace();
  planChat();
  askFrame();
  updateStatus();
}

function take(notice) {
  const { type, data = {} } = notice;
  switch (type) {
    case "hello":
      state.aheadMs = notice.at / 1000 - Date.now();
      heardTopics = topics().join();
      if (!subscribe(data.stream, wanted())) forgetPaintings();
      return tellScreenSoon();
    case "reset":
      state.receivedSeq = notice.seq;
      return;
    case "snapshot":
      return takeSnapshot(notice);
    case "missed":
      return catchUp();
    case "skipped":
      state.skipped += data.count;
      return;
    case "subscribed":
    case "pong":
    case "error":
      return;
  }
  if (notice.rehearsal && !type.startsWith("show:")) setRehearsal(true);
  takeNews(type, data, notice);
  if (notice.seq > state.receivedSeq) state.receivedSeq = notice.seq;
}

/** Notices are gone, maybe those that blanked the page: ask for the present state. */
function catchUp() {
  const now = performance.now();
  if (now - caughtUpAt < CATCH_UP_MS_MIN) return;
  caughtUpAt = now;
  resubscribe(wanted());
}

function takeNews(type, data, notice) {
  switch (type) {
    case "run":
      return startRun(data);
    case "status":
      state.live = data;
      return;
    case "comment":
      return takeComment(notice, false);
    case "deletion":
      return withdraw(data);
    case "viewer_count":
      return setViewers(Number(data.viewers));
    case "overlay:preset":
      return presetChanged(data);
  }
  if (type?.startsWith("show:")) takePart(type.slice("show:".length), data);
}

function takeSnapshot(notice) {
  const { run, status, comments, viewers, show } = notice.data;
  state.live = status ?? state.live;
  setRehearsal(run === "rehearsal");
  state.receivedSeq = notice.seq;
  takeShow(show);
  setViewers(viewers ?? null);
  if (options.shows.has("chat")) for (const comment of comments ?? []) takeComment(comment, true);
}

// -- status --------------------------------------------------------------------

function updateStatus() {
  statusLine.hidden = !options.status;
  if (!options.status) return;
  const name = tidy(state.live?.user, NAME_CHARS_MAX);
  const open = state.live?.connected ? say("status.live", { name }) : say("status.open");
  const words = { connecting: say("status.connecting"), waiting: say("status.waiting"), open };
  let text = state.rehearsal && state.connection === "open" ? say("status.rehearsal") : words[state.connection];
  if (options.debug) text += ` \u00b7 seq ${state.lastSeq} \u00b7 rows ${rowCount()} \u00b7 skipped ${state.skipped}`;
  statusText.textContent = text;
}

// -- begin ---------------------------------------------------------------------

function drawAgain() {
  ribbon.textContent = say("rehearsal");
  drawRibbon();
  redraw();
  drawViewers();
  updateStatus();
  unlock();
}

/** A preset has changed the options. */
async function takePreset() {
  await loadWidgets();
  const names = topics().join();
  if (state.stream && names !== heardTopics) resubscribe(wanted());
  heardTopics = names;
  if (!options.shows.has("chat")) clearChat();
  if (options.language) await setLanguage(options.language);
  drawAgain();
}

async function begin() {
  await takeOptions();
  root.dataset.connection = state.connection;
  await loadPreset();
  await setLanguage(options.language);
  await loadWidgets();
  onLanguage(drawAgain);
  onPreset(takePreset);
  drawAgain();
  startChat(askFrame);
  setInterval(updateStatus, STATUS_EVERY_MS);
  if (options.demo) {
    const { startDemo } = await import("./demo.js");
    return startDemo({ takePart, takeComment: (comment) => hear([comment]), setViewers });
  }
  startScreen(planChat);
  startSocket(hear);
}

begin();
