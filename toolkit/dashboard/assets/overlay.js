// What to show, as the overlay's own options name it, and the size to set in OBS.
const LAYOUTS = [
  ["full", "1920 × 1080", ""],
  ["vertical", "1080 × 1920", ""],
  ["column", "400 × 800", "?view=chat"],
  ["strip", "1280 × 600", "?view=question"],
];
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
  el.append(h("section", { class: "card overlay-card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title)),
    h("p", { class: "hint" }, words.hint),
    h("div", { class: "row" }, h("label", { class: "field grow", for: "address" }, h("span", {}, words.address), field), copy, open),
    h("fieldset", { class: "layouts" }, h("legend", {}, words.sizes), ...LAYOUTS.map(layout)),
    h("p", { class: "hint" }, words.blank), said));
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
