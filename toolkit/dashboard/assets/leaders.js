const SCOPES = ["live", "week", "all"];

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  let scope = "live";
  let state = null;
  const choice = choiceOf(words.title, SCOPES.map((name) => [name, words[`scope_${name}`]]), (name) => { scope = name; show(); });
  choice.show(scope);
  const body = h("tbody", {});
  const column = (name, right) => h("th", { scope: "col", class: right ? "right" : null }, words[name]);
  const table = h("table", { class: "leader-table" }, h("caption", { class: "unseen" }, words.title),
    h("thead", {}, h("tr", {}, column("rank"), column("name"), column("points", true), column("wins", true), column("streak", true))), body);
  const nothing = empty(words);
  const reset = cue(words.reset, () => { sure.showModal(); }, { act: "reset" });
  const yes = button("danger", words.reset);
  const no = button("", words.cancel);
  const sure = h("dialog", { "aria-label": words.reset }, h("h3", {}, words.reset_sure), h("p", {}, words.reset_text), h("div", { class: "row end" }, no, yes));
  no.addEventListener("click", () => sure.close());
  yes.addEventListener("click", () => { sure.close(); direct("leaderboard.reset", { scope: "live" }); });
  const since = h("p", { class: "hint" });
  el.append(h("section", { class: "card side", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), h("div", { class: "header-tools" }, choice.box, reset)), since, nothing,
    h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": words.title }, table), sure));

  function show() {
    if (!state) return;
    const rows = state[scope] || [];
    nothing.hidden = rows.length > 0;
    table.parentElement.hidden = !rows.length;
    reset.hidden = scope !== "live" || !rows.length;
    put(since, scope === "week" && state.week_begins ? fill(words.since, { day: state.week_begins }) : "");
    since.hidden = !since.textContent;
    body.replaceChildren(...rows.map((row) => h("tr", {},
      h("td", { class: "digits" }, String(row.rank)), h("th", { scope: "row" }, person(row.user, words)),
      h("td", { class: "right digits strong" }, count(row.points)), h("td", { class: "right digits" }, count(row.wins)), h("td", { class: "right digits" }, row.streak > 1 ? `×${row.streak}` : "–"))));
  }
  follow(model, ({ leaderboard }) => { if (leaderboard) { state = leaderboard; show(); } });
}
