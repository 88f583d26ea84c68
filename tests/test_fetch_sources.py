"""What a person may name, the mirrors of the known sets, and downloads by plain address."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from scipy.io import savemat

from instar.data import download, mirrors, reading
from instar.data.catalogue import CATALOGUE
from instar.data.fetching import fetch, resolve
from instar.errors import UserError
from kaggle_server import Fault, World, serving


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(download, "PAUSE", 0.01)
    return tmp_path / "home"


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A plain server of files; it is the storage of the Kaggle server, asked without an API."""
    with serving(World(hashes=False)) as world:
        for name, value in world.environment().items():
            monkeypatch.setenv(name, value)
        yield world


def remote(world: World, name: str, content: bytes) -> mirrors.Remote:
    """Serve a file under its name."""
    world.files[name] = content
    return mirrors.Remote(f"http://storage.test/{name}?for={name}&", hashlib.md5(content).hexdigest())


def jpeg(shade: int) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(stream, "JPEG")
    return stream.getvalue()


def tgz(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return gzip.compress(stream.getvalue())


def test_caltech_is_a_tar_in_a_zip(mirror: World, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    names = ("BACKGROUND_Google", "ant", "yin_yang")
    pictures = {f"101_ObjectCategories/{c}/image_{i:04d}.jpg": jpeg(i) for c in names for i in range(3)}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("caltech-101/101_ObjectCategories.tar.gz", tgz(pictures))
        archive.writestr("__MACOSX/caltech-101/._101_ObjectCategories.tar.gz", b"junk")
        archive.writestr("caltech-101/Annotations.tar", b"not needed")
    monkeypatch.setattr(mirrors, "CALTECH", remote(mirror, "caltech-101.zip", stream.getvalue()))
    mirror.faults = [Fault(cut=40)]
    found = fetch("caltech101")
    raw = reading.read(str(found.path), text=None, image=None, label=None)
    assert dict(raw.frame["label"].value_counts().iter_rows()) == dict.fromkeys(names, 3)
    assert (raw.name, found.licence, raw.facts["ignored_files"]) == ("caltech101", "CC BY 4.0", 0)
    asked = len(mirror.asked)
    assert fetch("caltech101") == found and len(mirror.asked) == asked
    assert sorted(p.name for p in (home / "data").iterdir() if p.suffix != ".lock") == [
        "caltech101",
        "caltech101.fetched.yaml",
    ]


def test_flowers_get_a_table_with_the_split_of_the_authors(
    mirror: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.array([1, 1, 1, 73, 73, 73, 102, 102, 102], dtype=np.uint8)
    parts = {"trnid": [[1, 4, 7]], "valid": [[2, 5, 8]], "tstid": [[3, 6, 9]]}
    lists = ({"labels": labels[None]}, {name: np.array(ids) for name, ids in parts.items()})
    for name, content in zip("ab", lists, strict=True):
        savemat(tmp_path / f"{name}.mat", content)
    tables = [(tmp_path / f"{name}.mat").read_bytes() for name in "ab"]
    pictures = tgz({f"jpg/image_{i:05d}.jpg": jpeg(i) for i in range(1, 10)})
    remotes = zip(("102flowers.tgz", "imagelabels.mat", "setid.mat"), (pictures, *tables), strict=True)
    monkeypatch.setattr(mirrors, "FLOWERS", tuple(remote(mirror, name, content) for name, content in remotes))
    found = fetch("flowers102")
    assert (found.image, found.label) == ("filename", "label")
    raw = reading.read(str(found.path), text=found.text, image=found.image, label=found.label)
    assert raw.frame["given"].to_list() == ["train", "val", "test"] * 3
    kinds = ["pink primrose", "water lily", "blackberry lily"]
    assert raw.frame["label"].to_list() == [kind for kind in kinds for _ in range(3)]
    assert all((found.path / path).is_file() for path in raw.frame["input"])
    assert raw.facts["ignored_files"] == 0


def test_what_the_mirror_sends_is_checked(mirror: World, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    known = remote(mirror, "caltech-101.zip", b"PK as published")
    monkeypatch.setattr(mirrors, "CALTECH", known)
    mirror.files["caltech-101.zip"] = b"PK something else"
    with pytest.raises(UserError, match="damaged on its way"):
        fetch("caltech101")
    mirror.faults = [Fault(body=b"<html>moved", kind="application/octet-stream")]
    with pytest.raises(UserError, match=r"web page in place of caltech-101\.zip"):
        fetch("caltech101")
    assert not (home / "data/caltech101").exists()


@pytest.mark.parametrize("name", ["caltech101", "flowers102"])
def test_no_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"cannot reach the server of .*check the network"):
        fetch(name)


def test_the_addresses_are_those_of_torchvision() -> None:
    """Read as text, since torchvision needs torch; its loaders are the published source of the checksums."""
    import importlib.util

    spec = importlib.util.find_spec("torchvision")
    assert spec is not None and spec.origin is not None
    folder = Path(spec.origin).parent / "datasets"
    caltech, flowers = ((folder / name).read_text() for name in ("caltech.py", "flowers102.py"))
    assert mirrors.CALTECH.url in caltech and mirrors.CALTECH.md5 in caltech
    for file in mirrors.FLOWERS:
        assert file.url.rpartition("/")[0] in flowers and file.name in flowers and file.md5 in flowers


def test_a_path_wins_over_a_known_set_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "butterfly").mkdir()
    monkeypatch.chdir(tmp_path)
    found = resolve("butterfly")
    assert (found.path, found.name, found.entry) == (Path("butterfly"), "butterfly", None)
    assert "catalogue:butterfly" in capsys.readouterr().err
    monkeypatch.setattr("instar.data.kaggle.fetch", lambda handle: (_ for _ in ()).throw(UserError(handle)))
    for name in ("fetch", "resolve"):
        asked = "butterfly" if name == "fetch" else "catalogue:butterfly"
        with pytest.raises(UserError, match=r"^phucthaiv02/butterfly-image-classification$"):
            {"fetch": fetch, "resolve": resolve}[name](asked)


def test_tables_and_folders_stay_where_they_are(tmp_path: Path, home: Path) -> None:
    table = tmp_path / "a.b.csv"
    table.write_text("text,label\na,b\n")
    assert resolve(str(table)).path == table and resolve(str(table)).name == "a.b"
    assert resolve(str(tmp_path)).path == tmp_path and not home.exists()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("buterfly", "did you mean butterfly"),
        ("no/such/folder", "give a folder"),
        ("s3:bucket", "give a folder"),
    ],
)
def test_what_is_nothing(name: str, hint: str) -> None:
    with pytest.raises(UserError, match=hint) as caught:
        resolve(name)
    assert all(known in str(caught.value) for known in CATALOGUE)


def test_every_entry_says_what_there_is_to_say() -> None:
    for name, entry in CATALOGUE.items():
        assert entry.name == name and entry.know and entry.licence and entry.citation and entry.layout
        assert entry.source.startswith(("kaggle:", "mirror:"))
        assert entry.download_mb > 0 and entry.examples > entry.classes > 1


def test_the_catalogue_agrees_with_the_real_sets(shared: Path) -> None:
    for name in ("butterfly", "mcdonalds", "caltech101"):
        entry = CATALOGUE[name]
        raw = reading.read(str(shared / "data" / name), text=entry.text, image=entry.image, label=entry.label)
        assert raw.frame["label"].drop_nulls().n_unique() == entry.classes


def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path / "file"))
    with pytest.raises(UserError, match="set INSTAR_HOME"):
        fetch("caltech101")


def test_a_server_that_names_no_version_of_its_file(mirror: World, tmp_path: Path) -> None:
    """Without a validator or a checksum nothing says that the rest would fit: it is begun anew."""
    content = bytes(range(256)) * 1000
    mirror.files["x"], mirror.faults = content, [Fault(cut=100_000)]
    mirror.tags = False
    url = "http://storage.test/x?for=x&"
    download.download(partial(download.get, url), tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == content
    assert [headers.get("Range") for headers in mirror.downloads] == [None, None]


def test_an_end_that_comes_too_early_without_a_length(mirror: World, tmp_path: Path) -> None:
    content = bytes(range(256)) * 1000
    mirror.files["x"], mirror.faults = content, [Fault(cut=100_000), Fault(cut=90_000, length=False)]
    download.download(partial(download.get, "http://storage.test/x?for=x&"), tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == content
    assert len(mirror.downloads) == 3


@pytest.mark.parametrize("heeds", [True, False])
def test_the_file_that_changed_while_it_was_resumed(mirror: World, tmp_path: Path, heeds: bool) -> None:
    mirror.heeds_validators = heeds
    mirror.files["x"], mirror.faults = bytes(range(256)) * 1000, [Fault(cut=100_000)]

    def opener(offset: int, validator: str) -> requests.Response:
        if offset:
            mirror.files["x"] = bytes(300_000)
        return download.get("http://storage.test/x?for=x&", offset, validator)

    download.download(opener, tmp_path / "x", "x")
    assert (tmp_path / "x").read_bytes() == bytes(300_000)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["x"]
