const KINDS = ["likes", "follows", "gifts", "diamonds"];

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const direct = directing(asker(model, words));
  const list = h("ul", { class: "goal-list" });
  const nothing = empty(words);
  const kind = fieldOf(words.kind, h("select", {}, ...KINDS.map((one) => h("option", { value: one }, words[`kind_${one}`]))));
  const target = fieldOf(words.target, h("input", { type: "number", min: 1, step: 1, inputmode: "numeric" }));
  const name = fieldOf(words.name, h("input", { type: "text", maxlength: 60 }));
  const problem = h("p", { class: "problem", role: "alert" });
  const save = h("button", { type: "submit", class: "button small primary" }, h("span", { class: "label" }, words.set));
  const form = h("form", { novalidate: true }, h("div", { class: "three" }, kind.box, target.box, name.box), problem, h("div", { class: "row" }, save));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = Number(target.control.value);
    target.tell(wanted >= 1 ? "" : words.need_target);
    if (!(wanted >= 1)) return target.control.focus();
    const answer = await direct("goals.set", { kind: kind.control.value, title: name.control.value.trim() || words[`kind_${kind.control.value}`], target: wanted });
    problem.textContent = answer.ok ? "" : `${answer.text} ${answer.hint || ""}`;
    if (answer.ok) target.control.value = name.control.value = "";
  });
  el.append(h("section", { class: "card", "aria-label": words.title }, h("header", {}, h("h2", {}, words.title)), nothing, list,
    h("details", { class: "adding" }, h("summary", {}, words.add), form)));

  function line(goal) {
    const share = goal.target > 0 ? Math.min(1, goal.value / goal.target) : 0;
    return h("li", {},
      h("div", { class: "goal-head" }, foreign(goal.title, { class: "strong" }), goal.is_reached ? h("span", { class: "chip", "data-tone": "good" }, `✓ ${words.reached}`) : null,
        h("span", { class: "digits" }, fill(words.of, { value: count(goal.value), target: count(goal.target) }))),
      h("div", { class: "meter", role: "progressbar", "aria-label": goal.title, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share) }, h("span", { style: `--share:${share}` })),
      h("div", { class: "row" },
        cue(words.reset, () => direct("goals.reset", { id: goal.id }), { act: "reset" }),
        cue(words.remove, () => direct("goals.remove", { id: goal.id }), { act: "remove" })));
  }
  follow(model, ({ goals }) => {
    if (!goals) return;
    nothing.hidden = goals.goals.length > 0;
    keep(list, goals.goals, line);
  });
}
