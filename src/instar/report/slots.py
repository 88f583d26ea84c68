"""The places of the page that speak of the plan: filled anew when it changes, while the rest of the page stays.

A page takes seconds to minutes, as it decodes pictures and draws charts; these places take none.
"""

import re
from collections.abc import Mapping
from html import escape
from typing import Literal

from instar.deck.story.values import value
from instar.deck.text import clean
from instar.deck.words import Words
from instar.plan.consequences import consequences
from instar.records import Audit, Plan

Standing = Literal["unplanned", "outdated"]
"""Why a page says nothing of a plan: there is none, or it rests on another audit."""
ABOUT = "about"
"""The place that says why; all others are called as their findings."""
_SLOT = re.compile(r"<!--plan:([\w-]+)-->.*?<!--/plan-->", re.DOTALL)


def said_of(plan: Plan | Standing, audit: Audit, words: Words) -> dict[str, str]:
    """What stands in the places, as HTML: why there is nothing to say, or what each finding changed in the plan."""
    if not isinstance(plan, Plan):
        return {ABOUT: f'<p class="so">{escape(words(f"page.{plan}"))}</p>'}
    live = plan.live()
    found = {}
    for consequence in consequences(plan, audit):
        lines = [
            f"<li><b>{escape(words.known(f'field.{name}', name))}: {escape(clean(value(words, live[name])))}.</b> "
            f"{escape(clean(live[name].reason))}</li>"
            for name in consequence.fields
        ]
        if not lines:
            reason = clean(consequence.reason)
            lines = [f"<li>{escape(reason[:1].upper() + reason[1:])}.</li>"]
        head = f"<h4>{escape(words('page.so'))}</h4>"
        found[consequence.code] = f'<div class="so">{head}<ul>{"".join(lines)}</ul></div>'
    return found


def slot(name: str, said: Mapping[str, str]) -> str:
    """A place of the page. Text on the page is escaped, so that nothing else looks like one."""
    return f"<!--plan:{name}-->{said.get(name, '')}<!--/plan-->"


def mark(digest: str) -> str:
    """What tells of which audit a page is."""
    return f'<meta name="instar-audit" content="{digest}">'


def refilled(page: str, digest: str, said: Mapping[str, str]) -> str | None:
    """The page with other words in its places; None where it is of another audit."""
    if mark(digest) not in page:
        return None
    return _SLOT.sub(lambda found: slot(found[1], said), page)
