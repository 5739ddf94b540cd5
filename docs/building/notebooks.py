"""The manual's notebooks: each becomes a page, with what it printed when it was last run, beside the notebook itself.

nbconvert writes Markdown, so a notebook's page looks like any other. What writes HTML instead brings styles of its own
and a script from a network.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter


def on_files(files: Files, config: Any, **about: Any) -> Files:
    """Add a page for each notebook, and its pictures."""
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        place = PurePosixPath(notebook.src_uri)
        text, resources = MarkdownExporter().from_filename(str(Path(config.docs_dir) / notebook.src_uri))
        for name, content in resources["outputs"].items():
            own = f"{place.stem}_{name}"
            text = text.replace(f"({name})", f"({own})")
            files.append(File.generated(config, str(place.with_name(own)), content=content))
        title, _, rest = text.partition("\n")
        told = f"{title}\n\n[This page as a notebook]({place.name}){{ download }}\n{rest}"
        files.append(File.generated(config, str(place.with_suffix(".md")), content=told))
    return files
