"""Whether yt-dlp can solve YouTube's challenges here: a small one of our own is solved for real."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from yt_dlp import YoutubeDL
from yt_dlp.globals import supported_js_runtimes
from yt_dlp.utils import YoutubeDLError

from pipeline.stages.download_options import DownloadOptions
from pipeline.stages.ytdlp_options import ytdlp_params
from pipeline.stages.ytdlp_programs import confined

PLAYER: Final = Path(__file__).with_name("self_test_player.js")
# Never asked for: yt-dlp finds the script of this address in its memory.
PLAYER_URL: Final = "https://www.youtube.com/s/player/00000000/player_ias.vflset/en_US/base.js"
# Challenge and answer, worked out by hand from what the script's comments say.
N_CHALLENGE: Final = ("abcdefgh", "bahgfedc")
SIGNATURE_CHALLENGE: Final = ("0123456789", "46573210")
MAX_SAID_LENGTH: Final = 200


@dataclass(frozen=True)
class RuntimeState:
    """The JavaScript runtime as it answers: its version, and whether yt-dlp can use that one."""

    version: str
    supported: bool


@dataclass(frozen=True)
class SelfTest:
    """Whether both challenges were solved, and if not, what yt-dlp says."""

    solved: bool
    said: str


def runtime_state(options: DownloadOptions) -> RuntimeState | None:
    """Return what the runtime says of itself; None where it is missing or cannot be run."""
    runtime = options.js_runtime
    if not runtime.is_there:
        return None
    with confined(runtime):
        info = supported_js_runtimes.value[runtime.name](path=str(runtime.path)).info
    return RuntimeState(info.version, info.supported) if info else None


def run_self_test(options: DownloadOptions) -> SelfTest:
    """Let yt-dlp solve the challenges of our own player script, with the solver and runtime of all downloads."""
    listener = _Listener()
    parameters = ytdlp_params(DownloadOptions(js_runtime=options.js_runtime), socket_timeout_s=1, private=True)
    try:
        with confined(options.js_runtime), YoutubeDL({**parameters, "logger": listener}) as ydl:
            answers = _solve(ydl.get_info_extractor("Youtube"))
    except (YoutubeDLError, AttributeError, ImportError, LookupError, OSError, TypeError, ValueError) as error:
        return SelfTest(False, f"yt-dlp could not be asked ({error})")  # a release with another inside
    # The first warning tells the cause; later ones advise options that are not used here.
    said = re.sub(r"^(ERROR: |\[[^\]]*\] *)+", "", next(iter(listener.heard), ""))
    return SelfTest(answers == [N_CHALLENGE[1], SIGNATURE_CHALLENGE[1]], said[:MAX_SAID_LENGTH])


def _solve(extractor: Any) -> list[str]:
    from yt_dlp.extractor.youtube.jsc.provider import (
        JsChallengeRequest,
        JsChallengeType,
        NChallengeInput,
        SigChallengeInput,
    )

    extractor.initialize()
    extractor._code_cache[extractor._player_js_cache_key(PLAYER_URL)] = PLAYER.read_text(encoding="utf-8")
    wanted = (
        (JsChallengeType.N, NChallengeInput(PLAYER_URL, [N_CHALLENGE[0]])),
        (JsChallengeType.SIG, SigChallengeInput(PLAYER_URL, [SIGNATURE_CHALLENGE[0]])),
    )
    solved = {
        request.type: next(iter(response.output.results.values()), "")
        for request, response in extractor._jsc_director.bulk_solve([JsChallengeRequest(*one) for one in wanted])
    }
    return [str(solved.get(kind, "")) for kind, _ in wanted]


class _Listener:
    """Keeps what yt-dlp warns of."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def debug(self, message: str) -> None:
        """Steps of the way are of no interest."""

    info = debug

    def warning(self, message: str) -> None:
        self.heard.append(" ".join(message.split()))

    error = warning
