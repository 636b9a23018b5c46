"""Viewers' pictures: from the hosts of a list, small, really pictures, and kept."""

import asyncio
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import quote, urlsplit

import pytest

from toolkit.bus.memory import MemoryBus
from toolkit.clock import SystemClock
from toolkit.model.event import Comment, User
from toolkit.show.look.faces import FRESH_S, PICTURE_BYTES_MAX, PICTURES_MAX, Faces
from toolkit.web.pictures import Pictures, is_image_host, is_public

PNG = b"\x89PNG\r\n\x1a\n" + b"p" * 100
JPEG = b"\xff\xd8\xff" + b"j" * 100
WEBP = b"RIFF\x00\x00\x00\x00WEBP" + b"w" * 100


class ImageHost(BaseHTTPRequestHandler):
    """Plays an image host: the path says how it behaves."""

    asked: ClassVar[list[str]] = []
    busy = 0
    busy_max = 0
    lock = threading.Lock()

    def do_GET(self):
        """Answer by the path."""
        with self.lock:
            self.asked.append(self.path)
            type(self).busy += 1
            type(self).busy_max = max(self.busy, self.busy_max)
        if self.path.startswith("/slow"):
            time.sleep(0.05)
        bodies = {
            "/a.png": PNG, "/a.jpeg": JPEG, "/a.webp": WEBP, "/page": b"<script>window.__hit=1</script>",
            "/vector": b"<svg xmlns='http://www.w3.org/2000/svg' onload='x'/>", "/empty": b"",
            "/huge": PNG + bytes(PICTURE_BYTES_MAX),
        }  # fmt: skip
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/a.png")
            self.send_header("Content-Length", "0")
            self._answered()
            self.end_headers()
        else:
            body = bodies.get(self.path.partition("?")[0], PNG)
            self.send_response(404 if self.path == "/gone" else 200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self._answered()
            self.wfile.write(body)

    def _answered(self):
        """Whoever has read the last byte may ask again before this thread goes on."""
        with self.lock:
            type(self).busy -= 1

    def log_message(self, *args):
        """Say nothing."""


class Ahead(SystemClock):
    """The machine's clock, so many seconds ahead."""

    by_s = 0

    def now_us(self):
        """Return that time."""
        return super().now_us() + self.by_s * 1_000_000


@pytest.fixture
def host():
    """Return the address of an image host on this machine."""
    ImageHost.asked, ImageHost.busy_max = [], 0
    server = ThreadingHTTPServer(("127.0.0.1", 0), ImageHost)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def seen(bus, user_id, address):
    """Publish a comment of a viewer with a picture."""
    author = User(user_id, f"u{user_id}", "Ann", avatar_url=address)
    bus.publish([("comment", Comment(0, user_id, None, 0, author, "hi", "en", "", "", False))])


def allow_local(server, faces):
    """Let a server's pictures come from this machine: only ever in a test."""

    def swap():
        server.surface.pictures = Pictures(
            faces, may_ask=lambda url: url.scheme == "http", may_connect=lambda address: True
        )

    done = threading.Event()
    server.loop.call_soon_threadsafe(lambda: (swap(), done.set()))
    assert done.wait(10)


@pytest.mark.parametrize(("name", "kind"), [("a.png", "png"), ("a.jpeg", "jpeg"), ("a.webp", "webp")])
def test_a_picture_is_fetched_once_and_kept(new_server, new_studio, host, tmp_path, name, kind):
    """Its type is what is in it; the second time nobody is asked."""
    studio = new_studio()
    faces = studio.faces = Faces(studio.bus, tmp_path, SystemClock())
    server = new_server(studio)
    allow_local(server, faces)
    seen(studio.bus, 77, f"{host}/{name}")
    for _ in range(2):
        status, headers, body = server.ask("/avatar/77")
        assert (status, headers["Content-Type"]) == (200, f"image/{kind}")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert body in (PNG, JPEG, WEBP)
    assert ImageHost.asked == [f"/{name}"]
    assert [path.name for path in tmp_path.iterdir()] == [f"77.{kind}"]


@pytest.mark.parametrize("path", ["page", "vector", "empty", "huge", "away", "gone"])
def test_what_is_no_small_picture_is_none(new_server, new_studio, host, path):
    """Whatever the host says it is; and it is not asked again for a while."""
    studio = new_studio()
    server = new_server(studio)
    allow_local(server, studio.faces)
    seen(studio.bus, 77, f"{host}/{path}")
    for _ in range(2):
        assert server.ask("/avatar/77")[::2] == (204, b"")
    assert ImageHost.asked == [f"/{path}"]


def test_one_host_gets_one_request_at_a_time(new_server, new_studio, host, tmp_path):
    """However many viewers win at once; and two pages that want the same ask once."""
    studio = new_studio()
    faces = studio.faces = Faces(studio.bus, tmp_path, SystemClock())
    server = new_server(studio)
    allow_local(server, faces)
    for number in range(6):
        seen(studio.bus, number, f"{host}/slow?{number}")
    results = []

    def ask(number):
        results.append(server.ask(f"/avatar/{number % 6}")[0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [200] * 12
    assert (len(ImageHost.asked), ImageHost.busy_max) == (6, 1)


@pytest.mark.parametrize("user_id", ["0x1", "-1", "a", "1" * 21, str(2**63), "..", "٣"])
def test_an_id_is_a_number(server, user_id):
    """Nothing else reaches the folder."""
    assert server.ask_json(f"/avatar/{quote(user_id)}")[0] == 404


@pytest.mark.parametrize(
    "address",
    [
        "http://p16.tiktokcdn.com/a.jpeg",
        "https://evil.example/a.jpeg",
        "https://tiktokcdn.com.evil.example/a.jpeg",
        "https://eviltiktokcdn.com/a.jpeg",
        "https://p16.tiktokcdn.com:8443/a.jpeg",
        "https://p16.tiktokcdn.com@evil.example/a.jpeg",
        "https://user@p16.tiktokcdn.com/a.jpeg",
        "https://127.0.0.1/a.jpeg",
        "https://[::1]/a.jpeg",
        "file:///etc/passwd",
        "//p16.tiktokcdn.com/a.jpeg",
        "",
    ],
)
def test_only_the_hosts_of_the_list_are_asked(address):
    """By exact name or as a subdomain, encrypted, on the usual port."""
    assert not is_image_host(urlsplit(address))


def test_the_hosts_of_the_list_are_asked():
    """As TikTok writes them."""
    assert is_image_host(
        urlsplit("https://p16-sign-va.tiktokcdn.com/tos/a~tplv.webp?x-expires=1&x-signature=b")
    )
    assert is_image_host(urlsplit("https://P77-SIGN.TikTokCDN-us.com:443/a"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    ],
)  # fmt: skip
def test_private_addresses_are_not_public(address):
    """Of this machine, of a network, of nobody."""
    assert not is_public(address)
    assert is_public("93.184.215.14")


def test_a_name_that_leads_to_this_machine_is_not_connected_to(host):
    """The host may be allowed: where its name leads decides as well."""
    bus = MemoryBus()
    faces = Faces(bus, None, SystemClock())
    seen(bus, 5, f"http://localhost:{urlsplit(host).port}/a.png")

    async def fetch(**rules):
        pictures = Pictures(faces, may_ask=lambda url: True, **rules)
        try:
            return await pictures.of(5)
        finally:
            pictures.close()

    assert asyncio.run(fetch()) is None
    assert ImageHost.asked == []
    assert asyncio.run(fetch(may_connect=lambda address: address in ("127.0.0.1", "::1"))) in (PNG, None)


def test_a_host_that_says_nothing_does_not_hold_up_the_server(monkeypatch):
    """After a few seconds there is no picture."""
    monkeypatch.setattr("toolkit.web.pictures.FETCH_S_MAX", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        bus = MemoryBus()
        faces = Faces(bus, None, SystemClock())
        seen(bus, 5, f"http://127.0.0.1:{silent.getsockname()[1]}/a.png")

        async def fetch():
            pictures = Pictures(faces, may_ask=lambda url: True, may_connect=lambda address: True)
            return await asyncio.wait_for(pictures.of(5), 20)

        assert asyncio.run(fetch()) is None


def test_the_folder_has_bounds_and_forgets(tmp_path):
    """The oldest go first, none is shown after a week, and a viewer can be forgotten at once."""
    clock, bus = Ahead(), MemoryBus()
    faces = Faces(bus, tmp_path, clock)
    for number in range(PICTURES_MAX + 5):
        faces.keep(number, PNG)
    assert len(list(tmp_path.iterdir())) == PICTURES_MAX
    last = PICTURES_MAX + 4
    assert faces.kept(last) == PNG
    faces.keep(last, JPEG)
    assert faces.kept(last) == JPEG
    seen(bus, last, "https://p16.tiktokcdn.com/a")
    faces.forget(last)
    assert (faces.kept(last), faces.address_of(last)) == (None, None)
    clock.by_s = FRESH_S + 60
    assert faces.kept(last - 1) is None
    for bad in (b"", b"<svg/>", PNG + bytes(PICTURE_BYTES_MAX)):
        faces.keep(1, bad)
        assert faces.kept(1) is None
