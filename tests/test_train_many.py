"""Several processes share every batch, and come to what one process comes to."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from instar import pipeline, processes
from instar.errors import UserError
from test_pipeline import write

HERE = Path(__file__).parent
Lines = list[dict[str, Any]]


def gang(folder: Path, what: str) -> tuple[Lines, str]:
    result = subprocess.run(
        [sys.executable, str(HERE / "gang.py"), str(folder), what],
        capture_output=True, text=True, check=False, timeout=1200,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lines, str]:
    """What all processes of all cases found, and what they said to the person who waits."""
    return gang(tmp_path_factory.mktemp("gang"), "all")


def of(told: tuple[Lines, str], case: str, n: int) -> Lines:
    lines = [line for line in told[0] if line.get("case") == case and line.get("n") == n]
    assert lines[-1]["codes"] == [0] * n, (lines, told[1])
    return lines[:-1]


@pytest.mark.parametrize("n", [2, 3])
def test_the_losses_are_those_of_one_process(told: tuple[Lines, str], n: int) -> None:
    (alone,), several = of(told, "plain", 1), of(told, "plain", n)
    assert len(several) == n
    for one in several:
        assert one["weights"] == several[0]["weights"]
        assert one["spare"] is alone["spare"] is True
        for epoch, expected in zip(one["losses"], alone["losses"], strict=True):
            assert epoch == pytest.approx(expected, abs=2e-5)


def test_one_process_that_runs_out_of_memory_does_not_stop_the_others(told: tuple[Lines, str]) -> None:
    (alone,), several = of(told, "plain", 1), of(told, "memory", 2)
    assert several[0]["weights"] == several[1]["weights"]
    for epoch, expected in zip(several[0]["losses"], alone["losses"], strict=True):
        assert epoch == pytest.approx(expected, abs=1e-3)  # other sums, and Adam divides small gradients by themselves


def test_a_batch_may_hold_fewer_examples_than_there_are_processes(told: tuple[Lines, str]) -> None:
    (alone,), several = of(told, "single examples", 1), of(told, "single examples", 2)
    assert several[0]["weights"] == several[1]["weights"]
    assert several[0]["losses"][0] == pytest.approx(alone["losses"][0], abs=2e-5)


def test_statistics_that_learn_are_the_same_everywhere(told: tuple[Lines, str]) -> None:
    several = of(told, "scratch", 2)
    assert several[0]["weights"] == several[1]["weights"]
    assert several[0]["mean"] != of(told, "plain", 1)[0]["mean"]
    assert "BatchNorm learns from each process's part of a batch" in told[1]


def test_all_stop_where_the_loss_is_not_a_number_and_one_tells_it(told: tuple[Lines, str]) -> None:
    codes = next(line["codes"] for line in told[0] if line.get("case") == "not a number")
    assert codes == [2, 2]
    errors = [line for line in told[0] if "error" in line]
    assert [line["rank"] for line in errors] == [0]
    assert "features are not numbers" in errors[0]["error"] or "loss is not a number" in errors[0]["error"]


def test_one_process_speaks(told: tuple[Lines, str]) -> None:
    assert told[1].count("stage all, epoch 3 of 3: loss") == len(("plain 1", "plain 2", "plain 3", "memory", "scratch"))


@pytest.mark.slow
def test_two_processes_killed_again_and_again_end_with_the_same_bits(tmp_path: Path) -> None:
    lines, said = gang(tmp_path, "kill")
    assert lines[-1]["kills"] >= 2
    assert "going on from the checkpoint" in said
    for name in ("best.safetensors", "probe.safetensors"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The second of two processes."""
    for key, value in (("RANK", "1"), ("WORLD_SIZE", "2"), ("LOCAL_RANK", "1"), ("LOCAL_WORLD_SIZE", "2")):
        monkeypatch.setenv(key, value)
    yield monkeypatch


def test_who_is_who(launched: pytest.MonkeyPatch) -> None:
    assert (processes.number(), processes.rank(), processes.neighbours(), processes.first()) == (2, 1, 2, False)
    launched.delenv("RANK")  # set by a cluster's scheduler, not by a launcher
    assert (processes.number(), processes.rank(), processes.neighbours(), processes.first()) == (1, 0, 1, True)


def test_only_training_is_shared(launched: pytest.MonkeyPatch) -> None:
    processes.check(["train"])
    with pytest.raises(SystemExit) as end:
        processes.check(["run"])
    assert end.value.code == 2
    launched.setenv("RANK", "0")
    with pytest.raises(UserError, match="only `train RUN` is shared"):
        processes.check(["run"])


def test_what_a_launcher_asks_for_is_refused_or_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert processes.wishes() == []
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    monkeypatch.setenv("ACCELERATE_DYNAMO_BACKEND", "INDUCTOR")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "True")
    monkeypatch.setenv("MASTER_PORT", "29500")
    precision, compiled, single = processes.wishes()
    assert "--set precision=bf16" in precision
    assert "not compiled" in compiled
    assert "starts one process only" in single
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(UserError, match="FSDP is not supported"):
        processes.wishes()


@pytest.mark.slow
def test_a_launcher_trains_a_run_and_only_the_first_process_writes(tmp_path: Path) -> None:
    settings = ("epochs=2", "batch_size=8", "threads=1", "dropout=0")
    source = str(write(tmp_path / "reviews.csv"))
    options = pipeline.Options(source, backbone="scratch:words", settings=settings)
    run = pipeline.start(options, tmp_path / "run")
    pipeline.audit(run)
    pipeline.plan(run)
    environment = {**os.environ, "ACCELERATE_USE_CPU": "1"}
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m", "instar"]
    refused = subprocess.run([*launch, "run", str(run)], capture_output=True, text=True, check=False, env=environment)
    assert refused.returncode != 0
    assert refused.stderr.count("only `train RUN` is shared") == 1
    done = subprocess.run([*launch, "train", str(run)], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    for line in ("2 processes share every batch", "stage all, epoch 2 of 2: loss", "train: done in", "Curves: "):
        assert done.stderr.count(line) == 1, done.stderr
    assert yaml.safe_load((run / "machine.yaml").read_text())["steps"]["train"]["processes"] == 2
    several = (run / "4-train/epochs.csv").read_text()
    pipeline.finish(run)  # evaluation and presentation rest on what the two have trained
    assert (run / "4-train/epochs.csv").read_text() == several
    assert (run / "deck.html").exists()
