"""Sets of the Hugging Face hub through its own client, against a server on the loopback.

The client reads HF_ENDPOINT when it is imported, so each test that uses the network is a process of its own.
"""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from hub_server import SHA, Hub, serving
from instar.data import reading
from instar.data.fetching import fetch
from instar.data.hub_files import choose
from instar.errors import UserError

NAMES = ["cat", "dog"]


def parquet(frame: pl.DataFrame, features: dict[str, Any] | None = None) -> bytes:
    stream = io.BytesIO()
    metadata = {"huggingface": json.dumps({"info": {"features": features}})} if features else {}
    frame.write_parquet(stream, metadata=metadata)
    return stream.getvalue()


def picture(shade: int, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(stream, kind)
    return stream.getvalue()


def texts(n: int, start: int = 0, label: int | None = None) -> pl.DataFrame:
    labels = [i % 2 if label is None else label for i in range(n)]
    return pl.DataFrame({"text": [f"this is number {start + i}" for i in range(n)], "label": labels})


def pictures(n: int) -> pl.DataFrame:
    cells = [{"bytes": picture(i, "JPEG" if i % 3 else "PNG"), "path": f"{i % 2}/same.jpg"} for i in range(n)]
    kind = pl.Struct({"bytes": pl.Binary, "path": pl.String})
    return pl.DataFrame({"image": pl.Series(cells, dtype=kind), "label": [i % 2 for i in range(n)]})


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with serving(Hub()) as hub:
        yield hub


def run(hub: Hub, home: Path, *names: str) -> list[str]:
    """Fetch in a process of its own: a path, or a complaint, for each name."""
    code = f"""
from instar.data.fetching import fetch
for name in {names}:
    try:
        found = fetch(name)
        print(found.path, found.name, found.licence, found.receipt.version, sep="|")
    except ValueError as error:
        print(error)
"""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))},
        "HF_ENDPOINT": hub.endpoint,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_ETAG_TIMEOUT": "2",
        "HOME": str(home),
        "INSTAR_HOME": str(home),
        "NO_PROXY": "127.0.0.1",
    }
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == len(names), result.stdout
    return lines


def read(line: str) -> pl.DataFrame:
    return reading.read(line.split("|")[0], text=None, image=None, label=None).frame


def test_texts_in_shards_come_as_one_table_with_names_and_splits(hub: Hub, tmp_path: Path) -> None:
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": NAMES, "_type": "ClassLabel"},
    }
    hub.cards["a/b"] = {"license": "mit"}
    hub.sets["a/b"] = {
        "README.md": b"---\nlicense: mit\n---\n",
        ".gitattributes": b"",
        "data/train-00000-of-00002.parquet": parquet(texts(6), features),
        "data/train-00001-of-00002.parquet": parquet(texts(4, 6), features),
        "data/validation-00000-of-00001.parquet": parquet(texts(4, 10), features),
        "data/unsupervised-00000-of-00001.parquet": parquet(texts(3, 14, -1), features),
    }
    first, second = run(hub, tmp_path, "hf:a/b", "hf:a/b")
    assert first == second == f"{tmp_path / 'data/hf/a/b'}|b|mit|{SHA}"
    assert sorted(hub.got()) == sorted(path for path in hub.sets["a/b"] if path.startswith("data/"))
    frame = read(first)
    assert frame["input"].to_list() == [f"this is number {i}" for i in range(17)]
    assert frame["label"].to_list() == [NAMES[i % 2] for i in range(14)] + [None] * 3
    assert frame["given"].to_list()[:14] == ["train"] * 10 + ["val"] * 4
    assert sorted(path.name for path in (tmp_path / "data/hf/a").iterdir() if path.suffix != ".lock") == [
        "b",
        "b.fetched.yaml",
    ]
    asked = len(hub.asked)
    run(hub, tmp_path, "hf:a/b")
    assert len(hub.asked) == asked


def test_pictures_in_parquet_are_written_out_in_their_bytes(hub: Hub, tmp_path: Path) -> None:
    hub.cards["a/b"] = {
        "dataset_info": {
            "features": [
                {"name": "image", "dtype": "image"},
                {"name": "label", "dtype": {"class_label": {"names": {"1": "dog", "0": "cat"}}}},
            ]
        }
    }
    table = pictures(8)
    empty = table.with_row_index().with_columns(
        pl.when(pl.col("index") == 7).then(None).otherwise("image").alias("image")
    )
    hub.sets["a/b"] = {
        "data/train-00000-of-00001.parquet": parquet(empty.drop("index")),
        "data/test-00000-of-00001.parquet": parquet(table.head(4)),
    }
    (line,) = run(hub, tmp_path, "hf:a/b")
    frame = read(line)
    folder = Path(line.split("|")[0])
    assert frame["label"].to_list() == [NAMES[i % 2] for i in range(12)]
    assert frame["given"].to_list() == ["train"] * 8 + ["test"] * 4
    paths = frame["input"].to_list()
    assert not (folder / paths.pop(7)).exists(), "a row without a picture is kept, and names no file"
    sent = [cell["bytes"] for cell in [*table["image"].head(7), *table["image"].head(4)]]
    assert [(folder / path).read_bytes() for path in paths] == sent
    assert {Path(path).suffix for path in frame["input"]} == {".png", ".jpg"}
    assert frame["extra.original_name"][1] == "1/same.jpg"


def test_a_folder_of_pictures_and_an_archive(hub: Hub, tmp_path: Path) -> None:
    hub.sets["a/folders"] = {f"train/{name}/{i}.png": picture(i) for name in NAMES for i in range(3)}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for path, content in hub.sets["a/folders"].items():
            archive.writestr(path.removeprefix("train/"), content)
    hub.sets["a/packed"] = {"README.md": b"", "pictures.zip": stream.getvalue()}
    hub.sets["a/evil"] = {"pictures.zip": b"PK\x03\x04 and nothing more"}
    folders, packed, evil = run(hub, tmp_path, "hf:a/folders", "hf:a/packed", "hf:a/evil")
    for line in (folders, packed):
        assert sorted(read(line)["label"]) == ["cat"] * 3 + ["dog"] * 3
    assert "is damaged" in evil and not (tmp_path / "data/hf/a/evil").exists()


def test_failures_in_one_line(hub: Hub, tmp_path: Path) -> None:
    hub.sets |= {"a/gated": {"x.csv": b""}, "a/code": {"load.py": b""}}
    hub.gated = {"a/gated"}
    unknown, gated, code, bad = run(hub, tmp_path, "hf:a/unknown", "hf:a/gated", "hf:a/code", "hf:a/../b")
    assert "knows no set" in unknown and "hf auth login" in unknown
    assert "terms to accept" in gated
    assert "holds no table" in code
    assert "hf:OWNER/NAME" in bad
    hub.status = 429
    assert "wait 30 seconds" in run(hub, tmp_path, "hf:a/code")[0]


def test_no_network(tmp_path: Path) -> None:
    (said,) = run(Hub(port=9), tmp_path, "hf:a/b")
    assert "check the network" in said


def test_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HF_HUB_OFFLINE is set in all tests."""
    monkeypatch.setenv("INSTAR_HOME", str(tmp_path))
    with pytest.raises(UserError, match="HF_HUB_OFFLINE is set"):
        fetch("hf:a/b")


def test_a_broken_stream_is_resumed(hub: Hub, tmp_path: Path) -> None:
    """The client writes in pieces of 10 MiB."""
    content = b"text,label\n" + b"".join(b"%d,%d\n" % (i + 10**20, i % 2) for i in range(500_000))
    hub.sets["a/b"], hub.cuts = {"train.csv": content}, [11 * 2**20]
    (line,) = run(hub, tmp_path, "hf:a/b")
    assert (Path(line.split("|")[0]) / "train.csv").read_bytes() == content
    assert [asked for method, _, asked in hub.asked if method == "GET"][-1] == f"bytes={10 * 2**20}-"


def test_files_that_came_before_the_download_broke_off_are_kept(hub: Hub, tmp_path: Path) -> None:
    hub.sets["a/b"] = {f"train/{name}/{i}.png": picture(i) for name in NAMES for i in range(3)}
    hub.refused = {"train/dog/2.png"}
    (said,) = run(hub, tmp_path, "hf:a/b")
    assert "HTTP 404" in said and not (tmp_path / "data/hf/a/b").exists()
    hub.refused = set()
    before = len(hub.got())
    (line,) = run(hub, tmp_path, "hf:a/b")
    assert read(line).height == 6
    assert "train/dog/2.png" in hub.got()[before:] and len(hub.got()) - before < 6


def test_which_files() -> None:
    two = ["README.md", "one/train-0.parquet", "two/train-0.parquet", "two/test.parquet"]
    assert choose({}, two, "two", "a/b").chosen == (
        ("two/train-0.parquet", "train"),
        ("two/test.parquet", "test"),
    )
    with pytest.raises(UserError, match="has several configurations; it has one, two: write for example hf:a/b/one"):
        choose({}, two, None, "a/b")
    with pytest.raises(UserError, match="no configuration three"):
        choose({}, two, "three", "a/b")
    numbered = ["c/train/0000.parquet", "c/train/0001.parquet", "c/test/0000.parquet"]
    assert [split for _, split in choose({}, numbered, None, "a/b").chosen] == ["train", "train", "test"]
    assert choose({}, ["a.csv", "dataset_info.json", "b.py", "x.jpg"], None, "a/b").paths == [
        "a.csv",
        "x.jpg",
    ]


def test_configurations_of_the_card() -> None:
    paths = ["README.md", "en/train-0.parquet", "en/test-0.parquet", "de/all.parquet"]
    files = [{"split": "train", "path": "en/train-*"}, {"split": "test", "path": ["en/test-*"]}]
    english = {"config_name": "en", "data_files": files}
    german = {"config_name": "de", "data_files": "de/*.parquet"}
    chosen = (("en/train-0.parquet", "train"), ("en/test-0.parquet", "test"))
    assert choose({"configs": [english]}, paths, None, "a/b").chosen == chosen
    assert choose({"configs": [german, {**english, "default": True}]}, paths, None, "a/b").chosen == chosen
    assert choose({"configs": [english, german]}, paths, "de", "a/b").chosen == (("de/all.parquet", "all"),)
    with pytest.raises(UserError, match="several configurations; it has en, de"):
        choose({"configs": [english, german]}, paths, None, "a/b")
    with pytest.raises(UserError, match="does not have"):
        choose({"configs": [german]}, paths[:-1], None, "a/b")
