/** Words of the page, one file per language in `lang/`, each complete. English where there is no such file. */

import { root } from "./state.js";

const FALLBACK = "en";
const tables = new Map(); // language -> promise of its words
let changed = () => {};
let language = FALLBACK;
let words = {};
let kind = "";
let forms = null; // made once per language: they are large

export async function setLanguage(wanted) {
  let next = /^[a-z]{2}$/.test(wanted ?? "") ? wanted : FALLBACK;
  let table = await load(next);
  if (!table) table = await load((next = FALLBACK));
  if (forms && next === language) return;
  words = table ?? {};
  language = root.lang = next;
  forms = {
    plural: new Intl.PluralRules(next),
    number: new Intl.NumberFormat(next),
    brief: new Intl.NumberFormat(next, { notation: "compact", maximumFractionDigits: 1 }),
  };
  changed();
}

/** Take the words of another page: those in files that begin with `prefix`. */
export function useWords(prefix) {
  kind = prefix;
}

export function onLanguage(listener) {
  changed = listener;
}

function load(name) {
  if (!tables.has(name)) tables.set(name, fetched(name));
  return tables.get(name);
}

async function fetched(name) {
  try {
    const answer = await fetch(new URL(`lang/${kind}${name}.json`, import.meta.url));
    if (answer.ok) return await answer.json();
    if (answer.status === 404) return null;
  } catch {
    // The server is away.
  }
  tables.delete(name); // Ask again next time.
  return null;
}

/** Return the words for `key`, with `{name}` replaced by values. For counts, `key.one` goes before. */
export function say(key, values = {}) {
  const plural = values.count === undefined || !forms ? "" : forms.plural.select(values.count);
  const found = words[`${key}.${plural}`] ?? words[key] ?? key;
  return found.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? amount(values[name]) : whole));
}

/** Return a number as people of this language write it; text as it is. */
export function amount(value) {
  return typeof value === "number" && forms ? forms.number.format(value) : String(value);
}

/** Return a large number in little room: 12 K. */
export function briefly(value) {
  return forms ? forms.brief.format(value) : String(value);
}
