// Runs in the page: every payload through every part of the show; returns what grew out of its place.
async ([payloads, base]) => {
  const { takePart } = await import(base + "show.js");
  window.__reports = [];
  addEventListener("securitypolicyviolation", (e) => __reports.push(e.violatedDirective + " " + e.blockedURI));
  const wrong = [];
  const us = () => Date.now() * 1000;
  for (const [n, text] of payloads.entries()) {
    const other = payloads[(n + 7) % payloads.length];
    const user = { user_id: text, nickname: text, handle: other, avatar: true };
    const plain = { ...user, user_id: String(n + 1), avatar: false };
    const question = {
      round: n, id: text, source: "bank", text, choices: [text, other, text, other], category: text, difficulty: text,
      opened_at: us(), closes_at: us() + 9e6, answered: text, asked_by: user, asked_count: other, accepted: [text, other],
    };
    for (const state of [
      { ...question, state: "on_air" },
      { ...question, state: "leading", leader: user },
      { ...question, state: "closed" },
      { ...question, state: "on_air", source: "audience" },
      { ...question, state: "decided", winner: { ...plain, answer: text, points: text, after_ms: text } },
    ]) {
      takePart("question", state);
      look(n, state.state);
    }
    for (const kind of ["gift", "raid", text]) {
      takePart("alert", { current: { id: n + kind, kind, user, text, gift: text, count: n, diamonds: text, merged: n } });
      look(n, kind);
    }
    takePart("goals", { goals: [{ id: text, kind: text, title: text, value: text, target: text }, { id: other, kind: "likes", title: other, value: 1, target: 2 }] });
    takePart("poll", { state: "open", text, options: [{ label: text, votes: text, share: text }, { label: other, votes: 1, share: 2 }], total: text, opened_at: n, closes_at: us() });
    takePart("leaderboard", { live: [{ rank: text, user, points: text, streak: text }, { rank: 2, user: plain, points: 3, streak: 4 }] });
    takePart(text, { text });
    takePart("stage", { language: text, preset: text, speech: text, sound: text });
    look(n, "rest");
  }
  function look(n, where) {
    for (const made of document.querySelectorAll(".tl-panel")) {
      const box = made.getBoundingClientRect();
      if (box.right > innerWidth + 1 || box.left < -1 || box.height > innerHeight) wrong.push([n, where, made.className]);
    }
    if (document.documentElement.scrollWidth > innerWidth) wrong.push([n, where, "page"]);
  }
  // Whatever loads or fails to load has had its turn.
  await fetch(base + "overlay.css");
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return wrong;
}
