"""``toolkit serve`` and ``toolkit check-config``: the server of this machine, and its settings."""

from __future__ import annotations

import argparse
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

from toolkit.bundled import panel_app
from toolkit.commands.verb import DEFAULT_PORT, AddVerb, add_folder, print_result, settings_of
from toolkit.config import Settings, load_settings

__all__ = ["add_verbs", "run_server"]


def _serve(args: argparse.Namespace) -> int:
    settings = settings_of(args)
    return run_server(settings, args.port, args.panel_args)


def run_server(settings: Settings, port: int, panel_args: Sequence[str] = ()) -> int:
    """Run ``panel serve`` in this process; the App is made with our settings first."""
    from toolkit.app import get_app

    get_app(settings)
    script = panel_app()
    print(f"dashboard  http://127.0.0.1:{port}/panel_app", file=sys.stderr)
    print(f"overlay    http://127.0.0.1:{port}/overlay", file=sys.stderr)
    sys.argv = ["panel", "serve", str(script), "--address", "127.0.0.1", "--port", str(port), *panel_args]
    try:
        runpy.run_module("panel", run_name="__main__", alter_sys=False)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _check_config(args: argparse.Namespace) -> int:
    settings = load_settings()
    values = {
        str(field.validation_alias): getattr(settings, name) for name, field in Settings.model_fields.items()
    }
    shown = {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}
    shown["TIKTOK_SIGN_API_KEY"] = "set" if settings.sign_api_key.get_secret_value() else ""
    print_result(args, shown, lambda: [f"{name:34} {value}" for name, value in shown.items()])
    return 0


def add_verbs(verb: AddVerb) -> None:
    """Add ``serve`` and ``check-config``."""
    serve = verb("serve", _serve, "Start dashboard, overlay and API on this machine.", reports=False)
    serve.add_argument("--port", type=int, default=DEFAULT_PORT)
    serve.add_argument("panel_args", nargs="*", help="further arguments of `panel serve`, after --")
    add_folder(serve)
    verb("check-config", _check_config, "Check the settings and print them.")
