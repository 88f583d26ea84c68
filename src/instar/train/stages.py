"""What learns in a stage and what stands still, truthfully: parameters, running statistics and dropout
alike."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from instar import processes
from instar.models.depth import belongs
from instar.models.network import Network
from instar.progress import say
from instar.records import Group, Stage


def thawed_groups(groups: tuple[Group, ...], thaw: int) -> tuple[Group, ...]:
    """Depth groups that learn: 0 none, k the neck and the top k of the trunk, -1 all of them."""
    if thaw < 0:
        return groups
    trunk = [g for g in groups if g.role == "trunk"]
    top = trunk[max(len(trunk) - thaw, 0) :]
    return tuple(g for g in groups if g in top or (thaw and g.role == "neck"))


def enter(network: Network, thaw: int) -> None:
    """Thaw `thaw` groups (see `Stage.thaw`) and freeze the rest, in place.

    Fresh parameters always learn, and modules that hold some are in training mode. Every other module outside
    the thawed groups is in evaluation mode, one by one, so that no BatchNorm moves its statistics, no dropout
    draws and no layer is skipped in the frozen part. A module that holds both frozen and thawed ones counts
    as frozen itself.

    BatchNorm with pre-trained weights keeps its statistics where it is thawed, too; its scale and shift learn. The
    head was solved on features made with these statistics; those of the batch at hand would change every feature at
    once and spoil it, and few steps are too few to mend that (measured: docs/LOG.md, "Rates of the stage top"). Nor
    does anything then depend on how large a batch is, or on the momentum that a port of the network took over from
    another framework (transformers' MobileNets have 0.997, by which the last batch alone counts).

    A second classifier (Inception's) learns, and has a say in the loss, where what it hangs on is thawed.
    """
    model = network.model
    groups = thawed_groups(network.card.groups, thaw)
    everything = groups == network.card.groups
    seconds = enumerate(model.seconds())
    idle = {f"second.{i}" for i, part in seconds if not any(belongs(part.after, group) for group in groups)}
    idle.add("second")  # their list, which does nothing itself
    for name, parameter in model.named_parameters():
        inside = any(belongs(name.removeprefix("body."), g) for g in groups)
        learns = everything or inside or name in network.fresh or not name.startswith("body.")
        parameter.requires_grad = learns and _second(name) not in idle
        parameter.grad = None
    for name, module in model.named_modules():
        inside = any(belongs(name.removeprefix("body."), g) for g in groups)
        owns_fresh = any(f"{name}.{key}" in network.fresh for key, _ in module.named_parameters(recurse=False))
        awake = everything or inside or owns_fresh or not name.startswith("body")
        module.training = awake and _second(name) not in idle
        if isinstance(module, _BatchNorm) and network.card.pretrained and not owns_fresh:
            module.training = False


def _second(name: str) -> str:
    """second.0.layers.conv0 -> second.0"""
    return ".".join(name.split(".")[:2])


def learning_norms(model: nn.Module) -> list[_BatchNorm]:
    """The BatchNorms in training mode, which take their statistics from the batch."""
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training]


def least_batch(model: nn.Module) -> int:
    """Examples that a batch needs: two where a BatchNorm takes its statistics from them."""
    return 2 if learning_norms(model) else 1


def trainable(network: Network) -> tuple[int, int]:
    """Parameters that learn now, and all parameters."""
    counts = [(p.numel() * p.requires_grad, p.numel()) for p in network.model.parameters()]
    return sum(n for n, _ in counts), sum(m for _, m in counts)


def announce(network: Network, stage: Stage) -> None:
    """Say how much learns in the stage that the network has entered."""
    learning, total = trainable(network)
    say(f"stage {stage.name}: trainable {learning:,} of {total:,} parameters")
    if processes.number() > 1 and least_batch(network.model) > 1:
        say(f"stage {stage.name}: BatchNorm learns from each process's part of a batch; its statistics are averaged")
