"""What reading guessed, repaired and left out, in lines for the person who started it."""

from collections.abc import Iterator, Mapping

from instar.records import Json


def told(facts: Mapping[str, Json]) -> Iterator[str]:
    """Lines on `Raw.facts`, or `Dataset.opening`, which holds the same; none where all was plain."""
    if facts["guessed"]:
        yield f"guessed: {facts['guessed']}"
    if facts["headers_stripped"]:
        yield f"blanks around names of columns taken off: {', '.join(facts['headers_stripped'])}"
    if facts["labels_stripped"]:
        yield f"blanks around labels taken off: {facts['labels_stripped']:,}"
    if facts["not_utf8"]:
        read = f"was read as {facts['encoding']}"
        yield f"{facts['table']} is not UTF-8 (bytes that do not fit: {facts['not_utf8']:,}) and {read}"
    if facts["ignored_files"]:
        why = "neither picture nor table, hidden, not used, or in no list"
        yield f"files that take no part: {facts['ignored_files']:,} ({why})"
