"""One page with the reasons for new examples, which asks no network."""

import base64
import io
from html import escape
from pathlib import Path

import polars as pl
from PIL import Image

from instar.explain.draw import Pixels
from instar.explain.kinds import Shown
from instar.files import write_text

STYLE = """
body { font: 16px/1.5 Calibri, Carlito, sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #1F2933; }
figure { margin: 0 0 2em; } figcaption { font-weight: bold; } figcaption small { font-weight: normal; color: #5B6770; }
img { max-width: 100%; display: block; } mark { color: inherit; background: none; padding: 0 1px; }
.against { text-decoration: underline; }
"""
FOR, AGAINST = "11,110,143", "184,69,11"
DARKEST = 0.6
"""Opacity of the heaviest mark."""


def write_page(path: Path, name: str, answers: pl.DataFrame, shown: Shown) -> None:
    """Write the page whole or not at all.

    Args:
        answers: input, predicted, confidence, other, as `account_new` gives them.
        shown: what belongs to them.
    """
    figures = []
    for number, row in enumerate(answers.iter_rows(named=True)):
        if shown.pictures:
            told = f"{row['input']}: the picture, what speaks for {row['predicted']}, and for {row['other']}"
            alt = escape(told, quote=True)
            body = f'<img alt="{alt}" src="{_data(shown.pictures[number])}">'
        else:
            own = (pl.col("number") == number) & (pl.col("side") == 0)
            body = f'<p dir="auto">{_text(shown.tokens.filter(own))}</p>'
        said = f"{row['predicted']} ({row['confidence']:.0%}) | {row['other']}"
        about = f" <small>{escape(row['input'])}</small>" if shown.pictures else ""
        figures.append(f"<figure><figcaption>{escape(said)}{about}</figcaption>{body}</figure>")
    legend = (
        "Each picture, then what speaks for the answer, then, on the same scale, for the class behind the bar: from "
        "dark red to yellow, the brighter, the more."
        if shown.pictures
        else "Blue speaks for the answer, orange and underlined against it; the darker, the more."
    )
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    write_text(
        path,
        f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{escape(name)}: reasons</title><style>{STYLE}</style></head>
<body><h1>{escape(name)}: reasons</h1><p>{legend}</p>
{"".join(figures)}
</body></html>
""",
    )


def _data(pixels: Pixels) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


def _text(tokens: pl.DataFrame) -> str:
    """A text whose words have a ground as strong as their weight."""
    heaviest = float(tokens["weight"].abs().fill_null(0.0).to_numpy().max(initial=0.0)) or 1.0
    found = []
    for word, joined, weight in tokens.sort("place").select("word", "joined", "weight").iter_rows():
        share = (weight or 0.0) / heaviest
        ground = f"background: rgba({FOR if share > 0 else AGAINST},{DARKEST * abs(share):.2f})"
        kind = ' class="against"' if share < -0.1 else ""
        found.append(("" if joined else " ") + f'<mark{kind} style="{ground}">{escape(word)}</mark>')
    return "".join(found)
