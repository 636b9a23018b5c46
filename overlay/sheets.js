/** Style sheets that come and go: a theme's, a preset's. One of each is worn at a time. */

import { element } from "./text.js";

const worn = new Map();

/** Wear the sheet at `href` as `kind`, none for an empty one; resolves when it is on. */
export function wear(kind, href) {
  const old = worn.get(kind);
  if ((old?.href ?? "") === href) return;
  worn.delete(kind);
  if (!href) return old.remove();
  const sheet = element("link", `tl-${kind}`);
  sheet.rel = "stylesheet";
  sheet.href = href;
  worn.set(kind, sheet);
  document.head.append(sheet);
  // The old one stays until then: there is no moment without.
  return new Promise((resolve) => {
    sheet.onload = sheet.onerror = () => resolve(old?.remove());
  });
}
