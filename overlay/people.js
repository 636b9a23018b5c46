/** How a viewer appears: name, colour, picture or initials. */

import { icon } from "./icons.js";
import { options } from "./options.js";
import { addressOf } from "./state.js";
import { element, hueOf, initialsOf, NAME_CHARS_MAX, tidy } from "./text.js";
import { say } from "./words.js";

export const plainName = (user) => tidy(user?.nickname || user?.handle || say("someone"), NAME_CHARS_MAX) || say("someone");

export function nameOf(user, className = "tl-name") {
  const made = element("bdi", className, plainName(user));
  made.dataset.hue = String(hueOf(user));
  return made;
}

/** Return a viewer's picture; his initials until it is there, and where there is none. */
export function avatarOf(user) {
  const made = element("span", "tl-avatar");
  made.dataset.hue = String(hueOf(user));
  const initials = user ? initialsOf(plainName(user)) : "";
  if (initials) made.append(element("bdi", "tl-initials", initials));
  else made.append(icon("person"));
  const id = String(user?.user_id ?? "");
  if (user?.avatar && options.avatars && /^\d{1,20}$/.test(id)) {
    const picture = element("img", "tl-picture");
    picture.alt = "";
    picture.decoding = "async";
    picture.onload = () => made.append(picture);
    picture.src = addressOf(`avatar/${id}`).href;
  }
  return made;
}
