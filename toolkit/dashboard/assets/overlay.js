// What to show, as the overlay's own options name it, and the size to set in OBS.
const LAYOUTS = [
  ["full", "1920 × 1080", ""],
  ["vertical", "1080 × 1920", ""],
  ["column", "400 × 800", "?view=chat"],
  ["strip", "1280 × 600", "?view=question"],
];
const WIDGETS = ["chat", "question", "quiz", "winner", "leaderboard", "goal", "poll", "alert", "viewers", "connection"];
const COPIED_MS = 2_000;

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  // Relative to this page, so that a port, a proxy and --prefix all come along.
  const address = new URL("overlay", location.href.split(/[?#]/)[0]).href;
  const field = h("input", { id: "address", type: "text", readonly: true, value: address, onfocus: () => field.select() });
  const copy = h("button", { type: "button", class: "button primary" }, h("span", { class: "label" }, words.copy));
  const said = h("span", { class: "unseen", role: "status" });
  const open = h("a", { class: "button", href: address, target: "_blank", rel: "noopener" }, words.open);
  copy.addEventListener("click", async () => {
    const done = await copyText(field);
    const label = copy.firstChild;
    label.textContent = said.textContent = done ? words.copied : words.copy_failed;
    copy.classList.toggle("done", done);
    setTimeout(() => { label.textContent = words.copy; said.textContent = ""; copy.classList.remove("done"); }, COPIED_MS);
  });
  function layout([name, size, options], index) {
    const radio = h("input", { type: "radio", name: "layout", checked: index === 0 });
    radio.addEventListener("change", () => { field.value = open.href = address + options; });
    return h("label", {}, radio, h("span", {}, words[name]), h("strong", { class: "digits" }, size));
  }
  const direct = directing(asker(model, words));
  const seen = h("span", { class: "chip", role: "status" });
  const screens = h("ul", { class: "screens" });
  const language = choiceOf(words.spoken, [["en", words.language_en], ["fr", words.language_fr]], (name) => direct("stage.language", { language: name }));
  const speech = onOff(words.speech, words.speech_hint, (on) => direct("stage.speech", { on }));
  const hush = cue(words.hush, () => direct("stage.hush"), { act: "hush" });
  const volume = fieldOf(words.volume, h("input", { type: "range", min: 0, max: 100, step: 5 }));
  volume.control.addEventListener("change", () => direct("stage.volume", { volume: Number(volume.control.value) / 100 }));
  const preset = h("select", {});
  const presetField = fieldOf(words.preset, preset);
  preset.addEventListener("change", () => direct("stage.preset", { preset: preset.value }));
  const looks = makeLooks(preset, words);
  preset.addEventListener("focus", looks.load);
  const widgets = h("details", {}, h("summary", {}, words.widgets), h("ul", { class: "widgets" },
    ...WIDGETS.map((name) => h("li", {}, h("a", { href: `${address}/${name}`, target: "_blank", rel: "noopener" }, words[`widget_${name}`])))));
  const builder = h("a", { class: "button", href: new URL("overlay/builder", location.href.split(/[?#]/)[0]).href, target: "_blank", rel: "noopener" }, words.builder);
  el.append(h("section", { class: "card overlay-card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), seen),
    screens,
    h("div", { class: "row stage-row" }, language.box, speech.one, hush, volume.box, presetField.box),
    h("p", { class: "hint" }, words.hint),
    h("div", { class: "row" }, h("label", { class: "field grow", for: "address" }, h("span", {}, words.address), field), copy, open, builder),
    h("fieldset", { class: "layouts" }, h("legend", {}, words.sizes), ...LAYOUTS.map(layout)),
    widgets, h("p", { class: "hint" }, words.blank), said));
  looks.load();

  function screenLine(screen) {
    const state = !screen.is_visible ? "hidden" : screen.is_active === false ? "inactive" : "visible";
    return h("li", {}, h("span", { class: "dot", "data-state": state, "aria-hidden": "true" }), h("span", { class: "strong" }, screen.is_obs ? words.in_obs : words.in_browser),
      foreign(screen.widget || words.full), h("span", { class: "digits" }, `${words[`screen_${state}`]}${screen.fps != null ? ` · ${Math.round(screen.fps)} fps` : ""}`));
  }
  follow(model, ({ stage, screens: shown }) => {
    const rows = shown || [];
    keep(screens, rows, screenLine);
    screens.hidden = !rows.length;
    const onScreen = rows.filter((one) => one.is_visible && one.is_active !== false);
    const text = stage?.is_blank ? words.is_blank : onScreen.some((one) => one.is_obs) ? words.obs_shows : onScreen.length ? words.browser_shows : words.nobody_shows;
    put(seen, text);
    seen.dataset.tone = stage?.is_blank ? "bad" : onScreen.some((one) => one.is_obs) ? "good" : "";
    if (!stage) return;
    language.show(stage.language);
    looks.show(stage.preset);
    speech.show(stage.speech?.on);
    hush.disabled = !stage.speech?.on;
    if (volume.control.getRootNode().activeElement !== volume.control && stage.sound) volume.control.value = Math.round(100 * stage.sound.volume);
  });
}

// Looks that the builder saved, to choose from for all screens that name none.
function makeLooks(list, words) {
  let chosen = "";
  let names = [];
  function draw() {
    const all = ["", ...new Set([...names, ...(chosen ? [chosen] : [])])];
    if (all.join("\n") !== [...list.options].map((one) => one.value).join("\n")) {
      list.replaceChildren(...all.map((name) => h("option", { value: name }, name || words.preset_none)));
    }
    list.value = chosen;
  }
  return {
    show(name) { chosen = name || ""; draw(); },
    async load() {
      try {
        const answer = await fetch(new URL("api/overlay/presets", location.href.split(/[?#]/)[0]));
        if (answer.ok) names = (await answer.json()).presets.map((one) => one.name);
      } catch { /* the list stays as it is */ }
      draw();
    },
  };
}

// The clipboard needs https or this machine; a phone on the network has neither.
async function copyText(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    return true;
  } catch {
    field.focus();
    field.select();
    return document.execCommand("copy");
  }
}
