"""The home page, the health check, and the page for what went wrong."""

import logging
import sys

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views import defaults
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import requires_csrf_token
from django.views.decorators.http import require_safe

from crossmodal import overview as overviews
from crossmodal.demo import steps
from crossmodal.demo.progress import progress
from crossmodal.roles import is_admin, is_annotator
from crossmodal.storage import disk_hint
from pipeline.downloads import download_hint
from pipeline.stages.disk import LOW_BYTES, NO_FILES, explain_full, megabytes

log = logging.getLogger(__name__)


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    user = request.user
    context: dict[str, object] = {}
    if is_annotator(user):
        assert isinstance(user, User)  # noqa: S101 - an anonymous visitor has no role
        context["campaigns"] = list(overviews.campaigns_for(user))
    if is_admin(user):
        state, demo = overviews.overview(), progress()
        context |= {"overview": state, "next_steps": overviews.next_steps(state)}
        context |= {"demo": demo, "demo_warning": steps.hurry(demo), "disk_hint": disk_hint()}
        if state.is_empty:  # otherwise it is one of the next steps
            context["download_hint"] = download_hint()
    return render(request, "home.html", context)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Plain ``ok`` where the database answers; 503 without any detail where it does not.

    A second line tells of a disk that has little room left. With a database, the pages are of use all the same.
    """
    lines, status = ["ok"], 200
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        lines, status = ["the database does not answer"], 503
    if hint := disk_hint():  # without its numbers, since anybody may read this
        lines.append(
            "disk: takes no more files" if NO_FILES in hint else f"disk: less than {megabytes(LOW_BYTES)} left"
        )
    return HttpResponse("\n".join(lines), status=status, content_type="text/plain; charset=utf-8")


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """The page for an error that no view told; one that a full disk made says so."""
    error = sys.exception()
    full = explain_full(error) if error else None
    if full is None:
        return defaults.server_error(request)
    log.error("%s: %s", request.path, full.message)
    return HttpResponse(render_to_string("disk_full.html"), status=507)
