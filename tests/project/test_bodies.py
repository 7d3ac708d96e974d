"""Bodies are refused by their length before they are read: whose, where, and in which words."""

import inspect
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from crossmodal.bodies import FORM_BYTES, MAX_FILES_BYTES, allowed_bytes
from crossmodal.incoming import SMALL_BODY_BYTES
from pipeline.forms import MAX_CAPTIONS_BYTES
from pipeline.models import Video

ADDRESSES = {"upload_captions": (1,), "import_votes": (1,)}


class Unread:
    """A body nobody may read."""

    def read(self, *_: Any) -> bytes:
        pytest.fail("the body was read")

    readline = read


def post(client: Client, url: str, size: int, **more: Any) -> Any:
    unread: dict[str, Any] = {"wsgi.input": Unread(), **more}
    return client.generic(
        "POST", url, CONTENT_TYPE="multipart/form-data; boundary=x", CONTENT_LENGTH=str(size), **unread
    )


@pytest.mark.parametrize("url", ["/", "/accounts/login/", "/videos/upload/", "/no/such/page", "/admin/", "/healthz"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET", "HEAD", "OPTIONS"])
def test_strangers_send_little_to_any_address(client, db, url, method):
    response = client.generic(
        method, url, CONTENT_LENGTH=str(SMALL_BODY_BYTES + 1), **{"wsgi.input": Unread()}
    )  # fmt: skip
    assert response.status_code == 413


@pytest.mark.parametrize("name", sorted(MAX_FILES_BYTES))
def test_listeners_send_no_files(annotator_client, name):
    assert post(annotator_client, reverse(name, args=ADDRESSES.get(name)), SMALL_BODY_BYTES + 1).status_code == 413


@pytest.mark.parametrize("name", sorted(MAX_FILES_BYTES))
def test_admins_send_files_at_the_upload_addresses_up_to_their_limit(admin, name):
    request = RequestFactory().post(reverse(name, args=ADDRESSES.get(name)))
    request.user = admin
    assert allowed_bytes(request) == MAX_FILES_BYTES[name]() + FORM_BYTES
    client = Client()
    client.force_login(admin)
    assert post(client, request.path, allowed_bytes(request) + 1).status_code == 413


def test_admins_send_no_files_elsewhere(admin_client):
    limit = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert post(admin_client, reverse("submit_videos"), limit + 1).status_code == 413
    assert post(admin_client, "/no/such/page", limit + 1).status_code == 413


def test_a_list_that_an_admin_pastes_is_taken(admin_client):
    lines = "\n".join(f"https://example.org/{'x' * 300}/{n}" for n in range(400))
    assert len(lines) > SMALL_BODY_BYTES
    response = admin_client.post(reverse("submit_videos"), {"urls": lines, "split": "train", "policy": "recommended"})
    assert response.status_code == 422  # this site is not allowed; the form says so


def test_captions_larger_than_a_small_form_are_taken(admin_client, factory):
    video = factory.make_video(state=Video._meta.get_field("state").default)
    file = SimpleUploadedFile("a.srt", b"x" * (2 * SMALL_BODY_BYTES))
    response = admin_client.post(reverse("upload_captions", args=[video.pk]), {"captions": file})
    assert response.status_code in (302, 422)


def test_a_file_a_little_too_large_is_refused_by_its_form(admin_client, monkeypatch):
    file = SimpleUploadedFile("a.csv", b"x" * (5 * 1024**2 + 1))
    response = admin_client.post(reverse("import_dataset"), {"file": file, "split": "train", "policy": "recommended"})
    assert response.status_code == 422
    assert "at most 5.0" in response.content.decode()


@pytest.mark.parametrize(
    ("who", "url", "sentence"),
    [
        ("client", "/accounts/login/", "At most 64.0 KB are taken here."),
        ("client", "/videos/upload/", "you are not signed in. Sign in, then send it again."),
        ("annotator_client", "/videos/upload/", "At most 64.0 KB are taken here."),
        ("admin_client", "/videos/upload/", "At most 2.0 GB are taken here. Nothing was changed: go back"),
        ("admin_client", "/people/add/", "At most 5.0 MB are taken here."),
    ],
)  # fmt: skip
def test_the_page_says_how_much_is_taken(request, db, who, url, sentence):
    response = post(request.getfixturevalue(who), url, 3 * 1024**3)
    page = response.content.decode().replace("\xa0", " ")
    assert response.status_code == 413
    assert "<h1>That is too much at once</h1>" in page
    assert sentence in page


def test_a_script_gets_the_sentence_alone(admin_client):
    response = post(admin_client, "/videos/upload/", 3 * 1024**3, HTTP_HX_REQUEST="true")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response.content.decode().startswith("That is too much at once. At most 2.0")


@pytest.mark.parametrize(
    ("who", "url", "status"),
    [("client", "/videos/upload/", 413), ("annotator_client", "/", 413), ("admin_client", "/videos/upload/", 411)],
)
def test_nothing_is_read_of_a_body_without_a_length(request, db, who, url, status):
    client = request.getfixturevalue(who)
    response = client.generic("POST", url, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": Unread()})
    assert response.status_code == status


def test_no_more_is_read_than_the_stated_length(client, db):
    class Endless:
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert size >= 0
            self.given += size
            return b"a" * size

        readline = read

    body = Endless()
    client.generic(
        "POST", "/accounts/login/", CONTENT_TYPE="application/x-www-form-urlencoded", CONTENT_LENGTH="100",
        **{"wsgi.input": body},
    )  # fmt: skip
    assert body.given == 100


@pytest.mark.parametrize("length", ["", "-1", "3.5", "many"])
def test_a_length_that_is_none_gives_no_error(client, db, length):
    assert client.generic("GET", "/accounts/login/", CONTENT_LENGTH=length).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        ("a&" * 2000, "application/x-www-form-urlencoded"),
        ("--x\r\n" + "a: b\r\n" * 5000 + "\r\n\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        (
            '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1100 + "--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
        (
            '--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\na\r\n' * 3 + "--x--\r\n",
            "multipart/form-data; boundary=x",
        ),
    ],
    ids=["fields", "header fields of a part", "parts", "files"],
)
def test_very_many_fields_are_refused_in_words(db, data, settings):
    body, content_type = data
    response = Client(enforce_csrf_checks=True).generic("POST", "/accounts/login/", body, content_type)
    assert response.status_code in (400, 403)
    assert "<h1>" in response.content.decode()


def test_a_client_that_stops_sending_is_no_error_of_ours(admin_client, caplog):
    class Broken:
        def read(self, *_: Any) -> bytes:
            raise ConnectionResetError("gone")

        readline = read

    response = admin_client.generic(
        "POST", "/videos/upload/", CONTENT_TYPE="multipart/form-data; boundary=x", CONTENT_LENGTH="100000",
        **{"wsgi.input": Broken()},
    )  # fmt: skip
    assert response.status_code == 408
    assert "Send it again." in response.content.decode()
    assert "ERROR" not in caplog.text


def all_patterns(resolver: URLResolver) -> list[URLPattern]:
    found = []
    for entry in resolver.url_patterns:
        found += all_patterns(entry) if isinstance(entry, URLResolver) else [entry]
    return found


def test_each_view_that_takes_files_says_how_much():
    takers = set()
    for pattern in all_patterns(get_resolver()):
        view = inspect.unwrap(pattern.callback)
        ours = view.__module__.startswith(("crossmodal.", "pipeline.", "annotation.", "evaluation."))
        if ours and "request.FILES" in inspect.getsource(view):
            takers.add(pattern.name)
    assert takers == set(MAX_FILES_BYTES)
    assert MAX_FILES_BYTES["upload_captions"]() == MAX_CAPTIONS_BYTES
