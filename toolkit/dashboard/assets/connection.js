function figure(name, words) {
  const big = h("dd", { class: "strong digits" });
  const small = h("dd", { class: "figure-sub" });
  return { box: h("div", { class: "figure", "data-name": name }, h("dt", {}, words[name]), big, small), big, small };
}

function timesRow(name, words, title) {
  const cells = [0, 1, 2].map(() => h("td", { class: "right digits" }));
  return { row: h("tr", { "data-name": name }, h("th", { scope: "row", title }, words[name]), ...cells), cells };
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const score = h("span", { class: "chip", title: words.score_hint, hidden: true });
  const nothing = empty(words);
  const figures = Object.fromEntries(["uptime", "outages", "success"].map((name) => [name, figure(name, words)]));
  const rows = { detect: timesRow("detect", words), back: timesRow("back", words) };
  const backTitle = rows.back.row.firstChild;
  const times = h("table", { class: "times" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, words.times),
      ...["median", "p99", "longest"].map((name) => h("th", { scope: "col", class: "right" }, words[name])))),
    h("tbody", {}, rows.detect.row, rows.back.row));
  const budget = h("dl", { class: "budget" });
  const held = h("p", { class: "hint" });
  const body = h("div", { class: "connection", hidden: true },
    h("dl", { class: "figures" }, ...Object.values(figures).map((one) => one.box)), times,
    h("h4", {}, words.budget), budget, held);
  el.append(h("section", { class: "card", "aria-label": words.title }, h("header", {}, h("h2", {}, words.title), score), nothing, body));

  follow(model, (state) => {
    nothing.hidden = state.known;
    body.hidden = !state.known;
    score.hidden = state.score == null;
    if (!state.known) return;
    put(score, fill(words.score, state));
    score.dataset.tone = state.score >= 90 ? "good" : state.score >= 70 ? "warn" : "bad";
    put(figures.uptime.big, percent(state.uptime));
    put(figures.uptime.small, fill(words.uptime_sub, { down: duration(state.down_s) }));
    put(figures.outages.big, count(state.outages));
    put(figures.outages.small, fill(words.outages_sub, state));
    put(figures.success.big, percent(state.success));
    figures.success.box.dataset.tone = state.meets ? "" : "bad";
    put(figures.success.small, fill(words.success_sub, { objective: percent(state.objective) }));
    backTitle.title = fill(words.back_hint, { seconds: state.back_objective_s });
    for (const [name, { cells }] of Object.entries(rows)) {
      cells.forEach((cell, i) => put(cell, state[name][i] == null ? "–" : DECIMAL.format(state[name][i])));
    }
    budget.replaceChildren(...state.budget.map(({ window, limit, left }) =>
      h("div", { "data-low": left * 5 <= limit ? "yes" : null },
        h("dt", {}, words[window]),
        h("dd", { class: "digits" }, h("meter", { min: 0, max: limit, value: left, "aria-hidden": "true" }), h("span", {}, fill(words.left, { left: count(left), limit: count(limit) }))))));
    put(held, state.held ? words.held : state.budget.length ? "" : words.unlimited);
    held.hidden = !held.textContent;
  });
}
