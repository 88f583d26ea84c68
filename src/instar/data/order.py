"""The order of the classes, and whether it means something."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

NOMINAL = frozenset((
    "class", "category", "cluster", "label", "type", "kind", "group", "id", "no", "nr",
    "person", "speaker", "subject", "object", "topic", "folder",
))  # fmt: skip
"""Words whose number is a name, not an amount: "class 3" is not more than "class 2"."""

_MIDDLE = "neutral|ok|okay|average|fair|mixed|so so|neither"
_SCALES = (
    f"very bad/bad|poor/{_MIDDLE}/good/very good|excellent",
    f"terrible|awful|horrible|very poor/bad|poor/{_MIDDLE}/good/very good/excellent|great",
    f"very negative|extremely negative/negative|somewhat negative/{_MIDDLE}/positive|somewhat positive"
    "/very positive|extremely positive",
    "strongly disagree/disagree/neutral|undecided|neither agree nor disagree/agree/strongly agree",
    f"very dissatisfied/dissatisfied/{_MIDDLE}/satisfied/very satisfied",
    f"very unlikely/unlikely/{_MIDDLE}/likely/very likely",
    f"very unhappy/unhappy/{_MIDDLE}/happy/very happy",
    "none|no|absent/very low/low/medium|moderate|mid|normal/high/very high|extreme|critical",
    "none|no|normal|healthy|absent/very mild|minimal/mild/moderate/severe/very severe|proliferative",
    "xxs/xs/s/m/l/xl/xxl/xxxl",
    "tiny|very small/small/medium/large|big/very large|huge",
    "never/rarely|seldom/sometimes|occasionally/often|frequently/always",
    "very easy/easy/medium|normal|intermediate/hard|difficult/very hard|very difficult",
    "beginner|novice/elementary/intermediate/advanced/expert",
    "a1/a2/b1/b2/c1/c2",
    "first/second/third/fourth/fifth/sixth/seventh/eighth/ninth/tenth",
    "one/two/three/four/five/six/seven/eight/nine/ten",
    "one star/two stars/three stars/four stars/five stars",
)
SCALES = tuple({word: i for i, step in enumerate(s.split("/")) for word in step.split("|")} for s in _SCALES)
"""Well-known scales, lowest first: word -> step. Words of one step are synonyms. Our own judgement."""

_NUMBER = re.compile(r"([^\d]*?)((?:(?<!\S)[-−–])?\d+(?:[.,]\d+)?)([^\d]*)")


@dataclass(frozen=True)
class Order:
    """Classes in their order."""

    classes: tuple[str, ...]
    ordered: bool
    """Whether a class between two others in the order lies between them in meaning."""
    reason: str


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sort key by which "Image_2" stands before "Image_10", on every file system alike."""
    parts = re.split(r"(\d+)", name)
    key = [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part.casefold()) for part in parts if part]
    return (*key, (True, 0, name))


def order(labels: Iterable[str]) -> Order:
    """Put the classes in order: along a scale where the labels form one, else by natural sort of their names.

    Three kinds of scale are known: one phrase around one number ("1 star" ... "5 stars"), bare whole numbers
    that look like a rating (3 to 11 of them without a gap, but not 0 to 9, which are digits as a rule), and
    the well-known scales of `SCALES`. Fewer than three classes are never called ordered: nothing lies between
    two.
    """
    classes = tuple(sorted(set(labels), key=natural))
    if len(classes) < 3:
        return Order(classes, False, "fewer than three classes")
    return _numbers(classes) or _scale(classes) or Order(classes, False, "the labels form no scale that is known")


def _numbers(classes: tuple[str, ...]) -> Order | None:
    """The order of labels that differ in one number only."""
    matches = [_NUMBER.fullmatch(_plain(c)) for c in classes]
    phrases = {(m[1].strip(), m[3].strip().removesuffix("s")) for m in matches if m}
    if None in matches or len(phrases) != 1:
        return None
    value = {c: float(re.sub("[−–]", "-", m[2]).replace(",", ".")) for c, m in zip(classes, matches, strict=True) if m}
    ranked = tuple(sorted(classes, key=value.__getitem__))
    low, high = value[ranked[0]], value[ranked[-1]]
    phrase = " ".join(part for part in next(iter(phrases)) if part)
    if any(value[a] == value[b] for a, b in pairwise(ranked)):
        return None
    if re.search(r"[^\W\d_]", phrase):
        if set(re.findall(r"[^\W\d_]+", phrase)) & NOMINAL:
            return Order(ranked, False, f'the number in "{ranked[0]}" is taken for a name, not for an amount')
        return Order(ranked, True, f'one phrase around a number, "{ranked[0]}" to "{ranked[-1]}"')
    whole = all(v.is_integer() for v in value.values())
    gapless = whole and high - low == len(ranked) - 1
    if gapless and len(ranked) <= 11 and (low, high) != (0, 9):
        return Order(
            ranked,
            True,
            f"bare whole numbers {ranked[0]} to {ranked[-1]} without a gap are taken for a rating",
        )
    return Order(
        ranked,
        False,
        "the numbers do not look like a rating (3 to 11 whole numbers without a gap, not 0 to 9)",
    )


def _scale(classes: tuple[str, ...]) -> Order | None:
    """The order of labels that stand on one well-known scale, each on a step of its own."""
    for scale in SCALES:
        steps = {c: scale.get(_plain(c)) for c in classes}
        if None not in steps.values() and len(set(steps.values())) == len(classes):
            ranked = tuple(sorted(classes, key=lambda c: steps[c] or 0))
            return Order(ranked, True, f'a well-known scale, "{ranked[0]}" to "{ranked[-1]}"')
    return None


def _plain(label: str) -> str:
    """The label in small letters, with single spaces for spaces, underscores and inner hyphens."""
    return " ".join(re.sub(r"_|(?<=[^\W\d])-(?=[^\W\d])", " ", label.casefold()).split())
