"""The home page and the health check."""

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from crossmodal import overview as overviews
from crossmodal.demo import steps
from crossmodal.demo.progress import progress
from crossmodal.roles import is_admin, is_annotator
from pipeline.downloads import download_hint


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
        context |= {"demo": demo, "demo_warning": steps.hurry(demo)}
        if state.is_empty:  # otherwise it is one of the next steps
            context["download_hint"] = download_hint()
    return render(request, "home.html", context)


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Plain ``ok`` where the database answers; 503 without any detail where it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("the database does not answer", status=503, content_type="text/plain; charset=utf-8")
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")
