"""The manual's formulas: TeX between dollar signs becomes MathML while the site is built.

Browsers draw MathML themselves, so the pages need no script and nothing from a network. `pymdownx.arithmatex` finds the
formulas; MkDocs calls `on_page_content` for each page.
"""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
BLOCK = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def on_page_content(content: str, **about: Any) -> str:
    """A page's HTML with its formulas drawn."""
    content = INLINE.sub(lambda found: convert(html.unescape(found[1]).strip()), content)
    return BLOCK.sub(lambda found: convert(html.unescape(found[1]).strip(), display="block"), content)
