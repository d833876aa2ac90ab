"""The page in a real browser, without a network: what is seen, and what a click does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.support import portkit

_BROWSER = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip)")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_BROWSER is None, reason="needs chromium-headless-shell (Debian package)"),
]


@pytest.fixture
def page(project: Any) -> Iterator[Any]:
    path = project.root / "health.html"
    portkit(project.root, "check", "--all", "--html", str(path))
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=_BROWSER, args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(offline=True, viewport={"width": 1000, "height": 700})
        opened = context.new_page()
        problems: list[str] = []
        opened.on("console", lambda message: problems.append(message.text))
        opened.on("pageerror", lambda error: problems.append(str(error)))
        requests: list[str] = []
        opened.on("request", lambda request: requests.append(request.url))
        opened.goto(path.as_uri())
        yield opened
        assert problems == []
        assert requests == [path.as_uri()]
        browser.close()


def colour(page: Any, selector: str) -> tuple[int, ...]:
    text = page.locator(selector).first.evaluate("cell => getComputedStyle(cell).backgroundColor")
    return tuple(int(part) for part in text.strip("rgb()").split(",")[:3])


def test_the_heat_map_is_seen(page: Any) -> None:
    green, red = colour(page, "tbody td.applies"), colour(page, "tbody td.conflict")
    assert green[1] > green[0]
    assert red[0] > red[1]
    assert colour(page, "td.health") != colour(page, "td.health:last-child")
    small, large = (
        page.locator("tr.patch td.size i").nth(at).bounding_box()["width"] for at in (0, 1)
    )
    assert 0 < small < large
    assert page.locator("th.pin").inner_text() == "1.1"


_CONTRAST = """element => {
  const luminance = colour => {
    const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255)
      .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
  };
  let behind = element;
  while (/, 0\\)$/.test(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
  const [text, back] = [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
    .map(luminance).map(each => each + 0.05);
  return Math.max(text, back) / Math.min(text, back);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(page: Any, scheme: str) -> None:
    """By WCAG's measure for text (AA), also the signs of the legend, which are all there are."""
    page.emulate_media(color_scheme=scheme)
    light = colour(page, "body")[0] > 128
    assert light == (scheme == "light")
    found = page.locator("h1, h2, p, li, li b, th, td").all()
    assert len(found) > 20
    assert [each.inner_text() for each in found if each.evaluate(_CONTRAST) < 4.5] == []


def test_a_click_names_the_files(page: Any) -> None:
    page.locator("td.conflict[data-told]").click()
    assert page.locator("#told").inner_text() == "2.patch on 1.3:\na.c\nb.c"


def test_the_keyboard_does_the_same(page: Any) -> None:
    page.locator("td.conflict[data-told]").focus()
    page.keyboard.press("Enter")
    assert page.locator("#told").inner_text().startswith("2.patch on 1.3")


def test_only_the_patches_with_trouble(page: Any) -> None:
    rows = page.locator("tr.patch")
    assert [rows.nth(at).is_visible() for at in range(2)] == [True, True]
    page.locator("#trouble").check()
    assert [rows.nth(at).is_visible() for at in range(2)] == [False, True]
    page.locator("#trouble").uncheck()
    assert rows.nth(0).is_visible()
