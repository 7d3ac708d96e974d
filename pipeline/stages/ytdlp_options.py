"""Parameters of yt-dlp that hold for every use of it here, whether a recording is fetched or a list is read."""

import io
import logging
import subprocess
from typing import Any

from yt_dlp.globals import plugin_dirs
from yt_dlp.utils import Popen

from pipeline.stages.cookie_file import read_cookies
from pipeline.stages.download_options import DownloadOptions, environment_proxies, own_certificates
from pipeline.stages.errors import StageError
from pipeline.stages.ytdlp_programs import NO_PROGRAMS

log = logging.getLogger(__name__)

# Extractors that lie in some folder of this machine never run.
plugin_dirs.value = []

# yt-dlp waits for its JavaScript runtime without end. Solving a challenge takes 3 s on an idle core.
RUNTIME_TIMEOUT_S = 60.0


def _communicate(program: Any, input: str | None = None, timeout: float | None = None) -> Any:
    """Take the place of `Popen.communicate_or_kill` in yt-dlp: a program that hangs is killed after its time."""
    limit_s = RUNTIME_TIMEOUT_S if timeout is None else timeout
    try:
        return program.communicate(input, timeout=limit_s)
    except BaseException as error:
        program.kill(timeout=None)
        if isinstance(error, subprocess.TimeoutExpired):
            # An OSError is what yt-dlp expects of a program that cannot be used.
            raise TimeoutError(f"{program.args[0]} did not answer within {limit_s:.0f} seconds") from error
        raise


Popen.communicate_or_kill = _communicate

# Words that yt-dlp knows besides the names of clients.
CLIENT_WORDS = ("default", "all")


def ytdlp_params(options: DownloadOptions, *, socket_timeout_s: float, private: bool) -> dict[str, Any]:
    """Return what every YoutubeDL of Crossmodal is made with.

    No configuration file, cache, plugin, netrc or download of program parts; no JavaScript runtime but the given one.

    Parameters
    ----------
    options : DownloadOptions
    socket_timeout_s : float
        Seconds without an answer after which a connection is given up.
    private : bool
        Whether the page is on a private origin: no proxy and no pauses then.

    Raises
    ------
    StageError
        The cookies file or the environment's proxy cannot be used. Not permanent.
    """
    if not private and not options.proxy:
        environment_proxies()  # raises for a SOCKS proxy; yt-dlp reads the variables itself
    runtime, clients = options.js_runtime, list(options.player_clients)
    return {
        "noplaylist": True,
        "socket_timeout": socket_timeout_s,
        "sleep_interval_requests": 0 if private else options.request_pause_s,
        "retries": 2,
        "fragment_retries": 2,
        "extractor_retries": 1,
        "external_downloader": {"default": "native"},
        "hls_prefer_native": True,
        # FFmpeg would open what a playlist names without any check; a folder that is not there hides it.
        "ffmpeg_location": NO_PROGRAMS,
        "fixup": "never",
        "postprocessors": [],
        "cachedir": False,
        "usenetrc": False,
        "netrc_cmd": None,
        "cookiesfrombrowser": None,
        "exec_cmd": None,
        "writethumbnail": False,
        "allow_unplayable_formats": False,
        "allow_multiple_audio_streams": False,
        "concurrent_fragment_downloads": 1,
        "enable_file_urls": False,
        # Without an entry here yt-dlp would look for Deno in PATH.
        "js_runtimes": {runtime.name: {"path": str(runtime.path)}} if runtime.is_there else {},
        "remote_components": [],
        # A page on this machine is never fetched through a proxy. None: as the environment says.
        "proxy": "" if private else options.proxy or None,
        # yt-dlp writes its cookies back to where it read them from: to memory, never to the file.
        "cookiefile": io.StringIO(read_cookies(options.cookies).text) if options.cookies else None,
        "compat_opts": {"no-certifi"} if own_certificates() else set(),
        "extractor_args": {"youtube": {"player_client": clients}} if clients else {},
        "quiet": True,
        "no_warnings": True,
        "noprogress": True,
        "logger": QuietLog(),
        "color": "never",
    }


def check_player_clients(names: tuple[str, ...]) -> None:
    """Refuse a name that yt-dlp would skip with a warning.

    Raises
    ------
    StageError
        A name is unknown; the message lists the known ones.
    """
    known = known_player_clients()
    for name in names:
        if name not in CLIENT_WORDS and name.removeprefix("-") not in known:
            raise StageError(
                f"“{name}” is no client of YouTube's player; there are: {', '.join((*CLIENT_WORDS, *known))}.",
                permanent=False,
            )


def known_player_clients() -> tuple[str, ...]:
    """Return the names of the clients that yt-dlp can be, in its own order."""
    from yt_dlp.extractor.youtube._base import INNERTUBE_CLIENTS  # loads extractors that few commands need

    return tuple(name for name in INNERTUBE_CLIENTS if not name.startswith("_"))


class QuietLog:
    """yt-dlp's messages for whoever looks into the log; the warnings are kept, since they explain failures."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def debug(self, message: str) -> None:
        log.debug(message)

    info = debug

    def warning(self, message: str) -> None:
        self.warnings.append(str(message))
        log.info(message)

    def error(self, message: str) -> None:
        log.info(message)
