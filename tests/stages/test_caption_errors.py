"""Captions that a site has and keeps back are told from captions that it does not have."""

import pytest

from pipeline.stages.caption_errors import missing_token
from pipeline.stages.errors import CaptionsTokenError

START = "[youtube] i4b-_bNsajY: There are missing subtitles languages because a PO token was not provided."


@pytest.mark.parametrize(
    ("warning", "expected"),
    [
        (f"{START} Subtitles for these languages are missing: de, en.", True),
        (f"{START} Subtitles for these languages are missing: en-GB.", True),
        (f"{START} Automatic captions for 1 languages are missing.", True),
        (
            f"{START} Subtitles for these languages are missing: fr. Automatic captions for 2 languages are missing.",
            True,
        ),
        (f"{START} Subtitles for these languages are missing: de, fr.", False),
        ("[youtube] i4b-_bNsajY: Some mweb client subtitles require a PO Token which was not provided.", False),
        ("[youtube] i4b-_bNsajY: mweb client https formats require a GVS PO Token which was not provided.", False),
    ],
)
def test_captions_kept_back_for_want_of_a_token_are_told(warning: str, expected: bool) -> None:
    error = missing_token(["Something else.", warning])
    assert (error is not None) is expected
    if error:
        assert isinstance(error, CaptionsTokenError)
        assert "token" in error.message
        assert not error.permanent
