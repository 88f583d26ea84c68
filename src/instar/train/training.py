"""Fine-tuning, stage by stage; it can be killed at any moment and taken up where it was."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor

from instar import processes
from instar.errors import UserError
from instar.metrics import decoded
from instar.metrics import score as metric_of
from instar.models.network import Network
from instar.prepare.features import features
from instar.prepare.memory import enough
from instar.prepare.passes import device, placed, running
from instar.progress import say
from instar.records import Epoch, Recipe, Stage
from instar.train import checkpoint, tail
from instar.train.checkpoint import Best, Position, Progress
from instar.train.loop import Live, TrainingData, one_epoch
from instar.train.loss import class_weights, loss_of
from instar.train.optim import optimiser, share
from instar.train.probe import Examples, Solution, solve
from instar.train.stages import announce, enter
from instar.train.team import agreed, same, shared_logits

__all__ = ["TrainingData", "fit"]

BEST, PROBE = "best.safetensors", "probe.safetensors"
NOTHING: Mapping[str, Tensor] = {}


@dataclass(frozen=True)
class Fit:
    """What all stages of one training share."""

    folder: Path
    network: Network
    recipe: Recipe
    data: TrainingData
    stamp: str
    weights_C: Tensor | None


def fit(folder: Path, network: Network, recipe: Recipe, data: TrainingData, stamp: str) -> tuple[Epoch, ...]:
    """Train `network` through the stages of the recipe, and leave the best weights in it.

    Writes below `folder`: best.safetensors (the whole state with the best validation score), probe.safetensors
    (the whole state with the solved head on the body as it came: a baseline, and where the first stage is the
    head alone also the first candidate), last/ (the checkpoint). `stamp` says what the training rests on; a
    checkpoint with the same stamp is taken up, and the result equals that of an uninterrupted training, on a
    CPU bit for bit.

    Several processes (`processes`) call it with the same arguments: the first one solves heads, reads and writes; they
    share the steps of live stages and the validation.

    Raises:
        UserError: the loss is not a number, memory does not suffice, or the disk is full.
    """
    weights_C = class_weights(data.train_labels, data.classes, recipe)
    run, first = Fit(folder, network, recipe, data, stamp, weights_C), processes.first()
    progress, tensors = Progress(stamp), NOTHING
    with enough("training"), running(recipe, processes.neighbours()), torch.random.fork_rng(devices=[]):
        placed(network.model, recipe, device())
        if first:
            progress, tensors = _resumed(run) or (_begin(run), {})
        progress, tensors = same(network.model, progress, tensors)
        while progress.position.stage < len(recipe.stages):
            stage = recipe.stages[progress.position.stage]
            if not _is_solved(stage, network):
                progress = _live_stage(run, stage, progress, tensors)
            elif first:
                progress = _take(run, stage, solutions(run), progress)
            if first:
                progress = _next_stage(run, progress)
            progress, tensors = same(network.model, progress, NOTHING)
    network.model.eval()
    return progress.history


def _is_solved(stage: Stage, network: Network) -> bool:
    return stage.thaw == 0 and network.card.pretrained


def _resumed(run: Fit) -> tuple[Progress, dict[str, Tensor]] | None:
    """The checkpoint, loaded into the model, where there is one with everything that belongs to it."""
    found = checkpoint.load_checkpoint(run.folder, run.stamp)
    if found is None:
        return None
    progress, tensors = found
    needed = [PROBE] + [BEST] * (progress.best is not None)
    for name in needed:
        if checkpoint.stamp_of(run.folder / name) != run.stamp:
            say(f"{run.folder / name} is not there or belongs to another training; starting anew")
            return None
    run.network.model.load_state_dict(checkpoint.model_tensors(tensors))
    if progress.position != Position():
        say(f"going on from the checkpoint in {run.folder / checkpoint.LAST}")
    return progress, tensors


def _begin(run: Fit) -> Progress:
    """Solve the probe on the body as it came, and start the first stage."""
    (run.folder / BEST).unlink(missing_ok=True)
    checkpoint.forget(run.folder)
    tail.forget(tail.place(run.folder, run.data))
    solved = solutions(run)
    found = best_of(solved)
    state = {**run.network.model.state_dict(), "head.weight": found.weight_CD, "head.bias": found.bias_C}
    about = {"stamp": run.stamp, "score": found.val_score, "strength": found.strength}
    checkpoint.write_tensors(run.folder / PROBE, state, about)
    progress = Progress(run.stamp)
    first = run.recipe.stages[0]
    if _is_solved(first, run.network):
        return _next_stage(run, _take(run, first, solved, progress))
    checkpoint.save_checkpoint(run.folder, run.network.model, None, progress)
    return progress


def best_of(solutions: tuple[Solution, ...]) -> Solution:
    """The solution with the best validation score, of equal ones the one with the least loss."""
    return max(solutions, key=lambda s: (s.val_score, -s.val_loss))


def solutions(run: Fit) -> tuple[Solution, ...]:
    """Heads for the body as it is now, on the centre view of every example."""
    started, data, recipe = time.monotonic(), run.data, run.recipe
    train, val = (
        features(
            run.network, data.prepared, rows, augment=(), seed=0,
            cache=data.cache, what=f"features, {what}", recipe=recipe,
        )
        for rows, what in ((data.train_rows, "training"), (data.val_rows, "validation"))
    )  # fmt: skip
    for rows, part in ((data.train_rows, train), (data.val_rows, val)):
        bad = [data.prepared.ids[row] for row in rows[~np.isfinite(part).all(1)]]
        if bad:
            raise UserError(
                f"the network's features are not numbers for {len(bad)} examples ({', '.join(bad[:8])}): "
                "look at these examples and at the weights, or --set precision=fp32"
            )
    examples = Examples(train, data.train_labels, val, data.val_labels, run.weights_C, data.classes)
    seconds = time.monotonic() - started
    first, *others = solve(examples, recipe.metric, recipe.decode)
    return replace(first, seconds=first.seconds + seconds), *others


def _take(run: Fit, stage: Stage, solutions: tuple[Solution, ...], progress: Progress) -> Progress:
    """Record every solution as an epoch, and put the best into the network where it beats what came
    before."""
    enter(run.network, stage.thaw)
    announce(run.network, stage)
    head = run.network.model.head
    for number, s in enumerate(solutions, 1):
        epoch = Epoch(
            stage.name, number, s.train_loss, s.val_loss, s.val_score, s.strength, s.seconds,
            len(run.data.train_rows), False,
        )  # fmt: skip
        if progress.bettered_by(epoch):
            with torch.no_grad():
                head.weight.copy_(s.weight_CD)
                head.bias.copy_(s.bias_C)
        progress = _record(run, progress, epoch)
    return progress


def _live_stage(run: Fit, stage: Stage, progress: Progress, tensors: Mapping[str, Tensor]) -> Progress:
    """Epochs with gradients, until they are over or `patience` epochs brought nothing better within the stage.

    They see the examples, or activations of them at the cut where the stage asks for these (`train.tail`).
    """
    network, recipe, cut = run.network, run.recipe, tail.place(run.folder, run.data)
    enter(network, stage.thaw)
    optimizer = optimiser(network, stage, recipe)
    checkpoint.fill_optimiser(optimizer, tensors)
    announce(network, stage)
    started = time.monotonic()
    with ExitStack() as stack:
        data = run.data
        if not progress.over(stage, recipe.patience):
            data = stack.enter_context(tail.source(cut, network, recipe, data, stage))
        while not progress.over(stage, recipe.patience):
            current = progress
            shown = tail.in_epoch(data, progress.position.epoch)
            live = Live(network, network.model, optimizer, stage, recipe, shown, run.weights_C)

            def save(at: Position, current: Progress = current) -> None:
                checkpoint.save_checkpoint(run.folder, network.model, optimizer, replace(current, position=at))

            at = one_epoch(live, progress.position, save)
            seconds = progress.position.seconds + time.monotonic() - started
            progress = _record(run, progress, _validated(replace(run, data=data), stage, at, seconds))
            progress = replace(progress, position=Position(at.stage, at.epoch + 1, at_once=at.at_once))
            checkpoint.save_checkpoint(run.folder, network.model, optimizer, progress)
            started = time.monotonic()
    tail.forget(cut)
    return progress


def _validated(run: Fit, stage: Stage, at: Position, seconds: float) -> Epoch:
    started, data, recipe = time.monotonic(), run.data, run.recipe
    logits_MC = shared_logits(run.network, data.prepared, data.val_rows, recipe, f"{stage.name}, validation")
    labels_M = torch.from_numpy(data.val_labels)
    loss = loss_of(torch.from_numpy(logits_MC), labels_M, run.weights_C, 0.0).item()  # comparable with the probe's
    score = metric_of(
        recipe.metric,
        data.val_labels,
        decoded(softmax(logits_MC.astype(np.float64), axis=1), recipe.decode),
        data.classes,
    )
    loss, score = agreed(loss, score)
    lr = stage.lr * share(at.epoch * at.step - 1, stage.epochs * at.step, recipe.warmup)
    seconds += time.monotonic() - started
    say(
        f"stage {stage.name}, epoch {at.epoch} of {stage.epochs}: loss {at.loss / at.examples:.3f}, "
        f"validation loss {loss:.3f}, {recipe.metric} {score:.3f}"
    )
    return Epoch(stage.name, at.epoch, at.loss / at.examples, loss, score, lr, seconds, at.examples, False)


def _record(run: Fit, progress: Progress, epoch: Epoch) -> Progress:
    """Add an epoch to the history; where it is the best so far, write the model as it is now to
    best.safetensors."""
    if not progress.bettered_by(epoch):
        return replace(progress, history=(*progress.history, epoch))
    best = Best(epoch.stage, epoch.epoch, epoch.val_score, epoch.val_loss)
    about = {"stage": best.stage, "epoch": best.epoch, "score": best.score, "stamp": run.stamp}
    if processes.first():
        checkpoint.write_tensors(run.folder / BEST, run.network.model.state_dict(), about)
    return replace(progress, history=(*progress.history, replace(epoch, best=True)), best=best)


def _next_stage(run: Fit, progress: Progress) -> Progress:
    """Go to the start of the next stage, with the best weights so far in the network."""
    tensors, _ = checkpoint.read_tensors(run.folder / BEST)
    run.network.model.load_state_dict(tensors)
    progress = replace(progress, position=Position(progress.position.stage + 1))
    checkpoint.save_checkpoint(run.folder, run.network.model, None, progress)
    return progress
