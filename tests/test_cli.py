"""The command line: a user's mistake is one line with a remedy and exit status 2, and leaves nothing behind."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from instar import cli
from instar.cli import app
from instar.doctor import at_hand

README = Path(__file__).parents[1] / "README.md"


def instar(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "instar", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        ({}, ["run", "nowhere"], "nowhere"),
        ({"t.csv": "text,label\na,x\nb,y\n"}, ["run", "t.csv", "--label", "stars"], "stars"),
        ({"t.csv": "text,label\na,x\nb,x\n"}, ["run", "t.csv", "--text", "text", "--label", "label"], "class"),
        ({"t.csv": "text,label\na,x\nb,y\n"}, ["run", "t.csv", "--set", "epochs"], "epochs"),
        ({"t.csv": "text,label\na,x\nb,y\n"}, ["run", "t.csv", "--weights", "w.safetensors"], "w.safetensors"),
        ({"t.csv": "text,label\na,x\nb,y\nc,x\nd,y\n"}, ["run", "t.csv"], "at least three examples"),
        ({"t.csv": "text,label\na,x\nb,y\n"}, ["run", "t.csv", "--set", "lrr=1"], "lrr"),
        ({"t.csv": "text,label\na,x\nb,y\n", "f": ""}, ["run", "t.csv", "--out", "f"], "is a file"),
        ({"folder/readme.txt": "no picture"}, ["run", "folder"], "folder"),
        ({"folder/x.txt": ""}, ["train", "folder"], "no finished step"),
        ({"folder/x.txt": ""}, ["predict", "folder", "a.jpg"], "no finished step"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    tmp_path: Path, files: dict[str, str], arguments: list[str], message: str
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    done = instar(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert message in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("instar: ")
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_every_verb_and_option_is_in_the_readme() -> None:
    text = README.read_text()
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert f"instar {name}" in text, name
        for parameter in command.params:
            for option in parameter.opts:
                if option.startswith("--") and option != "--help":
                    assert option in text, (name, option)


def test_every_verb_of_the_readme_exists() -> None:
    group: Any = typer.main.get_command(app)
    named = set(re.findall(r"`instar (\w+)", README.read_text()))
    assert named <= set(group.commands)


def test_what_was_guessed_is_said_before_the_work(tmp_path: Path) -> None:
    rows = [f"{text} {i},{i % 2}" for i in range(40) for text in (f"word{i} and more of it",)]
    (tmp_path / "t.csv").write_text("\n".join(["opinion,stars", *rows]))
    done = instar("audit", "t.csv", cwd=tmp_path)
    assert (
        'guessed: label column "stars" by its name (2 values; another: --label); text column "opinion"' in done.stderr
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "/a/b"), "instar: /a/b: Permission denied; make it accessible"),
        (OSError(28, "No space left on device", "/a/b"), "instar: /a/b: No space left on device; free some space"),
    ],
)
def test_what_the_disk_refuses_anywhere_is_one_line(
    error: OSError, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith(said)


def test_doctor_says_what_happens_with_a_backbone_that_is_not_here() -> None:
    assert "fetched at first use" in at_hand("timm:resnet50", "model.safetensors is not there")
    assert at_hand("timm:resnet50", "") == "at hand offline"
    assert at_hand("scratch:convnet", "") == "always at hand, starts at random"
