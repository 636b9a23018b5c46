const ROWS_MAX = 60;
const AT_END_PX = 40;

function badge(name, words) {
  return h("span", { class: `badge ${name}`, title: words[`${name}_hint`] }, words[name]);
}

function line(row, words) {
  const name = row.name || words.anonymous;
  const text = row.text ? foreign(row.text, { class: "said" }) : h("em", { class: "said" }, words.emotes);
  const at = h("time", { datetime: new Date(row.at).toISOString() }, CLOCK.format(row.at));
  return h("li", { "data-id": row.id, class: row.badges.includes("history") ? "old" : null },
    avatar(name, row.hue),
    h("div", { class: "line" },
      h("div", { class: "who" },
        foreign(name, { class: "name", title: row.handle ? `@${row.handle}` : null }),
        row.verified ? h("span", { class: "badge verified", title: words.verified_hint, role: "img", "aria-label": words.verified_hint }, "✓") : null,
        ...row.badges.map((one) => badge(one, words)), at),
      text));
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const list = h("ol", { class: "feed-list", tabindex: "0", role: "log", "aria-live": "off", "aria-label": words.title });
  const more = h("button", { type: "button", class: "more", hidden: true });
  const paused = h("span", { class: "chip", hidden: true }, words.paused);
  const nothing = empty(words);
  el.append(h("section", { class: "card feed-card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), paused), nothing, list, more));

  let run = null;
  let last = -Infinity;
  let hovered = false;
  let held = [];

  // Reading stops the list: the pointer on it, or scrolled back.
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < AT_END_PX;
  let following = true;

  function add(rows) {
    list.append(...rows.map((row) => line(row, words)));
    while (list.children.length > ROWS_MAX) list.firstChild.remove();
    list.scrollTop = list.scrollHeight;
  }
  function show() {
    const reading = hovered || !following;
    if (!reading && held.length) add(held.splice(0));
    paused.hidden = !(reading && held.length);
    more.hidden = !held.length;
    more.textContent = fill(words.more, { count: held.length >= ROWS_MAX ? `${ROWS_MAX}+` : held.length }) + " ↓";
    nothing.hidden = list.children.length + held.length > 0;
    list.hidden = !nothing.hidden;
  }
  follow(model, (state) => {
    if (state.run !== run) {
      run = state.run;
      last = -Infinity;
      held = [];
      following = true;
      list.replaceChildren();
    }
    // Numbers only grow, so a line that comes twice is known.
    const fresh = state.rows.filter((row) => row.id > last);
    if (fresh.length) last = fresh[fresh.length - 1].id;
    const gone = new Set(state.withdrawn.map(String));
    for (const row of [...list.children]) if (gone.has(row.dataset.id)) row.remove();
    held = held.concat(fresh).slice(-ROWS_MAX).filter((row) => !gone.has(String(row.id)));
    show();
  });
  list.addEventListener("pointerenter", (event) => { if (event.pointerType === "mouse") { hovered = true; show(); } });
  list.addEventListener("pointerleave", () => { hovered = false; following = atEnd(); show(); });
  list.addEventListener("scroll", () => { if (!hovered || !atEnd()) following = atEnd(); if (following && !hovered) show(); }, { passive: true });
  more.addEventListener("click", () => { hovered = false; following = true; show(); list.scrollTop = list.scrollHeight; });
}
