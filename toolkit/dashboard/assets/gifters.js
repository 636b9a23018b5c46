export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const body = h("tbody", {});
  const table = h("table", { class: "gifter-table" },
    h("caption", { class: "unseen" }, words.title),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words.name), h("th", { scope: "col", class: "right" }, words.gifts), h("th", { scope: "col", class: "right" }, words.diamonds))),
    body);
  const nothing = empty(words);
  el.append(h("section", { class: "card side", "aria-label": words.title }, h("header", {}, h("h2", {}, words.title)), nothing, h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words.title }, table)));
  follow(model, (rows) => {
    nothing.hidden = rows.length > 0;
    table.parentElement.hidden = !rows.length;
    const most = rows.length ? Math.max(1, rows[0].diamonds) : 1;
    body.replaceChildren(...rows.map((row) => {
      const name = row.name || words.anonymous;
      return h("tr", { style: `--share:${row.diamonds / most}` },
        h("th", { scope: "row" }, h("div", { class: "person" }, avatar(name, row.hue), foreign(name, { class: "name" }))),
        h("td", { class: "right digits" }, count(row.gifts)),
        h("td", { class: "right digits strong" }, count(row.diamonds)));
    }));
  });
}
