"""`lanista COMMAND ...`: a command is a file of this folder, and only the one that was asked for is imported.

A command's file has a docstring (its first line is its description, an example follows), a dataclass `Options` from
which tyro makes its options, and `run(options)`, which returns the exit code: 0 fine, 1 the work failed. A
`UsageError` exits with 2, and no error shows a traceback unless `--debug` asks for it. `--trust` lets files be loaded
that can run code, such as those of `sb3:model.zip`.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import gc
import importlib
import io
import keyword
import os
import sys
import traceback
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lanista.agents.trust import trusting
from lanista.errors import DiskError, UsageError, unknown
from lanista.plugs import first_line

FOLDER = Path(__file__).parent
NO_COMMANDS = ("__init__", "main")
FINE, FAILED, WRONG_WORDS, INTERRUPTED = 0, 1, 2, 130

OUTLINE = """usage: lanista COMMAND [OPTIONS]

Train game agents by self-play, rank them with honest error bars, play against them, reuse their encoders.

commands:
{commands}

`lanista COMMAND --help` shows a command's options and an example. `--debug` shows the traceback of an error.
`--trust` lets a contestant's file run code of its own, which `sb3:model.zip` needs.
Try: lanista demo"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line.

    Args:
        argv: the words after `lanista`; None takes those of this process.

    Returns:
        The exit code: 0 fine, 1 the work failed, 2 the words were wrong, 130 stopped by Ctrl-C.
    """
    if argv is None:  # a program of its own: what PyTorch leaves to be collected at its end takes it a second
        atexit.register(gc.freeze)
    words = list(sys.argv[1:] if argv is None else argv)
    debug, trust = "--debug" in words, "--trust" in words
    try:
        with trusting(trust):
            return _run([word for word in words if word not in ("--debug", "--trust")])
    except UsageError as error:
        return _say(error, str(error), WRONG_WORDS, debug)
    except KeyboardInterrupt as error:
        return _say(error, str(error) or "stopped", INTERRUPTED, debug)
    except DiskError as error:
        return _say(error, str(error), FAILED, debug)
    except BrokenPipeError:
        # Whoever read our output has gone, as in `lanista games | head -1`; what is left must not fail on exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        hint = "" if debug else " (--debug shows more)"
        return _say(error, f"{type(error).__name__}: {error}{hint}", FAILED, debug)


def commands() -> list[str]:
    """The commands' names: those of their files, with `-` for `_`, and without the `_` after a word of Python's own."""
    files = sorted(
        path.stem.removesuffix("_").replace("_", "-") for path in FOLDER.glob("*.py") if not path.stem.startswith("_")
    )
    return [name for name in files if name not in NO_COMMANDS]


def module_of(command: str) -> str:
    """The name of a command's module in this package."""
    return f"{command}_" if keyword.iskeyword(command) else command.replace("-", "_")


def _run(words: list[str]) -> int:
    """Find the command, read its options, do it."""
    if not words or words[0] in ("-h", "--help", "help"):
        width = max(map(len, commands()))
        lines = (f"  {name:{width}}  {first_line(FOLDER / f'{module_of(name)}.py')}" for name in commands())
        print(OUTLINE.format(commands="\n".join(lines)))
        return FINE if words else WRONG_WORDS
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"lanista {version('lanista')}")
        return FINE
    name, *rest = words
    if name not in commands():
        raise unknown("command", name, commands())
    command = importlib.import_module(f"lanista.cli.{module_of(name)}")
    options = read_options(command.Options, name, command.__doc__ or "", rest)
    if (getattr(options, "seed", None) or 0) < 0:
        raise UsageError(f"--seed must be 0 or more, not {options.seed}")
    return FINE if options is None else int(command.run(options))


def read_options(kind: type, name: str, description: str, words: list[str]) -> Any:
    """A command's options from its words; None if they asked for help, which was printed.

    Raises:
        UsageError: they are wrong.
    """
    import tyro

    known = {"help", *(name.replace("_", "-") for name in _named_options(kind))}
    for word in words:
        option = word.partition("=")[0].removeprefix("--").replace("_", "-")
        if word.startswith("--") and option not in known:
            raise unknown(f"option of lanista {name}", f"--{option}", [f"--{each}" for each in known])
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint):
            return tyro.cli(
                kind,
                prog=f"lanista {name}",
                description=description,
                args=words,
                config=(tyro.conf.FlagCreatePairsOff,),
            )
    except SystemExit as stop:
        if stop.code in (0, None):
            return None
        raise UsageError(f"{_sentence(complaint.getvalue(), name)}; see lanista {name} --help") from None


def _named_options(kind: type) -> list[str]:
    """The options that are written with `--`: all but those that stand for themselves."""
    from tyro.conf import Positional

    (positional,) = Positional[int].__metadata__  # type: ignore[attr-defined]  # tyro's own mark of them
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    return [name for name in names if positional not in getattr(hints[name], "__metadata__", ())]


def _sentence(box: str, name: str) -> str:
    """The complaint in tyro's box, as one line without the box, whose border is of blanks where UTF-8 is not spoken."""
    inside: list[str] = []
    for line in box.splitlines()[1:]:
        text = line.strip("│").rstrip()
        if set(text) <= set(" ─-╰╯"):
            if inside:
                break
            continue
        inside.append(text)
    if "Required options" in box:
        indents = [len(line) - len(line.lstrip()) for line in inside]
        # What is missing stands four further in than the title, and what it is for, below it, further still.
        missing = [line.strip() for line, indent in zip(inside, indents, strict=True) if indent == indents[0] + 4]
        return f"lanista {name} needs {' and '.join(missing)}"
    sentence = " ".join(line.strip() for line in inside).rstrip(".")
    return sentence[:1].lower() + sentence[1:]


def _say(error: BaseException, sentence: str, code: int, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    print(f"lanista: {' '.join(sentence.split())}", file=sys.stderr)
    return code
