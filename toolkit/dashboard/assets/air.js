const ICONS = {
  next: "M4 4l8.5 6L4 16Zm9.5 0H16v12h-2.5Z",
  blank: "M10 2a8 8 0 1 0 0 16 8 8 0 0 0 0-16Zm0 2.2c1.2 0 2.4.4 3.3 1L5.2 13.3a5.8 5.8 0 0 1 4.8-9.1Zm0 11.6c-1.2 0-2.4-.4-3.3-1l8.1-8.1a5.8 5.8 0 0 1-4.8 9.1Z",
};
const ESCAPES_MS = 700; // two presses within this time are one wish
const KEYS_OFF = "toolkit-keys";

// Keys belong to whoever types; a dialog has its own.
function isElsewhere(event) {
  return event.composedPath().some((node) =>
    (node.matches?.("input:not([type=radio], [type=checkbox]), textarea, select") ?? false) || node.isContentEditable || (node.localName === "dialog" && node.open));
}

// The letter on the key, or where it is on a keyboard of another script.
function letterOf(event) {
  if (/^[a-z]$/i.test(event.key)) return event.key.toUpperCase();
  return /^[\x00-\x7f]*$/.test(event.key) ? "" : event.code.replace(/^Key/, "");
}

function keysSwitch(words) {
  let on = true;
  try { on = localStorage.getItem(KEYS_OFF) !== "off"; } catch { /* storage refused: on */ }
  const { one, show } = onOff(words.keys, words.keys_hint, (wanted) => {
    on = wanted;
    try { localStorage.setItem(KEYS_OFF, on ? "on" : "off"); } catch { /* for this page only */ }
    tell();
  });
  const tell = () => { show(on); document.documentElement.dataset.keys = on ? "on" : "off"; one.getRootNode().host?.toggleAttribute("data-no-keys", !on); };
  return { one, tell, isOn: () => on };
}

function phaseOf(question) {
  if (question.paused) return "paused";
  if (question.is_disputed && !["on_air", "leading"].includes(question.state)) return "disputed";
  return question.state;
}

// What is known of the answers, in one line.
function standing(question, words) {
  if (question.winner) return fill(words.won, { name: question.winner.name || words.anonymous, points: count(question.winner.points) });
  if (question.source === "audience") return question.asked_by ? fill(words.asked, { name: question.asked_by.name || words.anonymous, count: question.asked_count || 1 }) : words.audience;
  const parts = [fill(words.answered, { count: count(question.answered || 0), right: count(question.right || 0) })];
  if (question.leader) parts.push(fill(words.leads, { name: question.leader.name || words.anonymous }));
  return parts.join(" · ");
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const clock = clockOf(model);
  let question = null;
  let blank = false;

  const chip = h("span", { class: "air-state" });
  const text = foreign("", { class: "air-text" });
  const more = h("span", { class: "air-more", dir: "auto" });
  const left = h("span", { class: "air-left digits" });
  const bar = h("span", { class: "air-bar", "aria-hidden": "true" }, h("span", {}));
  const said = h("span", { class: "unseen", role: "status" });
  const works = {
    N: () => direct("question.next", question?.next ? { source: question.next.source } : {}),
    S: () => direct("question.skip"),
    P: () => direct("question.pin", { on: !question?.is_pinned }),
    U: () => direct("question.undo"),
    B: () => direct("stage.blank", { on: !blank }),
  };
  const buttons = {
    N: cue(words.next, works.N, { kind: "primary", path: ICONS.next, key: "N" }),
    S: cue(words.skip, works.S, { key: "S" }),
    P: cue(words.pin, works.P, { key: "P" }),
    U: cue(words.undo, works.U, { key: "U" }),
  };
  const panicText = h("span", { class: "label" }, words.blank);
  const panic = h("button", { type: "button", class: "button panic", title: words.blank_hint, "aria-keyshortcuts": "B" },
    icon(ICONS.blank), panicText, h("kbd", { "aria-hidden": "true" }, "B"));
  panic.addEventListener("click", works.B);
  const keys = keysSwitch(words);
  const alarm = h("div", { class: "air-alarm", role: "alert", hidden: true });
  const strip = h("section", { class: "onair", "aria-label": words.title },
    chip,
    h("div", { class: "air-what" }, text, more),
    h("div", { class: "air-time" }, left, bar),
    h("div", { class: "air-cues" }, ...Object.values(buttons), keys.one),
    panic, said);
  el.append(strip, alarm);
  keys.tell();

  function tick() {
    const runs = question && ["on_air", "leading"].includes(question.state) && question.closes_at && !question.is_pinned;
    bar.hidden = !runs;
    if (!runs) return put(left, "");
    const left_s = Math.max(0, clock.left_s(question.closes_at));
    put(left, duration(Math.ceil(left_s)));
    const whole_s = (question.closes_at - question.opened_at) / 1e6;
    bar.style.setProperty("--left", whole_s > 0 ? Math.min(1, left_s / whole_s).toFixed(3) : 0);
    bar.dataset.low = left_s <= 5 ? "yes" : "no";
  }

  function showQuestion() {
    clock.heard(question.opened_at);
    const phase = phaseOf(question);
    const idle = question.state === "idle";
    strip.dataset.phase = phase;
    put(chip, words[`phase_${phase}`] || phase);
    put(text, idle ? words.nothing : question.text);
    const next = question.next ? fill(words.then, { text: question.next.text }) : words.then_nothing;
    put(more, idle ? next : [standing(question, words), next].join("  —  "));
    buttons.N.title = next;
    for (const key of ["S", "P"]) buttons[key].disabled = idle;
    buttons.N.disabled = !question.next;
    buttons.U.disabled = question.can_undo === false;
    put(buttons.P.querySelector(".label"), question.is_pinned ? words.unpin : words.pin);
    put(said, idle ? "" : `${words[`phase_${phase}`]}: ${question.text}`);
  }

  function showStage(stage) {
    blank = stage.is_blank;
    const root = document.documentElement;
    root.dataset.blank = blank ? "yes" : "no";
    panic.classList.toggle("on", blank);
    put(panicText, blank ? words.unblank : words.blank);
    alarm.hidden = !blank;
    put(alarm, blank ? words.is_blank : "");
    document.title = (blank ? `${words.blank_mark} ` : "") + document.title.replace(`${words.blank_mark} `, "");
  }

  follow(model, (state) => {
    if (state.stage && state.stage.is_blank !== undefined) showStage(state.stage);
    question = state.question;
    strip.dataset.known = question ? "yes" : "no";
    if (question) showQuestion();
    tick();
  });
  every(model, 250, tick);

  let escapedAt = -Infinity;
  function press(event) {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const inDialog = event.composedPath().some((node) => node.localName === "dialog" && node.open);
      if (!inDialog && event.timeStamp - escapedAt < ESCAPES_MS && !blank) works.B();
      escapedAt = inDialog ? -Infinity : event.timeStamp;
      return;
    }
    const work = works[letterOf(event)];
    if (!work || !keys.isOn() || isElsewhere(event)) return;
    event.preventDefault();
    const pressed = buttons[letterOf(event)];
    if (pressed) pressed.disabled || pressed.click();
    else work();
  }
  document.addEventListener("keydown", press);
  model.on("remove", () => document.removeEventListener("keydown", press));
}
