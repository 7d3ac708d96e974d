"""The settings of downloads, as the download stage takes them."""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from django.conf import settings

from pipeline.stages.cookie_file import read_cookies
from pipeline.stages.download import DownloadLimits
from pipeline.stages.download_options import DownloadOptions, environment_proxies, parse_js_runtime, parse_proxy
from pipeline.stages.errors import StageError


def download_options() -> DownloadOptions:
    """Return the options of every download.

    Raises
    ------
    StageError
        A setting cannot be used; `wrong_settings` tells that at the start already. Not permanent.
    """
    return _options(wrong=())


def usable_options() -> DownloadOptions:
    """Return the options with what a fresh installation has in place of settings that cannot be used."""
    return _options(wrong=[name for name, _ in wrong_settings()])


def _options(wrong: Collection[str]) -> DownloadOptions:
    runtime, proxy = (
        "" if name in wrong else getattr(settings, name) for name in ("DOWNLOAD_JS_RUNTIME", "DOWNLOAD_PROXY")
    )
    return DownloadOptions(
        js_runtime=parse_js_runtime(runtime),
        cookies=cookies_path(),
        proxy=parse_proxy(proxy),
        player_clients=() if "DOWNLOAD_PLAYER_CLIENTS" in wrong else player_clients(),
        request_pause_s=settings.DOWNLOAD_REQUEST_PAUSE_S,
    )


def download_limits() -> DownloadLimits:
    """Return what a download may cost."""
    return DownloadLimits(max_duration_s=settings.MAX_VIDEO_DURATION_S, max_bytes=settings.MAX_VIDEO_BYTES)


def cookies_path() -> Path | None:
    return Path(settings.DOWNLOAD_COOKIES).expanduser() if settings.DOWNLOAD_COOKIES else None


def player_clients() -> tuple[str, ...]:
    return tuple(name.lower() for name in settings.DOWNLOAD_PLAYER_CLIENTS)


def wrong_settings() -> Iterator[tuple[str, str]]:
    """Yield the name of each setting that no machine can use, and a sentence that says why."""
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("DOWNLOAD_PROXY", lambda: parse_proxy(settings.DOWNLOAD_PROXY)),
        ("DOWNLOAD_JS_RUNTIME", lambda: parse_js_runtime(settings.DOWNLOAD_JS_RUNTIME)),
        ("DOWNLOAD_PLAYER_CLIENTS", _check_player_clients),
    )
    yield from _failures(checks)


def unusable_here() -> Iterator[tuple[str, str]]:
    """Yield the name of each setting that this machine cannot use, though another one may, and why."""
    checks: list[tuple[str, Callable[[], object]]] = []
    if path := cookies_path():
        checks.append(("DOWNLOAD_COOKIES", lambda: read_cookies(path)))
    if settings.DOWNLOAD_JS_RUNTIME:
        checks.append(("DOWNLOAD_JS_RUNTIME", _check_runtime_file))
    if not settings.DOWNLOAD_PROXY:
        checks.append(("HTTPS_PROXY", environment_proxies))
    yield from _failures(tuple(checks))


def _check_player_clients() -> None:
    if names := player_clients():
        from pipeline.stages.ytdlp_options import check_player_clients  # loads yt-dlp

        check_player_clients(names)


def _check_runtime_file() -> None:
    try:
        runtime = parse_js_runtime(settings.DOWNLOAD_JS_RUNTIME)
    except StageError:
        return  # told by `wrong_settings`
    if not runtime.is_there:
        raise StageError(f"There is no program {runtime.path} that can be run.", permanent=False)


def _failures(checks: tuple[tuple[str, Callable[[], object]], ...]) -> Iterator[tuple[str, str]]:
    for name, check in checks:
        try:
            check()
        except StageError as error:
            yield name, error.message
