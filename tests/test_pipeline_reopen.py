"""A run is opened again without losing what it knows, lies where it likes, and notices what is missing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from instar import pipeline, steps, store
from instar.data import reading
from instar.data.fingerprint import fingerprint
from instar.data.near import near_pictures
from instar.errors import UserError
from instar.files import home
from instar.pipeline import data
from instar.plan import measure
from instar.records import Dataset, Measurements, Slide, Timing
from test_portable import pictures, reviews

SMALL = ("epochs=1", "batch_size=8", "threads=1")


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Page, deck and speed take seconds, and nothing here looks at them."""

    def deck(folder: Path, *_: object) -> tuple[Slide, ...]:
        for name in (*store.STEPS["deck"].writes, steps.EDITS):
            store.write_text(folder / name, "")
        return ()

    speed = Measurements((Timing("fp32", False, 1, 100.0, 100.0),), "cpu", 1, 1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("instar.report.build.write_report", lambda folder, **_: folder)
        patch.setattr("instar.report.build.told_again", lambda folder, **_: True)
        patch.setattr("instar.deck.build.build", deck)
        patch.setattr(measure, "measure", lambda *_, **__: speed)
        yield


def texts(folder: Path) -> pipeline.Options:
    return pipeline.Options(str(reviews(folder / "reviews.csv")), backbone="scratch:words", settings=SMALL)


@pytest.fixture(scope="module")
def whole(hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return pipeline.run(texts(folder), folder / "run")


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A finished run to change."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


# --- opened again ---


@pytest.mark.parametrize("harm", ["comment", "sealed"])
def test_a_run_opened_again_keeps_its_steps_its_count_and_what_was_asked(run: Path, harm: str) -> None:
    pipeline.ask(run, ["weight_decay=0.3"])
    pipeline.finish(run)
    before = store.read_machine(run)
    assert before["test_opened"] == 2
    if harm == "comment":
        path = run / steps.DATASET
        path.write_text("# looked at\n" + path.read_text())
    else:
        (run / store.SEALED).unlink()
    assert not store.current(run, "open")
    pipeline.finish(pipeline.start(pipeline.options_of(run), run))
    after = store.read_machine(run)
    assert after["test_opened"] == 2
    assert {name: after["steps"][name] for name in store.STEPS if name != "open"} == {
        name: before["steps"][name] for name in store.STEPS if name != "open"
    }
    assert store.read_plan(run)[0].live()["weight_decay"].value == 0.3


def test_a_source_that_has_changed_is_not_opened_again(tmp_path: Path) -> None:
    options = texts(tmp_path)
    folder = pipeline.start(options, tmp_path / "run")
    table = (folder / store.TABLE).read_bytes()
    (folder / store.SEALED).unlink()
    source = Path(options.source)
    source.write_text(source.read_text() + "\nnew text,bad")
    for call in (lambda: pipeline.start(options, folder), lambda: data.opened(folder)):
        with pytest.raises(UserError, match=r"reviews\.csv has changed since .* was opened; start a new run"):
            call()
    assert (folder / store.TABLE).read_bytes() == table


def test_a_run_killed_while_the_data_set_is_written_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = store.write_dataset

    def killed(folder: Path, dataset: Dataset, sealed: Any) -> None:
        real(folder, dataset, sealed)
        (folder / store.SEALED).unlink()
        raise KeyboardInterrupt

    options = texts(tmp_path)
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(store, "write_dataset", killed)
        pipeline.start(options, tmp_path / "run")
    assert pipeline.start(options, tmp_path / "run") == tmp_path / "run"
    assert store.current(tmp_path / "run", "open")


# --- inside the source ---


def drawn(folder: Path, kind: str) -> Path:
    pictures(folder)
    if kind == "table":
        rows = [f"{path.relative_to(folder).as_posix()},{path.parent.name}" for path in sorted(folder.rglob("*.png"))]
        (folder / "labels.csv").write_text("\n".join(["filename,label", *rows]))
    return folder


@pytest.mark.parametrize("kind", ["classes", "table"])
@pytest.mark.parametrize("place", ["runs/one", "run"])
def test_a_run_may_lie_inside_its_source(kind: str, place: str, tmp_path: Path) -> None:
    source = drawn(tmp_path / "data", kind)
    before = fingerprint(source)
    options = pipeline.Options(str(source), backbone="scratch:convnet", settings=(*SMALL, "input_size=32"))
    folder = pipeline.finish(pipeline.start(options, source / place))
    assert list(folder.rglob("*.png"))
    assert fingerprint(source) == before
    assert store.read_dataset(folder).classes == ("blue", "green", "red")
    again = store.read_machine(folder)
    pipeline.finish(pipeline.start(options, folder))
    assert store.read_machine(folder) == again

    other = pipeline.start(options, source / "runs/two")
    assert store.read_dataset(other).table.equals(store.read_dataset(folder).table)
    pipeline.start(options, folder)
    raw = reading.read(str(source), text=None, image=None, label=None)
    assert raw.facts["ignored_files"] == 0
    assert raw.frame.height == 30


def test_what_only_looks_a_little_like_a_run_is_read(tmp_path: Path) -> None:
    source = drawn(tmp_path / "data", "classes")
    before = fingerprint(source)
    (source / "red/machine.yaml").write_text("a: note")
    assert reading.read(str(source), text=None, image=None, label=None).frame["label"].n_unique() == 3
    assert fingerprint(source) != before


# --- what is missing ---


@pytest.mark.parametrize("kind", ["classes", "table"])
def test_a_picture_that_is_gone_is_one_line(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = drawn(tmp_path / "data", kind)
    start = source / "labels.csv" if kind == "table" else source
    options = pipeline.Options(str(start), backbone="scratch:convnet", settings=(*SMALL, "input_size=32"))
    folder = pipeline.finish(pipeline.start(options, tmp_path / "run"))
    gone = source / store.read_dataset(folder).part("train")["input"][0]
    gone.unlink()
    assert pipeline.evaluate(folder).opened == 1  # answers that stand in the run need no pictures
    answers = (folder / steps.PREDICTIONS).read_bytes()
    shutil.rmtree(home() / "thumbnails")  # of what was looked at before nothing is read again
    says = r"has changed since .* was opened" if kind == "classes" else rf"{gone.name} is gone: put it back, or start"

    def show(run: Path, template: Path | None) -> tuple[Slide, ...]:
        gone.read_bytes()
        return ()

    monkeypatch.setattr("instar.deck.build.build", show)
    (folder / steps.PREDICTIONS).unlink()
    with pytest.raises(UserError, match=says):
        pipeline.evaluate(folder)
    (folder / steps.PREDICTIONS).write_bytes(answers)
    with pytest.raises(UserError, match=says):
        pipeline.deck(folder)
    with pytest.raises(UserError, match=f"{gone.name} is gone: put it back"):
        pipeline.STEPS["deck"](folder)


def test_hidden_files_in_a_folder_of_a_run_change_nothing(run: Path) -> None:
    (run / "2-audit/findings/.DS_Store").write_text("x")
    (run / "3-plan/backbone/.~lock.table#").parent.mkdir(exist_ok=True)
    (run / "3-plan/backbone/.~lock.table#").write_text("x")
    assert all(store.current(run, name) for name in store.STEPS)
    (run / "2-audit/findings/more.csv").write_text("x")
    assert not store.current(run, "audit")


# --- predict ---


def test_new_examples_need_only_what_answers_rest_on(run: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.txt"
    new.write_text("warm kind\ncold slow rude\n")
    before = pipeline.predict(run, [str(new)])
    for name in ("1-data/sealed.parquet", "1-data/table.parquet"):
        (run / name).unlink()
    shutil.rmtree(run / "2-audit")
    shutil.rmtree(run / "5-eval")
    assert pipeline.predict(run, [str(new)]).equals(before)

    path = run / store.PLAN
    good = path.read_text()
    content = yaml.safe_load(good)
    content["recipe"]["input_size"] += 8
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(UserError, match=r"plan\.yaml has changed since step train; run `instar run .*run` again"):
        pipeline.predict(run, [str(new)])
    path.write_text(good)
    (run / store.BEST).unlink()
    with pytest.raises(UserError, match=r"best\.safetensors is not there; run `instar run .*run` again"):
        pipeline.predict(run, [str(new)])


def test_a_run_without_a_training_cannot_answer(tmp_path: Path) -> None:
    folder = pipeline.start(texts(tmp_path), tmp_path / "run")
    with pytest.raises(UserError, match=r"no finished step train; run `instar run .*` first"):
        pipeline.predict(folder, ["x"])


# --- pictures without a hash ---


def test_pictures_without_a_hash_have_no_near_copies() -> None:
    found = near_pictures([])
    assert found is not None
    assert (found.columns, found.height) == (["first", "second", "bits"], 0)
    assert near_pictures(["0" * 32, "0" * 31 + "1"]) is not None


def test_a_set_of_flat_swatches_is_opened(tmp_path: Path) -> None:
    for name, colour in {"red": (200, 0, 0), "blue": (0, 0, 200)}.items():
        (tmp_path / "flat" / name).mkdir(parents=True)
        for i in range(6):
            Image.new("RGB", (16, 16), (*colour[:2], colour[2] + i)).save(tmp_path / "flat" / name / f"{i}.png")
    folder = pipeline.start(pipeline.Options(str(tmp_path / "flat")), tmp_path / "run")
    assert store.read_dataset(folder).classes == ("blue", "red")
