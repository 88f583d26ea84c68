"""The checks that rest on frozen features, in the order in which a person reads them."""

from collections.abc import Callable

from instar.audit.frozen import Frozen, FrozenCheck
from instar.audit.frozen_confusable import confusable_classes
from instar.audit.frozen_curve import learning_curve
from instar.audit.frozen_labels import suspect_labels
from instar.audit.frozen_map import feature_map
from instar.audit.frozen_mirror import mirror
from instar.audit.frozen_outliers import outliers
from instar.audit.frozen_separability import separability
from instar.audit.frozen_twins import feature_twins
from instar.records import Finding

FROZEN_CHECKS: dict[str, FrozenCheck] = {
    "separability": separability,
    "learning-curve": learning_curve,
    "confusable-classes": confusable_classes,
    "suspect-labels": suspect_labels,
    "outliers": outliers,
    "feature-twins": feature_twins,
    "mirror": mirror,
    "feature-map": feature_map,
}


def run_frozen(frozen: Frozen, advance: Callable[[int, str], None] = lambda n, note: None) -> tuple[Finding, ...]:
    """All findings, one per check."""
    found = []
    for code, check in FROZEN_CHECKS.items():
        found.append(check(frozen))
        assert found[-1].code == code, (found[-1].code, code)
        advance(1, code)
    return tuple(found)


def skipped(why: str) -> tuple[Finding, ...]:
    """All findings where the checks could not run, with the reason."""
    return tuple(Finding(code, "skipped", why) for code in FROZEN_CHECKS)
