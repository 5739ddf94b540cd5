"""Pictures of all kinds and sizes, sets against outside readers, folders of pictures, changes of training pictures."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lanista.errors import UsageError
from lanista.perception.data._idx import read_idx
from lanista.perception.data._made import made_once
from lanista.perception.dataset import DataSet, load_data
from lanista.perception.inputs.picture import PictureInput
from lanista.perception.task import make_task
from lanista.perception.tasks.pictures import World, augmented


def on_this_machine(words: str) -> DataSet:
    """A data set, or a skipped test."""
    try:
        return load_data(words)
    except UsageError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_sets_have_the_fields_sizes(name: str) -> None:
    loaded = on_this_machine(name)
    assert {part: examples.inputs.shape for part, examples in loaded.parts.items()} == {
        "train": (60_000, 28, 28),
        "test": (10_000, 28, 28),
    }
    for examples in loaded.parts.values():
        assert (np.bincount(examples.targets) > 800).all() and len(loaded.labels) == 10


def test_mnist_is_the_one_that_everyone_has() -> None:
    examples = on_this_machine("mnist").parts["train"]
    assert examples.targets[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4], "the first labels that everyone knows"
    assert 33.3 < examples.inputs.mean() < 33.4, "0.1307 of 255, the mean that the field divides by"


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    examples = load_data("digits").parts["all"]
    np.testing.assert_allclose(examples.inputs / 255 * 16, load_digits().images, atol=0.04)


def test_series_of_drawings_are_never_split() -> None:
    on_this_machine("drawings:most=400")
    splits = make_task("pictures:data=drawings:most=400").load(0)
    parts = [set(splits.train.groups), set(splits.valid.groups), set(splits.tests["test"].groups)]
    assert all(not one & other for place, one in enumerate(parts) for other in parts[:place])
    assert "unsorted" not in splits.labels


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "damaged or no idx"), (b"\0\0\x08\x01\0\0\0\x09ab", "damaged"), (b"PK", "damaged")]
)
def test_damaged_idx_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_idx(tmp_path / "x")


MODES = {
    "L": 200,
    "LA": (200, 255),
    "RGB": (200, 200, 200),
    "RGBA": (200, 200, 200, 255),
    "P": 200,
    "1": 1,
    "CMYK": (0, 0, 0, 55),
    "I;16": 200 * 257,
}


@pytest.mark.parametrize("mode", MODES)
def test_pictures_of_any_mode_are_read(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.tif" if mode == "CMYK" else "x.png")
    base = Image.new("L", (9, 7), 200).convert("P") if mode == "P" else Image.new(mode, (9, 7), MODES[mode])  # type: ignore[arg-type]
    base.save(path)
    read = PictureInput(4, 6, 3).read(path)
    assert read.shape == (3, 4, 6) and read.dtype == np.uint8
    wanted = 255 if mode == "1" else 200
    assert abs(read.astype(int) - wanted).max() <= 2


def test_sixteen_bits_keep_their_greys(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 64, dtype=np.uint16).reshape(8, 8)
    Image.fromarray(ramp).save(tmp_path / "x.png")
    read = PictureInput(8, 8).read(tmp_path / "x.png")[0]
    np.testing.assert_allclose(read, ramp / 257, atol=1)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (3000, 2)])
def test_pictures_of_any_size_are_read(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (10, 20, 30)).save(tmp_path / "x.png")
    read = PictureInput(28, 28, 3).read(tmp_path / "x.png")
    assert (read.reshape(3, -1) == np.array([[10], [20], [30]])).all()


def test_enormous_and_damaged_pictures_are_refused(tmp_path: Path) -> None:
    Image.new("1", (10_000, 8000)).save(tmp_path / "large.png")
    with pytest.raises(UsageError, match="too many"):
        PictureInput(28, 28).read(tmp_path / "large.png")
    whole = (tmp_path / "large.png").read_bytes()
    Image.new("RGB", (64, 64), "red").save(tmp_path / "x.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "x.jpg").read_bytes()[:300])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "wrong.png").write_bytes(whole[:20] + b"\xff" * 40)
    for name in ("cut.jpg", "text.png", "wrong.png"):
        with pytest.raises(UsageError, match="damaged or no picture"):
            PictureInput(28, 28).read(tmp_path / name)
    with pytest.raises(UsageError, match="no picture"):
        PictureInput(28, 28).read(tmp_path / "none.png")


def write_folder(folder: Path, colour: bool) -> None:
    """Six pictures of two labels."""
    for label, value in (("dark", 20), ("light", 220)):
        (folder / label).mkdir(parents=True)
        for number in range(3):
            tone = (value, value // 2, value) if colour else value
            Image.new("RGB" if colour else "L", (10 + number, 12), tone).save(folder / label / f"{number}.png")


def test_a_folder_of_pictures_is_a_set(tmp_path: Path) -> None:
    write_folder(tmp_path / "grey", colour=False)
    loaded = load_data(f"picture_folder:path={tmp_path / 'grey'},side=16")
    assert loaded.labels == ["dark", "light"]
    assert loaded.parts["all"].inputs.shape == (6, 16, 16), "grey pictures are grey"
    assert (loaded.parts["all"].inputs[:, 0, 0] < 128).tolist() == [True] * 3 + [False] * 3
    write_folder(tmp_path / "both" / "train", colour=True)
    write_folder(tmp_path / "both" / "val", colour=True)
    loaded = load_data(f"picture_folder:path={tmp_path / 'both'}")
    assert {part: len(examples) for part, examples in loaded.parts.items()} == {"train": 6, "test": 6}
    assert loaded.parts["test"].inputs.shape == (6, 128, 128, 3)


def test_folders_that_will_not_do_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        load_data(f"picture_folder:path={tmp_path / 'none'}")
    with pytest.raises(UsageError, match="0 labels"):
        load_data(f"picture_folder:path={tmp_path}")
    write_folder(tmp_path / "x", colour=False)
    (tmp_path / "x" / "dark" / "broken.png").write_bytes(b"\x89PNG")
    with pytest.raises(UsageError, match=r"broken\.png is damaged"):
        load_data(f"picture_folder:path={tmp_path / 'x'}")


def test_the_hub_needs_its_library_or_gives_a_set(tmp_path: Path) -> None:
    if find_spec("datasets") is None:
        with pytest.raises(UsageError, match=r"lanista\[hub\]"):
            load_data("hub:name=ylecun/mnist")
        return
    write_folder(tmp_path, colour=True)
    loaded = load_data(f"hub:name={tmp_path}")
    assert loaded.labels == ["dark", "light"] and len(loaded.parts["all"]) == 6


def test_a_set_of_another_modality_is_refused() -> None:
    with pytest.raises(UsageError, match="the task is of pictures"):
        make_task("pictures:data=vader").load(0)


def test_changes_come_from_the_generator_alone() -> None:
    batch = torch.randint(0, 256, (16, 3, 20, 24), dtype=torch.uint8)
    world = World(colour=0.2, mirror=True)
    one, other = (augmented(batch, torch.Generator().manual_seed(3), world) for _ in range(2))
    assert torch.equal(one, other) and one.shape == batch.shape
    assert one.min() >= 0 and one.max() <= 255 and not torch.equal(one, batch.float())


def test_a_still_world_changes_nothing_but_the_blank_square() -> None:
    batch = torch.randint(0, 256, (8, 1, 20, 20), dtype=torch.uint8)
    changed = augmented(batch, torch.Generator().manual_seed(0), World(0, 0, 0))
    assert ((changed - batch).abs() > 0.01).float().mean((1, 2, 3)).max() <= 1 / 16 + 1e-6


def test_what_is_slow_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANISTA_DATA", str(tmp_path))
    calls = []

    def make() -> dict[str, np.ndarray]:
        calls.append(1)
        return {"x": np.arange(3)}

    for about in ({"a": 1}, {"a": 1}, {"a": 2}):
        np.testing.assert_array_equal(made_once("toy", about, make)["x"], [0, 1, 2])
    assert len(calls) == 2
    for file in (tmp_path / "made").iterdir():
        file.write_bytes(file.read_bytes()[:40])
    np.testing.assert_array_equal(made_once("toy", {"a": 1}, make)["x"], [0, 1, 2])
    assert len(calls) == 3, "a damaged file is made again"
