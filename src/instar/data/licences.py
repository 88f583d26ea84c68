"""Licences and sizes as the Hugging Face hub names them in the header of a card.

Keys of the header: https://github.com/huggingface/hub-docs/blob/main/datasetcard.md; identifiers of licences:
https://huggingface.co/docs/hub/repositories-licenses.
"""

import re

SIZES = (
    (10**3, "n<1K"),
    (10**4, "1K<n<10K"),
    (10**5, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
LICENCES = (
    (r"\bcc0\b", "cc0-1.0"),
    (r"\bcc[ -](by(?:-(?:nc|sa|nd))*)[ -](\d\.\d)", r"cc-\1-\2"),
    (r"^apache\b.*2", "apache-2.0"),
    (r"^mit\b", "mit"),
    (r"^odbl\b|open database", "odbl"),
    (r"^odc-by\b", "odc-by"),
    (r"^pddl\b", "pddl"),
    (r"^unknown$", "unknown"),
)
"""What licences are called by their owners -> the hub's identifier."""


def identifier(licence: str) -> str:
    """The hub's identifier of a licence, "other" for one that it does not list."""
    for pattern, known in LICENCES:
        if match := re.search(pattern, licence.lower()):
            return match.expand(known)
    return "other"


def size(n: int) -> str:
    """The hub's class of size of a set of n examples."""
    return next((name for limit, name in SIZES if n < limit), "10M<n<100M")
