"""Which addresses this server opens for a user."""

from urllib.parse import urlsplit

from django.conf import settings

from pipeline.stages.addresses import DEFAULT_PORTS, host_of, origin_of, split_url
from pipeline.stages.download import GENERIC, VideoIdentity, identify
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import ListAddressError, find_list


def private_origins() -> tuple[str, ...]:
    """Exact origins on this machine or the local network that may be opened; none but these."""
    return (settings.DEMO_SITE_ORIGIN, *settings.DOWNLOAD_PRIVATE_ORIGINS)


def check_host(url: str) -> None:
    """Refuse an address that is neither on an allowed host (or a subdomain) nor on a private origin named exactly."""
    parts = split_url(url)
    host = host_of(parts)
    allowed = settings.DOWNLOAD_ALLOWED_HOSTS
    usual_port = parts.port in (None, *DEFAULT_PORTS.values())
    on_allowed_host = usual_port and any(host == one or host.endswith(f".{one}") for one in allowed)
    if on_allowed_host or origin_of(url) in private_origins():
        return
    raise StageError(
        f"{urlsplit(url).netloc} is not among the sites that may be fetched ({', '.join(allowed)}); "
        "an administrator can add it to DOWNLOAD_ALLOWED_HOSTS."
    )


def check_url(url: str) -> VideoIdentity:
    """The video that an address means; StageError where it means none, names a list, or may not be opened."""
    check_host(url)
    identity = identify(url)
    if identity.extractor == GENERIC and (feed := find_list(url)):
        raise ListAddressError(url.strip(), feed)
    return identity
