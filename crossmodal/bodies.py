"""How much a request may bring: little from everybody, files from signed-in admins at the upload addresses only."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.defaultfilters import filesizeformat
from django.urls import Resolver404, resolve

from annotation.forms import MAX_TABLE_BYTES
from crossmodal.incoming import SMALL_BODY_BYTES
from crossmodal.roles import is_admin
from crossmodal.upload_room import close_unfinished
from pipeline.forms import MAX_CAPTIONS_BYTES, MAX_CSV_BYTES

# What a form brings beside its files; and a file a little too large still reaches its form, which says so in place.
FORM_BYTES = 1024**2
# Files by URL name. A view that reads `request.FILES` and is not among them takes no more than other forms.
MAX_FILES_BYTES: dict[str, Callable[[], int]] = {
    "upload_recording": lambda: settings.MAX_UPLOAD_BYTES + MAX_CAPTIONS_BYTES,
    "upload_captions": lambda: MAX_CAPTIONS_BYTES,
    "import_dataset": lambda: MAX_CSV_BYTES,
    "import_campaign": lambda: MAX_TABLE_BYTES,
    "import_votes": lambda: MAX_TABLE_BYTES,
}

View = Callable[[HttpRequest], HttpResponseBase]


def files_bytes_at(path: str) -> int:
    """How much the files of the form at this address may have; 0 where it takes none."""
    try:
        return MAX_FILES_BYTES.get(resolve(path).view_name, lambda: 0)()
    except Resolver404:
        return 0


def allowed_bytes(request: HttpRequest) -> int:
    """The largest body that this person may send to this address."""
    if not is_admin(request.user):
        return SMALL_BODY_BYTES
    if files_bytes := files_bytes_at(request.path_info):
        return files_bytes + FORM_BYTES
    # Pasted lists and tables, which Django keeps in memory.
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)


class BodyMiddleware:
    """Refuse a body by its length before any of it is read, and answer in words where it could not be read.

    Stands behind the middleware that knows the user, and before whatever reads forms. The stream that Django gives to
    views ends at the stated length, so that a body longer than it says is never read. Nothing is read of one without a
    stated length; the web server counts small ones and gives them their length.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        unknown = "HTTP_TRANSFER_ENCODING" in request.META
        length = _stated_length(request)
        if not unknown and length <= SMALL_BODY_BYTES:
            return _unreadable_form(request) or self.get_response(request)
        allowed = allowed_bytes(request)
        if unknown and allowed > SMALL_BODY_BYTES:
            return _say(request, 411, "The length is missing", "Send the form with its length, as browsers do.")
        if unknown or length > allowed:
            return _say(request, 413, "That is too much at once", _how_much(request, allowed))
        if not files_bytes_at(request.path_info) and (refused := _unreadable_form(request)):
            return refused
        try:
            return self.get_response(request)
        finally:
            close_unfinished(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """A client that stopped sending is no error of ours."""
        if isinstance(exception, UnreadablePostError):
            return _not_arrived(request)
        return None


def _unreadable_form(request: HttpRequest) -> HttpResponse | None:
    """Say so where a form without files cannot be read.

    The check for forged requests reads it before each view, and the pages that tell of an error once more. At an
    address that is none, nothing but these would, and fail.
    """
    try:
        request.POST  # noqa: B018 - read here, and kept
    except UnreadablePostError:
        return _not_arrived(request)
    except (BadRequest, SuspiciousOperation, MultiPartParserError):
        return _say(request, 400, "That form cannot be read", "Go back, reload the page and try again.")
    return None


def _not_arrived(request: HttpRequest) -> HttpResponse:
    return _say(request, 408, "The form did not arrive", "The connection broke or was too slow. Send it again.")


def _stated_length(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # as Django takes it: nothing is read


def _how_much(request: HttpRequest, allowed: int) -> str:
    files_bytes = files_bytes_at(request.path_info)
    if files_bytes and not request.user.is_authenticated:
        return "Files are taken from admins only, and you are not signed in. Sign in, then send it again."
    most = filesizeformat(files_bytes if files_bytes and allowed > files_bytes else allowed)
    return f"At most {most} are taken here. Nothing was changed: go back, and send less."


def _say(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    if "HX-Request" in request.headers:
        return HttpResponse(f"{title}. {sentence}", status=status, content_type="text/plain; charset=utf-8")
    return render(request, "refused_body.html", {"title": title, "sentence": sentence}, status=status)
