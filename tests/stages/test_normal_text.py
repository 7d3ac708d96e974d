"""Text in one way of writing, for captions, labels and reports; and files of text in every encoding."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.errors import StageError
from pipeline.stages.normal_text import for_scoring, lines_of, readable
from pipeline.stages.sentiment import LABEL_POLICIES, score_texts
from pipeline.stages.text_files import decode, read_text

SEED, RECOMMENDED = LABEL_POLICIES["seed-2019"], LABEL_POLICIES["recommended"]


@pytest.mark.parametrize(
    "apostrophe",
    [
        *"'’‘‛`´′‵ʼʻʽˈʹˊˋ＇΄՚ꞌ❛❜‚",
        "\x92",
        "&#39;",
        "&#x27;",
        "&apos;",
        "&rsquo;",
        "&amp;#39;",
        "&amp;amp;#39;",
        "&#146;",
    ],
)
@pytest.mark.parametrize("text", ["I don{}t love this", "It isn{}t good", "I wouldn{}t be HAPPY"])
def test_every_apostrophe_holds_the_negation(apostrophe, text):
    scores = score_texts([text.format("'"), text.format(apostrophe)], RECOMMENDED)
    assert scores[1].label == scores[0].label == "negative"
    assert scores[1].mean == scores[0].mean


@pytest.mark.parametrize(
    "text",
    [
        "I dont love this",
        "I do n't love this",
        "I don 't love this",
        "I don' t love this",
        "I don ’ t love this",
        "I don t love this",
        "I don;t love this",
        "I don?t love this",
        "I don\ufffdt love this",
        "I don\u200b’t love this",
        "I do\u00adn’t love\u200b this",
        "I don't\u00a0love\u3000this",
        "I don’t lo\u200dve this",
        "Ｉ ｄｏｎ＇ｔ ｌｏｖｅ ｔｈｉｓ",
    ],
)
def test_a_negation_holds_however_it_is_written(text):
    (expected,) = score_texts(["I don't love this"], RECOMMENDED)
    (score,) = score_texts([text], RECOMMENDED)
    assert (score.text, score.label, score.mean) == (text, "negative", expected.mean)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("This is wonder\u200bful", "positive"),
        ("This is ter\u00adrible", "negative"),
        ("This is 𝔀𝓸𝓷𝓭𝓮𝓻𝓯𝓾𝓵", "positive"),
        ("It feels ﬁne and wonderful…", "positive"),
        ("a wonderful…day", "positive"),
        ("\ufeffWonderful\u2028", "positive"),
    ],
)
def test_what_nobody_sees_changes_no_label(text, label):
    assert score_texts([text], RECOMMENDED)[0].label == label


@pytest.mark.parametrize(
    ("text", "label"), [("This is wonder\u200bful", "positive"), ("so ter\u00adrible and&nbsp;bad", "negative")]
)
def test_the_policy_of_2019_sees_what_a_reader_sees_but_hears_apostrophes_as_then(text, label):
    assert score_texts([text], SEED)[0].label == label
    assert score_texts(["I don’t love this"], SEED)[0].mean == score_texts(["I love this"], SEED)[0].mean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("AT&amp;T &lt;3 &notice &copy", "AT&T <3 &notice &copy"),
        ("a&nbsp;b&nbsp", "a b "),
        ("½ ™ … “so” don’t naïve ❤️", "½ ™ … “so” don’t naïve ❤️"),
        ("cafe\u0301", "café"),
        ("ﬂy ＯＫ！", "fly OK!"),
        ("\x93so\x94 \x85", "“so” …"),
        ("a\x00b\ud800", "a\ufffdb\ufffd"),
        ("I donâ€™t â€œlikeâ€\x9d itâ€¦ cafÃ© â€“Â\xa0no", "I don’t “like” it… café – no"),
        ("donÃ¢â‚¬â„¢t", "don’t"),
        ("Ça va à Â« Âge »", "Ça va à « Âge »"),
        ("one\ntwo", "one\ntwo"),
    ],
)
def test_readable_text_is_what_a_reader_sees(text, shown):
    assert readable(text) == shown


def test_text_for_the_lexicons_is_typed():
    assert for_scoring("“I don’t…” «no» 5′ co\u2011op") == '"I don\'t..." "no" 5\' co-op'


@given(st.text(alphabet="abn't’`´;&#39amp \u200b\u00ad\u00a0ﬁＡe\u0301…“”\x85\x92", max_size=40))
def test_both_forms_are_stable(text):
    once = readable(text)
    if "&" not in once:
        assert readable(once) == once
    scored = for_scoring(text)
    if "&" not in scored:
        assert for_scoring(scored).split() == for_scoring(for_scoring(scored)).split()


@pytest.mark.parametrize(
    "end", ["\n", "\r\n", "\r\r\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
def test_every_line_end_ends_a_line(end):
    assert lines_of(f"one{end}two{end}{end}three") == ["one", "two", "", "three"]
    assert lines_of(f"one{end}two{end}") == ["one", "two"]


def test_an_ellipsis_of_windows_ends_no_line():
    assert lines_of("I don\x92t know\x85 really") == ["I don’t know… really"]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_a_file_in_any_encoding_is_read(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("It’s a naïve but very long line about a café\nand one more of them".encode(encoding))
    found = read_text(path, max_bytes=1000, what="texts")
    assert found.text == "It’s a naïve but very long line about a café\nand one more of them"
    assert found.guessed == (encoding == "cp1252")


def test_the_end_of_a_dos_file_and_nul_are_no_text():
    assert decode(b"so\x00it\x1a").text == "so\ufffdit"
    assert decode(b"so it\x00\x00 is.\x00\n\x00\nyes").text == "so it is.\n\nyes"


@pytest.mark.parametrize(("size", "limit"), [(11, 10)])
def test_a_file_too_large_is_refused(tmp_path, size, limit):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * size)
    with pytest.raises(StageError, match=r"a\.txt is larger than 0 MB, too large for texts"):
        read_text(path, max_bytes=limit, what="texts")


def test_a_device_without_end_is_read_up_to_the_limit():
    assert len(read_text(Path("/dev/zero"), max_bytes=1000, what="texts").text) == 1000
