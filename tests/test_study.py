"""Folds and seeds end to end on a tiny set of texts: what is shared, what goes on, what is refused, what is told."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from instar import pipeline, steps, store
from instar.cli import app
from instar.deck.facts import read_facts
from instar.deck.story.repeated import repeated
from instar.deck.words import read_words
from instar.errors import UserError
from instar.metrics import LABELS
from instar.pipeline import data
from instar.plan import measure
from instar.records import Measurements, Slide, Timing
from instar.study import differences, layout, running, subjects
from test_pipeline import write

SMALL = ("epochs=1", "batch_size=8", "threads=1")


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[list[int]]:
    """No page and no deck, which take seconds; speeds that differ from time to time, and how often they were taken."""
    calls = [0]

    def deck(folder: Path, *_: object) -> tuple[Slide, ...]:
        for name in (*store.STEPS["deck"].writes, steps.EDITS):
            store.write_text(folder / name, "")
        return ()

    def noise(*_: object, **__: object) -> Measurements:
        calls[0] += 1
        return Measurements((Timing("fp32", False, 1, 100.0 * calls[0], 100.0 * calls[0]),), "cpu", 1, 1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("instar.report.build.write_report", lambda folder, **_: folder)
        patch.setattr("instar.deck.build.build", deck)
        patch.setattr(measure, "measure", noise)
        yield calls


def options(source: Path) -> pipeline.Options:
    return pipeline.Options(str(source), backbone="scratch:words", settings=SMALL)


@dataclass
class Interrupted:
    """A study that was interrupted in the training of its second run, and then gone on with."""

    folder: Path
    source: Path
    measured: int
    looked: int
    first_trained: bool


def made(kind: str, tmp: Path, calls: list[int]) -> Interrupted:
    source, folder = write(tmp / "reviews.csv"), tmp / "study"
    train, before, looked = pipeline.train, calls[0], [0]
    look = data.look

    def fail(run: Path) -> None:
        if run.name != ("fold-1" if kind == "folds" else "seed-0"):
            raise KeyboardInterrupt
        train(run)

    def counted(asked: pipeline.Options) -> data.Seen:
        looked[0] += 1
        return look(asked)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pipeline.STEPS, "train", fail)
        patch.setattr(running, "look", counted)
        patch.setattr(data, "look", counted)
        with pytest.raises(KeyboardInterrupt):
            running.run(options(source), kind, 2, folder)  # type: ignore[arg-type]
        patch.setitem(pipeline.STEPS, "train", train)
        stamps = [store.read_machine(folder / name)["steps"] for name in layout.read(folder).runs]
        running.run(options(source), kind, 2, folder)  # type: ignore[arg-type]
    again = store.read_machine(folder / layout.read(folder).runs[0])["steps"]
    return Interrupted(folder, source, calls[0] - before, looked[0], stamps[0]["train"] == again["train"])


@pytest.fixture(scope="module")
def folds(hasty: list[int], tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    return made("folds", tmp_path_factory.mktemp("folds"), hasty)


@pytest.fixture(scope="module")
def seeds(hasty: list[int], tmp_path_factory: pytest.TempPathFactory) -> Interrupted:
    return made("seeds", tmp_path_factory.mktemp("seeds"), hasty)


def test_folds_share_out_every_row_and_each_is_a_run(folds: Interrupted) -> None:
    tested = [store.read_frame(folds.folder / f"fold-{i}" / store.PREDICTIONS) for i in (1, 2)]
    ids = pl.concat(frame.filter(pl.col("split") == "test")["id"] for frame in tested)
    assert len(ids) == 42
    assert ids.n_unique() == 42
    for i in (1, 2):
        run = folds.folder / f"fold-{i}"
        assert all(store.current(run, step) for step in store.STEPS)
        assert store.read_dataset(run).opening["fold"] == [i, 2]


def test_what_folds_share_is_done_once(folds: Interrupted) -> None:
    assert folds.first_trained
    assert folds.measured == 1
    assert folds.looked == 1


def test_seeds_differ_in_the_seed_alone(seeds: Interrupted) -> None:
    first, second = (store.recipe_of(store.read_plan(seeds.folder / f"seed-{i}")[0]) for i in (0, 1))
    assert [key for key in vars(first) if getattr(first, key) != getattr(second, key)] == ["seed"]
    assert store.digest(seeds.folder / "seed-0" / store.TABLE) == store.digest(seeds.folder / "seed-1" / store.TABLE)
    answers = [store.read_frame(seeds.folder / f"seed-{i}" / store.PREDICTIONS) for i in (0, 1)]
    assert answers[0]["id"].equals(answers[1]["id"])
    assert not answers[0]["confidence"].equals(answers[1]["confidence"])
    assert seeds.looked == 1
    assert seeds.measured == 1


@pytest.mark.parametrize("kind", ["folds", "seeds"])
def test_the_summary_follows_from_the_runs(kind: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(kind).folder
    study = layout.read(folder)
    frames = [store.read_frame(folder / name / store.PREDICTIONS) for name in study.runs]
    right = [(f["label"] == f["predicted"]).filter(f["split"] == "test").to_numpy() for f in frames]
    score = study.score("accuracy")
    expected = np.concatenate(right).mean() if kind == "folds" else np.mean([r.mean() for r in right])
    assert score.value == pytest.approx(expected)
    assert score.mean == pytest.approx(np.mean([r.mean() for r in right]))
    assert score.deviation == pytest.approx(np.std([r.mean() for r in right], ddof=1))
    assert score.low <= score.value <= score.high
    assert {s.metric for s in study.scores} >= {*LABELS, "log_loss", "brier"}
    assert all(s.low <= s.value <= s.high and s.t_low <= s.mean <= s.t_high for s in study.scores)
    assert score.n == (42 if kind == "folds" else right[0].size)
    assert {"README.md", "study.yaml", "scores.csv", "gains.csv", "runs.csv"} <= {p.name for p in folder.iterdir()}
    assert {p.suffix for p in (folder / "figures").iterdir()} == {".svg", ".png", ".csv"}
    page = (folder / "README.md").read_text()
    assert "other test examples" in page
    assert "{" not in page
    assert str(folder.parent) not in page


@pytest.mark.parametrize("kind", ["folds", "seeds"])
def test_a_run_tells_of_its_study_wherever_that_lies(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(request.getfixturevalue(kind).folder, tmp_path / "elsewhere"))
    run = moved / layout.read(moved).runs[1]
    slide = repeated(read_facts(run), read_words())
    assert slide is not None
    assert slide.key == kind
    assert run.name in str(slide.blocks)
    alone = Path(shutil.copytree(run, tmp_path / "alone" / run.name))
    assert repeated(read_facts(alone), read_words()) is None
    other = moved / layout.read(moved).runs[0] / steps.PREDICTIONS
    store.write_frame(other, store.read_frame(other).head(10))
    assert repeated(read_facts(run), read_words()) is None


def test_a_second_call_does_nothing(folds: Interrupted) -> None:
    before = {p: store.digest(p) for p in folds.folder.rglob("*") if p.is_file()}
    running.run(options(folds.source), "folds", 2, folds.folder)
    assert {p: store.digest(p) for p in folds.folder.rglob("*") if p.is_file()} == before


def test_what_does_not_fit_a_study_is_refused(folds: Interrupted, tmp_path: Path) -> None:
    asked = options(folds.source)
    with pytest.raises(UserError, match="shares the examples out to 2 folds"):
        running.run(asked, "folds", 3, folds.folder)
    with pytest.raises(UserError, match="study of folds"):
        running.run(asked, "seeds", 2, folds.folder)
    with pytest.raises(UserError, match="another settings"):
        running.run(pipeline.Options(str(folds.source), backbone="scratch:words"), "folds", 2, folds.folder)
    with pytest.raises(UserError, match="holds a run"):
        running.run(asked, "folds", 2, folds.folder / "fold-1")
    with pytest.raises(UserError, match="leave --set seed away"):
        running.run(pipeline.Options(str(folds.source), settings=("seed=3",)), "seeds", 2, tmp_path / "s")
    assert not (tmp_path / "s").exists()


def test_a_seed_with_another_plan_is_no_chance_of_training(seeds: Interrupted, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(seeds.folder, tmp_path / "study"))
    pipeline.ask(moved / "seed-1", ["weight_decay=0.2"])
    with pytest.raises(UserError, match=r"seed-1 is planned with another weight_decay than seed-0.*--set weight_decay"):
        running.finish(moved)


def test_an_answer_of_two_views_takes_the_time_of_both(folds: Interrupted, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = subjects.read([folds.folder / "fold-1"])
    once, recipe_of = differences.cost(compared)["ms_per_item"][0], store.recipe_of
    monkeypatch.setattr(store, "recipe_of", lambda plan: replace(recipe_of(plan), test_augment=("horizontal_flip",)))
    assert differences.cost(compared)["ms_per_item"][0] == pytest.approx(2 * once)


def test_the_command_line(folds: Interrupted, seeds: Interrupted, tmp_path: Path) -> None:
    def called(*arguments: str) -> str:
        done = CliRunner().invoke(app, [str(a) for a in arguments])
        return done.output + str(done.exception or "")

    study, first = str(folds.folder), str(folds.folder / "fold-1")
    assert "README.md" in called("run", study)
    assert "keeps its runs" in called("run", study, "--folds", "3")
    assert "is a study of several runs" in called("plan", study)
    assert "one split and one seed" in called("run", first, "--seeds", "2")
    assert "different questions" in called("run", str(folds.source), "--seeds", "2", "--folds", "2")
    assert "is for reasons of new examples" in called("explain", first, "--out", str(tmp_path / "page.html"))
    assert "tested on different rows: 21 only in fold-1" in called("compare", first, str(folds.folder / "fold-2"))
    out = tmp_path / "compared"
    said = called("compare", str(seeds.folder / "seed-0"), str(seeds.folder), "--out", str(out))
    assert "Scores on" in said
    assert "2 seeds" in said
    names = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert names >= {"README.md", "scores.csv", "pairs.csv", "cost.csv", "differences.csv", "figures/scores.svg"}
    pairs = pl.read_csv(out / "pairs.csv")
    assert pairs.filter(pl.col("metric") == "accuracy")["mcnemar_p"].null_count() == 1
    assert (pairs["low"] <= pairs["gain"]).all()
