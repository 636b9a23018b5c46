"""CPU and memory of real processes."""

import os
import subprocess
import sys
import time

import pytest

from tests.waiting import wait_until
from toolkit.load import gauges
from toolkit.load.gauges import ProcessGauge, read_metrics

BUSY = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BUSY!r}])"


@pytest.fixture
def start():
    """Return a function that starts a Python process; all are ended at the end."""
    started = []

    def run(code):
        started.append(subprocess.Popen([sys.executable, "-c", code], start_new_session=True))
        return started[-1].pid

    yield run
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()


def until_busy(gauge):
    """Return the first look at which CPU was used."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.2)
        usage = gauge.look()
        if usage.cpu > 0.05:
            return usage
    raise AssertionError("no CPU used within 30 s")


def test_a_busy_process_uses_cpu_and_memory(start):
    """At most one core, as it has one thread; a clock tick more by rounding."""
    usage = until_busy(ProcessGauge(start(BUSY)))
    assert usage.cpu < 1.2
    assert 1_000_000 < usage.rss_bytes < 200_000_000


def test_children_are_counted_where_they_are_wanted(start):
    """A browser is mostly its children."""
    pid = start(PARENT)
    assert until_busy(ProcessGauge(pid, with_children=True)).cpu > 0.05
    # It was at work itself until it had its child.
    alone = ProcessGauge(pid)
    wait_until(lambda: alone.look().cpu < 0.05, "only the child is at work", every_s=0.3)


def test_a_process_that_has_ended_uses_nothing(start):
    """It is no error: it may end at any time."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    usage = ProcessGauge(process.pid).look()
    assert (usage.cpu, usage.rss_bytes) == (0.0, 0)


def test_where_there_is_no_proc_the_ps_command_tells_the_same(start, monkeypatch, tmp_path):
    """MacOS has no /proc."""
    pid = start(BUSY)
    usage = until_busy(ProcessGauge(pid))
    monkeypatch.setattr(gauges, "_PROC", tmp_path / "nowhere")
    told = ProcessGauge(pid, with_children=True).look()
    assert told.rss_bytes == pytest.approx(usage.rss_bytes, rel=0.3)


def test_metrics_without_a_label_are_read():
    """Comments and labelled ones are left out."""
    text = '# HELP a b\n# TYPE a gauge\na 2.5\nb_total 3.0\nc{kind="x"} 4\n\n'
    assert read_metrics(text) == {"a": 2.5, "b_total": 3.0}
