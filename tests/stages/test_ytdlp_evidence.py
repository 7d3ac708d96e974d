"""What yt-dlp says on the way to a failure is kept as evidence."""

from pathlib import Path
from typing import Any

import pytest
from yt_dlp.extractor.youtube import YoutubeIE

from pipeline.stages.download import DownloadLimits, download
from pipeline.stages.errors import LockedRecordingError, StageError

URL = "https://www.youtube.com/watch?v=i4b-_bNsajY"
LIMITS = DownloadLimits(max_duration_s=3600, max_bytes=10_000_000, socket_timeout_s=3)
NO_RUNTIME = "No supported JavaScript runtime could be found. Only deno is enabled by default"
SABR = "i4b-_bNsajY: Some web client https formats have been skipped as they are missing a URL. YouTube is forcing SABR"
GVS = "i4b-_bNsajY: web client https formats require a GVS PO Token which was not provided."


@pytest.fixture
def video(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets what YouTube's extractor says and which formats it finds; nothing is contacted."""

    def answers(*, warn: str = "", debug: str = "", formats: tuple[dict[str, Any], ...] = ()) -> None:
        def extract(self: Any, url: str) -> dict[str, Any]:
            if warn:
                self.report_warning(warn)
            if debug:
                self.write_debug(debug)
            return {"id": "i4b-_bNsajY", "title": "A talk", "formats": list(formats)}

        monkeypatch.setattr(YoutubeIE, "_real_extract", extract)
        monkeypatch.setattr(YoutubeIE, "_real_initialize", lambda self: None)

    return answers


@pytest.mark.parametrize(
    ("said", "sentence", "locked"),
    [
        ({"warn": NO_RUNTIME}, "no JavaScript runtime", True),
        ({"warn": "n challenge solving failed: Some formats may be missing."}, "challenge was not solved", True),
        ({"debug": SABR}, "SABR", False),
        ({"debug": GVS}, "token", False),
        ({}, "named no recording", False),
    ],
)
def test_the_cause_is_named(said: dict[str, str], sentence: str, locked: bool, video: Any, tmp_path: Path) -> None:
    video(**said)
    with pytest.raises(StageError, match=sentence) as caught:
        download(URL, folder=tmp_path, limits=LIMITS)
    assert not caught.value.permanent
    assert isinstance(caught.value, LockedRecordingError) is locked


def test_pictures_alone_are_not_final_on_youtube(video: Any, tmp_path: Path) -> None:
    picture = {"format_id": "sb0", "url": "https://i.ytimg.com/a", "acodec": "none", "vcodec": "none", "ext": "mhtml"}
    video(formats=(picture,))
    with pytest.raises(StageError, match="named no recording") as caught:
        download(URL, folder=tmp_path, limits=LIMITS)
    assert not caught.value.permanent
