"""The rows of a finding as a table that can be searched and sorted."""

from html import escape

from instar.deck.text import clean
from instar.deck.words import Words
from instar.records import Finding, Json

MOST = 500
"""Rows on the page; the file beside it has all."""
LETTERS = 240
"""Letters of a cell."""
SAME = {"input": "id", "other_input": "other_id"}
"""Columns that for pictures repeat another one."""


def table(found: Finding, words: Words) -> str:
    """A folded table of the rows, with a field to search them; nothing where there are none."""
    rows = found.rows
    if not rows.height or not rows.width:
        return ""
    idle = [name for name, other in SAME.items() if name in rows.columns and rows[name].equals(rows[other])]
    rows, all_ = rows.drop(idle).head(MOST), found.rows.height
    file = f"findings/{found.code}.csv"
    link = f'<a href="{escape(file)}">2-audit/{escape(file)}</a>'
    if all_ > MOST:
        where = words("page.first", MOST, all=words.whole(all_), file="\0")
    else:
        where = words("page.whole", file="\0")
    name = escape(words.known(f"name.{found.code}", found.code))
    heads = "".join(
        f'<th scope="col" aria-sort="none"><button type="button" title="{escape(words("page.sort"))}">'
        f"{escape(words.known(f'column.{column}', column))}</button></th>"
        for column in rows.columns
    )
    body = "".join(f"<tr>{''.join(_cell(cell, words) for cell in row)}</tr>" for row in rows.iter_rows())
    label = escape(words("page.search"))
    return f"""<details class="rows"><summary>{escape(words("page.table", all_))}</summary>
<p class="tools"><label>{label} <input type="search" autocomplete="off"></label>
<output data-said="{escape(words("page.shown", shown="#", all=words.whole(rows.height)))}"></output></p>
<div class="scroll" tabindex="0" role="region" aria-label="{name}">
<table><caption>{name}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>
<p class="small">{escape(where).replace(chr(0), link)}</p></details>"""


def _cell(value: Json, words: Words) -> str:
    match value:
        case None:
            return f'<td data-v="">{escape(words("page.sealed.cell"))}</td>'
        case bool(yes):
            return f"<td>{escape(words('page.yes' if yes else 'page.no'))}</td>"
        case int(number):
            return f'<td class="n" data-v="{number}">{escape(words.whole(number))}</td>'
        case float(number):
            return f'<td class="n" data-v="{number!r}">{number:.4g}</td>'
        case other:
            text = clean(str(other))
            cut = text if len(text) <= LETTERS else text[: LETTERS - 1] + "…"
            return f'<td dir="auto">{escape(cut)}</td>'
