"""Sites that rest, and asking them again."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from crossmodal.roles import admin_required
from pipeline import pacing
from pipeline.views.videos import back


@require_POST
@admin_required
def end_rest(request: HttpRequest) -> HttpResponse:
    """Ask a resting site again at once."""
    name = request.POST.get("site", "")
    if pacing.end_rest(name):
        messages.success(request, f"{name} is asked again. If it refuses once more, it rests for longer.")
    else:
        messages.info(request, "This site does not rest.")
    return redirect(back(request))
