"""Values of decisions as a reader says them: no code of the recipe stands on a slide."""

from instar.deck.words import Words
from instar.records import Decision


def value(words: Words, decision: Decision) -> str:
    """The value of a decision, short enough for a card or a cell."""
    field = decision.field
    match decision.value:
        case str(name) if field == "metric":
            return words.metric(name)
        case str(file) if field == "weights":
            return file.replace("\\", "/").rpartition("/")[2]
        case str(code):
            return words.known(f"value.{field}.{code}", code)
        case None | [] | ():
            return words.known(f"value.{field}.none", words("value.none"))
        case bool(yes):
            return words("value.yes" if yes else "value.no")
        case float(number):
            return f"{number:g}"
        case list() | tuple() as stages if field == "stages":
            return words.listing([str(stage["name"]) for stage in stages])
        case list() | tuple() as codes:
            return words.listing([_item(words, field, str(code)) for code in codes])
        case other:
            return str(other)


def _item(words: Words, field: str, code: str) -> str:
    """One of several values: an augmentation, a repair, or the finding whose rows are left out."""
    match field:
        case "augment" | "test_augment":
            return words.known(f"augment.name.{code}", code)
        case "exclude":
            return words.inside(words.known(f"check.{code}", code))
        case _:
            return words.known(f"value.{field}.{code}", code)


def noted(words: Words, decision: Decision) -> str:
    """A decision with its reason and source, for notes."""
    return words(
        "notes.decision",
        field=words.known(f"field.{decision.field}", decision.field),
        value=value(words, decision),
        reason=decision.reason,
        source=decision.source,
    )
