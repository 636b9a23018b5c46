"""The builder and the overlay for people who do not see or point: axe-core finds nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.overlay.conftest import holds

pytestmark = pytest.mark.browser

SERIOUS = {"serious", "critical"}


def complaints_of(page):
    """Return what axe-core finds serious, with the elements."""
    found = Axe().run(page).response["violations"]
    return [(v["id"], [n["html"][:120] for n in v["nodes"]]) for v in found if v["impact"] in SERIOUS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_builder_can_be_used_by_everybody(visit, scheme):
    """WCAG 2.2 AA as far as a machine can tell, in light and in dark."""
    page = visit("/overlay/builder?lang=en", bypass_csp=True, color_scheme=scheme)
    holds(page, "document.getElementById('presets').options.length === 1")
    assert complaints_of(page) == []


def test_the_overlay_has_no_serious_fault(visit):
    """With every widget busy."""
    page = visit("/overlay?demo=still&motion=0&theme=contrast", bypass_csp=True)
    holds(page, "document.querySelector('.tl-feed').childElementCount >= 12")
    assert complaints_of(page) == []
