"""What learns in a stage and what stands still, truthfully: parameters, running statistics and dropout
alike."""

from instar.models.depth import belongs
from instar.models.network import Network
from instar.records import Group


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
    """
    model = network.model
    groups = thawed_groups(network.card.groups, thaw)
    everything = groups == network.card.groups
    for name, parameter in model.named_parameters():
        inside = any(belongs(name.removeprefix("body."), g) for g in groups)
        parameter.requires_grad = everything or inside or name in network.fresh or not name.startswith("body.")
        parameter.grad = None
    for name, module in model.named_modules():
        inside = any(belongs(name.removeprefix("body."), g) for g in groups)
        owns_fresh = any(f"{name}.{key}" in network.fresh for key, _ in module.named_parameters(recurse=False))
        module.training = everything or inside or owns_fresh or not name.startswith("body")


def trainable(network: Network) -> tuple[int, int]:
    """Parameters that learn now, and all parameters."""
    counts = [(p.numel() * p.requires_grad, p.numel()) for p in network.model.parameters()]
    return sum(n for n, _ in counts), sum(m for _, m in counts)
