/** Words of the page, one file per language in `lang/`. English stands in for what is missing. */

import { root } from "./state.js";

const FALLBACK = "en";
const tables = new Map();
const listeners = [];
let language = FALLBACK;
let kind = "";
let isSpoken = false;
let forms = null; // made once per language: they are large

/** Speak `wanted` from now on; where there is no such file, English. */
export async function setLanguage(wanted) {
  const next = /^[a-z]{2}$/.test(wanted ?? "") ? wanted : FALLBACK;
  await Promise.all([load(FALLBACK), load(next)]);
  const spoken = tables.get(next) ? next : FALLBACK;
  if (spoken === language && root.lang === spoken && isSpoken) return;
  isSpoken = true;
  language = root.lang = spoken;
  forms = {
    plural: new Intl.PluralRules(spoken),
    number: new Intl.NumberFormat(spoken),
    brief: new Intl.NumberFormat(spoken, { notation: "compact", maximumFractionDigits: 1 }),
  };
  for (const listener of listeners) listener();
}

/** Take the words of another page: those in files that begin with `prefix`. */
export function useWords(prefix) {
  kind = prefix;
}

/** Have `listener` called when the language has changed. */
export function onLanguage(listener) {
  listeners.push(listener);
}

async function load(name) {
  if (tables.has(name)) return;
  tables.set(name, null);
  try {
    const answer = await fetch(new URL(`lang/${kind}${name}.json`, import.meta.url));
    if (answer.ok) tables.set(name, await answer.json());
    else if (answer.status !== 404) tables.delete(name);
  } catch {
    tables.delete(name); // The server is away: ask again next time.
  }
}

/** Return the words for `key`, with `{name}` replaced by values. For counts, `key.one` goes before. */
export function say(key, values = {}) {
  const table = tables.get(language) ?? {};
  const plural = values.count === undefined || !forms ? "" : forms.plural.select(values.count);
  const words = table[`${key}.${plural}`] ?? table[key] ?? tables.get(FALLBACK)?.[key] ?? key;
  return words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? amount(values[name]) : whole));
}

/** Return a number as people of this language write it; text as it is. */
export function amount(value) {
  return typeof value === "number" && forms ? forms.number.format(value) : String(value);
}

/** Return a large number in little room: 12 K. */
export function briefly(value) {
  return forms ? forms.brief.format(value) : String(value);
}
