export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const clock = clockOf(model);
  const chip = h("span", { class: "chip" });
  const left = h("span", { class: "digits hint" });
  const text = fieldOf(words.text, h("input", { type: "text", maxlength: 200 }));
  const options = fieldOf(words.options, h("textarea", { rows: 3 }), words.options_hint);
  const seconds = fieldOf(words.seconds, h("input", { type: "number", min: 10, max: 600, value: 60, step: 1, inputmode: "numeric" }));
  const problem = h("p", { class: "problem", role: "alert" });
  const open = h("button", { type: "submit", class: "button small primary" }, h("span", { class: "label" }, words.open));
  const form = h("form", { novalidate: true }, text.box, options.box, h("div", { class: "row" }, seconds.box, open), problem);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await direct("poll.open", { text: text.control.value.trim(), options: linesOf(options.control.value), seconds: Number(seconds.control.value) });
    problem.textContent = answer.ok ? "" : `${answer.text} ${answer.hint || ""}`;
  });
  const asked = foreign("", { class: "poll-text" });
  const bars = h("ul", { class: "poll-bars" });
  const close = cue(words.close, () => direct("poll.close"), { act: "close" });
  const clear = cue(words.clear, () => direct("poll.clear"), { act: "clear" });
  const result = h("div", { hidden: true }, asked, bars, h("div", { class: "row" }, close, clear));
  el.append(h("section", { class: "card", "aria-label": words.title }, h("header", {}, h("h2", {}, words.title), chip, left), form, result));

  let state = null;
  const tick = () => put(left, state?.state === "open" && state.closes_at ? fill(words.left, { seconds: Math.max(0, Math.ceil(clock.left_s(state.closes_at))) }) : "");
  follow(model, ({ poll }) => {
    if (!poll) return;
    state = poll;
    clock.heard(poll.opened_at);
    put(chip, words[`state_${poll.state}`] || poll.state);
    chip.dataset.tone = poll.state === "open" ? "bad" : "";
    const idle = poll.state === "idle";
    form.hidden = !idle;
    result.hidden = idle;
    if (!idle) {
      put(asked, poll.text);
      const rows = poll.options.map((one, i) => ({ id: i, ...one }));
      keep(bars, rows, (row) => h("li", { style: `--share:${row.share || 0}` }, h("b", { class: "digits" }, String(row.id + 1)), foreign(row.label),
        h("span", { class: "digits" }, fill(words.votes, { votes: count(row.votes), share: percent(row.share) }))));
      close.hidden = poll.state !== "open";
      clear.hidden = poll.state === "open";
    }
    tick();
  });
  every(model, 500, tick);
}
