"""The manual builds without a warning, needs no network to be read, and the files beside it are whole."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml  # type: ignore[import-untyped]

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).parents[2]
LOADS = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "object": "data"}


class Loaded(HTMLParser):
    """What a page loads by itself, and whether it shows a formula that was not drawn."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in LOADS and given.get("rel") not in ("canonical", "alternate", "edit", "prev", "next"):
            self.addresses.append(given.get(LOADS[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").is_file(), page
    for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        assert (site / "notebooks" / notebook.name).is_file()
        assert (site / "notebooks" / notebook.name).with_suffix(".html").is_file()
    for page in site.rglob("*.html"):
        assert "--8" not in page.read_text(), f"{page} should show a file"
    assert not (site / "building").exists() and not (site / "examples").exists()


def test_it_is_read_without_a_network(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        loaded = Loaded()
        loaded.feed(page.read_text())
        assert loaded.addresses
        foreign = [address for address in loaded.addresses if re.match(r"(https?:)?//", address)]
        assert not foreign, f"{page} loads {foreign}"
        for address in loaded.addresses:
            if not address.startswith(("data:", "#")) and page.name != "404.html":
                assert (page.parent / address.partition("?")[0]).exists(), f"{page} loads {address}"
    for style in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", style.read_text()), style


def test_formulas_are_drawn(site: Path) -> None:
    page = (site / "guide" / "training.html").read_text()
    assert page.count("<math") >= 10
    for each in site.rglob("*.html"):
        text = each.read_text()
        assert 'class="arithmatex"' not in text, f"{each} shows a formula as TeX"
        for formula in re.findall(r"<math.*?</math>", text, re.DOTALL):  # what was not understood stands there as it is
            assert not re.search(r"\\|&(?!#|lt;|gt;)|&#x0*26;", formula), f"{each} shows TeX in {formula}"


def test_the_reference_has_what_is_promised(site: Path) -> None:
    shown = "".join(page.read_text() for page in (site / "reference").glob("*.html"))
    anchors = set(re.findall(r'id="(lanista[\w.]*)"', shown))
    import lanista

    homes = lanista._HOMES
    for name in lanista.__all__:
        module, _, called = homes.get(name, "lanista").partition(":")
        found = {anchor for anchor in anchors if anchor.rpartition(".")[2] == (called or name)}
        assert found, f"lanista.{name} ({module}) is not in the reference"


def test_the_files_beside_the_manual() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    licence = (ROOT / "LICENSE").read_text()
    assert licence.startswith("MIT License") and project["license"] == "MIT"
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(cited)
    assert str(cited["version"]) == project["version"] and cited["license"] == "MIT"
    assert re.search(rf"^## {re.escape(project['version'])} - ", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
