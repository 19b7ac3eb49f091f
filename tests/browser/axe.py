"""What axe finds on a page, and whether the page fits its window."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Literal

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
# What is preloaded are style sheets, for rules that are not asked for.
_VIOLATIONS = """axe.run(document, {resultTypes: ['violations'], preload: false})
    .then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))"""
ColorScheme = Literal["dark", "light"]
# Alerts scroll sideways together, so that one which is too narrow does not make the page wider.
SPILLING = (
    "[...document.querySelectorAll('.card, .alert')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.outerHTML)"
)

# What lies beyond the right edge of the window, as it begins in HTML.
WIDE = """[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .map(e => e.outerHTML.slice(0, 120))"""


def violations(page: Page, schemes: Iterable[ColorScheme] = ("dark", "light")) -> list[str]:
    """What axe finds on this page as it is, in these colors. Without motion, so that no color is on its way."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = []
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {violation}" for violation in page.evaluate(_VIOLATIONS)]
    page.emulate_media(color_scheme="null")
    return found


def assert_accessible(page: Page, name: str) -> None:
    """Axe finds nothing on this page, and nothing is wider than the window, or than the card in which it stands."""
    is_wide = page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0
    assert not is_wide, f"{name} is too wide: {page.evaluate(WIDE)}"
    assert page.evaluate(SPILLING) == [], f"{name} has cards that are too narrow for what is in them"
    assert violations(page) == [], name
