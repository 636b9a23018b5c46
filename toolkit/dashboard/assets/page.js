// What belongs to the page and to no card: which view is on, and how high the top is.
(() => {
  const root = document.documentElement;
  const views = [...document.querySelectorAll(".views a")];
  const names = views.map((one) => one.dataset.view);
  const waiting = { inbox: 0, held: 0 };

  function show() {
    const wanted = location.hash.slice(1);
    const name = names.includes(wanted) ? wanted : wanted === "comments" && root.dataset.view === "recordings" ? names[0] : root.dataset.view || names[0];
    root.dataset.view = name;
    for (const one of views) {
      if (one.dataset.view === name) one.setAttribute("aria-current", "page");
      else one.removeAttribute("aria-current");
    }
    // A link to a view is no place on the page to scroll to.
    if (names.includes(wanted)) scrollTo(0, 0);
  }
  addEventListener("hashchange", show);
  show();

  const top = document.querySelector(".top");
  const measure = () => root.style.setProperty("--top", `${top.offsetHeight}px`);
  new ResizeObserver(measure).observe(top);
  measure();

  // How many things wait for a person, told by the cards that know.
  const badge = document.getElementById("waiting");
  root.addEventListener("waiting", ({ detail }) => {
    Object.assign(waiting, detail);
    const sum = waiting.inbox + waiting.held;
    badge.hidden = !sum;
    if (badge.firstChild.data !== String(sum)) badge.firstChild.data = String(sum);
  });
})();
