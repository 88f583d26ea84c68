"""Part two: what the network gets to see, and how the parts of the data were drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from instar import steps
from instar.deck.facts import PREVIEWS, Facts
from instar.deck.story import common
from instar.deck.story.chain import part
from instar.deck.words import Words
from instar.records import Block, Figure, Gallery, Picture, Points, Slide, TableBlock

SHOWN, LINES = 6, 5
MOST_POINTS = 4
"""Points beside pictures that have room for a sentence each."""


def preparation(facts: Facts, words: Words) -> tuple[Slide, ...]:
    """The slides of the part."""
    made = (sees, split, augmentation)
    return tuple(slide for make in made if (slide := make(facts, words)) is not None)


def sees(facts: Facts, words: Words) -> Slide | None:
    """Examples before and after preparation."""
    rows = list(facts.previews.iter_rows(named=True))
    if not rows:
        return None
    recipe, spec = facts.recipe, facts.card.spec
    size = words.whole(recipe.input_size)
    title = words(f"sees.title.{recipe.fit}", size=size, many=facts.many)
    pictures = [row for row in rows if row["before_path"]][:SHOWN]
    block: Block = pairs(words, pictures) if pictures else readings(words, rows[:LINES])
    points = [common.brief(facts.plan.live()["fit"].reason)]
    if pictures:
        points.append(words("sees.once"))
    else:
        kind, _, buckets = spec.tokenizer.partition(":")
        hashed = kind == "hashed"
        points.append(
            words("sees.hashed", buckets=words.whole(int(buckets)))
            if hashed
            else words("sees.tokens", title=facts.card.title)
        )
    lines = [
        words(
            "sees.spec",
            size=words.whole(spec.size),
            interpolation=spec.interpolation or words("value.none"),
            crop=words.percent(spec.crop_share, 1),
        ),
        facts.plan.live()["fit"].reason,
        facts.plan.live()["input_size"].reason,
    ]
    files = (PREVIEWS, steps.PLAN)
    return Slide(
        "sees",
        part(facts, words, "prepare", "sizes", "lengths"),
        title,
        (block, Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )


def pairs(words: Words, rows: Sequence[Mapping[str, Any]]) -> Gallery:
    """Originals above, what the network gets below."""
    before = [
        Picture(r["before_path"], words("sees.before", label=r["label"]), words("alt.before", label=r["label"]))
        for r in rows
    ]
    after = [Picture(r["after_path"], words("sees.after"), words("alt.after", label=r["label"])) for r in rows]
    return Gallery((*before, *after), len(rows))


def readings(words: Words, rows: Sequence[Mapping[str, Any]]) -> TableBlock:
    """Texts beside the tokens that the network reads."""
    header = (words("sees.written"), words("sees.read"))
    return TableBlock(header, tuple((str(r["before_text"]), str(r["after_text"])) for r in rows), (1, 1))


def split(facts: Facts, words: Words) -> Slide:
    """How the three parts were made and why the split is honest."""
    opening = facts.dataset.opening
    n = {name: facts.dataset.part(name).height for name in ("train", "val", "test")}
    groups = facts.dataset.part("train", "val", "test").select("group", "split").unique()
    straddling = groups.height - groups["group"].n_unique()
    assert not straddling, "a group stands in two splits"
    kind = "given" if opening["given_split"] else "grouped" if opening["twin_groups"] else "plain"
    values = {name: words.whole(count) for name, count in n.items()}
    title = words(f"split.title.{kind}", many=facts.many, **values)
    points = (
        words("split.shares", **{k: words.percent(v / max(sum(n.values()), 1)) for k, v in n.items()}),
        words("split.groups", groups=words.whole(groups["group"].n_unique()), many=facts.many),
        words("split.sealed", facts.evaluation.opened),
    )
    lines = [
        words("split.definition", seed=str(opening["seed"])),
        words("split.test-labels", file=steps.SEALED),
        words("split.leak", leak=words.percent(opening["random_leak"], 1)),
    ]
    files = (steps.TABLE, "figures/04-splits.csv")
    block = Figure("04-splits", words("alt.splits", **values))
    return Slide(
        "split",
        part(facts, words, "prepare", "exact-twins"),
        title,
        (block, Points(points)),
        common.notes(words, lines, files),
        files,
    )


def augmentation(facts: Facts, words: Words) -> Slide | None:
    """How training examples are varied; no slide where they are not, or where no view was kept."""
    recipe = facts.recipe
    if not recipe.augment or not facts.previews.height:
        return None
    varied = facts.previews.filter(pl.col("augmented_path").fill_null("") != "")
    rows = list(varied.head(SHOWN).iter_rows(named=True))
    if not rows:
        return None
    known = facts.modality.augmentations
    pictures = [
        Picture(
            row["augmented_path"],
            words("augment.variants", label=row["label"]),
            words("alt.augmented", label=row["label"]),
        )
        for row in rows
    ]
    title = words(
        "augment.title",
        len(recipe.augment),
        names=words.listing([words.known(f"augment.name.{n}", n) for n in recipe.augment]),
        many=facts.many,
    )
    what = [known[name] for name in recipe.augment]
    points = [said[0].upper() + said[1:] for said in what]
    plain = words("augment.train-only" if not recipe.test_augment else "augment.mirrored")
    if len(points) < MOST_POINTS:
        points.append(plain)
    lines = [words("augment.line", name=name, what=known[name]) for name in recipe.augment]
    lines += [plain, facts.plan.live()["augment"].reason]
    files = (PREVIEWS, steps.PLAN)
    return Slide(
        "augmentation",
        part(facts, words, "prepare"),
        title,
        (Gallery(tuple(pictures), 0), Points(tuple(points))),
        common.notes(words, lines, files),
        files,
    )
