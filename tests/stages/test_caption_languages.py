"""Files that hold several languages: the English one is read."""

import pytest

from pipeline.stages.captions import read_captions

FIRST, SECOND = "I have never been here before.", "Then you have been lucky, my friend."
STYLE = "<STYLE><!-- .KRCC {Name: Korean; lang: ko-KR;} .SUBTTL {Name: 'English'; lang: en-US;} --></STYLE>"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        (
            "a.ttml",
            f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div xml:lang="fr"><p begin="0s" end="3s">Jamais.</p></div>'
            f'<div xml:lang="en-GB"><p begin="0s" end="3s">{FIRST}</p><p begin="3s" end="6s">{SECOND}</p></div>'
            "</body></tt>",
        ),
        (
            "a.smi",
            f"<SAMI><HEAD>{STYLE}</HEAD><BODY><SYNC Start=0><P Class=KRCC>안녕<P Class=SUBTTL>{FIRST}"
            f"<SYNC Start=1500><P Class=KRCC>하세요<SYNC Start=3000><P Class=SUBTTL>{SECOND}"
            "<SYNC Start=6000><P Class=SUBTTL>&nbsp;</BODY></SAMI>",
        ),
        (
            "b.smi",
            f"<SAMI><BODY><SYNC Start=0><P Class=ENCC>{FIRST}<SYNC Start=0><P Class=FRCC>Jamais.<SYNC Start=3000>"
            f'<P Class="ENCC">{SECOND}<SYNC Start=6000><P Class=ENCC>&nbsp;</BODY></SAMI>',
        ),
    ],
)
def test_of_several_languages_the_english_one_is_read(tmp_path, name, content):
    path = tmp_path / name
    path.write_text(content)
    track = read_captions(path)
    assert [(c.start_ms, c.end_ms, c.text) for c in track.cues if c.text] == [(0, 3000, FIRST), (3000, 6000, SECOND)]
    assert track.problems == ("the file holds several languages; the English one is read.",)


def test_a_file_in_one_language_is_read_whole(tmp_path):
    path = tmp_path / "a.ttml"
    path.write_text(
        '<tt xmlns="http://www.w3.org/ns/ttml" xml:lang="und"><body><div xml:lang="fr"><p begin="0s" end="3s">Jamais'
        ' de la vie.</p></div><div xml:lang="fr"><p begin="3s" end="6s">Si.</p></div></body></tt>'
    )
    track = read_captions(path)
    assert (len(track.cues), track.problems) == (2, ())
