"""Trainings by several processes that talk through gloo, forked from one interpreter: run as `python gang.py FOLDER`.

What each process found is printed as a JSON object a line.
"""

import hashlib
import json
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch._dynamo  # which the first optimiser imports: two seconds, here once for all processes
from torch import Tensor, nn

from instar import processes
from instar.errors import UserError
from instar.models.network import Network
from instar.prepare import passes
from instar.records import Epoch, Stage
from instar.train import loop
from instar.train.training import fit
from training_worlds import data, network, recipe

PLAIN = recipe(augment=(), loss_weights="balanced")


def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def fork(n: int, work: Callable[[], object]) -> list[int]:
    """Start `work` in `n` processes, as torchrun would."""
    where, pids = port(), []
    for rank in range(n):
        pid = os.fork()
        if not pid:
            if n > 1:
                about = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": n, "LOCAL_WORLD_SIZE": n, "MASTER_PORT": where}
                os.environ.update({key: str(value) for key, value in about.items()}, MASTER_ADDR="127.0.0.1")
            code = 0
            try:
                with processes.joined("cpu"):
                    work()
            except UserError as error:
                tell(error=str(error))
                code = 2
            except SystemExit as end:
                code = int(str(end.code))
            sys.stdout.flush()
            os._exit(code)
        pids.append(pid)
    return pids


def ended(pids: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]


def tell(**what: Any) -> None:
    os.write(1, (json.dumps({"rank": processes.rank(), **what}) + "\n").encode())  # a line at once, from any process


def digest(net: Network) -> str:
    return hashlib.sha256(b"".join(v.numpy().tobytes() for v in net.model.state_dict().values())).hexdigest()


def still(net: Network) -> Network:
    """Without dropout, which every process draws for itself; with a parameter that nothing uses, and decays nowhere."""
    for module in net.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    net.model.body.spare = nn.Parameter(torch.ones(2, 2))
    return net


def found(case: str, n: int, net: Network, history: tuple[Epoch, ...]) -> None:
    body = net.model.body
    tell(
        case=case,
        n=n,
        losses=[(e.train_loss, e.val_loss, e.val_score) for e in history],
        weights=digest(net),
        spare=bool(torch.equal(body.spare, torch.ones(2, 2))) if isinstance(body.spare, Tensor) else None,
        mean=float(body.neck[1].running_mean.sum()),  # type: ignore[index, union-attr]
    )


def trained(folder: Path, case: str, n: int) -> None:
    """One training by `n` processes."""
    net, settings, world = still(network(dropout=0.0)), PLAIN, data(folder / "cache", 50)
    if case == "single examples":
        settings = replace(settings, batch_size=1, stages=(Stage("top", 1, 1, 3e-4, 0.8),))
    if case == "scratch":
        net, settings = still(network(pretrained=False, dropout=0.0)), replace(settings, stages=(PLAIN.stages[2],))
    if case == "memory" and processes.rank() == n - 1:

        def short(_: nn.Module, __: tuple[Any, ...], kwargs: dict[str, Tensor]) -> None:
            if len(kwargs["pixels"]) > 1 and torch.is_grad_enabled():
                raise torch.OutOfMemoryError("CUDA out of memory.")

        net.model.body.register_forward_pre_hook(short, with_kwargs=True)
    if case == "not a number":
        world.prepared.pixels[world.train_rows[7]] = torch.inf  # type: ignore[attr-defined]
        settings = replace(settings, stages=(Stage("top", 1, 1, 3e-4, 0.8),))
        net = still(network(pretrained=False, dropout=0.0))
        settings = replace(settings, stages=(Stage("all", -1, 1, 3e-4, 0.8),))
    found(case, n, net, fit(folder / f"{case} {n}", net, settings, world, "stamp"))


def killed(folder: Path) -> int:
    """Kill both processes of a training again and again; returns how often."""
    generator, kills = random.Random(0), 0

    def work(name: str) -> Callable[[], object]:
        return lambda: fit(folder / name, network(), recipe(), data(folder / "cache"), "stamp")

    assert ended(fork(2, work("whole"))) == [0, 0]
    names = vars(loop)
    real = names["summed"]

    def slow(model: nn.Module, loss: float) -> float:
        time.sleep(0.02)
        return float(real(model, loss))

    names.update(SECONDS=0.0, summed=slow)
    while True:
        pids = fork(2, work("killed"))
        time.sleep(generator.uniform(0.2, 1.0) * (1 + kills / 5))
        for pid in generator.sample(pids, 2):
            os.kill(pid, signal.SIGKILL)
        codes = ended(pids)
        if codes[0] == 0:
            return kills
        kills += 1
        assert kills < 100


if __name__ == "__main__":
    passes.BATCH = 4  # so that there is something to share in the validation
    out = Path(sys.argv[1])
    if sys.argv[2] == "kill":
        print(json.dumps({"kills": killed(out)}))
    else:
        np.random.seed(0)
        for case, n in (
            *(("plain", 1), ("plain", 2), ("plain", 3), ("memory", 2)),
            *(("single examples", 1), ("single examples", 2), ("scratch", 2), ("not a number", 2)),
        ):
            codes = ended(fork(n, lambda case=case, n=n: trained(out, case, n)))  # type: ignore[misc]
            print(json.dumps({"case": case, "n": n, "codes": codes}), flush=True)
