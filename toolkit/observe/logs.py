"""
Logs: one line per unit of work, text for people or JSON for machines.

Whatever third-party code logs passes through the same formatter, so that a
secret in one of its messages is redacted too: TikTokLive prints session cookies
at its default level. Line breaks and control characters are escaped, so a hostile
name cannot forge a line.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

__all__ = ["configure", "redact"]

_SECRETS = re.compile(
    r"(?i)\b(sessionid(?:_ss)?|sid_tt|uid_tt(?:_ss)?|msToken|ttwid|tt_csrf_token|odin_tt|x-api-key|api[_-]?key"
    r"|session[_ -]id|token|password|authorization|signature|x-bogus|x-gnarly)"
    r"(\"?'?\s*[=:]\s*\"?'?)(?:bearer\s+)?([^\s;&,\"'}\])]+)"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", None, None))) | {
    "message",
    "asctime",
    "taskName",
}
_ADOPTED = ("TikTokLive", "bokeh", "panel", "tornado", "websockets")


def redact(text: str) -> str:
    """Return ``text`` with the values of secrets replaced by ``***``."""
    return _SECRETS.sub(r"\1\2***", text)


def configure(level: str = "INFO", style: str = "text") -> None:
    """
    Send all logs of the process to standard error, through one formatter.

    Args:
        level: DEBUG, INFO, WARNING or ERROR, for the toolkit's own logs; others
            are kept at WARNING.
        style: ``text`` or ``json``.
    """
    handler = _StandardError()
    handler.setFormatter(_JsonFormatter() if style == "json" else _TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("toolkit").setLevel(level)
    for name in _ADOPTED:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        # `panel serve` sets INFO, a line for every page that opens.
        logger.setLevel(logging.WARNING)
        # A handler that the library adds later would print unredacted.
        logger.addFilter(_redact_record)
    # One line per request at INFO, one per refused socket at WARNING: ours say it better.
    logging.getLogger("tornado.access").setLevel(logging.ERROR)


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at that moment: it may be redirected later."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # a plain attribute upstream
        return sys.stderr


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg, record.args = redact(record.getMessage()), None
    return True


def _escape(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        fields = "".join(f" {name}={value}" for name, value in vars(record).items() if name not in _STANDARD)
        line = f"{at:%H:%M:%S} {record.levelname.lower():7} {record.name}: {record.getMessage()}{fields}"
        line = _escape(redact(line))
        if record.exc_info:
            line += "\n" + redact(self.formatException(record.exc_info))
        return line


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": redact(record.getMessage()),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return redact(json.dumps(line, default=str))
