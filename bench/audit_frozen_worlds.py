"""Precision and recall of the checks on frozen features over planted clouds of points, each drawn anew from many seeds.

    PYTHONPATH=src:tests python bench/audit_frozen_worlds.py 10
    PYTHONPATH=src:tests python bench/audit_frozen_worlds.py 4 8

The first takes the seeds 0 to 9, the second 4 to 7.

First table: verdicts, as in bench/audit_worlds.py. Second table: of the examples that a check lists, how many were
planted, and how many of the planted it lists.
"""

import sys
from collections import Counter
from collections.abc import Callable

from frozen_worlds import (
    CLEAN,
    NOISE,
    PLANTED,
    Cloud,
    cloud,
    copied,
    far,
    hopeless,
    overlapping,
    swapped,
    swapped_among_overlapping,
)
from instar.audit.frozen import Frozen
from instar.audit.frozen_checks import FROZEN_CHECKS
from instar.records import Finding

QUIET = {"passed", "not applicable"}
EXAMPLES: tuple[tuple[str, str, Callable[[int], Cloud]], ...] = (
    ("suspect-labels", "4 % swapped, clouds apart", swapped),
    ("suspect-labels", "4 % swapped, clouds overlap a little", swapped_among_overlapping),
    ("suspect-labels", "nothing, clouds overlap (about 80 % right)", overlapping),
    ("suspect-labels", "nothing, labels by chance", hopeless),
    ("suspect-labels", "nothing", cloud),
    ("outliers", "3 far points", far),
    ("outliers", "nothing", cloud),
    ("feature-twins", "8 near copies", copied),
    ("feature-twins", "nothing", cloud),
    ("feature-twins", "nothing, clouds overlap", overlapping),
)


def _findings(frozen: Frozen) -> list[Finding]:
    """Of the checks that have something to find; the map, seconds of work, has not."""
    return [check(frozen) for code, check in FROZEN_CHECKS.items() if code != "feature-map"]


def verdicts(seeds: range) -> None:
    """Check, worlds with its fault, found, worlds without, false alarms."""
    planted, found, without, alarms = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    worlds: list[tuple[Callable[[int], Cloud], dict[str, str]]] = [(make, {}) for make in CLEAN.values()] + list(
        PLANTED.values()
    )
    for seed in seeds:
        for make, expected in worlds:
            for finding in _findings(make(seed).frozen()):
                wanted = expected.get(finding.code)
                if wanted is None:
                    without[finding.code] += 1
                    alarms[finding.code] += finding.verdict not in QUIET
                else:
                    planted[finding.code] += 1
                    found[finding.code] += finding.verdict == wanted
    print("| check | planted | found | recall | worlds without | false alarms |")
    print("|---|---|---|---|---|---|")
    for code in FROZEN_CHECKS:
        if code not in {*NOISE, "feature-map"}:
            recall = f"{found[code] / planted[code]:.3f}" if planted[code] else "–"
            print(f"| {code} | {planted[code]} | {found[code]} | {recall} | {without[code]} | {alarms[code]} |")


def examples(seeds: range) -> None:
    """Check, world, examples planted, listed, precision, recall."""
    print("| check | planted in a world | planted | listed | precision | recall |")
    print("|---|---|---|---|---|---|")
    for code, what, make in EXAMPLES:
        planted = listed = right = 0
        for seed in seeds:
            world = make(seed)
            rows = FROZEN_CHECKS[code](world.frozen()).rows
            named = {
                int(i[1:]) for column in ("id", "other_id") if column in rows.columns for i in rows[column].to_list()
            }
            planted, listed, right = (
                planted + len(world.planted), listed + len(named), right + len(named & world.planted)
            )  # fmt: skip
        precision = f"{right / listed:.3f}" if listed else "–"
        recall = f"{right / planted:.3f}" if planted else "–"
        print(f"| {code} | {what} | {planted} | {listed} | {precision} | {recall} |")


if __name__ == "__main__":
    ends = [int(argument) for argument in sys.argv[1:]]
    seeds = range(*ends) if ends else range(10)
    verdicts(seeds)
    print()
    examples(seeds)
