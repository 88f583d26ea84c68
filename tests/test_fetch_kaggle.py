"""Kaggle sets through the real client, against a server on the loopback that speaks its protocol."""

import io
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from instar.data import download, kaggle, reading
from instar.data.fetching import fetch, resolve
from instar.errors import UserError
from kaggle_server import Fault, World, serving

NAME = "kaggle:someone/some-reviews"
TABLE = "review,rating\n" + "".join(f"it was number {i},{1 + i % 2} star\n" for i in range(40))


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def noise(size: int) -> bytes:
    return random.Random(0).randbytes(size)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A server with one public set, and no credentials anywhere."""
    for name in list(os.environ):
        if name.startswith("KAGGLE"):
            monkeypatch.delenv(name)
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(download, "PAUSE", 0.01)
    files = {"reviews.csv": TABLE.encode(), "pad.bin": noise(300_000)}
    world = World({"someone/some-reviews": zipped(files)})
    with serving(world):
        for name, value in world.environment().items():
            monkeypatch.setenv(name, value)
        yield world


def cached(tmp_path: Path) -> list[str]:
    """Everything in the cache, without the locks."""
    home = tmp_path / "home"
    return sorted(p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file() and p.suffix != ".lock")


def complaint(name: str = NAME) -> str:
    with pytest.raises(UserError) as caught:
        fetch(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_public_set_comes_whole_and_once(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = resolve(NAME)
    assert found.path == tmp_path / "home/data/kaggle/someone/some-reviews"
    assert (found.path / "reviews.csv").read_text() == TABLE
    assert (found.name, found.licence) == ("some-reviews", "CC0: Public Domain")
    assert found.receipt is not None and found.receipt.version == "3"
    assert reading.read(str(found.path), text=None, image=None, label=None).frame.height == 40
    assert [name for name in cached(tmp_path) if "reviews/" not in name] == [
        "data/kaggle/someone/some-reviews.fetched.yaml"
    ]
    capsys.readouterr()
    asked = len(world.asked)
    assert resolve(NAME) == found
    assert len(world.asked) == asked, "the second time nothing is asked of anybody"
    assert str(found.path) in capsys.readouterr().err


def test_the_catalogue_leads_to_kaggle(world: World) -> None:
    world.files["nelgiriyewithana/mcdonalds-store-reviews"] = world.files["someone/some-reviews"]
    found = fetch("mcdonalds")
    assert (found.name, found.text, found.label) == ("mcdonalds", "review", "rating")
    assert fetch("kaggle:nelgiriyewithana/mcdonalds-store-reviews").path == found.path
    assert len(world.downloads) == 1


def test_credentials_go_to_kaggle_and_not_to_the_storage(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.private, world.tokens = True, {"secret"}
    monkeypatch.setenv("KAGGLE_API_TOKEN", "secret")
    fetch(NAME)
    assert len(world.downloads) == 1
    assert "Authorization" not in world.downloads[0]


@pytest.mark.parametrize("way", ["token", "token file", "access_token", "username", "kaggle.json", "config"])
def test_every_way_of_giving_credentials(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    world.private, world.tokens, world.keys = True, {"secret"}, {("me", "key")}
    folder = tmp_path / ("elsewhere" if way == "config" else "person/.kaggle")
    folder.mkdir()
    if way == "token":
        monkeypatch.setenv("KAGGLE_API_TOKEN", "secret")
    elif way == "token file":
        (tmp_path / "token").write_text("secret\n")
        monkeypatch.setenv("KAGGLE_API_TOKEN", str(tmp_path / "token"))
    elif way == "access_token":
        (folder / "access_token").write_text("secret\n")
    elif way == "username":
        monkeypatch.setenv("KAGGLE_USERNAME", "me")
        monkeypatch.setenv("KAGGLE_KEY", "key")
    else:
        (folder / "kaggle.json").write_text('{"username": "me", "key": "key"}')
    if way == "config":
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(folder))
    assert (fetch(NAME).path / "reviews.csv").read_text() == TABLE


def test_missing_credentials(world: World, tmp_path: Path) -> None:
    world.private = True
    said = complaint()
    assert "HTTP 403" in said and "without credentials" in said and "access_token" in said
    assert cached(tmp_path) == []


def test_refused_credentials_are_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGGLE_API_TOKEN", "expired")
    said = complaint()
    assert "KAGGLE_API_TOKEN" in said and "HTTP 401" in said and "kaggle.com/settings" in said
    assert "expired" not in said, "a secret is never shown"


def test_credentials_that_are_no_json(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kaggle.json").write_text("{")
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    assert str(tmp_path / "kaggle.json") in complaint()


@pytest.mark.parametrize(
    ("status", "hint"), [(403, "terms to accept"), (429, "wait 30 seconds"), (500, "later"), (503, "later")]
)
def test_refusals_of_the_api(world: World, status: int, hint: str) -> None:
    world.status = status
    said = complaint()
    assert f"HTTP {status}" in said and hint in said


def test_an_unknown_set_and_an_unknown_file(world: World) -> None:
    assert "no set https://www.kaggle.com/datasets/someone/nothing (HTTP 404)" in complaint("kaggle:someone/nothing")
    assert "no file nothing.csv" in complaint(NAME + "/nothing.csv")


@pytest.mark.parametrize("name", ["kaggle:", "kaggle:someone", "kaggle:../..", "kaggle:a b/c", "kaggle:a/b/../../c"])
def test_a_name_that_is_none(name: str) -> None:
    assert "kaggle:OWNER/NAME" in complaint(name)


def test_no_network(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    started = time.monotonic()
    assert "check the network" in complaint()
    assert time.monotonic() - started < 5


def test_a_server_that_never_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaggle, "SECONDS", (0.2, 0.2))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{silent.getsockname()[1]}")
        assert "check the network" in complaint()


def test_a_portal_in_between(world: World) -> None:
    world.page = b"<!doctype html><title>Sign in</title>"
    assert "sign in" in complaint()


@pytest.mark.parametrize("fault", [Fault(body=b"<!DOCTYPE html><p>no"), Fault(kind="text/html; charset=utf-8")])
def test_a_web_page_in_place_of_the_archive(world: World, tmp_path: Path, fault: Fault) -> None:
    world.faults = [fault]
    assert "web page" in complaint()
    assert not (tmp_path / "home/data/kaggle/someone/some-reviews").exists()
    fetch(NAME)


def test_a_broken_stream_is_resumed(world: World) -> None:
    world.faults = [Fault(cut=100_000), Fault(cut=50_000)]
    found = fetch(NAME)
    assert (found.path / "pad.bin").read_bytes() == noise(300_000)
    first, *more = [headers.get("Range", "bytes=0-") for headers in world.downloads]
    starts = [int(asked[len("bytes=") : -1]) for asked in more]
    assert first == "bytes=0-" and 0 < starts[0] <= 100_000 and starts[0] < starts[1] <= 150_000
    assert "If-Range" in world.downloads[1]


def test_a_broken_stream_is_begun_anew_where_it_cannot_be_resumed(world: World) -> None:
    world.ranges, world.faults = False, [Fault(cut=100_000)]
    assert (fetch(NAME).path / "pad.bin").read_bytes() == noise(300_000)


def test_a_stream_that_stays_broken_is_given_up_and_resumed_by_the_next_call(world: World) -> None:
    world.faults = [Fault(cut=100_000)] + [Fault(cut=0)] * 4
    assert "broke off at 0.1 MB" in complaint()
    fetch(NAME)
    assert world.downloads[-1]["Range"] != "bytes=0-"


def test_the_api_may_send_the_file_itself(world: World) -> None:
    world.redirects, world.faults = False, [Fault(cut=100_000)]
    assert (fetch(NAME).path / "pad.bin").read_bytes() == noise(300_000)


def test_a_stream_that_stalls_is_resumed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client itself would wait without end."""
    monkeypatch.setattr(kaggle, "SECONDS", (5.0, 0.2))
    world.faults = [Fault(seconds_a_piece=3600)]
    assert (fetch(NAME).path / "pad.bin").read_bytes() == noise(300_000)
    assert len(world.downloads) == 2


def test_a_new_version_is_not_mixed_with_half_of_the_old_one(world: World) -> None:
    world.faults = [Fault(cut=100_000)] + [Fault(cut=0)] * 4
    complaint()
    other = {"reviews.csv": TABLE.encode(), "pad.bin": noise(300_001)[1:]}
    world.files["someone/some-reviews"] = zipped(other)
    assert (fetch(NAME).path / "pad.bin").read_bytes() == other["pad.bin"]


def test_a_wrong_checksum(world: World, tmp_path: Path) -> None:
    content = world.files["someone/some-reviews"]
    world.faults = [Fault(body=content[:-500] + b"x" * 500)]
    assert "damaged on its way" in complaint()
    assert not [name for name in cached(tmp_path) if name.endswith((".zip", ".part", ".fetched.yaml"))]
    fetch(NAME)


def test_damage_without_a_checksum_shows_when_it_is_unpacked(world: World, tmp_path: Path) -> None:
    content = world.files["someone/some-reviews"]
    at = len(content) // 2
    world.hashes, world.faults = False, [Fault(body=content[:at] + b"damage" + content[at + 6 :])]
    assert "is damaged" in complaint()
    assert not (tmp_path / "home/data/kaggle/someone/some-reviews").exists()
    fetch(NAME)


def test_a_single_file_plain_or_zipped(world: World) -> None:
    world.files["someone/some-reviews/reviews.csv"] = TABLE.encode()
    world.files["someone/some-reviews/sub/more.csv"] = zipped({"more.csv": TABLE.encode()})
    world.names["someone/some-reviews/sub/more.csv"] = "someone/some-reviews/sub/more.csv.zip"
    for file in ("reviews.csv", "sub/more.csv"):
        found = fetch(f"{NAME}/{file}")
        assert found.path.name == Path(file).name
        assert found.path.read_text() == TABLE
        assert fetch(f"{NAME}/{file}") == found
    assert len(world.downloads) == 2


def test_a_version_can_be_named(world: World) -> None:
    found = fetch(NAME + "/versions/2")
    assert found.receipt is not None and found.receipt.version == "2"
    assert found.path != kaggle.parse("someone/some-reviews").folder


def test_no_room_is_said_before_the_download(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=2**26 + 1000))
    assert "is full" in complaint()


def run(code: str, **popen: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, **popen)  # type: ignore[call-overload, no-any-return]


def test_a_disk_that_fills_up_keeps_what_came(world: World, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the write itself fails."""
    code = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from instar.data.fetching import fetch
try:
    fetch({NAME!r})
except ValueError as error:
    raise SystemExit(str(error))
"""
    with run(code) as process:
        said = process.communicate()[1]
    assert process.returncode == 1 and "is full" in said.splitlines()[-1] and "INSTAR_HOME" in said
    assert any(name.endswith(".part") for name in cached(tmp_path))
    fetch(NAME)
    assert "Range" in world.downloads[-1]


def test_killed_in_the_middle_nothing_counts_as_whole(world: World, tmp_path: Path) -> None:
    world.faults = [Fault(seconds_a_piece=0.1)]
    part = tmp_path / "home/data/kaggle/someone/some-reviews.v3.download/some-reviews.zip.part"
    with run(f"from instar.data.fetching import fetch; fetch({NAME!r})") as process:
        while not (part.exists() and part.stat().st_size > 0):
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    folder = kaggle.parse("someone/some-reviews").folder
    assert not folder.exists() and part.exists()
    # As if it had been killed in the middle of unpacking, too.
    for left in (folder, folder.with_name(".some-reviews.unfinished")):
        left.mkdir()
        (left / "half.csv").write_text("a")
    found = fetch(NAME)
    assert sorted(path.name for path in found.path.iterdir()) == ["pad.bin", "reviews.csv"]
    assert "Range" in world.downloads[-1]
    assert sorted(p.name for p in folder.parent.iterdir() if p.suffix != ".lock") == [
        "some-reviews",
        "some-reviews.fetched.yaml",
    ]


def test_two_at_once_download_once(world: World) -> None:
    world.faults = [Fault(seconds_a_piece=0.01)]
    code = f"from instar.data.fetching import fetch; fetch({NAME!r})"
    with run(code) as one, run(code) as two:
        assert [one.communicate()[1] and one.returncode, two.communicate()[1] and two.returncode] == [0, 0]
    assert len(world.downloads) == 1


def test_the_client_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, instar.data.fetching, instar.data.kaggle; assert 'kagglehub' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
