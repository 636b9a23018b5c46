const PATHS = {
  air: "M10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM5.8 5.8a6 6 0 0 0 0 8.4l1.1-1.1a4.4 4.4 0 0 1 0-6.2L5.8 5.8Zm8.4 0-1.1 1.1a4.4 4.4 0 0 1 0 6.2l1.1 1.1a6 6 0 0 0 0-8.4ZM3.3 3.3a9.5 9.5 0 0 0 0 13.4l1.1-1.1a7.9 7.9 0 0 1 0-11.2L3.3 3.3Zm13.4 0-1.1 1.1a7.9 7.9 0 0 1 0 11.2l1.1 1.1a9.5 9.5 0 0 0 0-13.4Z",
  queue: "M9 4h2v5h5v2h-5v5H9v-5H4V9h5Z",
  pin: "M7 2h6v2l-1 .6V9l3 2.5V13h-4v4l-1 2-1-2v-4H5v-1.5L8 9V4.6L7 4Z",
  answered: "M8 13.2 4.8 10l-1.4 1.4L8 16 17 7l-1.4-1.4Z",
  dismiss: "M5 6.4 6.4 5 10 8.6 13.6 5 15 6.4 11.4 10l3.6 3.6-1.4 1.4-3.6-3.6L6.4 15 5 13.6 8.6 10Z",
};
const OPEN = ["new", "queued"];

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const list = h("ol", { class: "question-list", tabindex: "0", "aria-label": words.title });
  const nothing = empty(words);
  const total = h("span", { class: "chip", hidden: true });
  const undo = cue(words.undo, () => direct("inbox.undo"), { act: "undo" });
  const auto = onOff(words.auto, words.auto_hint, (on) => direct("inbox.auto", { on }));
  let state = null;
  let shown = "all";
  const filter = choiceOf(words.filter, ["all", "new", "queued"].map((name) => [name, words[`show_${name}`]]), (name) => { shown = name; show(); });
  filter.show(shown);
  el.append(h("section", { class: "card side tall", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), total, h("div", { class: "header-tools" }, auto.one, undo)),
    h("div", { class: "row filter" }, filter.box), nothing, list));

  function line(row) {
    const who = row.users[0]?.name || words.anonymous;
    const others = row.count > 1 ? fill(words.and_others, { count: count(row.count - 1) }) : "";
    const act = (name, action, values) => iconCue(PATHS[name], words[name], () => direct(action, { id: row.id, ...values }), name);
    const pin = act("pin", "inbox.pin", { on: !row.is_pinned });
    pin.setAttribute("aria-pressed", String(Boolean(row.is_pinned)));
    const cues = row.state === "on_air" ? [act("answered", "inbox.answered")] : [
      act("air", "question.ask"), row.state === "new" ? act("queue", "inbox.queue") : null, pin, act("answered", "inbox.answered"), act("dismiss", "inbox.dismiss")].filter(Boolean);
    return h("li", { "data-id": row.id, "data-state": row.state },
      foreign(row.text, { class: "said" }),
      h("div", { class: "by" },
        h("span", { class: `badge state-${row.state}` }, words[`state_${row.state}`] || row.state),
        foreign(who), others ? h("span", {}, others) : null,
        h("time", { datetime: new Date(row.at / 1000).toISOString() }, CLOCK.format(row.at / 1000)),
        h("span", { class: "cues", role: "group", "aria-label": words.actions }, ...cues)));
  }
  function show() {
    if (!state) return;
    const rows = state.questions.filter((row) => shown === "all" || row.state === shown);
    nothing.hidden = rows.length > 0;
    list.hidden = !rows.length;
    keep(list, rows, line);
    const open = OPEN.reduce((sum, name) => sum + (state.counts?.[name] || 0), 0);
    total.hidden = !open;
    put(total, fill(words.open, { count: count(open) }));
    auto.show(state.auto);
    document.documentElement.dispatchEvent(new CustomEvent("waiting", { detail: { inbox: open } }));
  }
  follow(model, (told) => { if (told.inbox) { state = told.inbox; show(); } });
}
