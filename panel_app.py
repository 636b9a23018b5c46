"""The dashboard: ``panel serve panel_app.py``. Overlay and API come with it."""

from toolkit.app import get_app
from toolkit.dashboard import show_page

show_page(get_app)
