"""State dicts from files."""

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from instar.errors import UserError
from instar.models.weights import fill, read_state


def test_every_kind_of_file_gives_the_same_tensors(tmp_path: Path) -> None:
    state = nn.Linear(3, 2).state_dict()
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "a.pth")
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "a.pt")
    for name in ("a.safetensors", "a.pth", "a.pt"):
        read = read_state(tmp_path / name)
        assert list(read) == ["bias", "weight"] or list(read) == ["weight", "bias"]
        assert all(torch.equal(read[key], state[key]) for key in state)


def test_nothing_is_run_that_a_file_asks_for(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    path = tmp_path / "a.pth"
    path.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError, match=r"a\.pth"):
        read_state(path)
    torch.save(Trap(), path)
    with pytest.raises(UserError, match="more than tensors"):
        read_state(path)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.safetensors", None, "no weights file"),
        ("a.h5", b"x", "must end in"),
        ("a.safetensors", b"<html>", "no whole safetensors file"),
        ("a.pth", b"", "damaged"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=says) as caught:
        read_state(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file(nn.Linear(30, 20).state_dict(), path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(UserError, match="no whole safetensors file"):
        read_state(path)


def test_a_list_of_tensors_is_no_state_dict(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "a.pth")
    with pytest.raises(UserError, match="state dict"):
        read_state(tmp_path / "a.pth")


def test_what_does_not_fit_is_named() -> None:
    module = nn.Linear(3, 2)
    with pytest.raises(UserError, match=r"w\.pth.*1 missing \(bias\); 1 unknown \(scale\); 1 of another shape"):
        fill(module, {"weight": torch.zeros(2, 4), "scale": torch.zeros(1)}, (), "w.pth")


def test_only_what_is_left_out_is_left_out() -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    state = {key: torch.ones_like(value) for key, value in module.state_dict().items()}
    del state["1.num_batches_tracked"]  # files from before torch 0.4 do not have it
    fill(module, state | {"head.weight": torch.zeros(5)}, ("head.",), "w.pth")
    assert all((p == 1).all() for p in module.parameters())
    assert module.get_buffer("1.running_mean").tolist() == [1, 1]
