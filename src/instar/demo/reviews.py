"""A table of restaurant reviews in the layout of the McDonald's reviews on Kaggle, with faults planted in it.

Ten columns, one of them with a blank at the end of its name; stars as "1 star" to "5 stars"; line ends as a
spreadsheet writes them; encoded as cp1252, so that it cannot be read as UTF-8.
"""

import csv
import html
import io
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from instar.demo.grammar import SHORT, composed
from instar.errors import UserError
from instar.files import write_bytes

VERSION = 1
"""Part of the seed; raised when the sentences change."""
CHAIN = "The Copper Kettle"
HEADER = (
    "reviewer_id",
    "store_name",
    "category",
    "store_address",
    "latitude ",
    "longitude",
    "rating_count",
    "review_time",
    "review",
    "rating",
)
STARS = ("1 star", "2 stars", "3 stars", "4 stars", "5 stars")
SHARES = (30, 8, 14, 18, 30)
"""Per cent of the reviews with 1 to 5 stars."""
SYMBOLS = ("...", "!!!", "???", ":)", "*****", "-")
LOST = "ï¿½"
"""A character that was lost in an earlier conversion, as it looks in cp1252."""


@dataclass(frozen=True)
class Store:
    """One of the restaurants; `lean` is how many stars it lies above the others."""

    address: str
    latitude: float
    longitude: float
    count: str
    lean: float


STORES = (
    Store("3 Harbour Street, Port Alder", 54.1021, -3.2204, "1,240", 0.3),
    Store("88 Station Road, Millbridge", 53.4418, -2.0127, "806", -0.5),
    Store("Unit 4, Larkfield Retail Park", 52.8873, -1.4410, "2,193", -0.2),
    Store("17 Market Square, Thornby", 52.3006, -0.6924, "1,028", 0.5),
    Store("201 Ocean Avenue, Easthaven", 41.2087, -70.9913, "3,381", 0.0),
    Store("1450 Route 9, Maple Junction", 42.7719, -73.6502, "590", -0.3),
    Store("12 College Walk, Wexcombe", 51.1533, -1.7781, "1,795", 0.2),
    Store("Terminal 2, Brackley Airport", 52.0310, -1.1460, "5,468", -0.1),
)


@dataclass(frozen=True)
class Review:
    """A row of the table: 1 to 5 stars (0: none given) and a text."""

    store: int
    stars: int
    text: str


@dataclass(frozen=True)
class Planted:
    """What is wrong with the table, and where. Rows are counted from 1, the header not included."""

    path: Path
    rows: int
    counts: Mapping[str, int]
    """Rows per label; the row without one is not counted."""
    repeated: Mapping[str, tuple[int, ...]]
    """Short texts that stand in several rows."""
    disputed: tuple[str, ...]
    """Those of them whose labels differ from row to row."""
    copied: tuple[int, int]
    """A long review that stands twice, with one label."""
    conflict: tuple[int, int]
    """A long review that stands twice, with 1 star and with 5."""
    one_word: tuple[int, ...]
    empty: tuple[int, ...]
    symbols: tuple[int, ...]
    """Rows with nothing but punctuation."""
    entities: tuple[int, ...]
    """Rows with HTML entities or tags."""
    lost: tuple[int, ...]
    """Rows with characters that cannot be won back."""
    garbled: tuple[int, ...]
    """Rows that were decoded wrongly once and can be repaired."""
    not_utf8: tuple[int, ...]
    """Rows whose bytes are not UTF-8."""
    unlabelled: int
    """The row without a label."""


def written(rng: Random, store: int) -> Review:
    """One guest's review."""
    lean = STORES[store].lean
    stars = rng.choices(range(1, 6), [share * 2 ** (lean * (k - 2)) for k, share in enumerate(SHARES)])[0]
    if rng.random() < 0.13:
        usual = [weights[stars - 1] for _, weights in SHORT]
        return Review(store, stars, rng.choices([text for text, _ in SHORT], usual)[0] + rng.choice(("", "", " ")))
    mood = stars + rng.choices((-1, 0, 1), (6, 88, 6))[0]
    text = composed(rng, min(5, max(1, mood)))
    if rng.random() < 0.35:
        text = text.replace("'", "\u2019").replace("...", "\u2026")
    return Review(store, stars, text)


def as_html(rng: Random, text: str) -> str:
    """The text as a careless export of a web page leaves it."""
    eaten = rng.choice(("Fish & chips for two.", "We had the mac & cheese.", "Tea & scones for three."))
    return html.escape(f"{eaten} {text}").replace(". ", ".<br>")


def with_losses(rng: Random, text: str) -> str:
    """The text with its apostrophes, or the emoji at its end, turned into runs of debris."""
    debris = rng.choice((LOST * rng.randint(2, 9), LOST * 4 + LOST[:2], "ýýýý"))
    return text.replace("'", debris) if "'" in text else f"{text} {debris}"


def misread(_: Random, text: str) -> str:
    """The text as UTF-8 bytes that were read as cp1252."""
    return f"It\u2019s the café by the bridge. {text}".encode().decode("cp1252")


def plant(rng: Random, path: Path, reviews: list[Review]) -> Planted:
    """Put the faults into `reviews`, in place, each into rows that have no other, and list them."""
    whole = [n for n, r in enumerate(reviews) if len(r.text.split()) > 12 and r.text.isascii()]
    plain = rng.sample(whole, len(whole))

    def change(count: int, fault: Callable[[Random, str], str]) -> tuple[int, ...]:
        rows = [plain.pop() for _ in range(count)]
        for row in rows:
            reviews[row] = replace(reviews[row], text=fault(rng, reviews[row].text))
        return tuple(sorted(row + 1 for row in rows))

    def copy(first: int, stars: int) -> tuple[int, int]:
        second = plain.pop()
        reviews[second] = replace(reviews[second], text=reviews[first].text, stars=stars)
        return first + 1, second + 1

    share = len(reviews) // 75
    entities, lost, garbled = change(share, as_html), change(share, with_losses), change(share, misread)
    empty = change(4, lambda rng, _: " " * rng.randint(0, 2))
    symbols = change(5, lambda rng, _: rng.choice(SYMBOLS))
    first = plain.pop()
    copied = copy(first, reviews[first].stars)
    loved = next(row for row in plain if reviews[row].stars == 5)
    plain.remove(loved)
    conflict = copy(loved, 1)
    unlabelled = plain.pop()
    reviews[unlabelled] = replace(reviews[unlabelled], stars=0)
    short = defaultdict(list)
    for row, review in enumerate(reviews, 1):
        if 0 < len(review.text.split()) <= 3 and any(map(str.isalpha, review.text)):
            short[review.text.strip()].append(row)
    repeated = {text: tuple(rows) for text, rows in sorted(short.items()) if len(rows) > 1}
    return Planted(
        path=path,
        rows=len(reviews),
        counts={name: sum(r.stars == k for r in reviews) for k, name in enumerate(STARS, 1)},
        repeated=repeated,
        disputed=tuple(t for t, rows in repeated.items() if len({reviews[row - 1].stars for row in rows}) > 1),
        copied=copied,
        conflict=conflict,
        one_word=tuple(sorted(row for text, rows in short.items() if len(text.split()) == 1 for row in rows)),
        empty=empty,
        symbols=symbols,
        entities=entities,
        lost=lost,
        garbled=garbled,
        not_utf8=tuple(row for row, r in enumerate(reviews, 1) if not is_utf8(r.text.encode("cp1252"))),
        unlabelled=unlabelled + 1,
    )


def is_utf8(data: bytes) -> bool:
    """Whether the bytes can be read as UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def ago(rng: Random) -> str:
    """When a review was written, as the map service puts it."""
    unit, most = rng.choices((("year", 6), ("month", 11), ("week", 4), ("day", 6)), (60, 30, 6, 4))[0]
    number = rng.randint(1, most)
    return f"a {unit} ago" if number == 1 else f"{number} {unit}s ago"


def make_reviews(path: Path, seed: int = 0, n: int = 1200) -> Planted:
    """Write a table of `n` reviews (unless it already stands there) and say what is wrong with it.

    The same `seed` and `n` (at least 300) give the same bytes. The file is whole or absent.

    Raises:
        UserError: something else stands at `path`.
    """
    rng = Random(f"reviews {VERSION} {seed} {n}")
    reviews = [written(rng, row * len(STORES) // n) for row in range(n)]
    planted = plant(rng, path, reviews)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row, review in enumerate(reviews, 1):
        store = STORES[review.store]
        place = (CHAIN, "Restaurant", store.address, store.latitude, store.longitude, store.count, ago(rng))
        writer.writerow((row, *place, review.text, STARS[review.stars - 1] if review.stars else ""))
    data = text.getvalue().encode("cp1252")
    if not path.exists():
        write_bytes(path, data)
    elif not path.is_file() or path.read_bytes() != data:
        raise UserError(f"{path} exists and is not the demo set of reviews: remove it or name another file")
    return planted
