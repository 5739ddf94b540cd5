"""Licence plates: their texts, their fonts, how they are seen, against scikit-image's geometry and jiwer's counts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from lanista.errors import UsageError
from lanista.perception.data import _plate_rendering as rendering
from lanista.perception.data._plate_layouts import ALPHABET, LAYOUTS, draw_text, to_be_read
from lanista.perception.data.plates import KNOWN_FONTS, UNSEEN_FONTS, font_files
from lanista.perception.task import make_task
from lanista.perception.tasks.plates import reading_scores

REAL = {  # as they stand on roads
    "France": r"[A-HJ-NP-TV-Z]{2}-\d{3}-[A-HJ-NP-TV-Z]{2}",
    "Spain": r"\d{4}_[BCDFGHJKLMNPRSTVWXYZ]{3}",
    "United Kingdom": r"[A-Z]{2}\d{2}_[A-Z]{3}",
    "Germany": r"[A-Z]{1,3}_[A-Z]{1,2}\d{1,4}",
    "California": r"\d[A-Z]{3}\d{3}",
    "Brazil": r"[A-Z]{3}\d[A-Z]\d{2}",
}


@pytest.fixture(scope="module")
def fonts() -> list[tuple[str, Path]]:
    try:
        return font_files(KNOWN_FONTS)
    except UsageError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("country", LAYOUTS)
def test_texts_are_of_the_country(country: str) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        text = draw_text(LAYOUTS[country], random)
        assert set(to_be_read(text)) <= set(ALPHABET) and 3 <= len(to_be_read(text)) <= 10
        if country in REAL:
            assert re.fullmatch(REAL[country], text), text


def test_unseen_fonts_are_unseen(fonts: list[tuple[str, Path]]) -> None:
    unseen = font_files(UNSEEN_FONTS)
    assert {file.name for _, file in fonts}.isdisjoint(file.name for _, file in unseen)
    assert len({family for family, _ in fonts}) == len(KNOWN_FONTS) and {f for f, _ in unseen} == set(UNSEEN_FONTS)


def test_every_font_draws_every_character(fonts: list[tuple[str, Path]]) -> None:
    for family, file in [*fonts, *font_files(UNSEEN_FONTS)]:
        letters = rendering.Letters(file)
        blank = [c for c in ALPHABET if letters.glyph(c)[0].max() < 0.5]
        assert not blank, f"{family} ({file.name}) lacks {blank}"
        drawn = {letters.glyph(c)[0].tobytes() for c in "ABCDEFGHJKLMNPRSTUVWXYZ23456789"}
        assert len(drawn) == 31, f"{family} ({file.name}) draws characters alike: a sign for what is missing"


def test_the_same_seed_renders_the_same(fonts: list[tuple[str, Path]]) -> None:
    one, other = (rendering.render(fonts[:6], 20, 5) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    assert one[1:] == other[1:]
    assert one[0].shape == (20, 32, 128) and one[0].dtype == np.uint8
    assert rendering.render(fonts[:6], 20, 6)[1] != one[1]


def test_homographies_are_those_of_scikit_image(monkeypatch: pytest.MonkeyPatch) -> None:
    from skimage.transform import ProjectiveTransform

    solved = []
    solve = torch.linalg.solve

    def watched(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        solved.append((left, right))
        solution: torch.Tensor = solve(left, right)
        return solution

    monkeypatch.setattr(torch.linalg, "solve", watched)
    grid = rendering._homographies(3, torch.Generator().manual_seed(0))
    left, right = solved[0]
    for row in range(3):
        seen = np.stack([left[row, :4, 0], left[row, :4, 1]], 1)  # u, v of the corners
        plate = np.stack([right[row, :4], right[row, 4:]], 1)
        outside = ProjectiveTransform.from_estimate(seen, plate)  # type: ignore[no-untyped-call]
        columns = (np.arange(rendering.WIDTH) + 0.5) / rendering.WIDTH * 2 - 1
        rows = (np.arange(rendering.HEIGHT) + 0.5) / rendering.HEIGHT * 2 - 1
        points = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
        np.testing.assert_allclose(grid[row].reshape(-1, 2).numpy(), outside(points), atol=1e-3)


@pytest.mark.thorough
def test_templates_read_a_plain_plate(fonts: list[tuple[str, Path]]) -> None:
    from lanista.perception.tasks._plate_templates import TemplateReader

    letters = rendering.Letters(dict(fonts)["Roadgeek"])
    mask = letters.line("KR47XE", 0.25, 0)
    plate = np.full((mask.shape[0] + 40, mask.shape[1] + 40), 235.0)
    rendering._blend(plate, mask, 20, 20, 20.0)
    small = rendering._scaled(plate / 255, 128, 32) * 255
    reader = TemplateReader()
    assert reader.read(small.astype(np.uint8)) == "KR47XE"
    assert reader.read(255 - small.astype(np.uint8)) == "KR47XE", "light on dark too"
    assert reader.read(np.full((32, 128), 128, np.uint8)) == ""


def test_scores_count_characters() -> None:
    scores = reading_scores(["AB12", "XY9", ""], ["AB12", "XY99", "Q1"])
    assert scores == {"plate_accuracy": pytest.approx(1 / 3), "character_error_rate": pytest.approx(3 / 10)}


def test_fonts_of_validation_are_not_learnt_from(fonts: list[tuple[str, Path]]) -> None:
    splits = make_task("plates:most=300").load(0)
    learnt, checked = set(splits.train.groups), set(splits.valid.groups)
    assert checked and not learnt & checked and not (learnt | checked) & set(splits.tests["unseen fonts"].groups)


def test_changes_keep_the_shape_and_the_range() -> None:
    batch = torch.randint(0, 256, (8, 1, 32, 128), dtype=torch.uint8)
    changed = make_task("plates").augment(batch, torch.Generator().manual_seed(0))
    assert changed.shape == batch.shape and changed.min() >= 0 and changed.max() <= 255
