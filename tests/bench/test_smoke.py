"""
Performance, by orders of magnitude: ratios within one run, with limits far from what is usual.

The figures themselves are known to `toolkit bench`; these tests notice a change that
makes something ten times slower, on any machine, however busy.
"""

import pytest

from toolkit.bench import bus, dashboard, decode, journal, projection, queries


def by_name(figures):
    """Return the values of figures by their names."""
    return {figure.name: figure.value for figure in figures}


@pytest.fixture(scope="module")
def decoded():
    """Return what one round of the comparison with TikTokLive tells."""
    return by_name(decode.measure(rounds=1))


def test_our_decoder_takes_a_fraction_of_tiktoklives_cpu(decoded):
    """Usual: 60 times less; noticed: under 20."""
    assert decoded["decode: times less CPU"] > 20


def test_a_journal_costs_little_beside_decoding(decoded):
    """Usual: a tenth; noticed: more than the decoder."""
    figures = by_name(journal.measure(frames=400))
    assert figures["journal: CPU per message"] < decoded["decode: CPU per message, ours"]
    assert figures["journal: size per message"] < 2_000


def test_a_row_costs_less_than_tiktoklives_parsing(decoded):
    """Usual: a tenth of it; noticed: all of it."""
    figures = by_name(projection.measure(batches=200))
    assert figures["projection: CPU per message"] < decoded["decode: CPU per message, TikTokLive"]


def test_a_hundred_subscriptions_cost_no_hundredfold():
    """Notices are handed out in batches. Usual: 5 times; noticed: 40 times."""
    figures = by_name(bus.measure(rounds=3, batches=40))
    alone, many = (figures[f"bus: CPU per notice, {n} subscriptions"] for n in (1, 100))
    assert many < 40 * alone
    assert figures["bus: CPU per notice, with live figures"] < 20 * alone


def test_every_chart_of_the_notebook_is_asked_for_and_answered():
    """On a small recording of the same making; usual: 0.05 s for each."""
    figures = by_name(queries.measure(events=20_000, rounds=1))
    charts = {name: value for name, value in figures.items() if "pandas" not in name and "size" not in name}
    assert len(charts) == 13
    assert max(charts.values()) < 5
    assert figures["queries: size per event"] < 500


@pytest.mark.browser
@pytest.mark.slow
def test_a_page_of_the_dashboard_stands_while_its_cost_is_taken(chromium_path, monkeypatch):
    """In a small room and for a second; what it costs there says nothing."""
    monkeypatch.setenv("CHROMIUM", chromium_path)
    figures = by_name(dashboard.measure(seconds=1, profile="small", rounds=1))
    assert figures["dashboard: CPU of its browser"] > 0
    assert figures["dashboard: server CPU for an open page"] < 100
