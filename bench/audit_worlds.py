"""Precision and recall of every check over the planted worlds, each drawn anew from many seeds.

    PYTHONPATH=src:tests python bench/audit_worlds.py 20

A check has found a planted fault when its verdict is the expected one; it has alarmed falsely when it says issue or
note in a world whose fault is another one, or in a clean world. Prints a table for docs/LOG.md.
"""

import sys
from collections import Counter

from instar.audit.families import IMAGE_CHECKS, TEXT_CHECKS
from planted_worlds import PLANTED, QUIET, World, pictures, texts


def main(seeds: int) -> None:
    """Print a Markdown table: check, worlds with its fault, found, worlds without, false alarms."""
    planted, found, without, alarms = Counter[str](), Counter[str](), Counter[str](), Counter[str]()

    def count(world: World, expected: dict[str, str]) -> None:
        for finding in world.audit().findings:
            wanted = expected.get(finding.code)
            if wanted is None:
                without[finding.code] += 1
                alarms[finding.code] += finding.verdict not in QUIET
            else:
                planted[finding.code] += 1
                found[finding.code] += finding.verdict == wanted

    for seed in range(seeds):
        for clean in (pictures(seed=seed), texts(seed)):
            count(clean, {})
        for plant, expected in PLANTED.values():
            count(plant(seed), expected)
    print("| check | planted | found | recall | worlds without | false alarms | precision |")
    print("|---|---|---|---|---|---|---|")
    for code in without:
        recall = f"{found[code] / planted[code]:.3f}" if planted[code] else "–"
        said = found[code] + alarms[code]
        precision = f"{found[code] / said:.3f}" if said else "–"
        print(
            f"| {code} | {planted[code]} | {found[code]} | {recall} | {without[code]} | {alarms[code]} | {precision} |"
        )
    codes = {check for checks in (IMAGE_CHECKS, TEXT_CHECKS) for check in checks}
    print(f"\n{len(codes)} checks, {len(PLANTED)} planted worlds and 2 clean ones, {seeds} seeds each.")


if __name__ == "__main__":
    main(int(sys.argv[1]))
