"""
Run the notebooks and store what they print, so that they can be read without running.

    .venv/bin/python notebooks/refresh.py [NOTEBOOK ...]

Needed after a change of a notebook, of the analysis, or of the bundled recording; the
tests say so. A chart (a cell tagged ``chart``) is stored as a picture taken with
Chromium: live it carries its own copy of Bokeh, several megabytes, and code hosts do not
run it. Without Chromium the notebook is stored without pictures.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import start_new_kernel

_CELL_S_MAX = 120
_SHOWN = re.compile(r"^show\((\w+)\)$", re.MULTILINE)
_PICTURE_CELL = """\
from pathlib import Path as _Path
from bokeh.embed import file_html as _file_html
_Path({path!r}).write_text(_file_html({name}, INLINE), "utf-8")
"""


def main(arguments: list[str]) -> int:
    """Refresh the notebooks named, or all; return the exit code."""
    for path in map(Path, arguments or sorted(Path(__file__).parent.glob("*.ipynb"))):
        print(f"{path}: running ...", flush=True)
        notebook = nbformat.read(path, as_version=4)
        refresh(notebook, path.resolve().parent)
        nbformat.write(notebook, path)
        print(f"{path}: {path.stat().st_size / 1000:.0f} KB")
    return 0


def refresh(notebook: Any, folder: Path) -> None:
    """
    Run every cell in a kernel of its own and replace the stored outputs.

    Args:
        notebook: Changed in place.
        folder: The working directory of the kernel.

    Raises:
        RuntimeError: A cell failed.
    """
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        code_cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        for number, cell in enumerate(code_cells, 1):
            cell.execution_count = number
            cell.outputs = run(client, cell.source)
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = number
            tags = cell.metadata.get("tags", [])
            if "nbval-ignore-output" in tags:
                cell.outputs = []
            if "chart" in tags:
                cell.outputs = picture(client, _SHOWN.findall(cell.source)[-1])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(client: Any, source: str) -> list[Any]:
    """Run one cell and return its outputs, the pieces of a stream put together."""
    outputs: list[Any] = []

    def collect(message: dict[str, Any]) -> None:
        if message["msg_type"] not in ("stream", "display_data", "execute_result", "error"):
            return
        output = nbformat.v4.output_from_msg(message)
        before = outputs[-1] if outputs else {}
        if output.output_type == "stream" == before.get("output_type") and output.name == before.name:
            before.text += output.text
        else:
            outputs.append(output)

    reply = client.execute_interactive(source, output_hook=collect, timeout=_CELL_S_MAX)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join([source, "", *reply["content"]["traceback"]]))
    return outputs


def picture(client: Any, name: str) -> list[Any]:
    """Return the chart that the kernel knows as ``name`` as an output with a picture."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return []
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_file = Path(folder) / "chart.html"
        run(client, _PICTURE_CELL.format(path=str(page_file), name=name))
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        page = browser.new_page()
        page.goto(page_file.as_uri())
        page.wait_for_function("window.Bokeh && Bokeh.documents.length && Bokeh.documents[0].is_idle")
        png = page.locator(".bk-Column, .bk-Figure").first.screenshot()
        browser.close()
    data = {"image/png": base64.b64encode(png).decode("ascii"), "text/plain": f"<chart: {name}>"}
    return [nbformat.v4.new_output("display_data", data=data)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
