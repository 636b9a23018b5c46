const TILES = [
  ["viewers", (s) => count(s.viewers), (s, w) => (s.viewers == null ? w.none : fill(w.viewers_sub, { peak: count(s.viewers_peak) }))],
  ["comments", (s) => DECIMAL.format(s.comments_rate), (s, w) => (s.comments ? fill(w.comments_sub, { total: count(s.comments) }) : w.none)],
  ["likes", (s) => count(s.likes), (s, w) => (s.likes ? w.likes_sub : w.none)],
  ["diamonds", (s) => count(s.diamonds), (s, w) => (s.diamonds ? w.diamonds_sub : w.none)],
  ...["gifts", "follows", "joins", "shares"].map((name) => [
    name,
    (s) => count(s[name]),
    (s, w) => (s[name] ? fill(w.per_minute, { rate: count(s[`${name}_rate`]) }) : w.none),
  ]),
];

export function render({ model, el }) {
  const words = JSON.parse(model.words);
  const tiles = TILES.map(([name, value, sub]) => {
    const big = h("dd", { class: "tile-value digits" });
    const small = h("dd", { class: "tile-sub digits" });
    return { box: h("div", { class: "tile", "data-name": name }, h("dt", {}, words[name]), big, small), big, small, value, sub };
  });
  el.append(h("dl", { class: "tiles", "aria-label": words.title }, ...tiles.map((tile) => tile.box)));
  follow(model, (state) => {
    for (const tile of tiles) {
      put(tile.big, tile.value(state));
      put(tile.small, tile.sub(state, words));
    }
  });
}
