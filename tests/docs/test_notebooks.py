"""The manual's notebooks run, with fewer steps than they show, and what they show is what they printed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "docs" / "notebooks").glob("*.ipynb"))
QUICK = {  # the same calls, shortened
    "train_and_rank": {
        "steps=20_000": "steps=2_000",
        "copies=128": "copies=64",
        "anchor_pairs=16": "anchor_pairs=4",
        "measurements=5": "measurements=2",
        "games=20": "games=2",
    },
    "reuse_an_encoder": {
        "copies=2000": "copies=200",
        "model.learn(4096)": "model.learn(256)",
        "games = AgainstRandom(), 0.0, 50": "games = AgainstRandom(), 0.0, 4",
    },
}


def read(path: Path) -> Any:
    return nbformat.read(path, 4)  # type: ignore[no-untyped-call]


def test_every_notebook_is_known() -> None:
    assert {path.stem for path in NOTEBOOKS} == set(QUICK)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_shows_what_it_printed(path: Path) -> None:
    """Committed after a whole run, in order, without an error."""
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


@pytest.mark.thorough
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path) -> None:
    notebook = read(path)
    for long, short in QUICK[path.stem].items():
        assert any(long in cell.source for cell in notebook.cells), long
        for cell in notebook.cells:
            cell.source = cell.source.replace(long, short)
    client = NotebookClient(
        notebook, timeout=900, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    printed = "".join(
        output.get("text", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream"
    )
    expected = {"train_and_rank": "of the points against random", "reuse_an_encoder": "frozen weights unchanged: True"}
    assert expected[path.stem] in printed
