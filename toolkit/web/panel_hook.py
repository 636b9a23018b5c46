"""
How plain ``panel serve panel_app.py`` gets our routes before any page is opened.

Panel imports the entry-point group ``panel.io.rest`` when its ``serve`` command
starts, before the Tornado application is built from ``toplevel_patterns``; Bokeh
applies ``--prefix`` to them. So importing this module is what registers us.

Every ``panel`` command on the machine imports it, for anybody's script. It must be
cheap, silent unless the script is ours, and it must not raise: an exception here
breaks Panel for everybody. The one exit on purpose is ``--num-procs``.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["activate", "rest_provider"]

log = logging.getLogger("toolkit.web.panel_hook")

_SCRIPT_BYTES_MAX = 200_000
_OURS = re.compile(r"^[ \t]*(?:from|import)\s+toolkit\b", re.MULTILINE)
_SCRIPT_SUFFIXES = (".py", ".ipynb", ".md")
_EXIT_CODE = 2


def rest_provider(files: Sequence[str], endpoint: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return our routes for ``panel serve --rest-provider toolkit``."""
    from toolkit.web.routes import ROUTES

    activate()
    return [(pattern, handler, {}) for pattern, handler in ROUTES]


def activate(argv: Sequence[str] | None = None) -> None:
    """
    Have the App started, and the guard set, as soon as the server's loop runs.

    Args:
        argv: The ``panel`` command line; the process's own by default.

    Raises:
        SystemExit: It asks for several processes.
    """
    options = _options(sys.argv if argv is None else argv)
    _refuse_processes(options.num_procs)
    # The loop is only prepared here: it runs once Bokeh has bound its port.
    from tornado.ioloop import IOLoop

    IOLoop.current().add_callback(_start, options.address)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    # Panel's own parser also takes abbreviations (--num-p 2), so ours must.
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--num-procs", nargs="?", default="1")
    parser.add_argument("--address", nargs="?")
    try:
        return parser.parse_known_args(list(argv[2:]))[0]
    except argparse.ArgumentError:
        # Panel will say what is wrong with it.
        return argparse.Namespace(num_procs="1", address=None)


def _refuse_processes(num_procs: str | None) -> None:
    if num_procs in (None, "1"):
        return
    sys.stderr.write(
        f"toolkit: --num-procs {num_procs} is refused: each process would record the live on its own. "
        "Serve with one process.\n"
    )
    raise SystemExit(_EXIT_CODE)


async def _start(address: str | None) -> None:
    """Start the App and put its guard before every route, in the running loop."""
    from tornado.ioloop import IOLoop

    from toolkit.errors import ToolkitError

    try:
        _install(address)
    except Exception as error:
        if isinstance(error, ToolkitError):
            log.error("toolkit cannot start: %s %s", error, error.hint)
        else:
            log.exception("toolkit cannot start")
        # Without the guard the dashboard would answer to everybody who reaches this port.
        IOLoop.current().add_callback(_give_up)


def _give_up() -> None:
    raise SystemExit(_EXIT_CODE)


def _install(address: str | None) -> None:
    from toolkit.app import get_app
    from toolkit.errors import ServerError
    from toolkit.web.access import Policy
    from toolkit.web.surface import install

    app = get_app()
    policy = Policy.of(address, app.settings.websocket_origins)
    applications = _bokeh_applications()
    if not applications:
        raise ServerError("Panel's server was not found in this process.", hint="Use `toolkit serve`.")
    for application in applications:
        surface = install(application, app, policy, websocket_enabled=app.settings.websocket_enabled)
        if surface.close not in app.on_stop:
            app.on_stop.append(surface.close)
        app.screens = surface.hub.screens
    app.ensure_started()


def _bokeh_applications() -> list[Any]:
    """Return the Tornado applications of Bokeh's servers. Nothing public leads to them from here."""
    from bokeh.server.tornado import BokehTornado

    from toolkit import garbage

    return garbage.instances_of(BokehTornado)


def _serves_ours(argv: Sequence[str]) -> bool:
    """Return whether the command serves a script that imports the toolkit."""
    return argv[1:2] == ["serve"] and any(_is_ours(Path(word)) for word in argv[2:] if _is_script(word))


def _is_script(word: str) -> bool:
    return word.endswith(_SCRIPT_SUFFIXES) and Path(word).is_file()


def _is_ours(script: Path) -> bool:
    try:
        with script.open(encoding="utf-8", errors="replace") as file:
            return _OURS.search(file.read(_SCRIPT_BYTES_MAX)) is not None
    except OSError:
        return False


def _on_import() -> None:
    if os.environ.get("TOOLKIT_AUTOSTART", "1") == "0" or not _serves_ours(sys.argv):
        return
    from bokeh.server import urls

    from toolkit.web.routes import ROUTES

    if not any(pattern[0] == ROUTES[0][0] for pattern in urls.toplevel_patterns):
        urls.toplevel_patterns.extend(ROUTES)
    activate()


try:
    _on_import()
except Exception:
    log.exception("toolkit: no routes; use `panel serve --plugins toolkit.web.plugin`")
