const SEARCH_MS = 250;
const AIR = "M6 4l10 6-10 6Z";
const EDIT = "M13.6 3.2l3.2 3.2-9.4 9.4-4 .8.8-4Zm-1.4 3-6.4 6.4-.3 1.9 1.9-.3 6.4-6.4Z";
const BIN = "M7 3h6l.6 1.5H17V6H3V4.5h3.4ZM4.5 7.5h11L14.7 17H5.3Zm3 2 .3 5.5h1.2L8.7 9.5Zm3.8 0L11 15h1.2l.3-5.5Z";
const AGAIN = "M10 3.5a6.5 6.5 0 1 1-6.1 4.3l1.9.7A4.5 4.5 0 1 0 10 5.5V8L6 4.6 10 1.2Z";
const LISTS = new Set(["answers", "choices", "wrong"]);
const NUMBERS = new Set(["seconds", "points"]);

function makeForm(words, send) {
  const area = (rows) => h("textarea", { rows });
  const difficulty = h("select", {}, ...["easy", "medium", "hard"].map((one) => h("option", { value: one, selected: one === "medium" }, words[`difficulty_${one}`])));
  const fields = {
    text: fieldOf(words.text, area(2)),
    answers: fieldOf(words.answers, area(3), words.answers_hint),
    choices: fieldOf(words.choices, area(3), words.choices_hint),
    difficulty: fieldOf(words.difficulty, difficulty),
    category: fieldOf(words.category, h("input", { type: "text", maxlength: 60 })),
    seconds: fieldOf(words.seconds, h("input", { type: "text", inputmode: "numeric", placeholder: "30" })),
    points: fieldOf(words.points, h("input", { type: "text", inputmode: "numeric", placeholder: words.points_placeholder })),
  };
  fields.text.control.required = fields.answers.control.required = true;
  const title = h("h3", { id: "bank-form-title" });
  const problem = h("p", { class: "problem", role: "alert" });
  const save = h("button", { type: "submit", class: "button primary" }, h("span", { class: "label" }, words.save));
  const cancel = button("", words.cancel);
  // The server says what is wrong, in one place for files and form.
  const form = h("form", { novalidate: true }, fields.text.box,
    h("div", { class: "two" }, fields.answers.box, fields.choices.box),
    h("div", { class: "two" }, fields.difficulty.box, fields.category.box),
    h("div", { class: "two" }, fields.seconds.box, fields.points.box), problem, h("div", { class: "row end" }, cancel, save));
  const dialog = h("dialog", { class: "wide", "aria-labelledby": "bank-form-title" }, title, form);
  let id = null;
  cancel.addEventListener("click", () => dialog.close());

  function values() {
    const asked = {};
    for (const [name, { control }] of Object.entries(fields)) {
      const text = control.value.trim();
      if (LISTS.has(name)) { if (text || name === "answers") asked[name] = linesOf(text); }
      else if (NUMBERS.has(name)) { if (text) asked[name] = /^-?\d+([.,]\d+)?$/.test(text) ? Number(text.replace(",", ".")) : text; }
      else asked[name] = text;
    }
    return id ? { ...asked, id } : asked;
  }
  function tell(mistakes, text) {
    const general = [];
    for (const one of Object.values(fields)) one.tell("");
    for (const { field, problem: wrong } of mistakes) {
      if (fields[field]) fields[field].tell(wrong);
      else general.push(field ? `${field}: ${wrong}` : wrong);
    }
    problem.textContent = general.join(" ") || (mistakes.length ? words.correct : text);
    Object.values(fields).find((one) => one.control.hasAttribute("aria-invalid"))?.control.focus();
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (save.getAttribute("aria-busy") === "true") return;
    save.setAttribute("aria-busy", "true");
    const answer = await send(id ? "question.edit" : "question.add", values());
    save.removeAttribute("aria-busy");
    if (answer.ok) dialog.close();
    else tell(answer.mistakes || [], `${answer.text} ${answer.hint || ""}`.trim());
  });
  return {
    dialog,
    open(row) {
      id = row?.id ?? null;
      title.textContent = row ? words.edit : words.add;
      problem.textContent = "";
      for (const [name, one] of Object.entries(fields)) {
        const value = row?.[name];
        one.control.value = LISTS.has(name) ? (value || []).join("\n") : value ?? (name === "difficulty" ? "medium" : "");
        if (name === "points" && !value) one.control.value = "";
        one.tell("");
      }
      dialog.showModal();
      fields.text.control.focus();
    },
  };
}

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const ask = asker(model, words);
  const direct = directing(ask);
  const list = h("ol", { class: "bank-list", tabindex: "0", "aria-label": words.title });
  const nothing = empty(words);
  const total = h("span", { class: "chip", hidden: true });
  const search = h("input", { type: "search", "aria-label": words.search, placeholder: words.search });
  const note = h("p", { class: "hint", role: "status" });
  const wrong = h("ul", {});
  const wrongTitle = h("summary", {});
  const mistakes = h("details", { class: "mistakes", hidden: true }, wrongTitle, wrong);
  const form = makeForm(words, async (action, values) => {
    const answer = await direct(action, values);
    if (answer.ok) load();
    return answer;
  });
  const add = cue(words.add_short, async () => form.open(null), { kind: "primary", act: "add" });
  const reload = iconCue(AGAIN, words.reload, async () => { await direct("question.reload"); await load(); }, "reload");
  el.append(h("section", { class: "card side tall", "aria-label": words.title },
    h("header", {}, h("h2", {}, words.title), total, h("div", { class: "header-tools" }, reload, add)),
    h("div", { class: "row filter" }, search), mistakes, note, nothing, list, form.dialog));

  function line(row) {
    const remove = async () => { const answer = await direct("question.remove", { id: row.id }); if (answer.ok) await load(); };
    return h("li", { "data-id": row.id },
      foreign(row.text, { class: "said" }),
      h("div", { class: "by" },
        h("span", { class: "badge" }, words[`difficulty_${row.difficulty}`] || row.difficulty),
        row.is_asked ? h("span", { class: "badge state-answered" }, words.was_asked) : null,
        foreign(row.answers.join(" · "), { class: "answers" }),
        h("span", { class: "cues", role: "group", "aria-label": words.actions },
          iconCue(AIR, words.ask, () => direct("question.ask", { id: row.id }), "ask"),
          row.is_added ? iconCue(EDIT, words.edit, async () => form.open(row), "edit") : null,
          row.is_added ? iconCue(BIN, words.remove, remove, "remove") : null)));
  }
  let asked = 0;
  async function load() {
    const mine = (asked += 1);
    const answer = await ask("bank", { search: search.value.trim() });
    if (mine !== asked) return; // something newer is on its way
    if (!answer.ok) { put(note, answer.text); return; }
    const { questions, total: found } = answer.data;
    keep(list, questions, line);
    nothing.hidden = questions.length > 0;
    list.hidden = !questions.length;
    put(note, found > questions.length ? fill(words.first_of, { count: count(questions.length), total: count(found) }) : "");
    note.hidden = !note.textContent;
  }
  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(load, SEARCH_MS); });
  let said = "";
  follow(model, ({ bank }) => {
    if (!bank || said === JSON.stringify(bank)) return;
    said = JSON.stringify(bank);
    total.hidden = !bank.questions;
    put(total, fill(words.asked_of, { asked: count(bank.asked), questions: count(bank.questions) }));
    mistakes.hidden = !bank.mistakes?.length;
    put(wrongTitle, fill(words.mistakes, { count: count(bank.mistakes?.length || 0) }));
    wrong.replaceChildren(...(bank.mistakes || []).map((one) => h("li", {}, foreign(one))));
    load();
  });
}
