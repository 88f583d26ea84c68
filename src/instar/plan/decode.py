"""How the probabilities of a network become a label."""

from instar.records import Audit, Decision


def decode(audit: Audit) -> Decision:
    """The most probable class, or the median of ordered ones."""
    if not audit["ordered-labels"].evidence["ordered"]:
        reason = "The classes have no order, so there is no middle to take: the most probable one is the answer."
        return Decision("decode", "argmax", "fixed", (), reason, "decision theory: 0-1 loss")
    reason = (
        "Of ordered classes the median of the predicted distribution is the answer: it is off by the fewest classes on "
        "average (mean absolute error) and names the classes in the middle more often, at the price of being "
        "exactly right a little less often. For the most probable class instead: --set decode=argmax."
    )
    source = "Bayes decision under absolute loss (Berger 1985, Statistical Decision Theory, 2.4); docs/LOG.md"
    return Decision("decode", "median", "rule", ("ordered-labels",), reason, source)
