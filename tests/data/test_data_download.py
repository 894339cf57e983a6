"""Downloads, from a local server that misbehaves in every way it can."""

import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pushforward.core import BadInput
from pushforward.data import download, get

CONTENT = {
    "train-images-idx3-ubyte.gz": np.random.default_rng(0).bytes(200_000),
    "train-labels-idx1-ubyte.gz": np.random.default_rng(1).bytes(70),
}
BIG = "train-images-idx3-ubyte.gz"


class Server(BaseHTTPRequestHandler):
    """Answers each request for the large file with the next of `ways`, then well; notes what was asked."""

    ways: ClassVar[list[str]] = []
    pause: ClassVar[float] = 0.01
    asked: ClassVar[list[tuple[str, str]]] = []

    def log_message(self, *_):
        pass

    def answer(self, status, body, length=None, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        name = self.path.rpartition("/")[2]
        wanted = self.headers.get("Range", "")
        Server.asked.append((self.path, wanted))
        whole = CONTENT[name]
        start = int(wanted[len("bytes=") : -1]) if wanted else 0
        way = Server.ways.pop(0) if Server.ways and name == BIG else "well"
        getattr(self, way)(whole, start)

    def well(self, whole, start):
        if start:
            rest = whole[start:]
            self.answer(206, rest, len(rest), Content_Range=f"bytes {start}-{len(whole) - 1}/{len(whole)}")
        else:
            self.answer(200, whole, len(whole))

    def cuts_off(self, whole, start):
        rest = whole[start:]
        range_ = {"Content_Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"} if start else {}
        self.answer(206 if start else 200, rest[: len(rest) // 2], len(rest), **range_)

    def cuts_off_at_once(self, whole, start):
        self.answer(200, b"", len(whole))

    def hangs_up(self, whole, start):
        self.close_connection = True

    def says_less(self, whole, start):
        rest = whole[start:]
        range_ = {"Content_Range": f"bytes {start}-{len(whole) - 1}/{len(whole)}"} if start else {}
        self.answer(206 if start else 200, rest, len(rest) * 2 // 3, **range_)

    def says_more(self, whole, start):
        self.answer(200, whole, len(whole) * 3)

    def says_nonsense(self, whole, start):
        self.answer(200, whole, "many")

    def sends_more(self, whole, start):
        self.answer(200, whole + whole, 2 * len(whole))

    def never_ends(self, whole, start):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    def breaks_a_chunk(self, whole, start):
        self.answer(200, b"1000\r\n" + whole[:100], Transfer_Encoding="chunked")

    def stalls(self, whole, start):
        self.answer(200, whole[:5000], len(whole))
        time.sleep(Server.pause)

    def flips_a_bit(self, whole, start):
        bent = bytearray(whole)
        bent[-1] ^= 1
        self.well(bytes(bent), start)

    def ignores_range(self, whole, start):
        self.answer(200, whole, len(whole))

    def continues_elsewhere(self, whole, start):
        self.answer(206, whole[:100], 100, Content_Range=f"bytes 0-99/{len(whole)}")

    def is_missing(self, whole, start):
        self.answer(404, b"gone", 4)

    def is_broken(self, whole, start):
        self.answer(500, b"", 0)

    def refuses_range(self, whole, start):
        self.answer(416 if start else 200, b"" if start else whole, 0 if start else len(whole))

    def sends_a_page(self, whole, start):
        self.answer(200, b"<html>log in first</html>", 25)

    def turns_in_a_circle(self, whole, start):
        self.answer(302, b"", 0, Location=self.path)


WAYS = [
    name for name in vars(Server) if name not in ("log_message", "answer", "do_GET", "ways", "asked", "pause") and not name.startswith("_")
]


@pytest.fixture(scope="module")
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}/"
    made.shutdown()
    made.server_close()


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setitem(download.FILES, "mnist", {name: (len(data), sha256(data).hexdigest()) for name, data in CONTENT.items()})
    monkeypatch.setattr(download, "TIMEOUT", 10.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PUSHFORWARD_DATA", raising=False)
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    Server.ways, Server.asked = [], []


def complete(folder):
    there = {path.name: path.read_bytes() for path in folder.iterdir()}
    return there == CONTENT


def ranges():
    return [wanted for path, wanted in Server.asked if path.endswith(BIG)]


def test_a_set_is_downloaded_once(server, tmp_path):
    seen = []
    folder = get("mnist", mirrors=[server], progress=lambda *news: seen.append(news))
    assert folder == tmp_path / "cache" / "pushforward" / "mnist" and complete(folder)
    assert seen[-1] == ("train-labels-idx1-ubyte.gz", 70, 70) and (BIG, 200_000, 200_000) in seen
    assert [done for name, done, _ in seen if name == BIG] == sorted(done for name, done, _ in seen if name == BIG)
    Server.asked.clear()
    assert get("mnist", mirrors=[server]) == folder and not Server.asked
    (folder / BIG).write_bytes(CONTENT[BIG][:-1] + b"x")
    assert complete(get("mnist", mirrors=[server])) and len(Server.asked) == 1


def test_a_set_in_the_given_folder_is_not_downloaded(server, tmp_path, monkeypatch):
    get("mnist", tmp_path / "given" / "mnist", mirrors=[server])
    monkeypatch.setenv("PUSHFORWARD_DATA", str(tmp_path / "given"))
    Server.asked.clear()
    assert get("mnist", mirrors=[server]) == tmp_path / "given" / "mnist" and not Server.asked


def test_a_cut_off_download_continues(server, tmp_path):
    Server.ways = ["cuts_off", "cuts_off"]
    assert complete(get("mnist", tmp_path, mirrors=[server]))
    assert ranges() == ["", "bytes=100000-", "bytes=150000-"]


def test_a_later_call_continues_the_part_file(server, tmp_path):
    (tmp_path / f"{BIG}.part").write_bytes(CONTENT[BIG][:123_456])
    assert complete(get("mnist", tmp_path, mirrors=[server]))
    assert ranges() == ["bytes=123456-"]


def test_a_complete_part_file_is_only_checked(server, tmp_path):
    (tmp_path / f"{BIG}.part").write_bytes(CONTENT[BIG])
    assert complete(get("mnist", tmp_path, mirrors=[server])) and ranges() == []


@pytest.mark.parametrize("part", [b"x" * 1000, b"x" * 200_000, b"x" * 300_000])
def test_a_wrong_part_file_is_discarded(server, tmp_path, part):
    (tmp_path / f"{BIG}.part").write_bytes(part)
    assert complete(get("mnist", tmp_path, mirrors=[server])) and ranges()[-1] == ""


def test_a_server_that_ignores_ranges_sends_all_again(server, tmp_path):
    Server.ways = ["cuts_off", "ignores_range"]
    assert complete(get("mnist", tmp_path, mirrors=[server]))
    assert ranges() == ["", "bytes=100000-"]


def test_a_mirror_gets_a_number_of_attempts(server, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 3)
    Server.ways = ["cuts_off"] * 3
    with pytest.raises(BadInput, match="3 connections did not bring all of 200,000 bytes"):
        get("mnist", tmp_path, mirrors=[server])
    assert (tmp_path / f"{BIG}.part").stat().st_size == 175_000


@pytest.mark.parametrize("way", ["breaks_a_chunk", "stalls"])
def test_a_connection_that_breaks_is_made_again(server, tmp_path, monkeypatch, way):
    monkeypatch.setattr(download, "TIMEOUT", 0.8)
    monkeypatch.setattr(Server, "pause", 1.2)
    Server.ways = [way]
    assert complete(get("mnist", tmp_path, mirrors=[server])) and len(ranges()) == 2


def test_a_false_length_does_no_harm(server, tmp_path):
    Server.ways = ["says_less", "says_less", "says_more"]
    assert complete(get("mnist", tmp_path, mirrors=[server]))


@pytest.mark.parametrize("way", ["flips_a_bit", "never_ends"])
def test_wrong_content_is_deleted_said_and_taken_from_the_next_mirror(server, tmp_path, way):
    Server.ways = [way]
    said = []
    assert complete(get("mnist", tmp_path, mirrors=[server + "first/", server + "second/"], say=said.append))
    assert len(said) == 1 and f"first/{BIG}" in said[0] and "SHA-256" in said[0] and "deleted" in said[0]
    assert [path for path, _ in Server.asked if path.endswith(BIG)] == [f"/first/{BIG}", f"/second/{BIG}"]


@pytest.mark.parametrize(("way", "said"), [("is_missing", "404"), ("is_broken", "500"), ("flips_a_bit", "SHA-256"), ("hangs_up", "mnist"),
                                           ("sends_a_page", "25 of 200,000 bytes"), ("turns_in_a_circle", "302")])  # fmt: skip
def test_when_no_mirror_is_right_the_reasons_are_said(server, tmp_path, way, said):
    Server.ways = [way] * 100
    with pytest.raises(BadInput) as caught:
        get("mnist", tmp_path / "mnist", mirrors=[server, server + "second/"])
    assert f"'{BIG}' could not be downloaded" in str(caught.value) and said in str(caught.value) and "second/" in str(caught.value)
    assert not (tmp_path / "mnist" / BIG).exists()


def test_nobody_there(tmp_path):
    with pytest.raises(BadInput, match="refused"):
        get("mnist", tmp_path, mirrors=["http://127.0.0.1:9/"])
    with pytest.raises(BadInput, match="unknown url type"):
        get("mnist", tmp_path, mirrors=["nowhere/"])


@given(st.lists(st.sampled_from(WAYS), max_size=6))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_server_does_the_file_is_right_or_not_there(server, tmp_path_factory, ways):
    folder = tmp_path_factory.mktemp("any")
    Server.ways, Server.asked = list(ways), []
    try:
        assert complete(get("mnist", folder, mirrors=[server, server + "second/"]))
    except BadInput as error:
        assert BIG in str(error) and not (folder / BIG).exists()
    Server.ways = []
    assert complete(get("mnist", folder, mirrors=[server]))  # a sound mirror mends whatever was left


def test_a_set_that_is_made_of_another_says_which_to_get(tmp_path):
    with pytest.raises(BadInput, match=r"'stacked-mnist' is made of mnist when it is read; get mnist\."):
        get("stacked-mnist", tmp_path)


def test_unknown_sets_and_unusable_folders(tmp_path):
    with pytest.raises(BadInput, match=r"no set 'mnits' to get; there are mnist, fashion-mnist; did you mean 'mnist'\?"):
        get("mnits")
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(BadInput, match="file/mnist' for 'mnist' cannot be made"):
        get("mnist", tmp_path / "file" / "mnist")


def test_a_part_that_cannot_be_written(server, tmp_path):
    (tmp_path / f"{BIG}.part").mkdir()
    with pytest.raises(BadInput, match="cannot be written"):
        get("mnist", tmp_path, mirrors=[server])


def test_the_sums_are_those_of_the_sets():
    assert [sum(size for size, _ in files.values()) for files in download.FILES.values()][1] == 30_878_645
    assert all(len(digest) == 64 for files in download.FILES.values() for _, digest in files.values())
    assert all(mirror.endswith("/") for mirrors in download.MIRRORS.values() for mirror in mirrors)
