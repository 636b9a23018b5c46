// Runs in the page: returns how many cards there are, and which lie over others or leave the picture.
() => {
  const panels = [...document.querySelectorAll(".tl-panel, .tl-comment")].filter((p) => p.checkVisibility());
  const boxes = panels.map((p) => [p.className, p.getBoundingClientRect()]);
  const wrong = [];
  const feed = document.querySelector(".tl-chat").getBoundingClientRect();
  boxes.forEach(([name, box], n) => {
    const top = name.includes("comment") ? Math.max(box.top, feed.top) : box.top;
    if (box.left < -1 || box.right > innerWidth + 1 || top < -1 || box.bottom > innerHeight + 1) wrong.push([name, "outside"]);
    for (const [other, its] of boxes.slice(n + 1)) {
      if (other.includes("comment") && its.bottom <= feed.top) continue;
      const itsTop = other.includes("comment") ? Math.max(its.top, feed.top) : its.top;
      const apart = box.right <= its.left + 1 || its.right <= box.left + 1 || box.bottom <= itsTop + 1 || its.bottom <= top + 1;
      if (!apart) wrong.push([name, other]);
    }
  });
  return [boxes.length, wrong];
}
