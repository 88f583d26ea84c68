"""What several steps need: recording a step, the plan as it stands, and what a hand may change in it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from instar import machine, steps, store
from instar.errors import UserError
from instar.modality.modalities import MODALITIES
from instar.pipeline.networks import anew, takes
from instar.plan import describe, edits
from instar.plan.rows import left_out
from instar.progress import say
from instar.records import Card, Dataset, Json, Plan, Recipe


@contextmanager
def step(run: Path, name: str) -> Iterator[dict[str, Json]]:
    """Check the inputs of a step, time it, and record it as whole when the block ends without an error.

    What the block writes into the dictionary that it gets goes into the record too. Nobody else can work on the
    run meanwhile.
    """
    with at_work(run, name):
        store.begin(run, name)
        machine.restart_peak()
        started = monotonic()
        more: dict[str, Json] = {}
        yield more
        store.finish(run, name, started, **{"peak_memory_mb": machine.peak_memory_mb(), **more})
        say(f"{name}: done in {monotonic() - started:.1f} s")


@contextmanager
def planned(run: Path, name: str) -> Iterator[tuple[Recipe, dict[str, Json]]]:
    """A step that rests on the plan: an edit of plan.yaml by hand is taken in first, then as `step`."""
    with at_work(run, name):
        if not store.finished(run, "plan"):
            store.begin(run, name)  # says what is missing
        recipe = store.recipe_of(settled(run))
        with step(run, name) as more:
            yield recipe, more


@contextmanager
def at_work(run: Path, name: str) -> Iterator[None]:
    """Hold the run for this process; a folder that is no run is refused and left as it is."""
    if not (run / store.MACHINE).exists():
        store.begin(run, name)
    steps.check_format(run)
    with steps.alone(run):
        yield


def settled(run: Path) -> Plan:
    """The plan, with what a hand has edited in plan.yaml taken in as asked decisions."""
    return taken_in(run, {})


def taken_in(run: Path, settings: Mapping[str, Json]) -> Plan:
    """The plan as `settled`, and with settings that a command asks for; written once, with all of them, since what is
    asked now may mend what was asked before."""
    written, block = store.read_plan(run)
    edited = edits.absorb(written, block)
    taken = edits.apply(edited, settings)
    if taken != written or not store.current(run, "plan"):
        amend(run, taken, written)
    for decision in edited.decisions[len(written.decisions) :]:
        say(f"plan: {decision.field} = {decision.value} (asked)")
    return taken


def amend(run: Path, plan: Plan, before: Plan) -> None:
    """Write a plan that differs from what the step plan wrote, and from the plan before, by asked decisions only."""
    recipe, card = store.recipe_of(plan), store.read_card(run)
    fits(recipe, card, run)
    if recipe.input_size != store.recipe_of(before).input_size:
        takes(recipe.input_size, card, run)
    write(run, plan)
    steps.accept(run, "plan", store.PLAN, steps.EXCLUDED)
    tell(run)


def tell(run: Path) -> None:
    """Let the page of the audit say what the findings change in the plan as it is now.

    A page that is missing or of another audit is written where the original examples are at hand.
    """
    from instar.report.build import told_again, write_report

    if not told_again(run) and reachable(store.read_dataset(run)):
        write_report(run)


def fits(recipe: Recipe, card: Card, run: Path) -> None:
    """Refuse what cannot be asked of this backbone without planning anew."""
    if recipe.backbone != card.backbone:
        raise UserError(
            f"{run / store.PLAN} asks for {recipe.backbone} but was made for {card.backbone}; start a run of its "
            f"own: instar run DATA --backbone {recipe.backbone}"
        )
    weights = Path(recipe.weights) if recipe.weights else None
    if weights is not None and weights.exists() and store.digest(weights) != card.weights_sha256:
        raise UserError(f"{run / store.PLAN}: {weights} is not what was planned with; {anew(run)}")
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
    kind = MODALITIES[card.modality]
    if kind.bounded and recipe.input_size > card.spec.size:
        most = f"{card.title} takes {card.spec.size} {kind.unit} at most"
        raise UserError(f"{run / store.PLAN}: input_size={recipe.input_size}, but {most}")


def write(run: Path, plan: Plan) -> None:
    """plan.yaml, plan.md and excluded.csv."""
    audit, codes = store.read_audit(run), store.recipe_of(plan).exclude
    excluded = left_out(codes, audit, store.read_dataset(run).part("train"), str(run / store.PLAN))
    for code in codes:
        evidence = audit[code].evidence
        pairs = evidence.get("pairs", 0)
        if (shown := evidence.get("listed", pairs)) < pairs:
            say(f"exclude={code}: of {pairs} pairs the {shown} that are listed are looked at")
    store.write_plan(run, plan)
    store.write_text(run / "3-plan/plan.md", describe.plan_md(plan, audit))
    store.write_frame(run / steps.EXCLUDED, excluded)


def reachable(dataset: Dataset) -> bool:
    """Whether the original examples are where this run found them; on another machine they may not be."""
    return not MODALITIES[dataset.modality].files or Path(dataset.root).is_dir()


def at_hand(dataset: Dataset) -> None:
    """Refuse a step that needs the original examples where they no longer are."""
    if not reachable(dataset):
        many = MODALITIES[dataset.modality].many
        raise UserError(
            f"the {many} of {dataset.name} are not in {dataset.root}, where this run found them: put them there, or "
            "start a new run from where they are"
        )
