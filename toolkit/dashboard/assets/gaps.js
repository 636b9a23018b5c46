export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const list = h("ol", { class: "gap-list", tabindex: "0", "aria-label": words.title });
  const nothing = empty(words);
  const total = h("span", { class: "chip", hidden: true });
  el.append(h("section", { class: "card gap-card", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), total), nothing, list));
  follow(model, (gaps) => {
    document.documentElement.dataset.gaps = gaps.length ? "yes" : "no";
    nothing.hidden = gaps.length > 0;
    list.hidden = !gaps.length;
    total.hidden = !gaps.length;
    total.textContent = count(gaps.length ? gaps[0].id : 0);
    list.replaceChildren(...gaps.map((gap) => gapLine(gap, words)));
  });
}
