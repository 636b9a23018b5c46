export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const chip = h("span", { class: "chip", hidden: true });
  const hold = onOff(words.hold, words.hold_hint, (on) => direct("moderation.hold", { on }));
  const links = onOff(words.links, words.links_hint, (on) => direct("moderation.links", { on }));
  const list = h("ol", { class: "held-list", tabindex: "0", "aria-label": words.held });
  const nothing = empty(words);
  const area = fieldOf(words.blocked, h("textarea", { rows: 4, spellcheck: "false" }), words.blocked_hint);
  const save = cue(words.save, saveWords, { kind: "primary", act: "save" });
  const saved = h("span", { class: "hint", role: "status" });
  const usersTitle = h("summary", {});
  const users = h("ul", { class: "hidden-users" });
  const wordsTitle = h("summary", {});
  el.append(h("section", { class: "card side tall", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), chip, h("div", { class: "header-tools" }, hold.one, links.one)),
    nothing, list,
    h("details", {}, wordsTitle, area.box, h("div", { class: "row" }, save, saved)),
    h("details", {}, usersTitle, users)));

  let isEdited = false;
  let blocked = [];
  area.control.addEventListener("input", () => { isEdited = true; put(saved, ""); });
  // What was added and what was taken out: the list may be longer than what is shown of it.
  async function saveWords() {
    const wanted = linesOf(area.control.value);
    const answer = await direct("moderation.words", { add: wanted.filter((one) => !blocked.includes(one)), remove: blocked.filter((one) => !wanted.includes(one)) });
    if (answer.ok) isEdited = false;
    area.tell(answer.ok ? "" : `${answer.text} ${answer.hint || ""}`);
    put(saved, answer.ok ? words.saved : "");
  }
  function heldLine(row) {
    return h("li", {}, h("div", { class: "held-head" }, person(row.user, words), h("time", { datetime: new Date(row.at / 1000).toISOString() }, CLOCK.format(row.at / 1000))),
      foreign(row.text, { class: "said" }),
      h("div", { class: "row" },
        cue(words.approve, () => direct("moderation.approve", { msg_id: row.msg_id }), { act: "approve" }),
        cue(words.reject, () => direct("moderation.reject", { msg_id: row.msg_id }), { act: "reject" })));
  }
  function hiddenLine(user) {
    return h("li", {}, person({ ...user, name: user.name || user.id }, words), cue(words.show_user, () => direct("moderation.show_user", { user_id: user.id }), { act: "show" }));
  }

  follow(model, ({ moderation }) => {
    if (!moderation) return;
    hold.show(moderation.hold);
    const lists = moderation.lists || {};
    links.show(lists.links);
    const held = moderation.held.map((row) => ({ id: row.msg_id, ...row }));
    keep(list, held, heldLine);
    list.hidden = !held.length;
    nothing.hidden = held.length > 0;
    chip.hidden = !held.length;
    put(chip, fill(words.waiting, { count: count(held.length) }));
    chip.dataset.tone = "warn";
    put(wordsTitle, fill(words.blocked_count, { count: count(moderation.words) }));
    if (!isEdited && area.control.getRootNode().activeElement !== area.control) {
      blocked = lists.words || [];
      area.control.value = blocked.join("\n");
    }
    put(usersTitle, fill(words.hidden_count, { count: count(moderation.hidden_users) }));
    keep(users, lists.users || [], hiddenLine);
    document.documentElement.dispatchEvent(new CustomEvent("waiting", { detail: { held: held.length } }));
  });
}
