"""What stands around every page: the head with the tabs, the theme, the styles."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from nicegui import app, ui

from lanista.arena.play.house import House
from lanista.arena.play.views.controls import Button
from lanista.plugs import plug, plugs

TABS = "lanista.arena.play.tabs"
STYLE = Path(__file__).with_name("style.css")
MARK = (
    '<svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true"><circle cx="16" cy="16" r="15" '
    'fill="var(--accent)"/><path d="M10 7v18h13" fill="none" stroke="var(--surface)" stroke-width="3.4"/>'
    '<circle cx="20.5" cy="13.5" r="4" fill="var(--surface)"/></svg>'
)
# The theme is the browser's own: a cookie, so that the page is drawn in it from the start.
_NEXT_THEME = """
() => {
  const dark = document.body.classList.contains('body--dark');
  document.cookie = 'lanista_theme=' + (dark ? 'light' : 'dark') + '; path=/; max-age=31536000; SameSite=Strict';
  emit(dark ? 'light' : 'dark');
}
"""


def build_tabs(house: House) -> None:
    """Declare the pages of all tabs and serve the styles."""
    app.add_static_file(local_file=STYLE, url_path="/lanista/style.css")
    for name in plugs(TABS):
        plug(TABS, "tab", name).build(house)


@contextlib.contextmanager
def frame(title: str, active: str) -> Iterator[None]:
    """A page with its head; what is made inside is its body.

    Args:
        title: of the browser's tab.
        active: the path of the tab that is shown as chosen.
    """
    version = hashlib.sha256(STYLE.read_bytes()).hexdigest()[:12]
    ui.add_head_html(f'<link rel="stylesheet" href="/lanista/style.css?v={version}">')
    ui.add_head_html('<meta name="color-scheme" content="light dark">')
    ui.page_title(f"{title} · Lanista" if title else "Lanista")
    theme = ui.context.client.request.cookies.get("lanista_theme", "auto")
    dark = ui.dark_mode({"light": False, "dark": True}.get(theme))
    with ui.element("header").classes("head"):
        with ui.element("a").props('href="/" aria-label="Lanista, new game"').classes("brand"):
            ui.html(MARK, sanitize=False)
            ui.label("Lanista").classes("brand-name")
        with ui.element("nav").props('aria-label="Pages"').classes("tabs"):
            for tab in sorted((plug(TABS, "tab", name) for name in plugs(TABS)), key=lambda each: each.ORDER):
                if tab.TITLE:
                    link = ui.link(tab.TITLE, tab.PATH).classes("tab")
                    if active == tab.PATH:
                        link.props('aria-current="page"')
        switch = Button("", kind="icon quiet", icon="contrast", said="Light or dark")
        switch.on("click", lambda event: dark.set_value(event.args == "dark"), js_handler=_NEXT_THEME)
    with ui.element("main").classes("body"):
        yield


def notice(words: str) -> None:
    """Say something for some seconds, also aloud."""
    ui.notify(words, position="top", color="notice", timeout=4000, attrs={"role": "status"})
