"""A result as it is kept: JUnit, one HTML page, the knee of a ladder."""

import re
from xml.etree import ElementTree

import pytest

from toolkit.load.ladder import find_knee
from toolkit.load.page import as_html
from toolkit.load.plots import lines_plot, nines_axis, time_axis
from toolkit.load.report import as_junit, keep

STAGE = {"count": 5, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "p99_9_ms": 4.0, "max_ms": 5.0}


def report(rate=100, *, ok=True, server=20.0, lag=5.0, name="rate-100"):
    """Return a result such as a run has."""
    cpu = {"server": server, "simulator": 3.0}
    used = {"cpu_percent_max": 30.0, "rss_mb_first": 200.0, "rss_mb_last": 210.0, "rss_mb_max": 220.0}
    return {
        "ok": ok,
        "name": name,
        "started_at": "2026-01-02T03:04:05+00:00",
        "load": {
            "comments_per_s": rate,
            "others_per_s": 150,
            "depth": "wire",
            "seconds": 2,
            "subscribers": 10,
            "never_reading": 1,
            "browsers": 1,
        },
        "machine": {
            "processor": "<one & only>",
            "cores": 2,
            "system": "Linux",
            "python": "3.11",
            "packages": dict.fromkeys(("tiktok-live-toolkit", "TikTokLive", "duckdb", "tornado"), "1"),
        },
        "scheduled": 5,
        "stages": {"sent": STAGE, "delivered": STAGE, "painted": {**STAGE, "p99_ms": None}},
        "curves": {"sent": [(0, 1.0), (99, 3.0), (100, 5.0)], "painted": [(0, None)]},
        "loss": {"sent": 9, "acked": 9, "lost": 0},
        "processes": {n: {**used, "cpu_percent_mean": cpu[n]} for n in cpu},
        "objectives": [
            {"name": "painted_p99_ms", "limit": 250, "value": 3.0 if ok else None, "ok": ok},
            {"name": "lost_max", "limit": 0, "value": 0, "ok": True},
        ],
        "by_second": [{"second": 0, "comments": 5, "p50_ms": 1.0, "p99_ms": 3.0}],
        "looks": [
            {
                "at_s": n,
                "cpu_percent": cpu,
                "rss_mb": {"server": 200.0, "simulator": 80.0},
                "loop_lag_ms": lag,
            }
            for n in (1, 2)
        ],
    }


def test_junit_has_a_suite_for_each_run_and_a_failure_for_each_objective_missed():
    """What a build server reads."""
    root = ElementTree.fromstring(as_junit([report(), report(200, ok=False, name="rate-200")]))
    first, second = root
    assert (first.get("tests"), first.get("failures")) == ("2", "0")
    assert (second.get("tests"), second.get("failures")) == ("2", "1")
    (failure,) = second.iter("failure")
    assert "not measured" in failure.get("message")


def test_the_page_needs_nothing_from_outside_and_takes_data_for_data():
    """One file: no address, no script; a processor's name is no markup."""
    page = as_html([report()])
    assert not re.search(r"https?://|//\w|<script|<link|@import|url\(", page)
    assert "&lt;one &amp; only&gt;" in page
    assert "<title>passed:" in page
    assert "<title>FAILED:" in as_html([report(ok=False)])


def test_everything_is_kept_under_its_name(tmp_path):
    """JSON, JUnit and HTML."""
    run = report()
    paths = keep(tmp_path / "new" / "folder", run, [run], None)
    assert [path.name for path in paths] == ["load-test.json", "load-test.xml", "load-test.html"]
    assert all(path.stat().st_size > 100 for path in paths)


def test_a_ladder_says_where_it_holds_where_it_breaks_and_what_is_full():
    """In words too."""
    knee = find_knee([report(50), report(100), report(200, ok=False, server=97.0, lag=400.0)])
    assert (knee["holds"], knee["breaks"], knee["missed"]) == (100, 200, ["painted_p99_ms"])
    assert len(knee["saturated"]) == 2
    assert "the server's process (97 % of a core)" in knee["sentence"]
    assert "stalled for 400 ms" in knee["sentence"]
    assert knee["sentence"] in as_html([report()], knee).replace("&#x27;", "'")


def test_a_ladder_that_never_breaks_has_its_knee_beyond():
    """It does not make one up."""
    knee = find_knee([report(50), report(100)])
    assert (knee["holds"], knee["breaks"], knee["missed"]) == (100, None, [])
    assert "beyond" in knee["sentence"]


def test_a_ladder_that_breaks_at_once_holds_nowhere():
    """And names nothing as full that is not."""
    knee = find_knee([report(50, ok=False)])
    assert (knee["holds"], knee["breaks"], knee["saturated"]) == (None, 50, [])
    assert "at no rate" in knee["sentence"]
    assert "No process is full" in knee["sentence"]


def test_a_ladder_says_between_which_stages_the_time_passes():
    """Where to look first."""
    broken = report(50, ok=False)
    broken["stages"] = {
        name: {**STAGE, "p50_ms": at}
        for name, at in (("sent", 1.0), ("projected", 900.0), ("published", 9.0), ("painted", 40.0))
    }
    knee = find_knee([broken])
    assert knee["slowest_step"] == ["published", "painted"]
    assert "from published to painted" in knee["sentence"]


@pytest.mark.parametrize("points", [[], [(0, 0)], [(0, 1e-6), (5, 3e9)], [(2, 5.0)] * 3])
def test_a_plot_is_well_formed_whatever_it_shows(points):
    """Nothing, zero, and nine powers of ten."""
    svg = lines_plot({"a < b": points}, time_axis(5), "ms", limit=250)
    root = ElementTree.fromstring(svg)
    drawn = [line.get("points") for line in root.iter("polyline")]
    assert len(drawn) == bool(points)
    for pair in " ".join(drawn).split():
        x, y = map(float, pair.split(","))
        assert 0 <= x <= 760 and 0 <= y <= 260


def test_each_further_nine_takes_the_same_room():
    """That is what makes the far end of a distribution visible."""
    place = nines_axis().place
    assert place(0) == 0
    assert place(99) - place(90) == pytest.approx(place(99.9) - place(99))
    assert place(100) == 1
