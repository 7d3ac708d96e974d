"""The evaluation pages in a real browser: their figures are drawn under the pages' own security policy."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import soundfile
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from playwright.sync_api import Page

from pipeline.labels import LABELS
from pipeline.models import Segment, TrainingRun
from tests.browser.conftest import until
from tests.evaluation.corpus import make_judged_corpus
from tests.evaluation.test_views_confidence import store_curve
from tests.factories import Factory

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Two layers per figure, two figures per comparison.
ALL_DRAWN = "document.querySelectorAll('.chart .main-svg').length >= 12"
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy violated: ${event.violatedDirective} ${event.sourceFile}:${event.columnNumber}`));"""


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser's console says, warnings and errors, and scripts that failed."""
    said: list[str] = []
    page.add_init_script(TELL_VIOLATIONS)
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said


@pytest.fixture
def address(live_server: Any, page: Page, admin: User, factory: Factory, sign_in: Callable[[User], None]) -> str:
    """The page's address, with a judged corpus behind it and an admin signed in."""
    make_judged_corpus(factory)
    sign_in(admin)
    return f"{live_server.url}/evaluation/"


def test_it_draws_every_figure_without_a_complaint(page: Page, address: str, complaints: list[str]) -> None:
    page.goto(address)
    until(page, ALL_DRAWN)
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
    tick = "[data-figure='text-people-bars'] .xtick text"
    shown = f'getComputedStyle(document.querySelector("{tick}")).fill'
    page.emulate_media(color_scheme="light")
    page.goto(address)
    page.locator(tick).first.wait_for()
    assert page.evaluate(shown) == page.evaluate("getComputedStyle(document.body).color") == "rgb(26, 29, 35)"
    page.emulate_media(color_scheme="dark")
    until(page, f"{shown} === 'rgb(232, 234, 238)'")
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
    until(page, ALL_DRAWN)
    page.wait_for_timeout(300)
    assert page.evaluate("window.shift") < 0.01
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_can_be_read_without_javascript(page: Page, address: str) -> None:
    context = page.context.browser.new_context(java_script_enabled=False)
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    plain = context.new_page()
    plain.goto(address)
    assert plain.locator(".charts").first.is_hidden()
    assert plain.locator("#text-people-confusion").is_visible()
    plain.get_by_label("Split").select_option("test")
    plain.get_by_role("button", name="Show").click()
    assert "split=test" in plain.url


# --accent of static/css/tokens.css, light and dark.
ACCENTS = ("rgb(58, 91, 208)", "rgb(143, 168, 255)")
CURVES_DRAWN = "[...document.querySelectorAll('.chart')].every(chart => chart.querySelector('.scatterlayer .js-line'))"


def test_curves_of_texts_and_of_a_run_are_drawn_without_a_complaint(
    page: Page, address: str, complaints: list[str]
) -> None:
    run = TrainingRun.objects.get()
    store_curve(run)
    for path, figures in (("labels/", 2), (f"runs/{run.pk}/", 2)):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(address + path)
        until(page, f"document.querySelectorAll('.chart').length === {figures} && {CURVES_DRAWN}")
        page.mouse.move(*middle(page, ".chart .nsewdrag"))
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
    first = page.locator("[data-figure='risk-coverage'] .js-line").first
    assert first.evaluate("line => getComputedStyle(line).stroke") in ACCENTS
    assert page.locator("[data-figure='risk-coverage'] .legendtext").first.text_content() == "against text labels"
    assert complaints == []


def test_a_doubtful_label_can_be_heard(page: Page, address: str, complaints: list[str]) -> None:
    run, segment = TrainingRun.objects.get(), Segment.objects.order_by("pk")[0]
    doubt = {"segment": segment.pk, "given": "positive", "likely": "neutral"}
    counts = {label: {"given": 20, "likely_wrong": 1, "noise": 0.1} for label in LABELS}
    run.scores = {"likely_wrong": {"total": 1, "noise": 0.1, "per_class": counts, "segments": [doubt]}}
    run.save()
    sound = io.BytesIO()
    soundfile.write(sound, 0.1 * np.sin(np.arange(16_000 * 10) / 5), 16_000, format="FLAC")
    segment.video.audio.save("a.flac", ContentFile(sound.getvalue()))
    page.goto(f"{address}runs/{run.pk}/label-noise/")
    play = page.get_by_role("link", name="Play 0:00.0 to 0:03.0")
    with page.expect_response(f"**/segments/{segment.pk}/clip") as answer:
        play.click()
    assert answer.value.status in (200, 206)
    page.locator("tr.is-playing").wait_for()
    play.click()
    assert page.locator("tr.is-playing").count() == 0
    assert complaints == []
