"""What the pages of the admin site and of the queues lack: policy, cache rules, and a sentence instead of an error."""

import base64
import hashlib
import logging
import re
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import django_rq
import django_rq.admin  # registers its model, which makes way below
from csp.constants import SELF
from django.contrib import admin
from django.core.exceptions import ImproperlyConfigured
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.utils.cache import patch_cache_control
from django.views.defaults import page_not_found
from django_rq.models import Dashboard
from redis.exceptions import RedisError
from rq.exceptions import InvalidJobOperation, NoSuchJobError

from crossmodal.roles import is_admin

# A template's script or style that is the same on every page, so that its hash can be allowed.
INLINE = re.compile(r"<(script|style)(?![^>]*\bsrc=)[^>]*>((?:(?!\{[{%]).)*?)</\1>", re.DOTALL)

# No such queue, job or worker; a name that none can have; a scheduler, which is not used here.
NOT_THERE = (NoSuchJobError, InvalidJobOperation, IndexError, ValueError, ImproperlyConfigured)
# A record that others wrote into the queue server, and RQ cannot read.
UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, NotImplementedError, TypeError, zlib.error)

ADMIN_METHODS = ("GET", "HEAD", "POST")

log = logging.getLogger(__name__)

View = Callable[[HttpRequest], HttpResponseBase]


class PageMiddleware:
    """No page is kept by a cache unless it says so itself; the queues' pages get along without a job or a server."""

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if "Cache-Control" not in response:
            patch_cache_control(response, private=True, no_store=True)
        if _is_of_queues(request):
            response._csp_update = inline_hashes()  # type: ignore[attr-defined]
        return response

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """Refuse methods that no page of the admin site has: Django's own take any of them for a GET."""
        if request.path_info.startswith("/admin/") and request.method not in ADMIN_METHODS:
            return HttpResponseNotAllowed(ADMIN_METHODS)
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not _is_of_queues(request):
            return None
        if isinstance(exception, RedisError):
            return render(request, "queue_unavailable.html", status=503)
        if isinstance(exception, (*NOT_THERE, *UNREADABLE)):
            log.warning("%s: %s", request.path, exception)
            return page_not_found(request, Http404(str(exception)))
        return None


def _is_of_queues(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin/queues/")


@cache
def inline_hashes() -> dict[str, list[str]]:
    """Directives that allow the scripts and styles inside django-rq's templates, and no others, by their hashes."""
    found: dict[str, set[str]] = {"script": set(), "style": set()}
    for template in (Path(django_rq.__file__).parent / "templates").rglob("*.html"):
        for kind, text in INLINE.findall(template.read_text()):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            found[kind].add(f"'sha256-{digest}'")
    return {"script-src": [SELF, *sorted(found["script"])], "style-src": sorted(found["style"])}


def may_use_admin_site(request: HttpRequest) -> bool:
    """Whether somebody may see the admin site: an active account with the role, and marked as staff."""
    user = request.user
    return user.is_active and user.is_staff and is_admin(user)


def view_on_site(request: HttpRequest, **_: str) -> HttpResponse:
    """Not found: no row has a page that it names. Django's own view asks models without a table for their rows."""
    raise Http404("No row names a page.")


admin.site.unregister(Dashboard)


@admin.register(Dashboard)
class QueuesLink(admin.ModelAdmin):  # type: ignore[type-arg]
    """The way from the admin site to the queues; the model behind it has no table, so that nothing else is there."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name="django_rq_dashboard_changelist"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
        return redirect("django_rq:home")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
