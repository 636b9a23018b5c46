const BUSY = new Set(["resolving", "connecting", "connected", "reconnecting", "waiting", "saving"]);
const RECORD = "M10 5a5 5 0 1 0 0 10 5 5 0 0 0 0-10Z";
const PLAY = "M6 4l10 6-10 6Z";
const STOP = "M5 5h10v10H5Z";

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const ask = asker(model, words);
  let state = null;

  // -- recording
  const field = h("input", {
    id: "user", type: "text", autocomplete: "off", autocapitalize: "off", spellcheck: "false",
    maxlength: "65", placeholder: words.user_placeholder, "aria-describedby": "user-problem",
  });
  const problem = h("p", { class: "problem", id: "user-problem", role: "alert" });
  const start = h("button", { type: "submit", class: "button live" }, icon(RECORD), h("span", { class: "label" }, words.start));
  const form = h("form", { class: "row" }, h("label", { class: "field grow", for: "user" }, h("span", {}, words.user), field), start);
  const headline = h("p", { class: "headline" });
  const detail = h("p", { class: "detail" });
  const stop = button("", words.stop, STOP);
  const again = button("primary", words.reconnect);
  const acts = h("div", { class: "row" }, again, stop);
  const liveTitle = h("h3", {}, words.record);
  const liveHint = h("p", { class: "hint" }, words.record_hint);
  const live = h("section", { class: "half", "aria-label": words.record }, liveTitle, liveHint, headline, detail, form, problem, acts);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const user = field.value.trim();
    problem.textContent = user ? "" : words.empty_user;
    field.toggleAttribute("aria-invalid", !user);
    if (!user) return field.focus();
    const answer = await press(start, words.starting, () => ask("record", { user }));
    if (answer && !answer.ok) problem.textContent = `${answer.text} ${answer.hint}`.trim();
  });
  field.addEventListener("input", () => { problem.textContent = ""; field.removeAttribute("aria-invalid"); });
  again.addEventListener("click", () => press(again, words.reconnecting, () => ask("reconnect")));

  const confirmTitle = h("h3", {});
  const yes = button("danger", words.confirm_yes);
  const no = button("", words.confirm_no);
  no.setAttribute("autofocus", "");
  const confirm = h("dialog", { "aria-label": words.stop }, confirmTitle, h("p", {}, words.confirm_text), h("div", { class: "row end" }, no, yes));
  const end = () => press(stop, words.stopping, () => ask("stop"));
  stop.addEventListener("click", () => {
    // Nothing is recorded while the live is waited for: nothing to think twice about.
    if (state.phase === "waiting") { end(); return; }
    confirmTitle.textContent = fill(words.confirm_title, state);
    confirm.showModal();
  });
  no.addEventListener("click", () => confirm.close());
  yes.addEventListener("click", () => { confirm.close(); end(); });

  // -- rehearsal
  const which = h("select", { id: "which" });
  const speed = h("select", { id: "speed" }, ...[0.5, 1, 2, 4, 10].map((rate) => h("option", { value: rate, selected: rate === 1 }, `${rate}×`)));
  const play = button("primary", words.play, PLAY);
  const why = h("p", { class: "detail" });
  const rehearseTitle = h("h3", {}, words.rehearse);
  const rehearseHint = h("p", { class: "hint" }, words.rehearse_hint);
  const choice = h("div", { class: "row" },
    h("label", { class: "field grow", for: "which" }, h("span", {}, words.which), which),
    h("label", { class: "field", for: "speed" }, h("span", {}, words.speed), speed), play);
  const sample = button("primary big", words.welcome_rehearse, PLAY);
  const rehearse = h("section", { class: "half", "aria-label": words.rehearse }, rehearseTitle, rehearseHint, why, choice, sample);
  const startPlaying = (pressed, id, rate) => press(pressed, words.playing, () => ask("rehearse", { id, rate }));
  play.addEventListener("click", () => startPlaying(play, which.value, Number(speed.value)));
  sample.addEventListener("click", () => startPlaying(sample, state.sample, 1));

  const welcome = h("p", { class: "welcome" }, words.welcome);
  const refusal = h("div", { class: "banner", role: "alert", hidden: true });
  const halves = h("div", { class: "halves" }, live, rehearse);
  el.append(h("section", { class: "card control-card", "aria-label": words.title }, refusal, welcome, halves, confirm));

  function showLive() {
    const busy = BUSY.has(state.phase);
    const known = state.cause && words[`cause_${state.cause}`];
    form.hidden = busy;
    liveHint.hidden = busy || Boolean(state.detail);
    liveTitle.textContent = state.first ? words.welcome_live : words.record;
    liveHint.textContent = state.first ? words.welcome_live_text : words.record_hint;
    liveTitle.hidden = busy;
    headline.hidden = !busy;
    const headlines = { connected: "recording", reconnecting: "lost", waiting: "waiting", saving: "recording" };
    headline.textContent = fill(words[headlines[state.phase] || "connecting"], state);
    headline.dataset.on = state.phase === "connected" ? "yes" : "no";
    const said = state.phase === "connected" ? words.record_hint : state.phase === "saving" ? words.saving : state.detail;
    detail.textContent = state.rehearsal ? "" : [said, busy ? "" : known].filter(Boolean).join(" ");
    detail.dataset.tone = ["needs_operator", "reconnecting"].includes(state.phase) || (!busy && known && state.cause !== "live_ended") ? "warn" : "";
    detail.hidden = !detail.textContent;
    stop.hidden = !busy;
    stop.disabled = state.phase === "saving";
    again.hidden = !["reconnecting", "waiting"].includes(state.phase);
    el.firstElementChild.dataset.busy = busy ? "yes" : "no";
    rehearse.hidden = busy;
    acts.hidden = stop.hidden && again.hidden;
    start.disabled = Boolean(state.refusal);
    if (state.user && !field.value && field.getRootNode().activeElement !== field) field.value = `@${state.user}`;
  }

  function showRehearsal() {
    const offer = state.first && state.sample && !state.rehearsal;
    rehearseTitle.textContent = offer ? words.welcome_rehearse : state.rehearsal ? words.other : words.rehearse;
    rehearseHint.textContent = offer ? words.welcome_rehearse_text : words.rehearse_hint;
    const chosen = which.value;
    which.replaceChildren(...state.playable.map((row) => {
      const when = row.at ? WHEN.format(row.at) : row.id;
      return h("option", { value: row.id }, row.id === state.sample ? words.sample : `@${row.user} · ${when}`);
    }));
    const wanted = state.rehearsal || chosen;
    if (state.playable.some((row) => row.id === wanted)) which.value = wanted;
    choice.hidden = !state.playable.length || offer;
    sample.hidden = !offer;
    why.textContent = state.playable.length ? "" : words.no_recordings;
    why.hidden = state.playable.length > 0;
    rehearseHint.hidden = Boolean(state.rehearsal);
  }

  follow(model, (next) => {
    state = next;
    refusal.hidden = !state.refusal;
    refusal.textContent = state.refusal ? `${words.refused} ${state.refusal}` : "";
    welcome.hidden = !state.first || Boolean(state.rehearsal);
    el.firstElementChild.dataset.first = state.first && !state.rehearsal ? "yes" : "no";
    showLive();
    showRehearsal();
  });
}
