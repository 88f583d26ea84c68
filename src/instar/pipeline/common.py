"""What several steps need: timing and recording a step, loading the planned network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from instar import machine, store
from instar.errors import UserError
from instar.plan import describe, edits
from instar.progress import say
from instar.records import Card, Dataset, Json, Plan, Recipe

if TYPE_CHECKING:
    from instar.models.network import Network


@contextmanager
def step(run: Path, name: str) -> Iterator[dict[str, Json]]:
    """Check the inputs of a step, time it, and record it as whole when the block ends without an error.

    What the block writes into the dictionary that it gets goes into the record too.

    An edit of plan.yaml by hand is taken in first, for a step that rests on the plan.
    """
    if store.PLAN in store.STEPS[name].reads and store.finished(run, "plan"):
        settled(run)
    store.begin(run, name)
    machine.restart_peak()
    started = monotonic()
    more: dict[str, Json] = {}
    yield more
    store.finish(run, name, started, **{"peak_memory_mb": machine.peak_memory_mb(), **more})
    say(f"{name}: done in {monotonic() - started:.1f} s")


def settled(run: Path) -> tuple[Plan, Recipe]:
    """The plan, with what a hand has edited in plan.yaml taken in as asked decisions."""
    written, block = store.read_plan(run)
    taken = edits.absorb(written, block)
    new = taken.decisions[len(written.decisions) :]
    if new or not store.current(run, "plan"):
        amend(run, taken)
    for decision in new:
        say(f"plan: {decision.field} = {decision.value} (asked)")
    return taken, store.recipe_of(taken)


def amend(run: Path, plan: Plan) -> None:
    """Write a plan that differs from what the step plan wrote by asked decisions only."""
    fits(store.recipe_of(plan), store.read_card(run), run)
    write(run, plan)
    store.accept(run, "plan", store.PLAN)


def fits(recipe: Recipe, card: Card, run: Path) -> None:
    """Refuse what cannot be asked of this backbone without planning anew."""
    if recipe.backbone != card.backbone:
        raise UserError(
            f"{run / store.PLAN} asks for {recipe.backbone} but was made for {card.backbone}; start a run of its "
            f"own: instar run DATA --backbone {recipe.backbone}"
        )
    if not card.pretrained and any(stage.thaw != -1 for stage in recipe.stages):
        raise UserError(
            f"{run / store.PLAN}: {card.title} starts at random, so nothing of it may be frozen; "
            "give every stage thaw=-1, or choose a pre-trained --backbone"
        )
    trunk = sum(group.role == "trunk" for group in card.groups)
    for stage in recipe.stages:
        if stage.thaw > trunk:
            raise UserError(
                f"{run / store.PLAN}: stages.{stage.name}.thaw={stage.thaw}, but the trunk of {card.title} has "
                f"{trunk} depth groups; give fewer, or -1 for everything"
            )
    if card.spec.tokenizer and recipe.input_size > card.spec.size:
        most = f"{card.title} takes {card.spec.size} tokens at most"
        raise UserError(f"{run / store.PLAN}: input_size={recipe.input_size}, but {most}")


def write(run: Path, plan: Plan) -> None:
    """plan.yaml and plan.md."""
    store.write_plan(run, plan)
    store.write_text(run / "3-plan/plan.md", describe.plan_md(plan, store.read_audit(run)))


def load(
    name: str,
    weights: str | None,
    dataset: Dataset,
    *,
    dropout: float,
    seed: int,
    input_size: int | None = None,
) -> "Network":
    """The network for a data set; refuses one of another modality."""
    from instar.models import sources

    network = sources.load(
        name,
        Path(weights) if weights else None,
        classes=len(dataset.classes),
        dropout=dropout,
        seed=seed,
        input_size=input_size,
    )
    if network.card.modality != dataset.modality:
        raise UserError(
            f"{name} is a network for {network.card.modality}s and this set has {dataset.modality}s; "
            "choose another --backbone"
        )
    return network


def network_of(dataset: Dataset, recipe: Recipe) -> "Network":
    """The network as the recipe wants it, before any training."""
    return load(
        recipe.backbone,
        recipe.weights,
        dataset,
        dropout=recipe.dropout,
        seed=recipe.seed,
        input_size=recipe.input_size,
    )
