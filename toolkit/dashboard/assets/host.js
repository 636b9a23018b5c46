const KINDS = ["off", "timer", "winner"];

function numberField(words, name, low, high) {
  return fieldOf(words[name], h("input", { type: "number", min: low, max: high, step: 1, inputmode: "numeric" }));
}

// How questions come by themselves.
function makeAuto(words, direct) {
  const send = (values) => direct("question.auto", values);
  const mode = choiceOf(words.auto, KINDS.map((kind) => [kind, words[`auto_${kind}`], words[`auto_${kind}_hint`]]), (value) => send({ mode: value }));
  const every = numberField(words, "every", 5, 600);
  every.control.addEventListener("change", async () => {
    const answer = await send({ every_s: Number(every.control.value) });
    every.tell(answer.ok ? "" : answer.text);
  });
  const order = h("select", {}, ...["shuffle", "file"].map((value) => h("option", { value }, words[`order_${value}`])));
  order.addEventListener("change", () => send({ order: order.value }));
  const orderField = fieldOf(words.order, order);
  const audience = onOff(words.from_audience, words.from_audience_hint, (on) => send({ audience: on }));
  const pause = onOff(words.pause, words.pause_hint, (on) => direct("question.pause", { on }));
  const box = h("section", { class: "auto", "aria-label": words.auto },
    h("h3", { class: "minor" }, words.auto), mode.box,
    h("div", { class: "row" }, every.box, orderField.box), h("div", { class: "row" }, audience.one, pause.one));
  return {
    box,
    show(question) {
      mode.show(question.mode);
      const focused = box.getRootNode().activeElement;
      if (focused !== every.control && question.every_s) every.control.value = question.every_s;
      if (question.order) order.value = question.order;
      audience.show(question.audience);
      pause.show(question.paused === "by_hand");
    },
  };
}

// Whether a doubtful result counts is for a person to say.
function makeJudge(words, direct) {
  const judge = (verdict) => direct("question.judge", { verdict });
  const why = h("p", {});
  const late = h("ul", { class: "late" });
  const lateLine = (one) => h("li", {}, cue(words.late, () => direct("question.judge", { verdict: "late", seq: one.seq }), { act: "late" }), person(one.user, words), foreign(one.answer));
  const box = h("div", { class: "judge", role: "group", "aria-label": words.judge, hidden: true },
    h("strong", {}, words.judge), why,
    h("div", { class: "row" },
      cue(words.accept, () => judge("accept"), { kind: "primary", act: "accept" }),
      cue(words.void, () => judge("void"), { kind: "danger", act: "void" })), late);
  return {
    box,
    show(question) {
      const isOver = ["decided", "closed"].includes(question.state);
      box.hidden = !(isOver && (question.is_disputed || question.late > 0));
      if (box.hidden) return;
      put(why, [question.is_disputed ? words.disputed : "", question.late ? fill(words.late_count, { count: count(question.late) }) : ""].filter(Boolean).join(" "));
      keep(late, (question.late_answers || []).map((one) => ({ ...one, id: one.seq })), lateLine);
    },
  };
}

function tag(text) {
  return text ? h("span", { class: "chip" }, text) : null;
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const chip = h("span", { class: "chip" });
  const tags = h("div", { class: "tags" });
  const text = foreign("", { class: "host-text" });
  const choices = h("ol", { class: "choices" });
  const figures = h("dl", { class: "figures host-figures" });
  const winner = h("div", { class: "winner", hidden: true });
  const next = h("p", { class: "hint next-up", dir: "auto" });
  const close = cue(words.close, () => direct("question.close"), { act: "close" });
  const auto = makeAuto(words, direct);
  const judge = makeJudge(words, direct);
  const box = h("section", { class: "card host-card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), chip, close),
    h("div", { class: "host-halves" },
      h("div", { class: "host-now" }, tags, text, choices, judge.box, winner, figures, next), auto.box));
  el.append(box);

  function figureOf(name, value, sub) {
    return h("div", { class: "figure" }, h("dt", {}, words[name]), h("dd", { class: "strong digits" }, value), sub ? h("dd", { class: "figure-sub" }, sub) : null);
  }
  function showFigures(question) {
    const isQuiz = question.source === "bank" && question.state !== "idle";
    figures.hidden = !isQuiz;
    if (!isQuiz) return figures.replaceChildren();
    figures.replaceChildren(
      figureOf("answers", count(question.answered || 0)),
      figureOf("right", count(question.right || 0)),
      figureOf("leader", question.leader ? foreign(question.leader.name || words.anonymous) : "–"));
  }
  function showWinner(question) {
    winner.hidden = !question.winner && !(question.accepted?.length);
    const { winner: won, accepted = [] } = question;
    winner.replaceChildren(
      ...(won ? [h("div", { class: "winner-line" }, h("span", { class: "chip", "data-tone": "good" }, words.winner), person(won, words),
        foreign(won.answer || ""), h("span", { class: "digits" }, fill(words.in_time, { seconds: DECIMAL.format((won.after_ms || 0) / 1000), points: count(won.points) })))] : []),
      ...(accepted.length ? [h("p", { class: "hint", dir: "auto" }, fill(words.accepted, { answers: accepted.join(" · ") }))] : []));
  }

  follow(model, ({ question }) => {
    if (!question) return;
    const idle = question.state === "idle";
    const isOver = ["decided", "closed"].includes(question.state);
    const phase = question.paused ? "paused" : isOver && question.is_disputed ? "disputed" : question.state;
    put(chip, words[`phase_${phase}`] || phase);
    chip.dataset.tone = { on_air: "bad", leading: "bad", decided: "good", paused: "warn", disputed: "warn" }[phase] || "";
    box.dataset.phase = phase;
    tags.replaceChildren(...[
      idle ? null : tag(words[`source_${question.source}`]), tag(question.category), question.difficulty ? tag(words[`difficulty_${question.difficulty}`]) : null,
      question.is_pinned ? tag(words.pinned) : null,
      question.asked_by ? person(question.asked_by, words) : null, question.asked_count > 1 ? tag(fill(words.asked_count, { count: question.asked_count })) : null].filter(Boolean));
    tags.hidden = !tags.children.length;
    put(text, idle ? words.nothing : question.text);
    choices.hidden = !question.choices?.length;
    choices.replaceChildren(...(question.choices || []).map((one, i) => h("li", {}, h("b", {}, "ABCDEFGH"[i] || "?"), foreign(one))));
    showFigures(question);
    showWinner(question);
    judge.show(question);
    close.hidden = !["on_air", "leading"].includes(question.state);
    put(next, question.next ? fill(words.then, { text: question.next.text }) : words.then_nothing);
    auto.show(question);
  });
}
