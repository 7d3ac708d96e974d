"""One video has one identity, whatever the spelling of its address."""

import pytest

from pipeline.stages.addresses import normalise, origin_of
from pipeline.stages.download import identify
from pipeline.stages.errors import StageError

ID = "i4b-_bNsajY"


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={ID}",
        f"http://youtube.com/watch?v={ID}",
        f"https://www.youtube.com/watch?v={ID}&t=56s",
        f"https://www.youtube.com/watch?app=desktop&v={ID}&list=PLabcdef&index=3",
        f"https://m.youtube.com/watch?v={ID}&feature=youtu.be",
        f"https://music.youtube.com/watch?v={ID}",
        f"https://youtu.be/{ID}?t=12",
        f"https://youtu.be/{ID}?list=PLabcdef",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://www.youtube.com/live/{ID}?si=abc",
        f"https://www.youtube.com/embed/{ID}?start=3",
        f"https://www.youtube-nocookie.com/embed/{ID}",
        f"HTTPS://WWW.YouTube.com/watch?v={ID}#t=3",
        f"  https://www.youtube.com/watch?v={ID}\n",
    ],
)
def test_all_spellings_of_a_youtube_video_are_one(url: str) -> None:
    identity = identify(url)
    assert (identity.extractor, identity.extractor_id) == ("youtube", ID)
    assert identity.url == f"https://www.youtube.com/watch?v={ID}"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=PLabcdefghijk",
        "https://www.youtube.com/@somebody",
        "https://www.youtube.com/",
        "https://www.youtube.com/watch?v=short",
        f"https://www.youtube.com/watch?v={ID}EXTRA",
        "https://vimeo.com/album/2632481",
    ],
)
def test_what_is_not_one_video_is_refused(url: str) -> None:
    with pytest.raises(StageError, match="one video|one YouTube video"):
        identify(url)


@pytest.mark.parametrize(
    "text",
    ["", "hello", "ftp://example.org/a.mp3", "file:///etc/passwd", "https://", "http://[::1", "https://exa mple.org/",
     "javascript:alert(1)", "http://example.org:notaport/", "data:text/html,hello"],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(StageError, match="web address"):
        identify(text)


def test_an_address_with_a_password_is_refused() -> None:
    with pytest.raises(StageError, match="user name"):
        identify("https://ada:secret@example.org/talk")


def test_other_sites_keep_their_own_ids() -> None:
    assert identify("https://vimeo.com/76979871?share=copy").extractor_id == "76979871"
    assert identify("https://vimeo.com/76979871").extractor == "vimeo"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTP://Example.ORG:80", "http://example.org/"),
        ("https://example.org:443/a?utm_source=x&b=1&utm_medium=y#part", "https://example.org/a?b=1"),
        ("https://example.org:8443/a?b", "https://example.org:8443/a?b"),
        ("https://example.org./Straße", "https://example.org/Stra%C3%9Fe"),
        ("https://example.org/a%20b", "https://example.org/a%20b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_a_page_has_one_spelling(url: str, expected: str) -> None:
    assert normalise(url) == expected
    assert normalise(expected) == expected
    identity = identify(url)
    assert (identity.extractor, identity.extractor_id) == ("generic", expected)


def test_origins_drop_the_usual_port_only() -> None:
    assert origin_of("http://127.0.0.1:8799/a") == "http://127.0.0.1:8799"
    assert origin_of("https://example.org:443/a") == "https://example.org"
