function pair(label, value) {
  return h("div", { class: "pair" }, h("dt", {}, label), h("dd", { class: "digits" }, value));
}

function details(data, words) {
  const counts = Object.entries(data.counts).sort((a, b) => b[1] - a[1]);
  const gaps = data.gaps.filter((gap) => gap.at).map((gap) => gapLine(gap, words));
  return [
    h("dl", { class: "pairs" },
      pair(words.when, data.started_at ? WHEN.format(data.started_at) : "–"),
      pair(words.ended, data.ended_at ? WHEN.format(data.ended_at) : "–"),
      ...Object.entries(data.figures).map(([name, value]) => pair(words[name], count(value)))),
    h("h4", {}, words.counts),
    h("dl", { class: "pairs" }, ...counts.map(([kind, n]) => pair(kind.replaceAll("_", " "), count(n)))),
    h("h4", {}, words.gaps),
    gaps.length ? h("ul", {}, ...gaps) : h("p", {}, words.no_gaps),
  ];
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const ask = asker(model, words);
  const columns = ["name", "when", "length", "size", "state"];
  const body = h("tbody", {});
  const table = h("table", { class: "recording-table" },
    h("caption", { class: "unseen" }, words.title),
    h("thead", {}, h("tr", {},
      ...columns.map((name) => h("th", { scope: "col", class: ["length", "size"].includes(name) ? "right" : null }, words[name])),
      h("th", { scope: "col" }, h("span", { class: "unseen" }, words.actions)))),
    body);
  const nothing = empty(words);
  const title = h("h3", {});
  const content = h("div", { class: "dialog-body" });
  const close = h("button", { type: "button", class: "button" }, words.close);
  const dialog = h("dialog", { class: "wide", "aria-label": words.details }, title, content, h("div", { class: "row end" }, close));
  close.addEventListener("click", () => dialog.close());
  el.append(h("section", { class: "card", "aria-label": words.title }, h("header", {}, h("h2", {}, words.title)), nothing, h("div", { class: "table-scroll" }, table), dialog));

  function act(verb, row, text, enabled) {
    const label = h("span", { class: "label" }, text);
    const button = h("button", { type: "button", class: "button small", "data-act": `${verb} ${row.id}`, "aria-label": `${text}: ${row.id}` }, label);
    button.disabled = !enabled;
    return button;
  }
  function line(row, mayRehearse) {
    const play = act("rehearse", row, words.rehearse, mayRehearse && row.state === "sealed");
    const look = act("details", row, words.details, true);
    if (!mayRehearse) play.title = words.busy_live;
    play.addEventListener("click", async () => {
      const answer = await press(play, words.rehearsing, () => ask("rehearse", { id: row.id, rate: 1 }));
      if (answer?.ok) location.hash = "live";
    });
    look.addEventListener("click", async () => {
      const answer = await press(look, words.loading, () => ask("details", { id: row.id }));
      if (!answer?.ok) return;
      title.textContent = answer.data.user ? `@${answer.data.user} · ${row.id}` : row.id;
      content.replaceChildren(...details(answer.data, words));
      dialog.showModal();
    });
    const cell = (name, ...children) => h("td", { "data-label": words[name], class: ["length", "size"].includes(name) ? "right digits" : null }, ...children);
    return h("tr", { "data-id": row.id },
      h("th", { scope: "row" }, foreign(row.user ? `@${row.user}` : row.id, { class: "name" }), h("span", { class: "id" }, row.id === "sample" ? words.sample : row.id)),
      cell("when", row.started_at ? WHEN.format(row.started_at) : "–"),
      cell("length", duration(row.length_s)),
      cell("size", bytes(row.bytes)),
      cell("state", h("span", { class: `chip ${row.state}` }, words[row.state] || row.state)),
      h("td", { class: "acts" }, play, look));
  }
  follow(model, ({ rows, may_rehearse }) => {
    nothing.hidden = rows.length > 0;
    table.hidden = !rows.length;
    const focused = table.getRootNode().activeElement?.dataset?.act;
    body.replaceChildren(...rows.map((row) => line(row, may_rehearse)));
    if (focused) [...body.querySelectorAll("button")].find((one) => one.dataset.act === focused)?.focus();
  });
}
