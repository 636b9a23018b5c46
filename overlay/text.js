/** What viewers write, made fit for display. It is data: it reaches the page through textContent only. */

export const TEXT_CHARS_MAX = 500;
export const NAME_CHARS_MAX = 40;
const COMBINING_MAX = 4;
const HUES = 12;

// Controls, bidi overrides and isolates, invisible fillers. Joiners stay: emoji and
// several scripts need them.
const UNWANTED =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\uffff]+/g;
const PILED_MARKS = new RegExp(`(\\p{M}{${COMBINING_MAX}})\\p{M}+`, "gu");
const graphemes = new Intl.Segmenter();

/** Return viewer text fit for display: no controls, no piled marks, at most `charsMax` characters. */
export function tidy(text, charsMax = TEXT_CHARS_MAX) {
  // Cut first: a hostile text of megabytes costs no more than a long one.
  const cut = String(text ?? "").slice(0, charsMax * 8);
  // An OBS of some years ago does not know it; half a pair is then shown as a box.
  const whole = cut.toWellFormed?.() ?? cut;
  const clean = whole.replace(/\s+/g, " ").replace(UNWANTED, "").replace(PILED_MARKS, "$1").trim();
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
export function hueOf(user) {
  let hash = 7;
  for (const c of String(user?.user_id ?? user?.handle ?? "")) hash = Math.imul(hash ^ c.charCodeAt(0), 0x01000193);
  // Neighbouring ids differ in the low bits only: mix before taking the remainder.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) % HUES;
}

/** Return up to two letters that stand for a name where there is no picture. */
export function initialsOf(name) {
  const letters = [];
  for (const word of name.split(/[\s._-]+/)) {
    const first = [...graphemes.segment(word)].find(({ segment }) => /[\p{L}\p{N}]/u.test(segment));
    if (first && first.segment.length <= 4) letters.push(first.segment.toUpperCase());
  }
  return letters.slice(0, 2).join("");
}

export function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Return viewer text in an element of its own direction. */
export function textOf(text, className = "tl-text", tag = "bdi") {
  const made = element(tag, className, text);
  made.dir = "auto";
  return made;
}
