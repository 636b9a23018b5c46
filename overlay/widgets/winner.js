/** Who won: picture, name, "You won", points. */

import { icon } from "../icons.js";
import { moves } from "../motion.js";
import { avatarOf, nameOf } from "../people.js";
import { element, textOf, tidy } from "../text.js";
import { say } from "../words.js";

const CONFETTI = 26;
const ANSWER_CHARS_MAX = 60;
const QUICK_MS_MAX = 120000;

export function winnerOf(value) {
  const { winner } = value;
  return {
    user: winner.user ?? winner,
    answer: tidy(winner.answer, ANSWER_CHARS_MAX),
    points: Number(winner.points) || 0,
    afterMs: Number(winner.after_ms) || 0,
  };
}

export function winnerCard(value) {
  const { user, answer, points, afterMs } = winnerOf(value);
  const card = element("article", "tl-panel tl-winner");
  const portrait = element("div", "tl-winner-portrait");
  portrait.append(icon("crown"), avatarOf(user));
  const title = element("p", "tl-winner-title", say("won"));
  const chips = element("p", "tl-winner-chips");
  if (answer) {
    const chip = element("span", "tl-chip tl-winner-answer");
    chip.append(icon("check"), textOf(answer, "tl-winner-answer-text"));
    chips.append(chip);
  }
  if (points) chips.append(element("span", "tl-chip tl-winner-points", say("points", { count: points })));
  card.append(portrait, title, nameOf(user, "tl-name tl-winner-name"), chips);
  const seconds = Math.round(afterMs / 100) / 10;
  if (value.is_disputed) card.append(element("p", "tl-winner-note", say("disputed")));
  else if (afterMs > 0 && afterMs < QUICK_MS_MAX) card.append(element("p", "tl-winner-note", say("after", { seconds })));
  if (moves()) card.append(confetti());
  return card;
}

/** Paper falling once. It leaves by itself; calm pages have none. */
function confetti() {
  const shower = element("span", "tl-confetti");
  for (let n = 0; n < CONFETTI; n += 1) {
    const piece = element("i", "");
    piece.dataset.letter = "abcd"[n % 4];
    piece.style.left = `${(n * 137.5) % 100}%`;
    const drift = (((n * 61) % 40) - 20) / 10;
    piece.animate(
      {
        transform: ["translate(0, -1.5em) rotate(0)", `translate(${drift}em, 15em) rotate(${n % 2 ? 540 : -420}deg)`],
        opacity: [1, 1, 0],
      },
      { duration: 1800 + ((n * 97) % 900), delay: (n * 53) % 500, easing: "cubic-bezier(.3,.2,.6,1)", fill: "both" },
    );
    shower.append(piece);
  }
  setTimeout(() => shower.remove(), 3400);
  return shower;
}
