"""Content types and forms that are broken, sent to the real web server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from crossmodal.content_types import plain_content_type
from tests.project.door import Door, opened

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"
ONE_FIELD = b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n'
COOKIE = "Cookie: csrftoken=" + "a" * 32
# Codecs that are no text, none at all, or read otherwise than forms are.
CODECS = ["utf-16", "utf-7", "hex", "zip", "rot13", "idna", "punycode", "undefined", "none", "UTF8", '"utf-8"', ""]
PATHS = ["/accounts/login/", "/no/such/page", "/videos/upload/", "/healthz"]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder: Path = tmp_path_factory.mktemp("door")
    settings = {"DJANGO_SETTINGS_MODULE": "tests.project.server_settings", "VAR_DIR": str(folder)}
    with opened(folder, **settings) as door:
        yield door
        assert "Traceback" not in door.log
        assert "ERROR" not in door.log


def send(door: Door, path: str, content_type: str, body: bytes, method: str = "POST") -> int:
    fields = [f"Content-Type: {content_type}", f"Content-Length: {len(body)}", COOKIE, "X-CSRFToken: " + "b" * 32]
    return door.ask(path, *fields, method=method, body=body).status


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("codec", CODECS)
def test_no_codec_of_a_client_is_used(door: Door, path: str, codec: str) -> None:
    for charset in (f"charset={codec}", f"charset*={codec}''x", f"charset*=utf-8''{codec}"):
        assert send(door, path, f"{FORM}; {charset}", b"username=%ff&password=b") < 500
        assert send(door, path, f"{PARTS}; {charset}; boundary=B", ONE_FIELD) < 500
        assert send(door, f"{path}?next=%ff", f"text/plain; {charset}", b"", method="GET") < 500


BROKEN = {
    "no boundary": (PARTS, b"x"),
    "boundary of another codec": (f"{PARTS}; boundary*=utf-16''%ff%d8", b"x"),
    "boundary of no codec": (f"{PARTS}; boundary*=none''x", b"x"),
    "long boundary": (f"{PARTS}; boundary={'b' * 500}", b"x"),
    "very many parameters": (PARTS + ";a=b" * 1500, b"x"),
    "nothing": (";;;=", b"x"),
    "very many fields": (FORM, b"a&" * 5000),
    "very many parts": (f"{PARTS}; boundary=B", ONE_FIELD.removesuffix(b"--B--\r\n") * 800 + b"--B--\r\n"),
    "half a part": (f"{PARTS}; boundary=B", ONE_FIELD[:30]),
    "a part of base64 that is none": (
        f"{PARTS}; boundary=B",
        ONE_FIELD.replace(b'"a"', b'"a"; filename="a"\r\nContent-Transfer-Encoding: base64').replace(b"x", b"A"),
    ),
    "a name of no codec": (f"{PARTS}; boundary=B", ONE_FIELD.replace(b'name="a"', b"name*=hex''%ff")),
}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_form_is_no_error_of_ours(door: Door, path: str, kind: str) -> None:
    assert send(door, path, *BROKEN[kind]) in {400, 403, 404, 405}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (FORM, FORM),
        (f"{FORM};charset=UTF-8", FORM),
        ("Multipart/Form-Data; boundary=----WebKitFormBoundaryAbC1", f'{PARTS}; boundary="----WebKitFormBoundaryAbC1"'),
        (f'{PARTS}; boundary="a b; charset=hex"', f'{PARTS}; boundary="a b; charset=hex"'),
        (f"{PARTS};boundary=x;charset=hex", f'{PARTS}; boundary="x"'),
        (f"{PARTS}; boundary*=hex''x", PARTS),
        (f'{PARTS}; boundary=""', PARTS),
        ("text/plain; boundary=x", "text/plain"),
    ],
    ids=["form", "with its codec", "of a browser", "in quotes", "before a codec", "in another codec", "empty", "text"],
)
def test_of_a_type_the_boundary_alone_is_kept(written: str, read: str) -> None:
    assert plain_content_type(written) == read
