/**
 * Example states, played on this page alone: no socket is opened and nobody is told.
 * `demo=1` moves, `demo=still` stands.
 */

import { options } from "./options.js";

const US = 1000;
const STEP_MS = 6000;
const COMMENT_MS = 1300;
const QUESTION_S = 20;

const PEOPLE = [
  ["Lina", "1004"], ["Théo Martin", "2210"], ["سارة", "3187"], ["Mika 🌸", "4093"], ["Noah", "5121"],
  ["Ümit K.", "6071"], ["陳小明", "7300"], ["Ana Souza", "8154"], ["Jo", "9027"], ["Дарья", "9560"],
].map(([nickname, user_id]) => ({ user_id, nickname, handle: `demo${user_id}`, avatar: false }));

const CHAT = [
  "B!!", "hello from Lyon 👋", "c'est la B", "I think it's Paris", "مرحبا من الدار البيضاء", "let's gooo 🔥🔥",
  "C", "who is leading?", "你好！", "best quiz on here", "¿cuándo empieza la siguiente?", "Bravo Lina 👏",
];

const QUIZ = {
  en: ["Which planet has the most moons?", ["Jupiter", "Saturn", "Uranus", "Neptune"], "Space", "How did you start streaming?"],
  fr: ["Quelle planète a le plus de lunes ?", ["Jupiter", "Saturne", "Uranus", "Neptune"], "Espace", "Comment as-tu commencé à streamer ?"],
};
const POLL = {
  en: ["What shall we play next?", ["Quiz about films", "Truth or dare", "Drawing"]],
  fr: ["On joue à quoi ensuite ?", ["Quiz cinéma", "Action ou vérité", "Dessin"]],
};

const words = (table) => table[document.documentElement.lang] ?? table.en;
const nowUs = () => Date.now() * US;

function question(state, more = {}) {
  const [text, choices, category] = words(QUIZ);
  return {
    state, round: 7, source: "bank", id: "demo", text, choices, category, difficulty: "medium",
    opened_at: nowUs() - 7e6, closes_at: nowUs() + (QUESTION_S - 7) * 1e6, seconds: QUESTION_S,
    answered: 128, right: 41, leader: null, winner: null, accepted: [], ...more,
  };
}

const winner = () => ({ ...PEOPLE[0], answer: words(QUIZ)[1][1], points: 120, after_ms: 2340 });
const asked = () => ({
  ...question("on_air"), source: "audience", id: "asked", text: words(QUIZ)[3], choices: [], asked_by: PEOPLE[7], asked_count: 3,
});

const alertOf = (kind, more) => ({
  current: { id: `demo-${kind}`, kind, user: PEOPLE[3], text: "", gift: "", count: 1, diamonds: 0, final: true, merged: 1, ...more },
  waiting: 0, queue: [], is_paused: false, is_muted: false,
});
const ALERTS = () => [
  alertOf("gift", { gift: "Rose", count: 12, diamonds: 12, final: false, user: PEOPLE[2] }),
  alertOf("follow", { user: PEOPLE[4] }),
  alertOf("raid", { user: null, count: 42 }),
  alertOf("subscribe", { user: PEOPLE[5] }),
  alertOf("share", { user: PEOPLE[6], merged: 3 }),
  alertOf("winner", { user: PEOPLE[0], text: winner().answer }),
];

const board = () => {
  const rows = PEOPLE.slice(0, 7).map((user, index) => ({
    rank: index + 1, user, points: 480 - index * 55 - (index > 2 ? 40 : 0), wins: 4 - Math.floor(index / 2), streak: index === 0 ? 3 : index === 3 ? 2 : 0,
  }));
  return { live: rows, week: rows, all: rows, players: 61 };
};

const goals = (likes = 7420) => ({
  goals: [
    { id: "g1", kind: "likes", title: "", value: likes, target: 10000, is_reached: likes >= 10000 },
    { id: "g2", kind: "follows", title: "", value: 50, target: 50, is_reached: true },
  ],
});

const poll = (state = "open") => {
  const [text, labels] = words(POLL);
  const votes = [46, 31, 12];
  const options_ = labels.map((label, index) => ({ label, votes: votes[index], share: votes[index] / 89 }));
  return { state, source: "chat", text, options: options_, total: 89, opened_at: nowUs() - 12e6, closes_at: nowUs() + 33e6 };
};

let seq = 1;
const comment = (index) => ({
  type: "comment", seq: seq++, at: nowUs(),
  data: {
    msg_id: `demo-${seq}`, text: CHAT[index % CHAT.length],
    user: { ...PEOPLE[(index * 3) % PEOPLE.length], is_moderator: index % 7 === 3, is_subscriber: index % 7 === 5 },
  },
});

/** Play. `stage` takes what the socket would have brought. */
export function startDemo(stage) {
  const only = new URLSearchParams(location.search).get("state");
  stage.setViewers(1284);
  stage.takePart("goals", goals());
  stage.takePart("leaderboard", board());
  for (let n = 0; n < CHAT.length; n += 1) stage.takeComment({ ...comment(n), data: { ...comment(n).data, is_history: true } });
  if (options.demoStill) return still(stage, only);
  let step = 0;
  const next = () => {
    play(stage, step);
    step += 1;
  };
  next();
  setInterval(next, STEP_MS);
  let index = 0;
  setInterval(() => stage.takeComment(comment(index++)), COMMENT_MS);
}

const STATES = {
  quiz: () => question("on_air"),
  leading: () => question("leading", { leader: PEOPLE[0], answered: 131 }),
  closed: () => question("closed", { accepted: [words(QUIZ)[1][1]] }),
  winner: () => question("decided", { winner: winner(), accepted: [words(QUIZ)[1][1]] }),
  question: asked,
};

/** Stand: what each widget looks like with something in it. */
function still(stage, only) {
  const shown = only ?? ["winner", "quiz", "question"].find((name) => options.view === name) ?? "leading";
  stage.takePart("question", (STATES[shown] ?? STATES.leading)());
  const alerts = ALERTS();
  stage.takePart("alert", alerts.find((one) => one.current.kind === only) ?? alerts[0]);
  stage.takePart("poll", poll(only === "pollclosed" ? "closed" : "open"));
}

/** One step of a round trip through everything. */
function play(stage, step) {
  const rounds = ["quiz", "leading", "winner", "question", "closed"].filter(
    (name) => options.shows.has(name) || ["leading", "closed"].includes(name) && options.shows.has("quiz"),
  );
  if (rounds.length) stage.takePart("question", { ...STATES[rounds[step % rounds.length]](), round: 7 + Math.floor(step / rounds.length) });
  const alerts = ALERTS();
  const alert = alerts[Math.floor(step / 2) % alerts.length];
  alert.current.id += `-${Math.floor(step / 2)}`;
  if (alert.current.kind === "gift") alert.current.count += (step % 2) * 7;
  stage.takePart("alert", alert);
  stage.takePart("poll", step % 4 === 3 ? poll("closed") : { ...poll(), opened_at: 1e12 });
  stage.takePart("goals", goals(7420 + step * 410));
}
