"""The network as a drawing: what it is made of, and which part was thawed when."""

from itertools import groupby
from typing import Any

import altair as alt
import polars as pl

from instar.charts.theme import CLASSES, GREY, LIGHT, SIZE, WIDTH, Chart, plot, text_width
from instar.charts.wording import amount

FROZEN = "never"
Row = dict[str, Any]
NETWORK_HEIGHT, TALLEST, FLOOR = 340, 236, 264
"""Units: the drawing, its largest block, and the ground on which the blocks stand."""


def network(frame: pl.DataFrame) -> Chart:
    """The network from input to head: a block per depth group, its height by the square root of its
    parameters, its colour by the stage in which it was first thawed.

    frame: name, role (stem, trunk, neck, head), parameters, stage ("never" for a group that stayed frozen).
    """
    slot = WIDTH / frame.height
    width = min(84.0, slot * 0.78)
    largest = float(frame["parameters"].to_numpy().max())
    stages = list(dict.fromkeys(s for s in frame["stage"].reverse() if s != FROZEN))
    tones = {FROZEN: LIGHT, **{stage: CLASSES[i % len(CLASSES)] for i, stage in enumerate(stages)}}
    blocks: list[Row] = []
    for i, row in enumerate(frame.iter_rows(named=True)):
        middle = (i + 0.5) * slot
        height = max(4.0, TALLEST * (row["parameters"] / largest) ** 0.5)
        place = {
            "left": middle - width / 2,
            "right": middle + width / 2,
            "middle": middle,
            "top": FLOOR - height,
        }
        text = {"short": _short(row["name"], row["role"], slot), "amount": amount(row["parameters"])}
        blocks.append({**row, **place, **text, "floor": FLOOR, "tone": tones[row["stage"]]})
    base = plot(blocks)
    tone = alt.Color("tone:N", scale=None)
    drawn = base.mark_rect(cornerRadius=2).encode(_x("left"), x2="right:Q", y=_y("top"), y2="floor:Q", color=tone)
    names = base.mark_text(dy=16, fontSize=SIZE if slot > 40 else SIZE - 2).encode(
        _x("middle"), _y("floor"), text="short:N"
    )
    shown = plot(blocks if slot > 50 else _telling(blocks))
    amounts = shown.mark_text(dy=-12, color=GREY).encode(_x("middle"), _y("top"), text="amount:N")
    return alt.layer(drawn, names, amounts, *_brackets(blocks)).properties(width=WIDTH, height=NETWORK_HEIGHT)


def _x(field: str) -> alt.X:
    """A place in units from the left."""
    return alt.X(f"{field}:Q", scale=alt.Scale(domain=[0, WIDTH], nice=False), axis=None)


def _y(field: str) -> alt.Y:
    """A place in units from the top."""
    return alt.Y(f"{field}:Q", scale=alt.Scale(domain=[NETWORK_HEIGHT, 0], nice=False), axis=None)


def _short(name: str, role: str, room: float) -> str:
    """Family and number of a trunk member, or its number where there is no room; the role of other groups."""
    if role != "trunk":
        return role
    family = ".".join(name.split(".")[-2:])
    digits = "".join(c if c.isdigit() else " " for c in name).split()
    return family if text_width(family) < room - 4 or not digits else digits[-1]


def _telling(blocks: list[Row]) -> list[Row]:
    """The first, the largest and the last block: where there is no room for all figures."""
    largest = max(blocks, key=lambda b: b["parameters"])
    return [b for i, b in enumerate(blocks) if i in (0, len(blocks) - 1) or b is largest]


def _brackets(blocks: list[Row]) -> list[alt.Chart]:
    """A line below each run of blocks that were thawed in the same stage, with its name."""
    charts: list[alt.Chart] = []
    used = [-1.0, -1.0]
    for stage, run in groupby(blocks, key=lambda b: b["stage"]):
        members = list(run)
        text = "frozen" if stage == FROZEN else stage
        half = text_width(text) / 2
        left, right = members[0]["left"], members[-1]["right"]
        middle = min(max((left + right) / 2, half), WIDTH - half)
        line = 0 if middle - half >= used[0] else 1
        used[line] = middle + half + 10
        row = {"left": left, "right": right, "middle": middle, "y": FLOOR + 36, "text": text}
        base = plot([row]).encode(_y("y"))
        rule = base.mark_rule(strokeWidth=4, color=members[0]["tone"]).encode(_x("left"), x2="right:Q")
        label = base.mark_text(dy=17 + 20 * line, fontWeight="bold").encode(_x("middle"), text="text:N")
        charts += [rule, label]
    return charts
