"""The notebooks run, from the first cell to the last, and print what is stored in them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
BYTES_MAX = 300_000
RUN_S_MAX = 150

each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture
def nbval(tmp_path):
    """Return what runs a notebook under nbval, in a kernel of this interpreter."""

    def run(notebook: Path) -> subprocess.CompletedProcess[str]:
        # Kernels leave files behind; they shall not do so in somebody's home.
        places = {name: str(tmp_path / name.lower()) for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR")}
        command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", str(notebook)]
        # No configuration of the project: its folders and defaults are those of other tests.
        command += ["-c", os.devnull, "--rootdir", str(notebook.parent), "-q", "-p", "no:cacheprovider"]
        return subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | places,
            capture_output=True,
            text=True,
            timeout=RUN_S_MAX,
            check=False,
        )

    return run


def changed_copy(notebook: Path, folder: Path, cell_id: str, change) -> Path:
    """Return a copy of a notebook with one cell changed, and with nothing after that cell."""
    content = json.loads(notebook.read_text("utf-8"))
    position = next(i for i, cell in enumerate(content["cells"]) if cell["id"] == cell_id)
    change(content["cells"][position])
    del content["cells"][position + 1 :]
    copy = folder / notebook.name
    copy.write_text(json.dumps(content), "utf-8")
    return copy


def cells_with(notebook: Path, tag: str) -> list[dict]:
    """Return the code cells that carry a tag."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return [cell for cell in cells if tag in cell["metadata"].get("tags", [])]


@each_notebook
def test_a_notebook_prints_what_is_stored_in_it(notebook, nbval):
    """If not: `notebooks/refresh.py`, after a look at why."""
    result = nbval(notebook)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    "change",
    [
        lambda cell: cell.update(source="raise SystemError('broken')"),
        lambda cell: cell["outputs"][0]["data"].update({"text/plain": "<Recording other: sealed>"}),
    ],
    ids=["a cell that fails", "another output"],
)
def test_a_notebook_that_is_wrong_fails(tmp_path, nbval, change):
    """And a copy runs wherever it lies: the recording is found from there."""
    result = nbval(changed_copy(NOTEBOOKS[0], tmp_path, "open", change))
    assert result.returncode == 1, result.stdout + result.stderr
    assert "1 failed, 1 passed" in result.stdout


@each_notebook
def test_a_notebook_can_be_read_without_running_it(notebook):
    """Every chart is stored as a picture, light enough for a code host, without scripts."""
    assert notebook.stat().st_size < BYTES_MAX
    assert all(
        any("image/png" in o["data"] for o in cell["outputs"]) for cell in cells_with(notebook, "chart")
    )
    assert "<script" not in notebook.read_text("utf-8")


@each_notebook
def test_only_charts_and_the_setup_escape_the_comparison(notebook):
    """A table that is not compared is a table nobody checks."""
    ignored = {cell["id"] for cell in cells_with(notebook, "nbval-ignore-output")}
    assert ignored == {"setup"} | {cell["id"] for cell in cells_with(notebook, "chart")}
