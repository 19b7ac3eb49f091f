"""What axe finds on a page, and whether the page fits its window."""

from importlib.resources import files

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
VIOLATIONS = (
    "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => v.id + ': ' + v.nodes[0].html))"
)


def assert_accessible(page: Page, name: str) -> None:
    """Axe finds nothing on this page, and nothing is wider than the window."""
    page.evaluate(AXE)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, f"{name} is too wide"
    assert page.evaluate(VIOLATIONS) == [], name
