"""Do cheap scores of frozen features rank backbones as a cross-validated probe does?

    python bench/backbones.py DATA|RUN... --candidates SOURCE:NAME[=FILE],... [--limit 60] [--home FOLDER]

For each set: LogME, H-score and the probe's accuracy of every candidate on the training rows that the plan would draw,
milliseconds an example, seconds of each figure, Kendall's tau between each cheap score and the probe over all
candidates, and what the plan's rule would take. Validation and test part are not looked at. Prints Markdown. Features
are kept below INSTAR_HOME: seconds of a second call are those of reading them.
"""

import argparse
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from time import perf_counter

from scipy.stats import kendalltau

from instar import store
from instar.audit.check import run_checks
from instar.modality.modalities import MODALITIES
from instar.models.named import Named, named
from instar.pipeline import Options, start
from instar.pipeline.candidates import Examples, looked_at, probed
from instar.plan import candidates
from instar.plan.transfer import h_score, logme


def examples_of(source: str, limit: int, folder: Path) -> Examples:
    """A set opened, split and audited without a network; a run directory has that behind it."""
    if (Path(source) / store.MACHINE).exists():
        dataset = store.read_dataset(Path(source))
        return Examples(dataset, store.read_audit(Path(source)), candidates.drawn(dataset), {}, 0)
    run = start(Options(source, limit=limit), folder / Path(source).stem)
    dataset = store.read_dataset(run)
    audit = run_checks(dataset, MODALITIES[dataset.modality].checks)
    return Examples(dataset, audit, candidates.drawn(dataset), {}, 0)


def compare(examples: Examples, parts: tuple[Named, ...], folder: Path) -> None:
    """Print the table of one set."""
    dataset, rows = examples.dataset, examples.rows
    a_class = int(rows.group_by("label").len()["len"].to_numpy().max())
    of = f"{rows.height} training examples of {len(dataset.classes)} classes"
    print(f"\n{dataset.name}: {of}, at most {a_class} each\n")
    print("| backbone | parameters | pixels | LogME | H-score | probe | ms each | s: features, LogME, H-score, probe |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    found, cheap = [], {"LogME": [], "H-score": []}  # type: ignore[var-annotated]
    for part in parts:
        times = [perf_counter()]
        one, features_MD = looked_at(part, examples, folder)
        times.append(perf_counter())
        evidence = logme(features_MD, examples.labels)
        times.append(perf_counter())
        spread = h_score(features_MD, examples.labels)
        times.append(perf_counter())
        found.append(replace(one, right=probed(features_MD, examples)))
        times.append(perf_counter())
        cheap["LogME"].append(evidence)
        cheap["H-score"].append(spread)
        takes = candidates.cost(found[-1], dataset)
        seconds = ", ".join(f"{b - a:.1f}" for a, b in pairwise(times))
        parameters = sum(g.parameters for g in one.card.groups) / 1e6
        print(
            f"| {one.backbone.rsplit('/', 1)[-1]} | {parameters:.2f} M | {one.input_size} | {evidence:.4f} "
            f"| {spread:.2f} | {found[-1].accuracy:.1%} | {takes.ms_example:.1f} | {seconds} |",
            flush=True,
        )
    right = [one.accuracy for one in found]
    for name, scores in cheap.items():
        print(f"\nKendall's tau of {name} with the probe: {kendalltau(scores, right).statistic:.2f}")
    costs = [candidates.cost(one, dataset) for one in found]
    chosen, best = candidates.choose(found, costs, rows["group"].to_numpy())
    print(f"\nBest: {found[best].backbone}; taken: {found[chosen].backbone}.")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", metavar="DATA|RUN")
    parser.add_argument("--candidates", required=True)
    parser.add_argument("--limit", type=int, default=60)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for source in options.data:
            compare(examples_of(source, options.limit, Path(folder)), named(options.candidates), Path(folder))


if __name__ == "__main__":
    main()
