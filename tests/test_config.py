"""Settings: every problem is named at once."""

from pathlib import Path

import pytest

from toolkit.config import load_settings
from toolkit.errors import SettingsError


def problems(**environ):
    """Return what is wrong with an environment."""
    with pytest.raises(SettingsError) as caught:
        load_settings(environ)
    return caught.value.problems


def test_defaults_hold_and_a_handle_loses_its_at_sign():
    """An empty environment is valid; empty variables count as unset."""
    settings = load_settings({"TIKTOK_USERNAME": " @someone ", "RECONNECTION_BASE_DELAY": ""})
    assert settings.username == "someone"
    assert settings.reconnection_base_delay_ms == 5000
    assert settings.reconnection_max_delay_ms == 300_000


def test_the_show_is_kept_beside_the_recordings_unless_it_has_a_folder_of_its_own():
    """Questions can lie in a folder that is shared, recordings elsewhere."""
    assert load_settings({"TOOLKIT_RECORDINGS": "/x"}).show_folder == Path("/x/show")
    assert load_settings({"TOOLKIT_RECORDINGS": "/x", "TOOLKIT_SHOW": "/y"}).show_folder == Path("/y")


def test_all_problems_come_at_once_each_with_name_value_and_range():
    """Nobody corrects settings one restart at a time."""
    found = problems(
        RECONNECTION_MAX_ATTEMPTS="-3",
        RECONNECTION_BACKOFF_MULTIPLIER="x",
        TIKTOK_SIGN_URL="http://elsewhere.test",
        TOOLKIT_LOG_FORMAT="xml",
    )
    assert len(found) == 4
    text = "\n".join(found)
    for part in (
        "RECONNECTION_MAX_ATTEMPTS is '-3'",
        "0 to 10000",
        "RECONNECTION_BACKOFF_MULTIPLIER is 'x'",
        "https://",
        "TOOLKIT_LOG_FORMAT is 'xml': should be text, json.",
    ):
        assert part in text


def test_a_misspelt_variable_is_found():
    """It would silently do nothing."""
    assert problems(RECONNECTION_MAX_ATEMPTS="3") == [
        "RECONNECTION_MAX_ATEMPTS is not a setting; did you mean RECONNECTION_MAX_ATTEMPTS?"
    ]
    assert load_settings({"TIKTOK_CLIENT_SECRET": "another program's"}).username == ""


def test_a_ceiling_below_the_base_is_refused():
    """The two delays belong together."""
    assert (
        "RECONNECTION_MAX_DELAY" in problems(RECONNECTION_BASE_DELAY="5000", RECONNECTION_MAX_DELAY="100")[0]
    )


@pytest.mark.parametrize("port", ["99999", "-1", "x"])
def test_a_port_that_cannot_be_one_is_refused(port):
    """Before anybody tries to reach it: the probe would fail without a word."""
    (problem,) = problems(TIKTOK_WEBCAST_URL=f"https://webcast.test:{port}/webcast")
    assert "TIKTOK_WEBCAST_URL" in problem
    assert "ort" in problem


def test_the_key_shows_nowhere():
    """Neither in the settings' text nor in a complaint."""
    settings = load_settings({"TIKTOK_SIGN_API_KEY": "canary-key"})
    assert "canary-key" not in repr(settings)


def test_plain_http_is_for_this_machine_only():
    """A key sent in clear to another host is a key lost."""
    assert load_settings({"TIKTOK_SIGN_URL": "http://127.0.0.1:8765"}).sign_url == "http://127.0.0.1:8765"
    assert "https://" in problems(TIKTOK_APP_URL="http://192.0.2.1")[0]
