"""Plugs by file name, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lanista.errors import UsageError, unknown
from lanista.plugs import call, parse_options, parse_value, plug, plugs


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package of plugs as a user might have it."""
    folder = tmp_path / "shelf_of_plugs"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "_frame.py").write_text("raise RuntimeError('no plug')")
    (folder / "big_lamp.py").write_text("WATTS = 60")
    (folder / "broken.py").write_text("raise RuntimeError('listing imports nothing')")
    monkeypatch.syspath_prepend(tmp_path)
    return folder.name


def test_files_are_the_list(package: str, tmp_path: Path) -> None:
    assert plugs(package) == ["big_lamp", "broken"]
    (tmp_path / package / "added_later.py").write_text("")
    assert plugs(package) == ["added_later", "big_lamp", "broken"]
    assert plug(package, "lamp", "big_lamp").WATTS == plug(package, "lamp", "big-lamp").WATTS == 60
    with pytest.raises(UsageError, match="unknown lamp 'big_lmp'; did you mean 'big_lamp'"):
        plug(package, "lamp", "big_lmp")
    for hidden in ("_frame", "__init__", "os.path", "../big_lamp"):
        with pytest.raises(UsageError, match="unknown lamp"):
            plug(package, "lamp", hidden)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("3", 3),
        ("-2", -2),
        ("0.5", 0.5),
        ("1e-3", 0.001),
        ("a b", "a b"),
        ("3x", "3x"),
    ],
)
def test_values(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert parsed == value and type(parsed) is type(value)


def test_options() -> None:
    assert parse_options("", "x") == {}
    assert parse_options("depth=4,noise=0.5&path=a/b=c", "x") == {"depth": 4, "noise": 0.5, "path": "a/b=c"}
    for wrong in ("depth", "=4", "depth=", "depth=4,x"):
        with pytest.raises(UsageError, match="key=value"):
            parse_options(wrong, f"minimax:{wrong}")


def make_lamp(watts: int, share: float = 0.5, name: str = "lamp", on: bool = False) -> tuple[object, ...]:
    return watts, share, name, on


def test_calls() -> None:
    assert call(make_lamp, "the lamp", {"watts": 3, "share": 1}) == (3, 1.0, "lamp", False)
    assert type(call(make_lamp, "the lamp", {"watts": 3, "share": 1})[1]) is float
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "the lamp needs the option 'watts'"),
        ({"wats": 3}, "unknown option of the lamp 'wats'; did you mean 'watts'?"),
        ({"watts": 0.5}, "'watts' of the lamp must be int, not '0.5'"),
        ({"watts": True}, "'watts' of the lamp must be int, not 'True'"),
        ({"watts": 3, "share": True}, "'share' of the lamp must be float"),
        ({"watts": 3, "on": 1}, "'on' of the lamp must be bool"),
        ({"watts": 3, "name": 7}, "'name' of the lamp must be str"),
    ]
    for options, said in wrong:
        with pytest.raises(UsageError) as told:
            call(make_lamp, "the lamp", options)
        assert said in str(told.value)
    with pytest.raises(UsageError, match="takes no options, so not 'a'"):
        call(lambda: None, "the lamp", {"a": 1})


def test_unknown_names_the_nearest_or_all() -> None:
    assert str(unknown("colour", "grean", ["green", "red"])) == "unknown colour 'grean'; did you mean 'green'?"
    assert str(unknown("colour", "xyz", ["red", "green"])) == "unknown colour 'xyz'; known: green, red"
    assert str(unknown("colour", "xyz", [])) == "unknown colour 'xyz'; known: none"
