"""
Settings: read once, checked together, passed down. Nothing else reads the environment.

Every setting is an environment variable. All problems are reported at once, each
with the variable, the value given and the range. A variable that looks like ours
and is not (``RECONNECTION_MAX_ATEMPTS``) is a problem too: it would silently do
nothing.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from toolkit.errors import SettingsError
from toolkit.model.recording import is_handle
from toolkit.show.points.weeks import WEEKDAYS, Weeks

__all__ = ["Settings", "load_settings"]

_ONLY_OURS = ("RECONNECTION_", "TOOLKIT_")
_SHARED = ("TIKTOK_", "WEBSOCKET_", "WEBHOOK_")
"""Prefixes that other programs use too: there only a near miss is taken for a misspelling."""
_NEAR_MISS = 0.85
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseModel):
    """Every setting of the toolkit, with its range. Attribute docs name the variable."""

    model_config = ConfigDict(frozen=True)

    username: str = Field("", validation_alias="TIKTOK_USERNAME", max_length=64)
    """TIKTOK_USERNAME: whose live to record, with or without the @. Empty: decide on the dashboard."""
    sign_api_key: SecretStr = Field(SecretStr(""), validation_alias="TIKTOK_SIGN_API_KEY")
    """TIKTOK_SIGN_API_KEY: key of the signing service; empty works with lower limits."""
    app_url: str = Field("https://www.tiktok.com", validation_alias="TIKTOK_APP_URL")
    """TIKTOK_APP_URL: TikTok's site, or a simulator."""
    webcast_url: str = Field("https://webcast.tiktok.com/webcast", validation_alias="TIKTOK_WEBCAST_URL")
    """TIKTOK_WEBCAST_URL: TikTok's live API including ``/webcast``, or a simulator."""
    sign_url: str = Field("https://api.eulerstream.com", validation_alias="TIKTOK_SIGN_URL")
    """TIKTOK_SIGN_URL: the signing service, a self-hosted one, or a simulator."""

    recordings: Path = Field(Path("recordings"), validation_alias="TOOLKIT_RECORDINGS")
    """TOOLKIT_RECORDINGS: folder of the recordings."""
    show: Path | None = Field(None, validation_alias="TOOLKIT_SHOW")
    """TOOLKIT_SHOW: folder of questions, scores and settings of the show; empty: ``show`` in that one."""
    week_begins: str = Field("monday", validation_alias="TOOLKIT_WEEK_BEGINS")
    """TOOLKIT_WEEK_BEGINS: weekday on which the leaderboard of the week begins anew, at midnight."""
    time_zone: str = Field("", validation_alias="TOOLKIT_TIME_ZONE")
    """TOOLKIT_TIME_ZONE: by the clocks of which place, such as Europe/Paris; empty: of this machine."""
    log_level: str = Field(
        "INFO", validation_alias="TOOLKIT_LOG_LEVEL", pattern="^(DEBUG|INFO|WARNING|ERROR)$"
    )
    """TOOLKIT_LOG_LEVEL: DEBUG, INFO, WARNING or ERROR."""
    log_format: str = Field("text", validation_alias="TOOLKIT_LOG_FORMAT", pattern="^(text|json)$")
    """TOOLKIT_LOG_FORMAT: ``text`` for people, ``json`` for machines."""
    trace: Path | None = Field(None, validation_alias="TOOLKIT_TRACE")
    """TOOLKIT_TRACE: file for the moment at which each frame passed each stage; empty: none."""

    reconnection_max_attempts: int = Field(10, validation_alias="RECONNECTION_MAX_ATTEMPTS", ge=0, le=10_000)
    """RECONNECTION_MAX_ATTEMPTS: attempts in a row before giving up; 0 = no limit."""
    reconnection_base_delay_ms: int = Field(
        5_000, validation_alias="RECONNECTION_BASE_DELAY", ge=10, le=600_000
    )
    """RECONNECTION_BASE_DELAY: wait before the first attempt, milliseconds."""
    reconnection_max_delay_ms: int = Field(
        300_000, validation_alias="RECONNECTION_MAX_DELAY", ge=10, le=3_600_000
    )
    """RECONNECTION_MAX_DELAY: longest wait between attempts, milliseconds."""
    reconnection_multiplier: float = Field(
        2.0, validation_alias="RECONNECTION_BACKOFF_MULTIPLIER", ge=1, le=10
    )
    """RECONNECTION_BACKOFF_MULTIPLIER: growth of the wait from one attempt to the next."""

    keep_waiting: bool = Field(False, validation_alias="TOOLKIT_KEEP_WAITING")
    """TOOLKIT_KEEP_WAITING: whether the server waits for the next live when one has ended."""
    sign_budget_minute: int = Field(4, validation_alias="TOOLKIT_SIGN_BUDGET_MINUTE", ge=0, le=10_000)
    """TOOLKIT_SIGN_BUDGET_MINUTE: signatures in any minute; 0 = no limit. A signing service
    on this machine has none unless this is set; so have the two below."""
    sign_budget_hour: int = Field(25, validation_alias="TOOLKIT_SIGN_BUDGET_HOUR", ge=0, le=10_000)
    """TOOLKIT_SIGN_BUDGET_HOUR: signatures in any hour; 0 = no limit."""
    sign_budget_day: int = Field(90, validation_alias="TOOLKIT_SIGN_BUDGET_DAY", ge=0, le=10_000)
    """TOOLKIT_SIGN_BUDGET_DAY: signatures in any day; 0 = no limit."""

    websocket_enabled: bool = Field(True, validation_alias="WEBSOCKET_ENABLED")
    """WEBSOCKET_ENABLED: whether /ws answers. The overlay needs it."""
    websocket_origins: tuple[str, ...] = Field((), validation_alias="WEBSOCKET_CORS_ORIGIN")
    """WEBSOCKET_CORS_ORIGIN: further origins that may open /ws, comma separated."""

    webhook_retry_enabled: bool = Field(True, validation_alias="WEBHOOK_RETRY_ENABLED")
    """WEBHOOK_RETRY_ENABLED: whether a webhook that fails is tried again."""
    webhook_max_retries: int = Field(3, validation_alias="WEBHOOK_MAX_RETRIES", ge=0, le=100)
    """WEBHOOK_MAX_RETRIES: how often."""
    webhook_retry_delay_ms: int = Field(5_000, validation_alias="WEBHOOK_RETRY_DELAY", ge=0, le=86_400_000)
    """WEBHOOK_RETRY_DELAY: wait before the first retry, milliseconds."""

    @property
    def show_folder(self) -> Path:
        """Folder of what the show keeps."""
        return self.recordings / "show" if self.show is None else self.show

    @field_validator("username")
    @classmethod
    def _bare_handle(cls, value: str) -> str:
        handle = value.strip().removeprefix("@")
        if handle and not is_handle(handle):
            raise ValueError("must be the @name of a profile page: letters, digits, dots and underscores")
        return handle

    @field_validator("week_begins")
    @classmethod
    def _weekday(cls, value: str) -> str:
        if value.lower() not in WEEKDAYS:
            raise ValueError(f"must be one of {', '.join(WEEKDAYS)}")
        return value.lower()

    @field_validator("time_zone")
    @classmethod
    def _known_place(cls, value: str) -> str:
        try:
            Weeks(zone=value)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be a place such as Europe/Paris, or empty") from None
        return value

    @field_validator("app_url", "webcast_url", "sign_url")
    @classmethod
    def _secure_or_local(cls, value: str) -> str:
        url = urlsplit(value)
        _ = url.port  # Raises where it cannot be one; the probe asks for it, too.
        if url.scheme == "https" and url.hostname:
            return value.rstrip("/")
        if url.scheme == "http" and url.hostname in _LOOPBACK:
            return value.rstrip("/")
        raise ValueError("must be an https:// address, or http:// on this machine")

    @field_validator("websocket_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        origins = tuple(part.strip().rstrip("/") for part in value.split(",") if part.strip())
        for origin in origins:
            url = urlsplit(origin)
            if url.scheme not in ("http", "https") or not url.netloc or url.path:
                raise ValueError(f"{origin!r} is not an origin such as https://example.org")
        return origins


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """
    Read and check the settings.

    Args:
        environ: Where to read; the process's environment by default.
        overrides: Settings given by other means, such as command-line flags, by
            attribute name.

    Raises:
        SettingsError: One or more are out of range or misspelt; it lists them all.
    """
    environ = os.environ if environ is None else environ
    by_variable = {str(f.validation_alias): name for name, f in Settings.model_fields.items()}
    problems = [_misspelt(name, by_variable) for name in environ if _is_unknown(name, by_variable)]
    given = {name: environ[name] for name in by_variable if environ.get(name, "") != ""}
    given.update({variable: overrides[name] for variable, name in by_variable.items() if name in overrides})
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_sentence(detail, given) for detail in error.errors()]
        raise SettingsError(problems) from None
    if settings.reconnection_max_delay_ms < settings.reconnection_base_delay_ms:
        problems.append(
            f"RECONNECTION_MAX_DELAY is {settings.reconnection_max_delay_ms} and must be at least "
            f"RECONNECTION_BASE_DELAY, which is {settings.reconnection_base_delay_ms}."
        )
    if problems:
        raise SettingsError(problems)
    return settings


def _is_unknown(name: str, by_variable: Mapping[str, str]) -> bool:
    if name in by_variable or name in _READ_ELSEWHERE:
        return False
    if name.startswith(_ONLY_OURS):
        return True
    return name.startswith(_SHARED) and bool(difflib.get_close_matches(name, by_variable, 1, _NEAR_MISS))


_READ_ELSEWHERE = frozenset({"TOOLKIT_CACHE_DIR", "TOOLKIT_AUTOSTART"})
"""Read before settings exist: the schema cache, and the server's entry point."""


def _misspelt(name: str, by_variable: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(name, by_variable, 1)
    return f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ".")


def _sentence(detail: Any, given: Mapping[str, Any]) -> str:
    variable = str(detail["loc"][0])
    value = "***" if "KEY" in variable or "PASSWORD" in variable else repr(given.get(variable, ""))
    reason = str(detail["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] == "string_pattern_mismatch":
        reason = "should be " + detail["ctx"]["pattern"].strip("^()$").replace("|", ", ")
    bounds = _range(next(f for f in Settings.model_fields.values() if f.validation_alias == variable))
    return f"{variable} is {value}: {reason[:1].lower()}{reason[1:]}{bounds}."


def _range(field: Any) -> str:
    low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
    return "" if low is None or high is None else f" (range {low} to {high})"
