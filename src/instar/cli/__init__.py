"""The command line: a module per kind of verb. Nothing heavy is imported before a verb needs it."""

import sys

from instar import processes
from instar.cli.common import app
from instar.errors import UserError, mistake
from instar.progress import console

# Each adds its verbs to the application, in the order in which `instar --help` shows them.
from instar.cli import steps, explaining, ablate, using, comparing, sets, machine  # isort: skip

__all__ = ["ablate", "app", "comparing", "explaining", "machine", "main", "sets", "steps", "using"]


def main() -> None:
    """Run the command line: a user's mistake is one line and exit status 2."""
    try:
        processes.check(sys.argv[1:2])
        app()
    except (UserError, OSError) as error:
        if (line := mistake(error)) is None:
            raise
        console.print(f"{processes.name()}: {line}", style="red", markup=False, soft_wrap=True)
        sys.exit(2)
    except KeyboardInterrupt:
        console.print("instar: interrupted; the same command goes on where it stopped", markup=False)
        sys.exit(130)
