"""Progress of long work: a bar with rate, loss and time left on a terminal, a line now and then elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from instar import processes

Advance = Callable[[int, str], None]
"""advance(n, note): n more are done; the note (a loss, a file) is shown behind the bar."""

console = Console(stderr=True, highlight=False)
SECONDS_BETWEEN_LINES = 15.0


def say(text: str) -> None:
    """One line to the person who waits; of several processes the first one speaks."""
    if not processes.first():
        return
    console.print(text, markup=False, soft_wrap=True)


@contextlib.contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """Show how far `what` is, out of `total`, until the block ends."""
    if not processes.first():
        yield _silent
        return
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=console) as shown:
            task = shown.add_task(what, total=total, note="")

            def move(n: int, note: str = "") -> None:
                shown.update(task, advance=n, note=note)

            yield move
        return
    start = last = time.monotonic()
    done = 0

    def advance(n: int, note: str = "") -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last > SECONDS_BETWEEN_LINES and done < total:
            last = now
            left = (now - start) / max(done, 1) * (total - done)
            say(f"{what}: {done}/{total}, {left:.0f} s left {note}".rstrip())

    yield advance
    say(f"{what}: {done}/{total} in {time.monotonic() - start:.1f} s")


def _silent(n: int, note: str = "") -> None:
    """The progress of a process that does not print."""
