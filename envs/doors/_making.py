"""Making other libraries' environments from a user's string, with their complaints in one sentence."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

from lanista.errors import UsageError, unknown
from lanista.plugs import Value, one_line, parse_options

Made = TypeVar("Made")
DRAWN_COPIES = 8  # environments that draw may each hold surfaces of megabytes: larger batches are made without


def split(rest: str, door: str) -> tuple[str, dict[str, Value]]:
    """`Name?key=value&key=value` as the environment's id and its options.

    Args:
        rest: what stands after the door's name and colon.
        door: the door's name, for the error.
    """
    name, _, options = rest.partition("?")
    return name, parse_options(options, f"{door}:{rest}")


def made(make: Callable[[], Made], source: str, maker: Callable[..., Any] | None) -> Made:
    """What `make` makes; what it raises becomes the user's error.

    Args:
        make: makes the environment.
        source: the game's whole string, for the error.
        maker: the function or class that takes the options, where known, so that a wrong option finds the nearest.
    """
    try:
        return make()
    except ImportError as error:  # gymnasium's DependencyNotInstalled says what to install, and so do we
        raise UsageError(f"'{source}' cannot be made: {one_line(error)}") from error
    except Exception as error:
        wrong = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        if wrong and maker is not None:
            options = [name for name in inspect.signature(maker).parameters if name not in ("self", "render_mode")]
            raise unknown(f"option of '{source}'", wrong.group(1), options) from error
        if wrong:
            raise UsageError(f"unknown option of '{source}' '{wrong.group(1)}'") from error
        raise UsageError(f"'{source}' cannot be made: {one_line(error)}") from error
