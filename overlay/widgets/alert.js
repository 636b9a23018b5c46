/** One alert at a time. A combo counts up on its card; the queue is the server's. */

import { icon } from "../icons.js";
import { bump, Place } from "../motion.js";
import { options } from "../options.js";
import { avatarOf, nameOf, plainName } from "../people.js";
import { element, textOf, tidy } from "../text.js";
import { amount, say } from "../words.js";
import * as sound from "../sound.js";
import * as speech from "../speech.js";

const ICONS = { gift: "gift", follow: "follow", share: "share", subscribe: "star", raid: "raid", winner: "crown" };
const GIFT_CHARS_MAX = 32;

const place = new Place(".tl-alert-slot");
let lastId = null;

export function update(value) {
  const current = value.current;
  if (!current || !Object.hasOwn(ICONS, current.kind)) return place.hide();
  // The quiz has a card of its own for its winner.
  if (current.kind === "winner" && options.shows.has("winner")) return place.hide();
  place.show(`alert:${current.id}`, () => alertCard(current), (card) => count(card, current));
  if (lastId !== null && lastId !== current.id && !value.is_muted) announce(current);
  lastId = current.id;
}

export function clear() {
  place.clear();
}

function alertCard(alert) {
  const card = element("article", "tl-panel tl-alert");
  const face = element("span", "tl-alert-face");
  const mark = element("span", "tl-alert-mark");
  mark.append(icon(options.safe ? "spark" : ICONS[alert.kind]));
  face.append(avatarOf(alert.user), mark);
  const words = element("div", "tl-alert-words");
  if (alert.user) words.append(nameOf(alert.user, "tl-name tl-alert-name"));
  words.append(textOf(wordsOf(alert), "tl-alert-text", "p"));
  const combo = element("span", "tl-alert-count");
  combo.hidden = true;
  card.append(face, words, combo);
  return card;
}

const giftOf = (alert) => tidy(alert.gift, GIFT_CHARS_MAX) || say("gift");

function wordsOf(alert) {
  const others = Number(alert.merged) > 1 ? ` ${say("alert.more", { count: Number(alert.merged) - 1 })}` : "";
  if (options.safe) return say("alert.safe") + others;
  const values = { gift: giftOf(alert), answer: tidy(alert.text, 60) };
  if (alert.kind === "raid") values.count = Math.max(Number(alert.count) || 0, Number(alert.merged) || 0);
  return say(`alert.${alert.kind}`, values) + (alert.kind === "raid" ? "" : others);
}

function count(card, alert) {
  const combo = card.querySelector(".tl-alert-count");
  const times = alert.kind === "gift" ? Number(alert.count) || 1 : 1;
  const worth = alert.kind === "gift" && !options.safe ? Number(alert.diamonds) || 0 : 0;
  const key = `${times}/${worth}`;
  if (combo.dataset.key === key) return;
  const isFirst = combo.dataset.key === undefined;
  combo.dataset.key = key;
  combo.hidden = times < 2 && !worth;
  combo.replaceChildren();
  if (times > 1) combo.append(element("b", "tl-alert-times", `\u00d7${amount(times)}`));
  if (worth) {
    const diamonds = element("span", "tl-alert-worth");
    diamonds.append(icon("diamond"), amount(worth));
    combo.append(diamonds);
  }
  if (!isFirst) bump(combo);
}

function announce(alert) {
  sound.play(alert.kind);
  if (alert.kind !== "gift" || options.safe) return;
  speech.speak("gift", say("spoken.gift", { name: plainName(alert.user), gift: giftOf(alert) }), alert.user?.user_id);
}
