// Runs in the page: returns [ground, ink, picture behind, contrast] for each pair.
([pairs, isOutlined]) => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("p"));
  const resolved = (value) => { probe.style.color = ""; probe.style.color = value; return getComputedStyle(probe).color; };
  const light = (layers) => {
    for (const layer of layers) { pen.fillStyle = layer; pen.fillRect(0, 0, 1, 1); }
    const [r, g, b] = [...pen.getImageData(0, 0, 1, 1).data].map((c) => {
      const part = c / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const [ground, ink] of pairs) {
    for (const video of ["#ffffff", "#000000"]) {
      let layers = [video, ...ground.map(resolved)];
      // Letters on the bare picture stand on their own outline.
      if (isOutlined && layers.slice(1).every((l) => l.endsWith(", 0)"))) layers = [resolved("var(--tl-outline)")];
      const [a, b] = [light([...layers, resolved(ink)]), light(layers)];
      found.push([ground.join(" + "), ink, video, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
    }
  }
  probe.remove();
  return found;
}
