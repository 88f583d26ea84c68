"""Planted worlds of frozen features: clouds of points in which nothing is to be found, and single faults."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from instar.audit.frozen import Frozen, Mirrored
from instar.audit.frozen_probe import crossfit, drawn, folds_of, strength_of

CLASSES, EACH, WIDTH = 8, 60, 32
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points with their true classes, and what was planted among them."""

    points: NDArray[np.float32]
    labels: Ints
    """As given, before those of test are sealed."""
    test: NDArray[np.bool_]
    twins: Ints
    planted: frozenset[int] = frozenset()
    """Positions of what was planted."""
    mirrored: float = 0.0
    """Share of the classes' directions that a mirror turns to those of the next class."""
    classes: int = CLASSES

    def frozen(self) -> Frozen:
        """The record that the checks look at."""
        labels = np.where(self.test, -1, self.labels)
        known = np.flatnonzero(labels >= 0)
        folds = folds_of(labels[known], self.twins[known])
        strength = strength_of(self.points[known], labels[known], folds, self.classes)
        probe = crossfit(self.points[known], labels[known], folds, self.classes, strength=strength)
        places = drawn(labels[known], 300)
        turned = self._turned()[known[places]]
        answers = np.empty(len(places), dtype=np.int64)
        for fold, head in enumerate(probe.heads):
            held = folds[places] == fold
            answers[held] = head.probabilities(turned[held]).argmax(1)
        rng = np.random.default_rng(0)
        cheap = np.where(folds == 0, rng.integers(0, self.classes, len(known)), -1)
        return Frozen(
            modality="image",
            classes=tuple(f"class {i}" for i in range(self.classes)),
            backbone="TinyNet",
            ids=[f"p{i}" for i in range(len(labels))],
            labels=labels,
            splits=["test" if test else "train" for test in self.test],
            groups=self.twins,
            twins=self.twins,
            features=self.points,
            probe=probe,
            cheap=cheap,
            cheap_name="a guess",
            mirrored=Mirrored(places, answers),
            seconds=1.0,
        )

    def _turned(self) -> NDArray[np.float32]:
        """The mirror images: the same points with other noise, some of them of the next class."""
        rng = np.random.default_rng(7)
        noise = rng.normal(0, 0.3, self.points.shape)
        means = np.stack([self.points[self.labels == c].mean(0) for c in range(self.classes)])
        gone = rng.random(len(self.labels)) < self.mirrored
        shift = np.where(gone[:, None], means[(self.labels + 1) % self.classes] - means[self.labels], 0.0)
        return (self.points + noise + shift).astype(np.float32)


def cloud(seed: int = 0, apart: float = 8.0, each: int = EACH, classes: int = CLASSES) -> Cloud:
    """Normal clouds of deviation 1 around means `apart` from the middle, a fifth of the points in test."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    means = rng.normal(size=(classes, WIDTH))
    means *= apart / np.linalg.norm(means, axis=1, keepdims=True)
    points = (means[labels] + rng.normal(size=(len(labels), WIDTH))).astype(np.float32)
    test = np.arange(len(labels)) % 5 == 4
    return Cloud(points, labels, test, np.arange(len(labels)), classes=classes)


def chosen(world: Cloud, n: int, seed: int) -> Ints:
    """Some labelled points."""
    known = np.flatnonzero(~world.test)
    return np.sort(np.random.default_rng(seed + 1).permutation(known)[:n])


def overlapping(seed: int = 0) -> Cloud:
    """Clouds that overlap everywhere: four in five are told right, and no label is wrong."""
    return cloud(seed, apart=2.6)


def swapped(seed: int = 0, share: float = 0.04, apart: float = 8.0) -> Cloud:
    """Some labels are those of another class."""
    world = cloud(seed, apart)
    at = chosen(world, round(share * (~world.test).sum()), seed)
    labels = world.labels.copy()
    labels[at] = (labels[at] + np.random.default_rng(seed + 2).integers(1, world.classes, len(at))) % world.classes
    return replace(world, labels=labels, planted=frozenset(at.tolist()))


def swapped_among_overlapping(seed: int = 0) -> Cloud:
    """Some labels are wrong where classes overlap."""
    return swapped(seed, apart=4.0)


def far(seed: int = 0) -> Cloud:
    """Three points are far from everything and from each other."""
    world = cloud(seed)
    at = chosen(world, 3, seed)
    points = world.points.copy()
    points[at] += np.random.default_rng(seed + 2).normal(size=(3, WIDTH)).astype(np.float32) * 6
    return replace(world, points=points, planted=frozenset(at.tolist()))


def copied(seed: int = 0, across: bool = True) -> Cloud:
    """Eight points of test, or else of train, are nearly the same as one of train of their class."""
    world = cloud(seed)
    rng = np.random.default_rng(seed + 1)
    points, planted = world.points.copy(), []
    for c in range(world.classes):
        own = np.flatnonzero((world.labels == c) & ~world.test)
        source = int(rng.choice(own))
        others = np.flatnonzero((world.labels == c) & world.test) if across else own[own != source]
        copy = int(rng.choice(others))
        points[copy] = points[source] + rng.normal(0, 0.1, WIDTH)
        planted += [source, copy]
    return replace(world, points=points, planted=frozenset(planted))


def repeated(seed: int = 0) -> Cloud:
    """Exact twins, kept together: no near copies."""
    world = cloud(seed)
    points, twins, labels = world.points.copy(), world.twins.copy(), world.labels
    at = chosen(world, 20, seed)
    for source, copy in at.reshape(-1, 2).tolist():
        if labels[source] == labels[copy]:
            points[copy], twins[copy] = points[source], twins[source]
    return replace(world, points=points, twins=twins)


def alike(seed: int = 0) -> Cloud:
    """Two classes overlap so that a third of either is taken for the other."""
    world = cloud(seed)
    points = world.points.copy()
    first, second = (points[world.labels == c] for c in (0, 1))
    gap = first.mean(0) - second.mean(0)
    points[world.labels == 1] += gap * (1 - 1.2 / float(np.linalg.norm(gap)))
    return replace(world, points=points)


def related(seed: int = 0) -> Cloud:
    """Two dense classes are told apart, but lie next to each other, far from all others."""
    world = cloud(seed)
    points = world.points.copy()
    first, second = world.labels == 0, world.labels == 1
    middle = points[first].mean(0)
    aside = np.eye(WIDTH, dtype=np.float32)[0] * 3
    points[first] = middle + (points[first] - middle) * 0.6
    points[second] = middle + aside + (points[second] - points[second].mean(0)) * 0.6
    return replace(world, points=points)


def one_sided(seed: int = 0) -> Cloud:
    """A mirror makes another class of nine in ten pictures."""
    return replace(cloud(seed), mirrored=0.9)


def hopeless(seed: int = 0) -> Cloud:
    """Labels that have nothing to do with the features."""
    return cloud(seed, apart=0.0)


NOISE = {"learning-curve"}
"""A measurement of its own: how much more data give differs from world to world."""
CLEAN: dict[str, Callable[[int], Cloud]] = {"clean": cloud, "exact twins": repeated}
PLANTED: dict[str, tuple[Callable[[int], Cloud], dict[str, str]]] = {
    "swapped labels": (swapped, {"suspect-labels": "issue"}),
    "far points": (far, {"outliers": "note"}),
    "near copies in train": (lambda seed: copied(seed, across=False), {"feature-twins": "note"}),
    "near copies across splits": (copied, {"feature-twins": "issue"}),
    "two classes overlap": (alike, {"confusable-classes": "note"}),
    "two classes lie together": (related, {"feature-twins": "note"}),
    "mirror": (one_sided, {"mirror": "issue"}),
    "labels by chance": (hopeless, {"separability": "issue"}),
}
