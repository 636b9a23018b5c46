"""The comparison with the npm package: skipped with a sentence, or on the same frames."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from toolkit.bench import decode
from toolkit.bench.npm_rival import NpmRival, RivalMissing

COUNTS = """
export async function deserializeWebSocketMessage(frame) {
  const messages = [...frame].map((byte) => ({ decodedData: byte === 120 ? undefined : byte }));
  return { protoMessageFetchResult: { messages } };
}
"""
"""Takes each byte for a message, and cannot decode an x."""


def test_without_node_it_is_skipped_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is installed, and the other figures stand."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert list(decode.measure_npm(rounds=1)) == []
    assert "no comparison with the npm package tiktok-live-connector: node" in capsys.readouterr().err


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_decodes_every_frame_as_often_as_it_is_told_to(tmp_path: Path) -> None:
    """What it cannot decode does not count; what it cost is told."""
    module = tmp_path / "index.js"
    module.with_name("package.json").write_text('{"type": "module"}', "ascii")
    module.write_text(COUNTS, "ascii")
    with NpmRival(shutil.which("node") or "", module, [b"abc", b"", b"xy"]) as rival:
        assert rival.decode(1)[1] == 4
        cost_us, decoded = rival.decode(50)
        assert decoded == 200
        assert cost_us > 0


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_package_that_does_not_load_is_told(tmp_path: Path) -> None:
    """Another version, a broken installation."""
    with (
        NpmRival(shutil.which("node") or "", tmp_path / "nothing.js", []) as rival,
        pytest.raises(RivalMissing, match="node ended with 1"),
    ):
        rival.decode(1)
