export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const list = h("ol", { class: "question-list" });
  const nothing = empty(words);
  const total = h("span", { class: "chip", hidden: true });
  el.append(h("section", { class: "card side", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), total), nothing, list));
  follow(model, (rows) => {
    nothing.hidden = rows.length > 0;
    list.hidden = !rows.length;
    total.hidden = !rows.length;
    total.textContent = count(rows.length);
    list.replaceChildren(...rows.map((row) =>
      h("li", { "data-id": row.id },
        foreign(row.text, { class: "said" }),
        h("div", { class: "by" }, foreign(row.name || words.anonymous), h("time", { datetime: new Date(row.at).toISOString() }, CLOCK.format(row.at))))));
  });
}
