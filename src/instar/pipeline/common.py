"""What several steps need: recording a step, the plan as it stands, loading the planned and the trained network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import polars as pl

from instar import machine, steps, store
from instar.errors import UserError
from instar.modality.base import same_kind
from instar.modality.modalities import MODALITIES
from instar.plan import describe, edits
from instar.progress import say
from instar.records import Audit, Card, Dataset, Json, Plan, Recipe

if TYPE_CHECKING:
    from instar.models.network import Network


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
    written, block = store.read_plan(run)
    taken = edits.absorb(written, block)
    new = taken.decisions[len(written.decisions) :]
    if new or not store.current(run, "plan"):
        amend(run, taken)
    for decision in new:
        say(f"plan: {decision.field} = {decision.value} (asked)")
    return taken


def amend(run: Path, plan: Plan) -> None:
    """Write a plan that differs from what the step plan wrote by asked decisions only."""
    fits(store.recipe_of(plan), store.read_card(run), run)
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
        raise UserError(f"{run / store.PLAN}: {weights} is not what was planned with; {_anew(run)}")
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


def _anew(run: Path) -> str:
    return f"put it back, or plan anew: instar plan {run}"


def write(run: Path, plan: Plan) -> None:
    """plan.yaml, plan.md and excluded.csv."""
    audit = store.read_audit(run)
    excluded = left_out(store.recipe_of(plan), audit, run)
    store.write_plan(run, plan)
    store.write_text(run / "3-plan/plan.md", describe.plan_md(plan, audit))
    store.write_frame(run / steps.EXCLUDED, excluded)


def left_out(recipe: Recipe, audit: Audit, run: Path) -> pl.DataFrame:
    """Rows that the plan leaves out of training: id, finding. Of a pair one goes (`_one_of_two`).

    Raises:
        UserError: a code that names no finding, or one that is not about rows.
    """
    parts = [pl.DataFrame(schema={"id": pl.String, "finding": pl.String})]
    for code in recipe.exclude:
        found = audit.get(code)
        if found is None or "id" not in found.rows.columns:
            known = [finding.code for finding in audit.findings if "id" in finding.rows.columns]
            fault = "is no finding of the audit" if found is None else "is not about single rows"
            raise UserError(f"{run / store.PLAN}: exclude names {code}, which {fault}; choose among {', '.join(known)}")
        pairs = found.evidence.get("pairs", 0)
        if (listed := found.evidence.get("listed", pairs)) < pairs:
            say(f"exclude={code}: of {pairs} pairs the {listed} that are listed are looked at")
        rows = _one_of_two(found.rows) if "other_id" in found.rows.columns else found.rows
        parts.append(rows.select("id", pl.lit(code).alias("finding")).unique())
    return pl.concat(parts).unique("id", keep="first", maintain_order=True).sort("id")


def _one_of_two(pairs: pl.DataFrame) -> pl.DataFrame:
    """Which example of each pair goes: the one in train where one is, the second where both are, else none."""
    other = pl.when(pl.col("other_split") == "train").then("other_id")
    return pairs.select(id=other.when(pl.col("split") == "train").then("id")).drop_nulls()


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


def load(
    name: str,
    weights: str | None,
    dataset: Dataset,
    *,
    dropout: float,
    seed: int,
    input_size: int | None = None,
) -> "Network":
    """The network for a data set; refuses one of another modality, or for a size that it does not take."""
    from instar.models import sources

    try:
        network = sources.load(
            name,
            Path(weights) if weights else None,
            classes=len(dataset.classes),
            dropout=dropout,
            seed=seed,
            input_size=input_size,
        )
    except (AssertionError, RuntimeError, ValueError) as error:  # the libraries refuse sizes in many ways
        if input_size is None or isinstance(error, UserError):
            raise
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(f"{name} does not take input_size={input_size} ({why}); ask for another") from error
    same_kind(network.card, MODALITIES[dataset.modality])
    return network


def network_of(run: Path, dataset: Dataset, recipe: Recipe) -> "Network":
    """The network as the recipe wants it, before any training.

    Raises:
        UserError: the weights are not those that the run was planned with.
    """
    network = load(
        recipe.backbone,
        recipe.weights,
        dataset,
        dropout=recipe.dropout,
        seed=recipe.seed,
        input_size=recipe.input_size,
    )
    if network.card.weights_sha256 != store.read_card(run).weights_sha256:
        raise UserError(f"the weights of {recipe.backbone} have changed since {run} was planned; {_anew(run)}")
    return network


def trained_network(run: Path, file: str, dataset: Dataset, recipe: Recipe) -> "Network":
    """The network with a state that training has written into the run: what it was loaded from is not needed."""
    from instar.evaluate.predict import load_best
    from instar.models import sources
    from instar.models.weights import names_in

    path = run / file
    empty = sources.unfilled(
        store.read_card(run),
        run / steps.KEPT,
        names_in(path),
        classes=len(dataset.classes),
        input_size=recipe.input_size,
    )
    return load_best(empty, path)
