"""Cookies files in Netscape's format, as browsers' export tools and curl write them.

References
----------
The format: https://curl.se/docs/http-cookies.html, seven fields separated by tabs.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pipeline.stages.errors import StageError

HEADER: Final = "# Netscape HTTP Cookie File\n"
HTTP_ONLY: Final = "#HttpOnly_"
FIELDS: Final = 7
# Browsers keep some thousand cookies in all; more than this is another kind of file.
MAX_BYTES: Final = 10 * 1024**2
EXPORT_AGAIN: Final = "export the cookies in Netscape's format (often called cookies.txt)"


@dataclass(frozen=True)
class Cookie:
    """One line of the file: for which site, and when it expires (seconds since 1970; None: with the session)."""

    domain: str
    name: str
    expires_s: float | None
    line: str

    def is_expired(self, now_s: float) -> bool:
        return self.expires_s is not None and self.expires_s <= now_s


@dataclass(frozen=True)
class CookieFile:
    """What a cookies file holds, and how many of its lines could not be read."""

    cookies: tuple[Cookie, ...]
    unreadable_lines: int

    @property
    def text(self) -> str:
        """The readable cookies in the strict form that yt-dlp's reader wants."""
        return HEADER + "".join(f"{cookie.line}\n" for cookie in self.cookies)


def read_cookies(path: Path) -> CookieFile:
    """Read a cookies file; the file itself is left as it is.

    Raises
    ------
    StageError
        It cannot be read, is of another format, or holds no cookie. Never permanent: no video is at fault.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StageError(f"The cookies file {path} is too large for one; {EXPORT_AGAIN}.", permanent=False)
        content = path.read_bytes()
    except OSError as error:
        raise StageError(
            f"The cookies file {path} cannot be read ({error.strerror}): "
            "correct DOWNLOAD_COOKIES or the file's permissions.",
            permanent=False,
        ) from error
    lines = _decode(content, path).splitlines()
    read = [(line, _parse(line)) for line in lines if _is_entry(line)]
    cookies = tuple(cookie for _, cookie in read if cookie is not None)
    if not cookies:
        raise StageError(f"The cookies file {path} {_what_is_wrong(lines)}; {EXPORT_AGAIN}.", permanent=False)
    return CookieFile(cookies, len(read) - len(cookies))


def _decode(content: bytes, path: Path) -> str:
    """Text editors and shells on Windows write a byte-order mark or UTF-16."""
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise StageError(f"The cookies file {path} is no text in UTF-8; {EXPORT_AGAIN}.", permanent=False) from error


def _is_entry(line: str) -> bool:
    return bool(line.strip()) and (line.startswith(HTTP_ONLY) or not line.startswith("#"))


def _parse(line: str) -> Cookie | None:
    fields = line.split("\t")
    if len(fields) == FIELDS - 1:
        fields.append("")  # the tab before an empty value is lost in some editors
    if len(fields) != FIELDS:
        return None
    domain, subdomains, path, secure, expires, name = (field.strip() for field in fields[:-1])
    domain = domain.removeprefix(HTTP_ONLY).lower()
    if not domain.strip(".") or not path.startswith("/") or not re.fullmatch(r"(-?\d+(\.\d+)?)?", expires):
        return None
    # Python's reader gives up on a file where this flag and the dot before the domain do not say the same.
    everywhere = domain.startswith(".") or subdomains.upper() == "TRUE"
    domain = domain.lstrip(".")
    # 0, nothing and -1 all mean "until the browser is closed"; yt-dlp reads the first two.
    seconds = float(expires or 0)
    clean = (
        f".{domain}" if everywhere and not _is_address(domain) else domain,
        "TRUE" if everywhere and not _is_address(domain) else "FALSE",
        path,
        "TRUE" if secure.upper() == "TRUE" else "FALSE",
        expires if seconds > 0 else "0",
        name,
        fields[-1].strip(),
    )
    return Cookie(domain, name, seconds if seconds > 0 else None, "\t".join(clean))


def _is_address(domain: str) -> bool:
    """Return whether a domain is an IPv4 address, which has no subdomains."""
    return re.fullmatch(r"[\d.]+", domain) is not None


def _what_is_wrong(lines: list[str]) -> str:
    first = next((line.strip() for line in lines if _is_entry(line)), "")
    if not first:
        return "holds no cookie"
    if first[0] in "[{":
        return "is JSON, not Netscape's format"
    if re.match(r"(set-)?cookie:|[\w.-]+=[^\t]*(;|$)", first, re.IGNORECASE):
        return "is the text of a Cookie header, not Netscape's format"
    if len(first.split()) >= FIELDS - 1:
        return "has blanks where tabs must be"
    return "is not in Netscape's format"
