const KINDS = ["gift", "follow", "share", "subscribe", "raid", "winner"];

function sentence(alert, words) {
  const name = alert.user?.name || words.anonymous;
  const many = alert.merged > 1 ? "_many" : "";
  return fill(words[`say_${alert.kind}${many}`] || words[`say_${alert.kind}`] || alert.kind,
    { name, gift: alert.gift || "", count: count(alert.count || alert.merged || 1), merged: count(alert.merged || 1), text: alert.text || "" });
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const clock = clockOf(model);
  const now = h("div", { class: "alert-now" });
  const left = h("span", { class: "digits hint" });
  const queue = h("ol", { class: "alert-queue", "aria-label": words.queue });
  const waiting = h("span", { class: "chip", hidden: true });
  const pause = onOff(words.pause, words.pause_hint, (on) => direct("alert.pause", { on }));
  const mute = onOff(words.mute, words.mute_hint, (on) => direct("alert.mute", { on }));
  const skip = cue(words.skip, () => direct("alert.skip"), { act: "skip" });
  const replay = cue(words.replay, () => direct("alert.replay"), { act: "replay" });
  const clear = cue(words.clear, () => direct("alert.clear"), { act: "clear" });
  const least = fieldOf(words.minimum, h("input", { type: "number", min: 0, step: 1, inputmode: "numeric" }));
  least.control.addEventListener("change", async () => {
    const answer = await direct("alert.minimum", { diamonds: Number(least.control.value) });
    least.tell(answer.ok ? "" : answer.text);
  });
  const tests = h("div", { class: "row tests", role: "group", "aria-label": words.test },
    ...KINDS.map((kind) => cue(words[`kind_${kind}`], () => direct("alert.test", { kind }), { act: `test-${kind}` })));
  el.append(h("section", { class: "card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), waiting, h("div", { class: "header-tools" }, pause.one, mute.one)),
    h("div", { class: "alert-line" }, now, left), queue,
    h("div", { class: "row" }, skip, replay, clear),
    h("h3", { class: "minor" }, words.test), tests, h("div", { class: "least" }, least.box)));

  let current = null;
  const tick = () => put(left, current?.until ? fill(words.left, { seconds: Math.max(0, Math.ceil(clock.left_s(current.until))) }) : "");
  follow(model, ({ alert }) => {
    if (!alert) return;
    current = alert.current;
    clock.heard(current?.shown_at);
    now.replaceChildren(...(current
      ? [h("span", { class: "badge state-on_air" }, words[`kind_${current.kind}`] || current.kind), foreign(sentence(current, words)), current.is_test ? h("span", { class: "badge" }, words.is_test) : null].filter(Boolean)
      : [h("span", { class: "hint" }, alert.is_paused ? words.paused : words.nothing)]));
    keep(queue, alert.queue, (row) => h("li", {}, h("span", { class: "badge" }, words[`kind_${row.kind}`] || row.kind), row.user ? foreign(row.user.name || words.anonymous) : null));
    queue.hidden = !alert.queue.length;
    waiting.hidden = !alert.waiting;
    put(waiting, fill(words.waiting, { count: count(alert.waiting) }));
    pause.show(alert.is_paused);
    mute.show(alert.is_muted);
    skip.disabled = !current;
    clear.disabled = !current && !alert.waiting;
    if (alert.minimum != null && least.control.getRootNode().activeElement !== least.control) least.control.value = alert.minimum;
    tick();
  });
  every(model, 500, tick);
}
