"""For ``panel serve --plugins toolkit.web.plugin panel_app.py``: the explicit way."""

from __future__ import annotations

import sys

from toolkit.web.panel_hook import activate
from toolkit.web.routes import ROUTES

__all__ = ["ROUTES"]

if sys.argv[1:2] == ["serve"]:
    activate()
