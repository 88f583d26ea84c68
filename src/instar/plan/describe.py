"""The plan as a page for people."""

from collections.abc import Mapping, Sequence

from instar.records import Audit, Decision, Json, Plan

HEADER = ("field", "value", "basis", "because", "reason", "source")
BASES = """\
*fixed*: the same for every set · *rule*: follows from findings · *measured*: from a measurement on this
machine · *asked*: the user wanted it."""


def plan_md(plan: Plan, audit: Audit) -> str:
    """Markdown: decisions in force with their reasons, the findings behind them, superseded decisions."""
    live = plan.live()
    codes = {code for decision in live.values() for code in decision.because}
    past = [d for d in plan.decisions if d is not live[d.field]]
    parts = [
        "# Plan",
        "To change a value, edit `recipe` in `plan.yaml` or use `--set key=value`; that becomes a decision.",
        "## Decisions in force",
        BASES,
        _table(HEADER, [_row(d) for d in live.values()]),
        "## Findings behind them",
        _table(
            ("finding", "verdict", "what was found"),
            [(f.code, f.verdict, f.sentence) for f in audit.findings if f.code in codes],
        ),
    ]
    if past:
        parts += ["## Superseded decisions, oldest first", _table(HEADER, [_row(d) for d in past])]
    return "\n\n".join(parts) + "\n"


def shown(value: Json) -> str:
    """A value of the recipe for a reader; a stage begins with its name."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return f"{value['name']}: " + ", ".join(f"{k} {shown(v)}" for k, v in value.items() if k != "name")
    if isinstance(value, list | tuple):
        separator = "; " if any(isinstance(part, Mapping) for part in value) else ", "
        return separator.join(shown(part) for part in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _row(decision: Decision) -> tuple[str, ...]:
    because = ", ".join(decision.because) or "–"
    return (decision.field, shown(decision.value), decision.basis, because, decision.reason, decision.source)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that cannot break out of its cell."""
    return " ".join(text.split()).replace("|", "\\|")
