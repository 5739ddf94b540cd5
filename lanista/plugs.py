"""Plugs: a file's name is its id.

Games, doors, encoders, agent kinds, trainers and formats are found by listing the files of their package. Nothing is
imported to list them, and no other list of them exists.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import re
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from lanista.errors import UsageError, unknown

Value = bool | int | float | str
Class = TypeVar("Class")


def plugs(package: str) -> list[str]:
    """The ids of the plugs in a package: the names of its files, `_` shown as in the file's name.

    Files whose name begins with an underscore are not plugs.
    """
    return sorted(path.stem for path in _folder(package).glob("*.py") if not path.stem.startswith("_"))


def _folder(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None and found.submodule_search_locations is not None, package
    return Path(next(iter(found.submodule_search_locations)))


def plug(package: str, what: str, name: str) -> ModuleType:
    """Import the plug `name` of `package`, or raise the error that names the nearest known one.

    Args:
        package: the import name of the plugs' package, such as "lanista.envs.games".
        what: what the plugs are, in words, for the error.
        name: the id that the user wrote; `-` and `_` are the same.
    """
    names = plugs(package)
    file = name.replace("-", "_")
    if file not in names:
        raise unknown(what, name, names)
    return importlib.import_module(f"{package}.{file}")


def plug_class(package: str, what: str, name: str, kind: type[Class]) -> type[Class]:
    """The class of a kind that the plug `name` defines; `plug` has the arguments and the error."""
    module = plug(package, what, name)
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__:
            return value
    raise TypeError(f"{module.__file__} defines no {kind.__name__}")


def parse_value(text: str) -> Value:
    """Read one option's value as people write it: `true`, `3`, `0.5`, or else the text itself."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def parse_options(text: str, source: str) -> dict[str, Value]:
    """Read `key=value,key=value` (or joined by `&`) as options.

    Args:
        text: the options; empty gives none.
        source: the whole string they come from, for the error.
    """
    options: dict[str, Value] = {}
    for part in filter(None, re.split(r"[,&]", text)):
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"'{source}': '{part}' is no option; write key=value, as in 'minimax:depth=4'")
        options[key.strip()] = parse_value(value.strip())
    return options


def call(function: Callable[..., Any], what: str, options: dict[str, Any]) -> Any:
    """Call a plug's function with a user's options; an unknown option or a value of the wrong kind is the user's error.

    Args:
        function: takes the options by keyword; its annotations `bool`, `int`, `float`, `str` are enforced.
        what: what is being made, in words, for the error.
        options: as from `parse_options`.
    """
    known = inspect.signature(function, eval_str=True).parameters
    for key, value in options.items():
        if key not in known:
            if not known:
                raise UsageError(f"{what} takes no options, so not '{key}'")
            raise unknown(f"option of {what}", key, known)
        kind = known[key].annotation
        if isinstance(kind, types.UnionType):  # `float | None`: None is for who leaves it out
            kind = next(each for each in kind.__args__ if each is not type(None))
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            options = {**options, key: float(value)}
        elif kind in (bool, int, float, str) and type(value) is not kind:
            raise UsageError(f"option '{key}' of {what} must be {kind.__name__}, not '{value}'")
    missing = [name for name, given in known.items() if given.default is given.empty and name not in options]
    if missing:
        raise UsageError(f"{what} needs the option '{missing[0]}', as in '{missing[0]}=...'")
    return function(**options)


@dataclass(frozen=True)
class Summary:
    """What a plug's file says of itself.

    Attributes:
        about: the first line of its docstring.
        options: name -> default; None where it must be given, or has no value unless it is.
        optional: of the latter, those that need not be given.
    """

    about: str
    options: dict[str, Value | None]
    optional: frozenset[str] = frozenset()


def summaries(package: str, maker: str) -> dict[str, Summary]:
    """What the plugs of a package are, by id, read from their files: none is imported.

    Args:
        package: the import name of the plugs' package.
        maker: the function, or method of the file's class, whose arguments are the plug's options.
    """
    folder = _folder(package)
    return {name: _summary(folder / f"{name}.py", maker) for name in plugs(package)}


def first_lines(package: str) -> dict[str, str]:
    """The first line of each plug's docstring, by id; none is imported."""
    folder = _folder(package)
    return {name: first_line(folder / f"{name}.py") for name in plugs(package)}


def first_line(file: Path) -> str:
    """The first line of a Python file's docstring, read without importing it."""
    return (ast.get_docstring(ast.parse(file.read_bytes())) or "").partition("\n")[0]


def _summary(file: Path, maker: str) -> Summary:
    tree = ast.parse(file.read_bytes())
    named_after = file.stem.replace("_", "")  # a file's plug is the class of its name, where it has several
    places = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name.lower() == named_after]
    options: dict[str, Value | None] = {}
    optional = set[str]()
    for node in (node for place in [*places, tree] for node in ast.walk(place)):
        if isinstance(node, ast.FunctionDef) and node.name == maker:
            named, keywords = node.args.args, node.args.kwonlyargs
            defaults = [*node.args.defaults, *node.args.kw_defaults]
            missing = len(named) + len(keywords) - len(defaults)
            for argument, default in zip([*named, *keywords], [*[None] * missing, *defaults], strict=True):
                if argument.arg != "self":
                    options[argument.arg] = None if default is None else ast.literal_eval(default)
                    if default is not None and options[argument.arg] is None:
                        optional.add(argument.arg)
            break
    return Summary(first_line(file), options, frozenset(optional))


def required(module: str, extra: str, source: str) -> None:
    """Raise UsageError, which says what to install, where an extra's library is not there.

    Args:
        module: what is to be imported.
        extra: Lanista's extra that brings it.
        source: what needs it, as the user wrote it, for the error.
    """
    try:
        importlib.import_module(module)
    except ImportError as error:
        cause = "is not installed" if error.name == module else f"cannot be imported ({one_line(error)})"
        raise UsageError(
            f"'{source}' needs the package '{module}', which {cause}: pip install \"lanista[{extra}]\""
        ) from error


def one_line(error: BaseException) -> str:
    """What an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
