"""Answers that no view makes: errors and files have the same headers as pages."""

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(admin: Any) -> Client:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(admin)
    return client


def is_guarded(response: Any) -> bool:
    return (
        response.get("X-Content-Type-Options") == "nosniff"
        and response.get("X-Frame-Options") == "DENY"
        and response.get("Referrer-Policy") == "same-origin"
        and response.get("Cross-Origin-Opener-Policy") == "same-origin"
        and "default-src 'self'" in response.get("Content-Security-Policy", "")
        and "no-store" in response.get("Cache-Control", "")
    )


@pytest.mark.parametrize(
    ("status", "method", "address", "headers"),
    [
        (400, "GET", "/", {"Host": "evil.example"}),
        (400, "GET", "/", {"Host": "evil.example/"}),
        (403, "POST", "/people/add/", {}),
        (403, "GET", "/annotate/", {}),
        (404, "GET", "/nothing/", {}),
        (404, "GET", "/videos/987654/", {}),
        (404, "GET", "/%00", {}),
        (404, "GET", "/admin/queues/stats.json/%C3%A9/", {}),
        (405, "TRACE", "/healthz", {}),
        (405, "PUT", "/admin/", {}),
    ],
)
def test_errors_have_the_headers_of_pages(
    status: int, method: str, address: str, headers: dict[str, str], browser: Client
) -> None:
    response = browser.generic(method, address, headers=headers)
    assert response.status_code == status
    assert is_guarded(response), dict(response.headers)


def test_a_mistake_of_ours_has_them_too_and_tells_nothing(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("the cause")

    monkeypatch.setattr("crossmodal.overview.overview", fail)
    response = browser.get("/")
    assert response.status_code == 500
    assert is_guarded(response), dict(response.headers)
    assert b"the cause" not in response.content
    assert b"Traceback" not in response.content


@pytest.mark.parametrize("token", ["é", "x", "٣", "%00"])
def test_a_token_in_the_address_opens_nothing_and_breaks_nothing(token: str) -> None:
    response = Client(raise_request_exception=False).get(f"/admin/queues/stats.json/{token}/")
    assert response.status_code in (302, 404)


@pytest.fixture
def files(settings: Any) -> Client:
    """With static files served from where they are, as after `collectstatic`."""
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True
    return Client(raise_request_exception=False)


def test_static_files_are_read_and_nothing_else(files: Client) -> None:
    response = files.get("/static/icon.svg")
    assert response.status_code == 200
    assert response["Content-Type"] == "image/svg+xml"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert not response.cookies
    for method in ("POST", "PUT", "DELETE", "TRACE"):
        assert files.generic(method, "/static/icon.svg").status_code == 405


@pytest.mark.parametrize(
    "address",
    [
        "/static/../crossmodal/settings.py",
        "/static/%2e%2e/crossmodal/settings.py",
        "/static/..%2fcrossmodal/settings.py",
        "/static//etc/passwd",
        "/static/%00icon.svg",
        "/static/",
        "/media/sound.flac",
        "/files/sound.flac",
        "/.env",
        "/var/crossmodal.sqlite3",
        "/.git/config",
    ],
)
def test_no_other_file_is_served(address: str, files: Client) -> None:
    response = files.get(address)
    assert response.status_code in (302, 404)
    assert is_guarded(response), dict(response.headers)
