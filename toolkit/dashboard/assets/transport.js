const RATES = [0.5, 1, 2, 4, 10, "max"];
const KINDS = ["", "comment", "gift", "question"];
const STEPS_S = { ArrowLeft: -5, ArrowDown: -5, ArrowRight: 5, ArrowUp: 5, PageDown: -30, PageUp: 30 };
const TICK_MS = 250;
const TOLD_EVERY_S = 5; // how often a screen reader may hear of the position by itself
const SLOT_PX = 15; // two markers nearer than this are one
const PAUSE = "M5.5 4h3.2v12H5.5Zm5.8 0h3.2v12h-3.2Z";
const PLAY = "M6 3.5l10.5 6.5L6 16.5Z";
const AGAIN = "M10 4a6 6 0 1 1-5.7 4.2l1.7.5A4.2 4.2 0 1 0 10 5.8v2.4L5.8 4.6 10 1.4Z";
const HALT = "M5 5h10v10H5Z";
const BACK = "M10.5 4v4.6L17 4v12l-6.5-4.6V16L3 10Z";
const FORWARD = "M9.5 4v4.6L3 4v12l6.5-4.6V16L17 10Z";
const NEXT = "M4 4l8.5 6L4 16Zm9.5 0H16v12h-2.5Z";

const at = (share) => `${(100 * share).toFixed(3)}%`;

function tool(path, label, ...children) {
  return h("button", { type: "button", class: "tool", "aria-label": label, title: label }, icon(path), ...children);
}

function toggle(name, words) {
  return h("button", { type: "button", class: "toggle", "aria-pressed": "false", title: words[`${name}_hint`], "data-name": name }, words[name]);
}

// The rate of comments as an area, each stretch eased by its neighbours.
function area(counts) {
  const eased = counts.map((n, i) => ((counts[i - 1] ?? n) + 2 * n + (counts[i + 1] ?? n)) / 4);
  const top = Math.max(...eased, 1);
  const line = eased.map((n, i) => `L${i + 0.5} ${(100 - (92 * n) / top).toFixed(1)}`).join("");
  const svg = icon(`M0 100${line}L${counts.length} 100Z`);
  svg.setAttribute("viewBox", `0 0 ${counts.length} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  return svg;
}

// Of markers that would lie on each other the weightiest stays, and says how many there were.
function clustered(markers, duration_s, width_px) {
  const slot_s = (SLOT_PX * duration_s) / Math.max(width_px, SLOT_PX);
  const last = {};
  const kept = [];
  for (const marker of markers) {
    const before = last[marker.kind];
    if (before && marker.at_s - before.at_s < slot_s) {
      before.further += 1;
      if (marker.diamonds > before.diamonds) Object.assign(before, { text: marker.text, diamonds: marker.diamonds });
    } else {
      kept.push((last[marker.kind] = { ...marker, further: 0 }));
    }
  }
  return kept;
}

// The strip: draws a timeline, tells where the pointer asks to go.
function makeStrip(words, seek, toggle) {
  const back = h("div", { class: "strip-area" });
  const played = h("div", { class: "strip-area played" });
  const gaps = h("div", { class: "strip-gaps" });
  const marks = h("div", { class: "strip-marks" });
  const tip = h("div", { class: "strip-tip", hidden: true });
  const cursor = h("div", { class: "strip-cursor", hidden: true });
  const box = h("div", { class: "strip", role: "slider", tabindex: "0", "aria-label": words.slider, "aria-valuemin": "0" },
    h("div", { class: "strip-clip", "aria-hidden": "true" }, back, played, gaps),
    h("div", { class: "strip-marks-clip", "aria-hidden": "true" }, marks),
    h("div", { class: "strip-head", "aria-hidden": "true" }), cursor, tip);
  let drawn = null;
  let shown = [];
  let dragged = null;
  let saidAt = -Infinity;

  function draw(timeline) {
    drawn = timeline;
    back.replaceChildren(...(drawn ? [area(drawn.comments)] : []));
    played.replaceChildren(...(drawn ? [area(drawn.comments)] : []));
    gaps.replaceChildren(...(drawn?.gaps ?? []).map((gap) => h("div", { class: "strip-gap", style:
      `left:${at(gap.from_s / drawn.duration_s)};width:${at((gap.until_s - gap.from_s) / drawn.duration_s)}` })));
    mark();
  }
  function mark() {
    shown = drawn && drawn.duration_s > 0 ? clustered(drawn.markers, drawn.duration_s, box.clientWidth) : [];
    marks.replaceChildren(...shown.map((one) =>
      h("span", { class: `mark-${one.kind}`, "data-more": one.further ? "yes" : null, style: `left:${at(one.at_s / drawn.duration_s)}` }, one.kind === "question" ? "?" : null)));
  }
  const sizes = new ResizeObserver(mark);
  sizes.observe(box);

  const length = () => Number(box.getAttribute("aria-valuemax")) || 0;
  function placeOf(event) {
    const { left, width } = box.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - left) / Math.max(width, 1))) * length();
  }
  function show(position_s) {
    box.style.setProperty("--at", length() ? Math.min(1, position_s / length()) : 0);
  }
  function hint(event) {
    const place = placeOf(event);
    const width = Math.max(box.clientWidth, 1);
    const near = (one) => (Math.abs(one.at_s - place) / Math.max(length(), 1)) * width <= SLOT_PX / 2 + 2;
    const inGap = drawn?.gaps.some((gap) => gap.from_s <= place && place < gap.until_s);
    const bucket = drawn ? drawn.comments[Math.min(drawn.comments.length - 1, Math.floor(place / drawn.bucket_s))] : 0;
    const text = inGap ? words.at_gap : words.at;
    tip.replaceChildren(h("div", { class: "strong digits" },
      fill(text, { position: duration(place), comments: drawn ? count(Math.round((60 * bucket) / drawn.bucket_s)) : "–" })));
    for (const one of shown.filter(near).slice(0, 4)) {
      const said = one.kind === "gift" ? fill(words.gift, { text: one.text, diamonds: count(one.diamonds) }) : one.text;
      const line = h("div", { class: `tip-${one.kind}` }, foreign(said));
      if (one.further) line.append(" ", h("span", { class: "hint" }, fill(words[`more_${one.kind}s`], { count: one.further })));
      tip.append(line);
    }
    tip.hidden = cursor.hidden = false;
    cursor.style.left = at(place / Math.max(length(), 1));
    // Beside the pointer, and never out of the card.
    const x = (place / Math.max(length(), 1)) * width;
    tip.style.left = `${Math.max(0, Math.min(width - tip.offsetWidth, x - tip.offsetWidth / 2))}px`;
  }
  const leave = () => { tip.hidden = cursor.hidden = true; };
  box.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !length()) return;
    box.setPointerCapture(event.pointerId);
    dragged = placeOf(event);
    box.dataset.dragged = "yes";
    show(dragged);
    hint(event);
  });
  box.addEventListener("pointermove", (event) => {
    if (dragged !== null) show((dragged = placeOf(event)));
    hint(event);
  });
  const drop = () => { dragged = null; delete box.dataset.dragged; };
  box.addEventListener("pointerup", (event) => {
    if (dragged === null) return;
    const to = placeOf(event);
    drop();
    if (event.pointerType !== "mouse") leave();
    seek(to);
  });
  // The browser took the finger to scroll the page: as if it had not been put down.
  box.addEventListener("pointercancel", () => { drop(); leave(); });
  box.addEventListener("pointerleave", () => { if (dragged === null) leave(); });
  box.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const to = event.key === "Home" ? () => 0 : event.key === "End" ? length : event.key in STEPS_S ? (now) => now + STEPS_S[event.key] : null;
    if (event.key === " ") toggle();
    else if (to) seek(to);
    else return;
    event.preventDefault();
  });
  return {
    box,
    draw,
    // `isNews`: somebody moved it. By itself it is told now and then only.
    place(position_s, length_s, isNews) {
      if (length() !== length_s) box.setAttribute("aria-valuemax", length_s);
      if (dragged !== null) return;
      show(position_s);
      if (!isNews && Math.abs(position_s - saidAt) < TOLD_EVERY_S) return;
      saidAt = position_s;
      box.setAttribute("aria-valuenow", Math.round(position_s));
      box.setAttribute("aria-valuetext", fill(words.of, { position: duration(position_s), length: duration(length_s) }));
    },
    close: () => sizes.disconnect(),
  };
}

function makeTools(words) {
  const buttons = {
    back: tool(BACK, words.back, h("span", { class: "digits" }, "10")),
    play: tool(PAUSE, words.pause),
    forward: tool(FORWARD, words.forward, h("span", { class: "digits" }, "10")),
    stop: tool(HALT, words.stop),
    next: h("button", { type: "button", class: "toggle next", title: words.next_hint }, icon(NEXT), words.next),
    loop: toggle("loop", words),
    gaps: toggle("gaps", words),
    clear: h("button", { type: "button", class: "toggle clear", title: words.clear_hint }, h("span", { class: "label" }, words.clear)),
  };
  buttons.play.classList.add("play");
  buttons.back.classList.add("skip");
  buttons.forward.classList.add("skip");
  const kind = h("select", { "aria-label": words.next_kind }, ...KINDS.map((name) => h("option", { value: name }, words[`kind_${name}`])));
  const rates = RATES.map((rate) => h("button", { type: "button", "aria-pressed": "false", "data-rate": rate, title: rate === "max" ? words.rate_max_hint : null }, rate === "max" ? words.rate_max : `${rate}×`));
  return { ...buttons, kind, rates };
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const ask = asker(model, words);
  const tools = makeTools(words);
  const position = h("span", { class: "position" });
  const total = h("span", {});
  const note = h("span", { class: "chip", role: "status", hidden: true });
  let timeline = null;

  const strip = makeStrip(words, (to) => seek(typeof to === "function" ? to(now()) : to), () => tools.play.click());
  const card = h("section", { class: "card transport-card", "aria-label": words.title, hidden: true },
    h("div", { class: "transport-main" }, tools.back, tools.play, tools.forward, tools.stop,
      h("span", { class: "digits where" }, position, " / ", total), note),
    strip.box,
    h("div", { class: "transport-more" },
      h("div", { class: "pair-of" }, tools.next, tools.kind),
      h("div", { class: "rates", role: "group", "aria-label": words.rates }, ...tools.rates),
      tools.loop, tools.gaps, tools.clear));
  el.append(card);

  // What the server told last is so. What somebody who pressed something hopes to be told next is
  // shown instead, until the answer: before it answers the server tells what has come of it.
  const from = (bar, position_s) => ({ bar, position_s, at_ms: performance.now() });
  let told = from(null, 0);
  let hoped = null;
  let heading = null; // where a seek that is not answered yet goes
  const shown = () => hoped ?? told;
  const length = () => shown().bar?.duration_s ?? timeline?.duration_s ?? 0;
  function now() {
    if (heading !== null) return heading;
    const { bar, position_s, at_ms } = shown();
    const speed = bar?.state === "playing" && bar.rate !== "max" ? bar.rate : 0;
    return Math.min(length(), Math.max(0, position_s + (speed * (performance.now() - at_ms)) / 1000));
  }
  function tick(isNews = false) {
    if (card.hidden) return;
    const place = now();
    put(position, duration(place));
    put(total, duration(length()));
    strip.place(place, length(), isNews);
  }

  // One after the other: what was pressed first happens first.
  let before = Promise.resolve();
  async function control(values, hope = null) {
    const mine = hope && from({ ...shown().bar, ...hope }, now());
    if (mine) {
      hoped = mine;
      show();
    }
    const answered = before.then(() => ask("replay", values));
    before = answered;
    const answer = await answered;
    if (!answer.ok) toast(answer);
    if (hoped === mine) hoped = null;
    show(true);
  }
  let isSeeking = false;
  // Of several wishes while one is under way only the last counts.
  async function seek(to_s) {
    heading = Math.min(length(), Math.max(0, to_s));
    tick(true);
    if (isSeeking) return;
    isSeeking = true;
    for (let asked = null; asked !== heading; ) {
      asked = heading;
      await control({ action: "seek", to_s: asked });
    }
    isSeeking = false;
    heading = null;
    tick(true);
  }

  // Hoped at once, so that a second press before the answer means the opposite of the first.
  tools.play.addEventListener("click", () => {
    const { state } = shown().bar;
    if (state === "playing") control({ action: "pause" }, { state: "paused" });
    else control({ action: "resume" }, state === "paused" ? { state: "playing" } : null);
  });
  tools.back.addEventListener("click", () => seek(now() - 10));
  tools.forward.addEventListener("click", () => seek(now() + 10));
  tools.stop.addEventListener("click", () => control({ action: "stop" }));
  tools.next.addEventListener("click", () => control(tools.kind.value ? { action: "next", kind: tools.kind.value } : { action: "next" }));
  tools.loop.addEventListener("click", () => {
    const loop = !shown().bar.loop;
    control({ action: "loop", loop }, { loop });
  });
  tools.gaps.addEventListener("click", () => {
    const heal = !shown().bar.heal_gaps;
    control({ action: "gaps", heal }, { heal_gaps: heal });
  });
  tools.clear.addEventListener("click", () => press(tools.clear, words.clearing, () => ask("replay", { action: "reset" })));
  for (const one of tools.rates) {
    const rate = one.dataset.rate === "max" ? "max" : Number(one.dataset.rate);
    one.addEventListener("click", () => control({ action: "rate", rate }, { rate }));
  }

  function show(isNews = false) {
    const { bar } = shown();
    card.hidden = !bar;
    if (!bar) return;
    const isOver = bar.state === "ended";
    const isPlaying = bar.state === "playing";
    const label = isPlaying ? words.pause : isOver ? words.again : words.resume;
    card.dataset.state = bar.state;
    if (tools.play.title !== label) {
      tools.play.title = label;
      tools.play.setAttribute("aria-label", label);
      tools.play.replaceChildren(icon(isPlaying ? PAUSE : isOver ? AGAIN : PLAY));
    }
    for (const one of [tools.stop, tools.loop, tools.gaps, ...tools.rates]) one.disabled = isOver;
    tools.next.disabled = bar.state !== "paused";
    tools.loop.setAttribute("aria-pressed", Boolean(bar.loop));
    tools.gaps.setAttribute("aria-pressed", Boolean(bar.heal_gaps));
    tools.gaps.hidden = !bar.has_gaps;
    for (const one of tools.rates) one.setAttribute("aria-pressed", String(bar.rate) === one.dataset.rate);
    put(note, isOver ? words.ended : bar.connected === false ? words.lost : bar.state === "paused" ? words.paused : "");
    note.hidden = !note.textContent;
    note.classList.toggle("minor", note.textContent === words.paused);
    tick(isNews);
  }
  follow(model, ({ bar, position_s }) => {
    // Over, it stands where it was.
    told = from(bar, position_s ?? now());
    show();
  });
  function redraw() {
    timeline = JSON.parse(model.strip);
    strip.draw(timeline);
    tick(true);
  }
  model.on("strip", redraw);
  model.on("remove", strip.close);
  redraw();
  every(model, TICK_MS, () => tick());
}
