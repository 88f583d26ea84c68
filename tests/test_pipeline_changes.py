"""What was asked for later, what has changed since, who else is at work: noticed, in one line with a remedy."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
import yaml
from safetensors.torch import save_file
from timm import create_model

from instar import pipeline, steps, store
from instar.data.fingerprint import fingerprint
from instar.errors import UserError
from instar.models import sources
from instar.pipeline import common, data
from instar.plan import measure
from instar.records import Audit, Measurements, Slide, Timing
from instar.train.checkpoint import stamp_of
from test_portable import TIMM, encoder, pictures, reviews

SMALL = ("epochs=1", "batch_size=8", "threads=1")


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Speeds that differ from time to time, as on any machine; how often they were measured."""
    calls = [0]

    def noise(network: object, *_: object, **__: object) -> Measurements:
        calls[0] += 1
        speed = 100.0 * calls[0]
        return Measurements((Timing("fp32", False, 1, speed, speed),), "cpu", 1, 1.0)

    monkeypatch.setattr(measure, "measure", noise)
    yield calls


@pytest.fixture(scope="module", autouse=True)
def hasty() -> Iterator[None]:
    """Page, deck and measuring take seconds, and nothing here looks at what they make."""

    def deck(folder: Path, *_: object) -> tuple[Slide, ...]:
        for name in (*store.STEPS["deck"].writes, steps.EDITS):
            store.write_text(folder / name, "")
        return ()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("instar.report.build.write_report", lambda folder, **_: folder)
        patch.setattr("instar.deck.build.build", deck)
        speeds = (Timing("fp32", False, 1, 50.0, 50.0),)
        patch.setattr(measure, "measure", lambda *_, **__: Measurements(speeds, "cpu", 1, 1.0))
        yield


def options(folder: Path, *settings: str, **more: Any) -> pipeline.Options:
    source = folder / "reviews.csv"
    if not source.exists():
        reviews(source)
    return pipeline.Options(str(source), **{"backbone": "scratch:words", "settings": (*SMALL, *settings), **more})


@pytest.fixture(scope="module")
def whole(hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return pipeline.run(options(folder), folder / "run")


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    """A finished run to change."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.fixture(scope="module")
def plan_made(hasty: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return up_to_plan(tmp_path_factory.mktemp("planned"))


@pytest.fixture
def planned(plan_made: Path, tmp_path: Path) -> Path:
    """A run up to its plan, to change."""
    return Path(shutil.copytree(plan_made, tmp_path / "run"))


def up_to_plan(folder: Path) -> Path:
    run = pipeline.start(options(folder), folder / "run")
    pipeline.audit(run)
    pipeline.plan(run)
    return run


# --- weights ---


def weights(path: Path, seed: int) -> Path:
    torch.manual_seed(seed)
    save_file(create_model(TIMM).state_dict(), path)
    return path


def test_weights_asked_for_as_a_setting_are_the_ones_loaded_and_a_change_of_them_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = weights(tmp_path / "mine.safetensors", 0)
    monkeypatch.chdir(tmp_path)
    asked = pipeline.Options(
        str(pictures(tmp_path / "data")),
        settings=(*SMALL, "input_size=32", f"backbone=timm:{TIMM}", "weights=mine.safetensors"),
    )
    folder = pipeline.start(asked, tmp_path / "run")
    pipeline.audit(folder)
    made = pipeline.plan(folder).live()["weights"]
    assert (made.value, made.basis) == (str(file), "asked")
    card = store.read_card(folder)
    assert (card.weights, card.weights_sha256) == ("mine.safetensors", store.digest(file))

    weights(file, 1)
    with pytest.raises(UserError, match=r"weights of timm:.* have changed since .* was planned.*instar plan"):
        pipeline.train(folder)
    pipeline.plan(folder)
    assert store.read_card(folder).weights_sha256 == store.digest(file)
    pipeline.train(folder)

    other = weights(tmp_path / "other.safetensors", 2)
    with pytest.raises(UserError, match=r"other\.safetensors is not what was planned with"):
        pipeline.ask(folder, [f"weights={other}"])


def test_a_change_of_the_files_that_a_network_is_made_from_is_noticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """How an encoder's vectors are pooled is in none of its weights."""
    made = encoder(tmp_path / "encoder")
    folder = pipeline.start(options(tmp_path, backbone=f"hf:{made}"), tmp_path / "run")
    pipeline.audit(folder)
    pipeline.plan(folder)
    pipeline.train(folder)
    before = stamp_of(folder / store.BEST), store.digest(folder / store.PROBE)
    told = made / "1_Pooling/config.json"
    told.write_text('{"pooling_mode_cls_token": true}')
    with pytest.raises(
        UserError, match=r"1_Pooling/config\.json of hf:.* has changed since .* was planned.*instar plan"
    ):
        pipeline.train(folder)
    pipeline.plan(folder)
    for step in (pipeline.evaluate, lambda run: pipeline.predict(run, [str(tmp_path / "reviews.csv")])):
        with pytest.raises(UserError, match="has changed since step train; run `instar"):
            step(folder)
    capsys.readouterr()
    pipeline.train(folder)
    assert "starting anew" in capsys.readouterr().err
    after = stamp_of(folder / store.BEST), store.digest(folder / store.PROBE)
    assert after[0] != before[0] and after[1] != before[1]

    told.unlink()
    with pytest.raises(UserError, match=r"1_Pooling/config\.json of hf:.* has changed since .* was planned"):
        pipeline.train(folder)
    (folder / steps.KEPT / "config.json").write_text("{}")
    with pytest.raises(UserError, match="backbone has changed since step plan; run `instar plan"):
        pipeline.train(folder)


def test_a_size_that_the_planned_network_does_not_take_is_refused_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Any] = []
    real = sources.load

    def load(*arguments: Any, **more: Any) -> Any:
        loads.append(more["input_size"])
        return real(*arguments, **more)

    monkeypatch.setattr(sources, "load", load)
    asked = pipeline.Options(
        str(pictures(tmp_path / "data")), backbone="scratch:timm/test_vit", settings=(*SMALL, "input_size=96")
    )
    folder = pipeline.start(asked, tmp_path / "run")
    pipeline.audit(folder)
    assert loads == [96], "once, for all of the audit"
    pipeline.plan(folder)
    before = (folder / store.PLAN).read_bytes()
    with pytest.raises(
        UserError, match=r"plan\.yaml: scratch:timm/test_vit does not take input_size=100 \(.*\); ask for"
    ):
        pipeline.ask(folder, ["input_size=100"])
    assert (folder / store.PLAN).read_bytes() == before
    (folder / store.PLAN).write_bytes(before.replace(b"input_size: 96", b"input_size: 100"))
    with pytest.raises(UserError, match="does not take input_size=100"):
        pipeline.train(folder)
    (folder / store.PLAN).write_bytes(before)
    pipeline.ask(folder, ["input_size=64"])
    assert store.recipe_of(store.read_plan(folder)[0]).input_size == 64
    assert loads == [96, 96], "sizes are tried without weights"


# --- measurements ---


def test_measurements_are_kept_as_long_as_network_and_machine_are_the_same(
    tmp_path: Path, measured: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = up_to_plan(tmp_path)
    before = (planned / store.MEASUREMENTS).read_bytes(), store.recipe_of(store.read_plan(planned)[0])
    pipeline.plan(planned)
    assert ((planned / store.MEASUREMENTS).read_bytes(), store.recipe_of(store.read_plan(planned)[0])) == before
    assert measured == [1]
    monkeypatch.setattr(torch, "__version__", "another")
    pipeline.plan(planned)
    assert measured == [2]
    pipeline.plan(planned)
    assert measured == [2]
    (planned / store.MEASUREMENTS).write_text("edited: by hand")
    pipeline.plan(planned)
    assert measured == [3]


# --- one at a time ---

HOLD = """
import sys, time
from pathlib import Path
from instar import steps
with steps.alone(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_two_at_once_are_refused_and_a_dead_one_is_forgotten(planned: Path) -> None:
    before = (planned / store.PLAN).read_bytes()
    with subprocess.Popen([sys.executable, "-c", HOLD, str(planned)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        for call in (pipeline.audit, pipeline.plan, pipeline.prepare, pipeline.finish):
            with pytest.raises(UserError, match=r"another instar is at work on .*wait"):
                call(planned)
        with pytest.raises(UserError, match="another instar is at work"):
            pipeline.ask(planned, ["lr=1e-4"])
        with pytest.raises(UserError, match="another instar is at work"):
            pipeline.start(pipeline.options_of(planned), planned)
        other.send_signal(signal.SIGKILL)
    assert (planned / store.PLAN).read_bytes() == before
    pipeline.plan(planned)


def test_a_run_is_held_while_a_step_runs(planned: Path) -> None:
    code = "import sys; from pathlib import Path; from instar import pipeline; pipeline.audit(Path(sys.argv[1]))"
    with common.step(planned, "audit"):
        with steps.alone(planned):
            pass
        done = subprocess.run([sys.executable, "-c", code, str(planned)], capture_output=True, text=True, check=False)
        assert "another instar is at work" in done.stderr
        store.write_audit(planned, store.read_audit(planned))


def test_what_fails_at_once_leaves_no_folder_and_no_lock(tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("text,label\na,x\nb,x\n")
    with pytest.raises(UserError):
        pipeline.start(pipeline.Options(str(bad)), tmp_path / "runs/deep/run")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="no finished step"):
        pipeline.train(tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


# --- digests ---


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("2-audit/findings/class-counts.csv", "audit"),
        ("5-eval/per_class.csv", "evaluate"),
        ("5-eval/errors.csv", "evaluate"),
        ("figures/prepared.csv", "prepare"),
    ],
)
def test_a_table_behind_a_slide_that_was_changed_is_noticed(run: Path, file: str, again: str) -> None:
    (run / file).write_text((run / file).read_text() + "\n")
    with pytest.raises(UserError, match=rf"has changed since step {again}; run `instar {again}"):
        pipeline.deck(run)
    assert not store.current(run, "deck")


def test_tables_of_an_earlier_audit_are_cleared(run: Path) -> None:
    stale = run / "2-audit/findings/of-old.csv"
    stale.write_text("id\nx\n")
    pipeline.audit(run)
    assert not stale.exists()
    assert (run / "2-audit/findings/class-counts.csv").exists()


def test_a_run_of_another_version_is_refused_in_one_line(run: Path) -> None:
    machine = store.read_machine(run)
    del machine["format"]
    store.write_yaml(run / store.MACHINE, machine)
    calls = (
        lambda: pipeline.finish(run),
        lambda: pipeline.train(run),
        lambda: pipeline.plan(run),
        lambda: pipeline.deck(run),
        lambda: pipeline.predict(run, ["x"]),
        lambda: pipeline.ask(run, ["lr=1"]),
        lambda: pipeline.options_of(run),
    )
    for call in calls:
        with pytest.raises(UserError, match="made by another version of instar; run it again"):
            call()


# --- asked for later ---


def test_before_there_is_a_plan_other_wishes_are_taken_as_asked(tmp_path: Path) -> None:
    folder = pipeline.start(options(tmp_path, "weight_decay=0.1"), tmp_path / "run")
    pipeline.audit(folder)
    opened = store.read_machine(folder)["steps"]["open"]
    pipeline.start(options(tmp_path, "weight_decay=0.2"), folder)
    assert store.finished(folder, "audit")
    pipeline.ask(folder, ["clip_norm=0.5"])
    assert store.read_machine(folder)["steps"]["open"] == opened
    live = pipeline.plan(folder).live()
    assert (live["weight_decay"].value, live["clip_norm"].value) == (0.2, 0.5)
    assert {live[name].basis for name in ("weight_decay", "clip_norm")} == {"asked"}
    with pytest.raises(UserError, match=r"is planned already; ask on the run itself: instar run .* --set key=value"):
        pipeline.start(options(tmp_path, "weight_decay=0.3"), folder)
    pipeline.ask(folder, ["weight_decay=0.3"])
    assert store.read_plan(folder)[0].live()["weight_decay"].value == 0.3


def test_another_backbone_before_there_is_a_plan_is_audited_with(tmp_path: Path) -> None:
    folder = pipeline.start(options(tmp_path, backbone="hf:nowhere/nothing"), tmp_path / "run")
    with pytest.raises(UserError, match="nowhere/nothing"):
        pipeline.audit(folder)
    assert not (folder / store.AUDIT).exists()
    pipeline.start(options(tmp_path), folder)
    assert not store.finished(folder, "audit")
    pipeline.audit(folder)
    assert pipeline.plan(folder).live()["backbone"].value == "scratch:words"
    with pytest.raises(UserError, match="another source"):
        pipeline.start(pipeline.Options("elsewhere"), folder)


def test_the_grouping_is_honoured_when_the_data_are_opened_and_settled_then(tmp_path: Path) -> None:
    folder = pipeline.start(options(tmp_path), tmp_path / "run")
    pipeline.ask(folder, ["grouping=exact"])
    assert store.read_dataset(folder).opening["grouping"] == "exact"
    pipeline.audit(folder)
    assert pipeline.plan(folder).live()["grouping"].value == "exact"
    with pytest.raises(UserError, match=r"split with grouping=exact when they were opened; start a new run"):
        pipeline.ask(folder, ["grouping=near"])
    with pytest.raises(UserError, match="grouping=both: choose exact or near"):
        pipeline.start(options(tmp_path, "grouping=both"), tmp_path / "other")


def test_a_backbone_without_a_source_is_answered_with_candidates(tmp_path: Path) -> None:
    for asked in (options(tmp_path, backbone="resnet50"), options(tmp_path, "backbone=resnet50")):
        with pytest.raises(UserError, match=r"choose with SOURCE:NAME.*timm:resnet50 or torchvision:resnet50"):
            pipeline.start(asked, tmp_path / "run")
    assert not (tmp_path / "run").exists()


# --- rows left out ---

DOUBTED = "conflicting-labels"


def doubt(run: Path, ids: list[str]) -> None:
    """Let a finding of the audit name these rows."""
    found = store.read_audit(run)
    named = {DOUBTED: pl.DataFrame({"id": ids})}
    store.write_audit(run, Audit(tuple(replace(f, rows=named.get(f.code, f.rows)) for f in found.findings)))
    store.finish(run, "audit", 0.0)


def test_the_page_is_told_of_what_is_asked_later(planned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Path] = []

    def again(folder: Path) -> bool:
        told.append(folder)
        return True

    monkeypatch.setattr("instar.report.build.told_again", again)
    pipeline.ask(planned, ["dropout=0.3"])
    assert told == [planned]
    plan = planned / store.PLAN
    plan.write_text(plan.read_text().replace("dropout: 0.3", "dropout: 0.4", 1))
    pipeline.prepare(planned)
    assert told == [planned, planned]


def test_a_fault_of_the_page_does_not_cost_the_audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = pipeline.start(options(tmp_path), tmp_path / "run")

    def broken(folder: Path) -> Path:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("instar.report.build.write_report", broken)
        with pytest.raises(ZeroDivisionError):
            pipeline.audit(folder)
    assert store.current(folder, "audit")


def test_rows_of_a_finding_are_left_out_of_training_alone(
    planned: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from instar.train import training

    dataset = store.read_dataset(planned)
    named = [*dataset.part("train")["id"][:3], dataset.part("val")["id"][0], dataset.part("test")["id"][0]]
    doubt(planned, named)
    pipeline.plan(planned)
    pipeline.ask(planned, [f"exclude=[{DOUBTED}]"])
    assert store.read_frame(planned / steps.EXCLUDED).rows() == [(i, DOUBTED) for i in sorted(named[:3])]
    seen: list[Any] = []
    real = training.fit

    def fit(folder: Path, network: Any, recipe: Any, given: Any, stamp: str) -> Any:
        seen.append(given)
        return real(folder, network, recipe, given, stamp)

    monkeypatch.setattr(training, "fit", fit)
    pipeline.train(planned)
    assert "3 training texts are left out" in capsys.readouterr().err
    assert len(seen[0].train_rows) == dataset.part("train").height - 3
    assert len(seen[0].val_rows) == dataset.part("val").height
    trained_on = {seen[0].prepared.ids[row] for row in seen[0].train_rows}
    assert not trained_on & set(named)
    with pytest.raises(UserError, match="exclude names blur, which is no finding of the audit; choose among"):
        pipeline.ask(planned, ["exclude=[blur]"])


def test_a_class_is_never_left_without_training_rows(planned: Path) -> None:
    doubt(planned, store.read_dataset(planned).part("train").filter(pl.col("label") == "bad")["id"].to_list())
    pipeline.plan(planned)
    before = (planned / store.PLAN).read_bytes()
    with pytest.raises(UserError, match=r"plan\.yaml: exclude=conflicting-labels leaves no training example of bad;"):
        pipeline.ask(planned, [f"exclude=[{DOUBTED}]"])
    assert (planned / store.PLAN).read_bytes() == before and store.current(planned, "plan")


def test_an_audit_of_an_older_version_is_told_in_one_line(planned: Path) -> None:
    """Versions before wrote a list; a later one may raise the number."""
    content = yaml.safe_load((planned / store.AUDIT).read_text())
    assert content["format"] == steps.AUDIT_FORMAT
    for older in (content["findings"], {**content, "format": steps.AUDIT_FORMAT - 1}, "nothing"):
        (planned / store.AUDIT).write_text(yaml.safe_dump(older))
        store.finish(planned, "audit", 0.0)
        with pytest.raises(UserError, match=r"audit\.yaml is of another version of instar; run `instar audit ") as told:
            pipeline.plan(planned)
        assert "\n" not in str(told.value)
    pipeline.audit(planned)
    assert pipeline.plan(planned).decisions


# --- once each ---


def test_plan_and_source_are_read_once(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, walks = [0], [0]
    real_read, real_walk = store.read_plan, fingerprint

    def read(folder: Path) -> Any:
        reads[0] += 1
        return real_read(folder)

    def walk(path: Path) -> str:
        walks[0] += 1
        return real_walk(path)

    monkeypatch.setattr(store, "read_plan", read)
    monkeypatch.setattr(data, "fingerprint", walk)
    pipeline.train(run)
    assert reads == [1]
    content = yaml.safe_load((run / store.PLAN).read_text())
    content["recipe"]["weight_decay"] = 0.2
    (run / store.PLAN).write_text(yaml.safe_dump(content))
    walks[0] = 0
    pipeline.finish(pipeline.start(pipeline.options_of(run), run))
    assert walks == [1]
