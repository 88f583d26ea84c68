"""Features are computed once, in chunks, and found again only where nothing has changed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from instar.models.network import Network
from instar.prepare import passes
from instar.prepare.ahead import DEPTH, ahead
from instar.prepare.base import Batch
from instar.prepare.features import digest_of, features
from instar.records import Recipe
from training_worlds import Pictures, network, pictures, recipe


def compute(
    cache: Path,
    rows: NDArray[np.int64],
    prepared: Pictures | None = None,
    augment: tuple[str, ...] = (),
    seed: int = 0,
    net: Network | None = None,
    plan: Recipe | None = None,
) -> NDArray[np.float32]:
    return features(
        net or network(),
        prepared or pictures(),
        rows,
        augment=augment,
        seed=seed,
        cache=cache,
        what="features",
        recipe=plan or recipe(),
    )


def test_they_are_the_bodys_in_evaluation_mode_and_in_the_order_asked(tmp_path: Path) -> None:
    net = network()
    world = replace(pictures(), costs=np.random.default_rng(0).integers(1, 9, 48))
    rows = np.array([40, 3, 17, 3, 0])
    net.model.eval()
    with torch.inference_mode():
        expected = net.model.features(world.batch(rows, (), 0)).numpy()
    np.testing.assert_allclose(compute(tmp_path, rows, world), expected, atol=1e-6)


def test_a_second_call_reads_and_anything_else_computes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(20)
    first = compute(tmp_path, rows)
    passes_made = 0
    real = passes.one_pass

    def count(*arguments: object, **named: object) -> object:
        nonlocal passes_made
        passes_made += 1
        return real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr("instar.prepare.features.one_pass", count)
    assert np.array_equal(compute(tmp_path, rows), first)
    assert passes_made == 0
    changes: list[dict[str, object]] = [
        {"augment": ("noise",)},
        {"augment": ("noise",), "seed": 1},
        {"net": network(seed=1)},
        {"plan": recipe(precision="bf16")},
        {"prepared": pictures(seed=5)},
    ]
    for number, change in enumerate(changes, 1):
        assert not np.array_equal(compute(tmp_path, rows, **change), first)  # type: ignore[arg-type]
        assert passes_made == number
    compute(tmp_path, rows[::-1].copy())
    assert passes_made == len(changes) + 1


def test_the_digest_sees_buffers_too() -> None:
    one, two = network().model.body, network().model.body
    assert digest_of(one) == digest_of(two)
    two.blocks[0].norm.running_mean[0] += 1  # type: ignore[index, union-attr]
    assert digest_of(one) != digest_of(two)


class Stops(Pictures):
    """The plug is pulled in the third batch."""

    def batch(self, rows: NDArray[np.int64], augment: tuple[str, ...], seed: int) -> Batch:
        if seed >= 128:
            raise KeyboardInterrupt
        return super().batch(rows, augment, seed)


def test_an_interrupted_pass_goes_on(tmp_path: Path) -> None:
    world, rows = pictures(300), np.arange(300)
    stops = Stops(world.pixels, world.labels, world.ids, world.costs, world.key)
    with pytest.raises(KeyboardInterrupt):
        compute(tmp_path, rows, stops, augment=("noise",))
    (part,) = tmp_path.glob("*.part")
    assert part.stat().st_size == 128 + 2 * passes.BATCH * 16 * 4
    again = compute(tmp_path, rows, world, augment=("noise",))
    assert not list(tmp_path.glob("*.part"))
    assert np.array_equal(again, compute(tmp_path / "other", rows, world, augment=("noise",)))


def test_ahead_keeps_the_order_and_does_not_run_away() -> None:
    made: list[int] = []

    def make(item: int) -> int:
        made.append(item)
        return item * item

    found = []
    for square in ahead(make, range(20)):
        found.append(square)
        assert len(made) <= len(found) + DEPTH + 1
    assert found == [i * i for i in range(20)]


def test_ahead_passes_errors_on() -> None:
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda item: 1 / item, [1, 0, 2]))


def test_the_number_of_threads_is_the_recipes() -> None:
    before = torch.get_num_threads()
    with passes.running(recipe(threads=2)):
        assert list(ahead(lambda _: torch.get_num_threads(), range(3))) == [1, 1, 1]
        assert torch.get_num_threads() == 2
    assert torch.get_num_threads() == before
