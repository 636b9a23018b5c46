/** What this page knows of itself. Tests and curious streamers may look at it. */

export const root = document.documentElement;

/** Every widget that has an address of its own under /overlay. */
export const WIDGETS = [
  "chat",
  "question",
  "quiz",
  "winner",
  "leaderboard",
  "goal",
  "poll",
  "alert",
  "viewers",
  "connection",
];

export const state = (window.__tl = {
  lastSeq: 0, // painted
  receivedSeq: 0,
  stream: "",
  connection: "connecting",
  comments: 0,
  skipped: 0, // never shown: more came than fit
  reconnects: 0,
  rehearsal: false,
  show: {}, // each part of the show as it was told last
  live: null, // what the server says of TikTok
  aheadMs: 0, // the server's clock minus ours
});

/** Return the server's wall clock, milliseconds. */
export const serverNow = () => Date.now() + state.aheadMs;

/** Return a folder or file of the server, whatever address this page has. */
export const addressOf = (path) => new URL(`../../${path}`, import.meta.url);
