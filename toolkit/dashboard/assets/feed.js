const ROWS_MAX = 60;
const AT_END_PX = 40;

function badge(name, words) {
  return h("span", { class: `badge ${name}`, title: words[`${name}_hint`] }, words[name]);
}

const MENU = "M4 8.2a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Zm6 0a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Zm6 0a1.8 1.8 0 1 1 0 3.6 1.8 1.8 0 0 1 0-3.6Z";

// What can be done about a comment. One for the whole list, opened under its button.
function makeMenu(words, direct, closed) {
  let row = null;
  let opener = null;
  const does = (name, work) => {
    const one = h("button", { type: "button", "data-act": name }, words[name]);
    one.addEventListener("click", () => { const about = row; close(); work(about); });
    return one;
  };
  const items = {
    air: does("put_on_air", (about) => direct("inbox.add", { text: about.text, user: { user_id: about.user, nickname: about.name, handle: about.handle }, on_air: true })),
    hide: does("hide_message", (about) => direct("moderation.hide_message", { msg_id: about.msg })),
    user: does("hide_user", (about) => direct("moderation.hide_user", { user_id: about.user })),
  };
  const box = h("div", { class: "menu", role: "group", hidden: true, "aria-label": words.menu }, ...Object.values(items));
  function close() {
    if (box.hidden) return;
    box.hidden = true;
    const returns = box.contains(box.getRootNode().activeElement);
    opener.setAttribute("aria-expanded", "false");
    if (returns && opener.isConnected) opener.focus();
    row = opener = null;
    closed();
  }
  box.addEventListener("keydown", (event) => {
    const buttons = [...box.children].filter((one) => !one.hidden);
    const place = buttons.indexOf(box.getRootNode().activeElement);
    if (event.key === "Escape") close();
    else if (event.key === "ArrowDown") buttons[(place + 1) % buttons.length].focus();
    else if (event.key === "ArrowUp") buttons[(place + buttons.length - 1) % buttons.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  // Left by Tab or by a press elsewhere: closed.
  box.addEventListener("focusout", (event) => { if (!box.contains(event.relatedTarget) && event.relatedTarget !== opener) close(); });
  return {
    box,
    close,
    isOpen: () => !box.hidden,
    open(button, about, card) {
      const again = opener === button;
      close();
      if (again) return;
      row = about;
      opener = button;
      items.air.hidden = !about.text;
      items.hide.hidden = !about.msg;
      items.user.hidden = !about.user;
      button.setAttribute("aria-expanded", "true");
      box.hidden = false;
      const [at, frame] = [button.getBoundingClientRect(), card.getBoundingClientRect()];
      const below = at.bottom - frame.top + 4;
      box.style.top = `${below + box.offsetHeight < frame.height ? below : at.top - frame.top - box.offsetHeight - 4}px`;
      [...box.children].find((one) => !one.hidden)?.focus();
    },
  };
}

function line(row, words, openMenu) {
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
      text), dots(row, words, openMenu));
}

function dots(row, words, openMenu) {
  const one = h("button", { type: "button", class: "icon-button dots", tabindex: "-1", "aria-haspopup": "true", "aria-expanded": "false", "aria-label": words.menu, title: words.menu }, icon(MENU));
  one.addEventListener("click", () => openMenu(one, row));
  return one;
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const list = h("ol", { class: "feed-list", tabindex: "0", "aria-label": words.title, "aria-description": words.arrows });
  const more = h("button", { type: "button", class: "more", hidden: true });
  const paused = h("span", { class: "chip", hidden: true }, words.paused);
  const nothing = empty(words);
  const menu = makeMenu(words, directing(asker(model, words)), () => show());
  const card = h("section", { class: "card feed-card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), paused), nothing, list, more, menu.box);
  const openMenu = (button, row) => menu.open(button, row, card);
  el.append(card);

  let run = null;
  let last = -Infinity;
  let hovered = false;
  let held = [];

  // Reading stops the list: the pointer on it, or scrolled back.
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < AT_END_PX;
  let following = true;
  let focused = false;
  let placed = 0; // where we have scrolled to: what is elsewhere is the reader's doing

  function toEnd() {
    list.scrollTop = list.scrollHeight;
    placed = list.scrollTop;
  }
  // The top of the page grows with a ribbon or a warning, and the list shrinks by as much.
  const sizes = new ResizeObserver(() => { if (following && !hovered && !focused) toEnd(); });
  sizes.observe(list);
  model.on("remove", () => sizes.disconnect());

  function add(rows) {
    list.append(...rows.map((row) => line(row, words, openMenu)));
    while (list.children.length > ROWS_MAX) list.firstChild.remove();
    toEnd();
  }
  function show() {
    const reading = hovered || focused || !following || menu.isOpen();
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
      menu.close();
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
  list.addEventListener("scroll", () => { if (list.scrollTop === placed) return; if (!hovered || !atEnd()) following = atEnd(); if (following && !hovered) show(); }, { passive: true });
  // One stop for Tab, not sixty: arrows go from line to line.
  list.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!step || !list.children.length || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const lines = [...list.children];
    const place = lines.findIndex((one) => one.contains(list.getRootNode().activeElement));
    const next = place < 0 ? lines.length - 1 : Math.min(lines.length - 1, Math.max(0, place + step));
    lines[next].querySelector(".dots").focus();
  });
  list.addEventListener("focusin", (event) => { focused = event.target !== list; });
  list.addEventListener("focusout", () => { focused = false; setTimeout(show); });
  more.addEventListener("click", () => { hovered = false; following = true; show(); toEnd(); });
}
