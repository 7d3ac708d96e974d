"""Starting the demonstration and watching it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from crossmodal.demo import steps
from crossmodal.demo.progress import progress
from crossmodal.roles import admin_required
from pipeline.queues import QueueUnavailable


@require_POST
@admin_required
def start_demo(request: HttpRequest) -> HttpResponse:
    try:
        steps.start()
    except QueueUnavailable as error:
        messages.error(request, error.message)
    return redirect("home")


@require_safe
@admin_required
def demo_progress(request: HttpRequest) -> HttpResponse:
    """The fragment that the home page asks for while the demonstration is under way."""
    state = progress()
    warning = steps.hurry(state)
    return render(request, "demo/_progress.html", {"demo": state, "demo_warning": warning})
