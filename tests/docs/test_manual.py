"""What the manual shows is true: its Python runs, its commands run or parse, its files and formulas are there.

A comment before a block says what is done with it; `=>` shortens what would take long, and nothing else:

    <!-- run -->                          its commands are run, in the order of the page
    <!-- run: --minutes 10 => --steps 1 -->
    <!-- parsed -->                       they are read by the command line's own parser
    <!-- quick: games=400 => games=2 -->  Python, with shorter words
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from lanista.cli.main import commands, main, module_of, read_options

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
OTHERS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
BLOCK = re.compile(r"(?:^<!-- ([^\n]*) -->\n)?^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SNIPPET = re.compile(r'^--8<-- "([^"]+)"$', re.MULTILINE)
INLINE = re.compile(r"(?<!`)`(lanista [a-z-]+(?:[ \n][^`]*)?)`(?!`)")
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
TARGETS = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
# Programs of others, whose words are not ours to check.
OTHER_PROGRAMS = {"apt-get", "git", "kubectl", "helm", "ray", "tensorboard"}


@dataclasses.dataclass(frozen=True)
class Block:
    """A block of a page, as the comment before it wants it."""

    how: str
    kind: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    """The page's blocks, with what the comments shorten."""
    text = page.read_text()
    assert not re.search(r"^[ \t]+```", text, re.MULTILINE), "a block that is indented is not tested"
    assert text.count("```") == 2 * len(BLOCK.findall(text)), "a block is not closed, or not found"
    for comment, kind, inside in BLOCK.findall(text):
        how, _, changes = comment.partition(":")
        for change in filter(None, changes.split(";")):
            long, _, short = (part.strip() for part in change.partition("=>"))
            assert long in inside, f"{page.name} shortens '{long}', which is not there"
            inside = inside.replace(long, short)
        yield Block(how.strip(), kind, inside)


def lines(text: str) -> list[str]:
    """Commands, those that go on in the next line joined."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


def check_command(line: str) -> None:
    """A command line can be, as far as it can be seen without running it."""
    words = shlex.split(line, comments=True)
    program, *rest = words
    if program == "lanista":
        check_lanista(rest)
    elif program == "make":
        assert {word for word in rest if "=" not in word} <= TARGETS, line
    elif program == "pip":
        for extras in re.findall(r"(?:lanista|\.)\[([\w,]+)\]", line):
            assert set(extras.split(",")) <= set(EXTRAS), line
    elif program == "docker":
        if rest[0] == "run":
            check_lanista(rest[rest.index("lanista") + 1 :])
    elif program == "python":
        files = [word for word in rest if word.endswith(".py")]
        assert rest[0] == "-m" or all((ROOT / file).is_file() for file in files), line
    else:
        assert program in OTHER_PROGRAMS, f"nobody checks '{line}'"


def check_lanista(words: list[str]) -> None:
    """The command is there and its own parser takes these words."""
    name, *rest = [word for word in words if word not in ("--debug", "--trust")]
    assert name in commands(), f"there is no command '{name}'"
    command = importlib.import_module(f"lanista.cli.{module_of(name)}")
    options = read_options(command.Options, name, "", rest)
    assert options is not None
    if name == "train":
        from lanista.training.settings import setting_names

        keys = [word.partition("=")[0] for group in options.set for word in group]
        assert set(keys) <= set(setting_names()), f"no such setting: {keys}"


@pytest.mark.parametrize("page", [*PAGES, *OTHERS], ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_can_be(page: Path) -> None:
    for block in blocks(page):
        if block.kind == "sh" or (not block.kind and page.name == "README.md"):
            assert block.how in ("run", "parsed") or page in OTHERS, f"say what is done with:\n{block.text}"
            for line in lines(block.text):
                check_command(line)
    for words in map(str.split, INLINE.findall(BLOCK.sub("", page.read_text()))):
        assert words[1] in commands(), words
        if len(words) > 2:  # a command that is only named has no words to be checked
            check_command(" ".join(words))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_example_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        shown = SNIPPET.findall(block.text)
        for file in shown:
            assert (ROOT / file).is_file(), file
        if block.kind == "python" and not shown:
            exec(compile(block.text, str(page), "exec"), names)
        elif block.kind == "sh" and block.how == "run":
            for line in lines(block.text):
                program, *words = shlex.split(line, comments=True)
                assert program == "lanista", f"only Lanista is run here, not '{line}'"
                assert main(words) == 0, line
        elif block.kind == "toml":
            tomllib.loads(block.text)
        elif block.kind == "json":
            json.loads(block.text)
        else:
            assert block.kind in ("python", "sh", "text", "yaml"), f"a block of which nobody knows what it is: {block}"


def test_what_is_shown_as_true_is_looked_at() -> None:
    """The walk finds blocks of each kind; else it would check nothing."""
    found = [block for page in PAGES for block in blocks(page)]
    assert sum(block.kind == "python" for block in found) >= 10
    assert sum(block.how == "run" for block in found) >= 3
    assert sum(block.how == "parsed" for block in found) >= 5
    with pytest.raises(AssertionError, match="no command 'trian'"):
        check_command("lanista trian connect_four")
    with pytest.raises(Exception, match="unknown option"):
        check_command("lanista train connect_four --minuts 3")
    with pytest.raises(AssertionError, match="no such setting"):
        check_command("lanista train connect_four --minutes 3 --set learning_rte=1")


def test_paths_in_the_manual_are_there() -> None:
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        named = re.findall(
            r"`((?:envs|perception|agents|training|arena|lanista|tests|docs|examples)/[\w/.]*)`", page.read_text()
        )
        missing = [path for path in named if not (ROOT / path).exists() and not (DOCS / "examples" / path).exists()]
        assert not missing, f"{page}: {missing}"
