"""What a site says becomes a sentence."""

import pytest

from pipeline.stages.download_errors import explain

ID = "i4b-_bNsajY"


@pytest.mark.parametrize(
    ("text", "permanent", "sentence"),
    [
        ("Private video. Sign in if you've been granted access", True, "private"),
        ("This video has been removed by the uploader", True, "removed"),
        ("The uploader has not made this video available in your country", True, "country"),
        ("Sign in to confirm your age", True, "adults"),
        ("Join this channel to get access to members-only content", True, "paying"),
        ("Sign in to confirm you’re not a bot", False, "pause"),
        ("Video unavailable", True, "no such video"),
        ("Requested format is not available", True, "no recording with sound"),
        ("Unsupported URL: https://example.org/", True, "no recording"),
        ("Unable to extract player version; please report this issue on ...", False, "could not be read"),
    ],
)
def test_what_a_site_says_becomes_a_sentence(text: str, permanent: bool, sentence: str) -> None:
    from yt_dlp.utils import DownloadError, ExtractorError

    cause = ExtractorError(text, expected=True)
    error = explain(DownloadError(f"ERROR: [youtube] {ID}: {text}", (ExtractorError, cause, None)))
    assert sentence in error.message
    assert error.permanent is permanent


def test_an_error_of_this_program_is_not_explained_away() -> None:
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
