"""The bench's file of figures, which keeps rows of several runs, and the summary of it that stands in the README."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from lanista.bench.results import cell, figure, sureness, target
from lanista.errors import UsageError
from lanista.files import read_json, write_text

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
WIDTH = 128  # of a line of text
COLUMNS = ("row", "claim", "ours", "peer", "ratio", "asked", "met")

Told = Mapping[str, Any]  # a row as it stands in the file; see `results.as_json`


def kept_rows(path: Path | None) -> list[Told]:
    """The rows that a file of figures holds; none if it is not there yet.

    Raises:
        UsageError: it holds something else.
    """
    if path is None or not path.exists():
        return []
    rows = read_json(path, "file of the bench's figures").get("rows")
    if not isinstance(rows, list) or not all(isinstance(row, dict) and "machine" in row for row in rows):
        raise UsageError(f"{path} holds no rows of the bench; name another file, which is written anew")
    return rows


def merged(kept: Sequence[Told], measured: Sequence[Told]) -> list[Told]:
    """All rows by their names; one that was measured takes the place of the one that was kept."""
    by_name = {row["id"]: row for row in (*kept, *measured)}
    return [by_name[name] for name in sorted(by_name)]


def check_marked(path: Path) -> str:
    """The text of a file that has the place of a summary.

    Raises:
        UsageError: it cannot be read, or has no such place, or several.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    lines = text.splitlines()
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        raise UsageError(f"{path} has no place for the table: it needs a line {BEGIN} and below it a line {END}")
    return text


def put(path: Path, rows: Sequence[Told], figures: Path | None) -> None:
    """Write the summary of rows between the marks of a file, in the place of what stood there.

    Args:
        path: the file.
        rows: those that were measured whole are shown.
        figures: the file that holds them, named in the command beside the table.
    """
    lines = check_marked(path).splitlines()
    begin, end = lines.index(BEGIN), lines.index(END)
    whole = [row for row in rows if not row["machine"]["quick"]]
    text = summary(whole, path, figures)
    write_text(path, "\n".join([*lines[: begin + 1], "", text, "", *lines[end:]]) + "\n")


def summary(rows: Sequence[Told], path: Path, figures: Path | None) -> str:
    """A line of Markdown a claim, details left out, with the command that measures the same, machines and versions."""
    if not rows:
        return "Nothing was measured yet."
    words = ["lanista bench", *(row["id"] for row in rows), *(["--json", str(figures)] if figures else [])]
    said = (
        f"{' '.join(machines(rows))} At most {max(row['machine']['rounds'] for row in rows)} slices a side. Rates are "
        "of CPU seconds of a side's whole process tree; ratios are medians of the rounds', with 95 % sign intervals."
    )
    lines = [
        *("```", " ".join([*words, "--readme", str(path)]), "```", ""),
        *(textwrap.fill(said, WIDTH), ""),
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    for row in rows:
        shown = [verdict for verdict in row["verdicts"] if not verdict["claim"].get("detail")]
        for number, verdict in enumerate(shown):
            name = f"`{row['id']}`" if number == 0 else ""
            lines.append(f"| {' | '.join((name, *claim_cells(row, verdict)))} |")
    versions = {name: version for row in rows for lane in row["lanes"] for name, version in lane["versions"].items()}
    told = ", ".join(f"{name} {versions[name]}" for name in sorted(versions))
    return "\n".join([*lines, *(["", textwrap.fill(f"Versions: {told}.", WIDTH)] if told else [])])


def machines(rows: Sequence[Told]) -> list[str]:
    """Where and when rows were measured, a sentence for each machine."""
    found: dict[str, list[Told]] = {}
    for row in rows:
        where = row["machine"]
        found.setdefault(f"{where['chip']}, {where['system']}, Python {where['python']}", []).append(row)
    sentences = []
    for where, there in found.items():
        days = sorted({row["machine"]["date"] for row in there})
        names = "" if len(found) == 1 else f" ({', '.join(row['id'] for row in there)})"
        between = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        sentences.append(f"One core of {where}, {between}{names}.")
    return sentences


def claim_cells(row: Told, verdict: Told) -> tuple[str, ...]:
    """What the summary says of a claim, a text a column but the first."""
    claim, found = verdict["claim"], verdict["found"]
    asked = target(claim["least"], claim["most"], claim["unit"])
    met = {True: "yes", False: "**no**", None: ""}[verdict["met"]]
    if found is None:
        return cell(claim["text"]), "not measured", "", "", asked, met
    unit = claim["unit"] if claim["unit"] == "%" else ""
    between = f" ({figure(found['low'], unit)} to {figure(found['high'], unit)}{sureness(found['confidence'])})"
    if claim["against"] is None or claim["unit"] != "x":
        return cell(claim["text"]), figure(found["median"], claim["unit"]) + between, "", "", asked, met
    ours, peer = rate(row, claim["subject"]), rate(row, claim["against"])
    peer = ": ".join(filter(None, (cell(claim["against"]), peer)))
    return cell(claim["text"]), ours, peer, figure(found["median"], "") + between, asked, met


def rate(row: Told, side: str) -> str:
    """The median of a side's rates; empty if the row has no such side."""
    for lane in row["lanes"]:
        if lane["name"] == side and lane["slices"]:
            return f"{figure(median(one['steps'] / one['cpu_seconds'] for one in lane['slices']), '')} {row['unit']}/s"
    return ""
