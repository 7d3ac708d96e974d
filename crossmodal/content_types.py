"""The content type of a request, as far as pages read it: forms as browsers send them."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse

# What Django takes for a boundary; RFC 2046 has at most 70 characters.
BOUNDARY = re.compile(r';[ \t]*boundary=(?:"([ -!#-\[\]-~]{0,199}[!#-\[\]-~])"|([!#-+\--:<-~]{1,200}))', re.IGNORECASE)
MULTIPART = "multipart/form-data"

Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def plain_content_type(written: str) -> str:
    """Return the type with the boundary of its parts, and without all else that a client may write behind it.

    Forms are read as UTF-8, as browsers send them. Django would take any codec of Python that the field names, and
    fails at each page when it cannot be used, also at the pages that tell of an error.

    >>> plain_content_type('Multipart/Form-Data; charset=hex; boundary="a b"')
    'multipart/form-data; boundary="a b"'
    """
    kind = written.partition(";")[0].strip().lower()
    found = BOUNDARY.search(written) if kind == MULTIPART else None
    return f'{kind}; boundary="{found[1] or found[2]}"' if found else kind


def with_plain_content_types(application: Application) -> Application:
    """Pass requests on to Django, which reads their type before any middleware."""

    def plain(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if written := environ.get("CONTENT_TYPE"):
            environ["CONTENT_TYPE"] = plain_content_type(written)
        return application(environ, start_response)

    return plain
