"""What a check is: a pure function from the measured data set to one finding."""

from collections.abc import Callable, Iterable

from instar.records import Audit, Dataset, Finding

Check = Callable[[Dataset], Finding]
WORTH_KNOWING = 0.01
"""Share of the examples, or of the labels told right beyond the usual one, from which a trait is worth a note (our
judgement)."""


def run_checks(dataset: Dataset, checks: Iterable[Check]) -> Audit:
    """Run the checks in order. Codes are unique; a check that does not apply says so in its verdict."""
    findings = tuple(check(dataset) for check in checks)
    codes = [f.code for f in findings]
    assert len(set(codes)) == len(codes), codes
    return Audit(findings)
