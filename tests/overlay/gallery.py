"""
Pictures of the overlay: every widget in every theme, over a bright and over a dark picture.

    python -m tests.overlay.gallery docs/overlay          one sheet per theme
    python -m tests.overlay.gallery docs/overlay neon     one theme

``whole.png`` beside them is the page as a phone shows it.

The pages play their own examples (``demo=still``), so the pictures are the same every
time; nothing is asked of anybody. A sheet has a palette: it stays below 300 KB.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import sync_playwright

from tests.conftest import CHROMIUM_FLAGS
from tests.web.conftest import Server, Studio
from toolkit.load.browsers import find_chromium

THEMES = ("midnight", "paper", "neon", "candy", "clear", "contrast", "plain")
COLOURS = 256
SHEET_BYTES_MAX = 300_000
GAP = 14

# (path and options, size of the source, part of it that is kept): one cell of a sheet.
CELLS = (
    ("quiz?state=leading", (700, 420), (700, 380)),
    ("quiz?state=closed&lang=fr", (700, 420), (700, 380)),
    ("winner?lang=fr", (520, 460), (520, 400)),
    ("question", (640, 300), (640, 210)),
    ("alert?state=gift", (640, 200), (640, 130)),
    ("alert?state=follow", (640, 200), (640, 130)),
    ("alert?state=raid", (640, 200), (640, 130)),
    ("leaderboard", (440, 460), (440, 400)),
    ("poll", (440, 420), (440, 330)),
    ("poll?state=pollclosed", (440, 420), (440, 330)),
    ("goal", (440, 260), (440, 200)),
    ("chat?align=left", (520, 420), (520, 420)),
    ("viewers", (200, 120), (200, 80)),
)
COLUMNS = ((0, 3, 4, 5, 6), (1, 12, 10, 7), (2, 11), (8, 9))
"""Which cells stand under each other."""


def backdrop(size: tuple[int, int], *, is_bright: bool) -> Image.Image:
    """Return something like a frame of video, in few colours: the palette is for the cards."""
    width, height = size
    ground, *shapes = ("#dfe9ee", "#fdfdfb", "#f0cba5") if is_bright else ("#141722", "#26304e", "#07080d")
    picture = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(picture)
    pen.polygon([(0, height), (width * 0.36, 0), (width * 0.6, 0), (width * 0.24, height)], fill=shapes[0])
    pen.polygon([(width * 0.62, height), (width, height * 0.2), (width, height)], fill=shapes[1])
    return picture


def photograph(page, server: Server, theme: str) -> list[Image.Image]:
    """Return each cell of a theme, transparent."""
    pictures = []
    for path, (width, height), kept in CELLS:
        name, _, query = path.partition("?")
        page.set_viewport_size({"width": width, "height": height})
        page.goto(f"{server.url}/overlay/{name}?demo=still&motion=0&scale=1.15&theme={theme}&{query}")
        page.locator(".tl-panel, .tl-comment").first.wait_for()
        taken = Image.open(io.BytesIO(page.screenshot(omit_background=True)))
        if name == "chat":
            pictures.append(taken.crop((0, height - kept[1], *taken.size)))
        else:
            pictures.append(taken.crop((0, 0, *kept)))
    return pictures


def whole(page, server: Server) -> bytes:
    """Return the whole page over a dark picture, as a phone shows it."""
    page.set_viewport_size({"width": 1080, "height": 1920})
    page.goto(f"{server.url}/overlay?demo=still&motion=0&state=leading")
    page.locator(".tl-quiz").wait_for()
    ground = backdrop((1080, 1920), is_bright=False).convert("RGBA")
    ground.alpha_composite(Image.open(io.BytesIO(page.screenshot(omit_background=True))).convert("RGBA"))
    return packed(ground.convert("RGB").resize((540, 960), Image.Resampling.LANCZOS))


def arrange(pictures: list[Image.Image]) -> Image.Image:
    """Return the cells in columns, on nothing."""
    widths = [max(pictures[n].width for n in column) for column in COLUMNS]
    heights = [sum(pictures[n].height for n in column) for column in COLUMNS]
    sheet = Image.new("RGBA", (sum(widths) + GAP * (len(widths) + 1), max(heights) + 2 * GAP))
    x = GAP
    for column, width in zip(COLUMNS, widths, strict=True):
        y = GAP
        for n in column:
            sheet.alpha_composite(pictures[n], (x + (width - pictures[n].width) // 2, y))
            y += pictures[n].height
        x += width + GAP
    return sheet


def sheet_of(cells: Image.Image) -> bytes:
    """Return the cells over a bright and over a dark picture, as a small PNG."""
    both = Image.new("RGB", (cells.width, cells.height * 2))
    for row, is_bright in enumerate((True, False)):
        ground = backdrop(cells.size, is_bright=is_bright).convert("RGBA")
        ground.alpha_composite(cells)
        both.paste(ground.convert("RGB"), (0, row * cells.height))
    small = both.resize((both.width * 5 // 8, both.height * 5 // 8), Image.Resampling.LANCZOS)
    return packed(small)


def packed(picture: Image.Image) -> bytes:
    """Return a picture as a PNG with a palette, small enough for a repository."""
    for colours in (COLOURS, COLOURS // 2, COLOURS // 4):
        kept = io.BytesIO()
        picture.quantize(colours, Image.Quantize.MEDIANCUT, kmeans=2).save(kept, "PNG", optimize=True)
        if len(kept.getvalue()) <= SHEET_BYTES_MAX:
            break
    return kept.getvalue()


def main(folder: str, *themes: str) -> None:
    """Write one sheet per theme."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    server = Server(Studio())
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_FLAGS.split())
            page = browser.new_page()
            for theme in themes or THEMES:
                picture = sheet_of(arrange(photograph(page, server, theme)))
                (Path(folder) / f"{theme}.png").write_bytes(picture)
                print(f"{theme}: {len(picture) // 1000} KB")
            (Path(folder) / "whole.png").write_bytes(whole(page, server))
            browser.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
