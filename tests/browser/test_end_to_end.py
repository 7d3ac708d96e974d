"""From an address to a confusion matrix, as a user goes the way: a browser, real yt-dlp, real workers, real speech."""

import json
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import until
from tests.browser.product import Product, running_product
from tests.conftest import SHARED_DATA
from tests.loopback import Site, serving

pytestmark = [pytest.mark.browser, pytest.mark.shared_data, pytest.mark.timeout(900)]

# Far above what it takes (about a minute on two free cores): other tests run beside this one.
DEMONSTRATION_TIMEOUT_S = 480
INTERVIEW_TIMEOUT_S = 180
LISTENERS = ("lena", "marc", "nora")


@pytest.fixture(scope="module")
def media_site() -> Iterator[Site]:
    if not SHARED_DATA.is_dir():
        pytest.skip(f"the shared test data is not there ({SHARED_DATA})")
    with serving(SHARED_DATA / "interview") as site:
        yield site


@pytest.fixture(scope="module")
def product(media_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("product") / "var"
    folder.mkdir()
    with running_product(folder, DOWNLOAD_PRIVATE_ORIGINS=media_site.origin) as started:
        yield started


@pytest.fixture(scope="module")
def admin_page(browser: Browser, product: Product) -> Iterator[Page]:
    yield from signed_in(browser, product, "admin", product.password)


def signed_in(browser: Browser, product: Product, name: str, password: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.set_default_timeout(30_000)
    page.goto(f"{product.url}/accounts/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    expect(page.locator(".user-menu summary")).to_have_text(name)
    yield page
    context.close()
    assert not problems, problems


def test_one_click_fills_an_empty_installation_up_to_its_matrices(admin_page: Page, product: Product) -> None:
    began = time.monotonic()
    admin_page.goto(product.url)
    admin_page.get_by_role("button", name="Start the demonstration").click()
    link = admin_page.get_by_role("link", name="See the evaluation")
    expect(link).to_be_visible(timeout=DEMONSTRATION_TIMEOUT_S * 1000)
    took_s = time.monotonic() - began
    link.click()
    until(admin_page, "document.querySelectorAll('.js-plotly-plot svg.main-svg').length >= 6")
    expect(admin_page.locator(".badge--simulated").first).to_be_visible()
    print(f"The demonstration took {took_s:.0f} s.")  # noqa: T201 - read with pytest -s
    assert product.query("SELECT count(*) FROM pipeline_video WHERE state = 'ready'")[0][0] >= 12
    origins = product.query("SELECT DISTINCT origin FROM annotation_vote")
    assert origins == [("simulated",)]


def test_a_real_interview_is_fetched_segmented_labelled_and_predicted(
    admin_page: Page, product: Product, media_site: Site
) -> None:
    address = media_site.add_page(
        "/interview.html",
        "interview.mp3",
        ("en", "interview.en.vtt"),
        ("en", "interview.en.json3"),
        title="Recode Media, an interview",
    )
    admin_page.goto(product.url)
    admin_page.get_by_role("link", name="Add videos").click()
    admin_page.fill("textarea[name=urls]", address)
    admin_page.locator("form[action='/videos/add/'] select[name=split]").select_option("test")
    admin_page.get_by_role("button", name="Add and fetch").click()
    product.wait_for(
        "SELECT state FROM pipeline_video WHERE url = ?", address, expected="ready", timeout_s=INTERVIEW_TIMEOUT_S
    )

    [(video, kind, title)] = product.query("SELECT id, captions_kind, title FROM pipeline_video WHERE url = ?", address)
    assert (kind, title) == ("automatic", "Recode Media, an interview")
    assert "GET /interview.en.json3" in media_site.requests
    assert "GET /interview.en.vtt" not in media_site.requests  # one file of captions is enough, and json3 is the better
    kept, words = product.query(
        "SELECT count(*), sum(length(text) - length(replace(text, ' ', '')) + 1) FROM pipeline_segment "
        "WHERE video_id = ? AND exclusion = ''",
        video,
    )[0]
    assert kept >= 8
    assert 140 <= words <= 168
    scored = product.query(
        "SELECT pipeline_textlabel.policy, count(*) FROM pipeline_textlabel JOIN pipeline_segment "
        "ON pipeline_segment.id = segment_id WHERE video_id = ? GROUP BY 1 ORDER BY 1",
        video,
    )
    assert scored == [("recommended", kept), ("seed-2019", kept)]

    [(run,)] = product.query("SELECT id FROM pipeline_trainingrun WHERE state = 'done'")
    product.manage("predict", str(run), "--split", "test", "--wait")
    predictions = product.query(
        "SELECT p_positive + p_neutral + p_negative FROM pipeline_prediction "
        "JOIN pipeline_segment ON pipeline_segment.id = segment_id WHERE video_id = ?",
        video,
    )
    assert len(predictions) == kept
    assert all(total == pytest.approx(1) for (total,) in predictions)
    admin_page.goto(f"{product.url}/videos/{video}/")
    expect(admin_page.locator(".segment__prediction .label")).to_have_count(kept)


def test_a_segment_is_heard_and_three_people_vote_it_to_ground_truth(
    browser: Browser, admin_page: Page, product: Product, media_site: Site
) -> None:
    [(video,)] = product.query("SELECT id FROM pipeline_video WHERE url LIKE ?", f"{media_site.origin}%")
    drawn = json.loads(
        product.manage(
            "sample_campaign",
            "--name",
            "The interview",
            "--split",
            "test",
            "--video",
            str(video),
            "--total",
            "1",
            "--format",
            "json",
        )
    )
    assert drawn["segments"] == 1
    admin_page.goto(f"{product.url}/people/")
    admin_page.get_by_role("link", name="Add people").click()
    admin_page.fill("textarea[name=names]", "\n".join(LISTENERS))
    admin_page.get_by_role("button", name="Add", exact=True).click()
    rows = admin_page.locator(".passwords tbody tr")
    expect(rows).to_have_count(len(LISTENERS))
    passwords = dict(row.locator("td").all_inner_texts()[:2] for row in rows.all())

    [(segment, start_ms, end_ms)] = product.query(
        "SELECT pipeline_segment.id, start_ms, end_ms FROM annotation_task JOIN pipeline_segment "
        "ON pipeline_segment.id = segment_id WHERE video_id = ?",
        video,
    )
    for name in LISTENERS:
        for page in signed_in(browser, product, name, passwords[name]):
            page.goto(f"{product.url}/annotate/")
            page.locator(".clip__play").click()
            until(page, "document.querySelector('.clip__audio').duration > 0")
            duration_s = page.evaluate("document.querySelector('.clip__audio').duration")
            assert abs(duration_s - (end_ms - start_ms) / 1000) <= 0.05
            until(page, "document.querySelector('.clip__audio').currentTime > 0.2")
            page.keyboard.press("2" if name == "nora" else "1")
            expect(page.get_by_text("Thank you, that was all")).to_be_visible()
    assert product.query("SELECT state, truth FROM annotation_task WHERE segment_id = ?", segment) == [
        ("majority", "positive")
    ]
    assert product.query(
        "SELECT count(DISTINCT annotator_id), min(heard_share) > 0 FROM annotation_vote WHERE origin = 'listened'"
    ) == [(3, 1)]
    report = json.loads(
        product.manage(
            "evaluate",
            "--predictions",
            "text",
            "--against",
            "people",
            "--split",
            "test",
            "--campaign",
            "The interview",
            "--format",
            "json",
        )
    )
    assert report["n"] == 1
    assert report["support"] == [1, 0, 0]
