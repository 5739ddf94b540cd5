"""What all pictures of numbers have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def drawing(**settings: Any) -> Iterator[None]:
    """Draw meanwhile; it also stands before a function that draws, as `@drawing()`.

    A name is shown as it is written, for to Matplotlib a `$` in it would begin a formula; and the same data give the
    same file.

    Args:
        settings: more of Matplotlib's own, their dots written as `__`.
    """
    import matplotlib

    own: dict[Any, Any] = {name.replace("__", "."): value for name, value in settings.items()}
    with matplotlib.rc_context({"svg.hashsalt": "lanista", "text.parse_math": False} | own):
        yield
