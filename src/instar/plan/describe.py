"""The plan as a page for people."""

from collections.abc import Mapping, Sequence

from instar.plan.consequences import consequences
from instar.records import Audit, Decision, Json, Plan

HEADER = ("field", "value", "basis", "because", "reason", "source")
BASES = """\
*fixed*: the same for every set · *rule*: follows from findings · *measured*: from a measurement on this
machine · *asked*: the user wanted it."""


def plan_md(plan: Plan, audit: Audit) -> str:
    """Markdown: decisions in force with their reasons, the findings behind them and what each of all that matter
    changed, superseded decisions."""
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
        "## What each finding changed",
        "Of all findings that are an issue or worth a note, and of others that decide something.",
        _table(
            ("finding", "verdict", "what it changed"),
            [
                (code, audit[code].verdict, _changed(live, touched) or reason)
                for code, touched, reason in consequences(plan, audit)
            ],
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


def _changed(live: Mapping[str, Decision], names: Sequence[str]) -> str:
    """The fields with their values; stages by their names."""
    values = [(name, live[name].value) for name in names]
    return "; ".join(
        f"{name}: {', '.join(part['name'] for part in value) if name == 'stages' else shown(value)}"
        for name, value in values
    )


def _row(decision: Decision) -> tuple[str, ...]:
    because = ", ".join(decision.because) or "–"
    return (decision.field, shown(decision.value), decision.basis, because, decision.reason, decision.source)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """Text that cannot break out of its cell."""
    return " ".join(text.split()).replace("|", "\\|")
