"""The evaluation page in a real browser: its figures are drawn under the page's own security policy."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, sync_playwright

from tests.evaluation.corpus import make_judged_corpus
from tests.factories import Factory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy violated: ${event.violatedDirective} ${event.sourceFile}:${event.columnNumber}`));"""


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    # Playwright's event loop runs in this thread, where Django would refuse to use the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000}, color_scheme="light")
        page.add_init_script(TELL_VIOLATIONS)
        yield page
        browser.close()


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser's console says, warnings and errors, and scripts that failed."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.fixture
def address(live_server: Any, page: Page, admin: User, factory: Factory) -> str:
    """The page's address, with a judged corpus behind it and an admin signed in."""
    make_judged_corpus(factory)
    client = Client()
    client.force_login(admin)
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    return f"{live_server.url}/evaluation/"


def colour_of(page: Page, selector: str, name: str = "fill") -> str:
    found = page.locator(selector).first.evaluate("(element, name) => getComputedStyle(element)[name]", name)
    return str(found)


def test_it_draws_every_figure_without_a_complaint(page: Page, address: str, complaints: list[str]) -> None:
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('.chart .main-svg').length >= 12")
    assert page.locator(".chart svg .heatmaplayer image").count() == 3
    assert page.locator(".chart svg .barlayer .point").count() == 3 * 9
    page.locator(".chart svg .barlayer .point").first.scroll_into_view_if_needed()
    page.mouse.move(*middle(page, ".chart svg .barlayer .point"))
    page.locator(".hoverlayer .hovertext").first.wait_for()
    assert complaints == []


def middle(page: Page, selector: str) -> tuple[float, float]:
    box = page.locator(selector).first.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_cells_of_the_heatmap_show_what_the_table_shows(page: Page, address: str) -> None:
    page.goto(address)
    page.locator("[data-figure='text-people-heatmap'] .annotation-text").first.wait_for()
    lines = "cells => cells.map(cell => [...cell.querySelectorAll('tspan')].map(line => line.textContent))"
    drawn = page.locator("[data-figure='text-people-heatmap'] .annotation-text").evaluate_all(lines)
    rows = page.locator("#text-people-confusion tbody td:not(:last-child)").all_inner_texts()
    assert len(drawn) == 9
    assert drawn == [row.split("\n") for row in rows]


def test_texts_follow_the_colour_scheme_also_when_it_changes(page: Page, address: str, complaints: list[str]) -> None:
    page.goto(address)
    tick = "[data-figure='text-people-bars'] .xtick text"
    page.locator(tick).first.wait_for()
    assert colour_of(page, tick) == "rgb(26, 29, 35)"
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "selector => getComputedStyle(document.querySelector(selector)).fill === 'rgb(232, 234, 238)'", arg=tick
    )
    assert complaints == []


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_moves_while_figures_load_and_nothing_is_wider_than_the_window(
    page: Page, address: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.add_init_script(
        """window.shift = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries())
        window.shift += entry.value; }).observe({ type: "layout-shift", buffered: true });"""
    )
    page.goto(address)
    page.wait_for_function("document.querySelectorAll('.chart .main-svg').length >= 12")
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") < 0.01
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_can_be_read_without_javascript(page: Page, address: str) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain = context.new_page()
    plain.goto(address)
    assert plain.locator(".charts").first.is_hidden()
    assert plain.locator("#text-people-confusion").is_visible()
    plain.get_by_label("Split").select_option("test")
    plain.get_by_role("button", name="Show").click()
    assert "split=test" in plain.url
