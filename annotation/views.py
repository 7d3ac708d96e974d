"""The room where people listen and vote.

Nothing here may tell a listener what the machine or other people think of a segment: pages, addresses and headers
carry the slot and the campaign only, and the clip is served to its holder alone.
"""

import logging
import uuid
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation import assignment, summaries
from annotation.clips import clip_response
from annotation.errors import AnnotationError
from annotation.forms import VoteForm, first_error
from annotation.models import Campaign, Slot
from annotation.requests import SignedInRequest
from crossmodal.roles import annotator_required
from pipeline.files import local_path
from pipeline.stages.errors import StageError

logger = logging.getLogger(__name__)


@require_safe
@annotator_required
@never_cache
def annotate(request: SignedInRequest) -> HttpResponse:
    """Choose a campaign, or go straight on where there is one."""
    campaigns = summaries.for_listener(request.user)
    if len(campaigns) == 1:
        return redirect("annotate_campaign", campaigns[0].pk)
    return render(request, "annotation/annotate.html", {"nav": "annotate", "campaigns": campaigns})


@require_safe
@annotator_required
@never_cache
def annotate_campaign(request: SignedInRequest, campaign_pk: int) -> HttpResponse:
    """The segment to hear now, or thanks; htmx gets only the part that changes."""
    campaign = get_object_or_404(Campaign, pk=campaign_pk)
    slot = assignment.claim(campaign, request.user)
    context: dict[str, Any] = {
        "nav": "annotate",
        "campaign": campaign,
        "slot": slot,
        "text": slot.task.segment.text if slot and slot.task.segment and campaign.show_text else "",
        "done": summaries.votes_of(campaign, request.user),
        "left": assignment.available(campaign, request.user, timezone.now()).count() + (slot is not None),
        "can_undo": campaign.is_open and assignment.undoable(campaign, request.user) is not None,
        "client_id": uuid.uuid4(),
        "others": slot is None and any(other.pk != campaign.pk for other in summaries.for_listener(request.user)),
        "renew_every_ms": assignment.LEASE.total_seconds() * 1000 // 3,
    }
    return render(request, "annotation/_room.html" if request.htmx else "annotation/annotate_campaign.html", context)


@require_safe
@annotator_required
def task_clip(request: SignedInRequest, slot_pk: int) -> HttpResponse:
    """The sound of the segment, for the person who holds the slot and nobody else, while its campaign is open."""
    from pipeline.stages import audio  # its media libraries are loaded when a clip is heard, not with the addresses

    slot = get_object_or_404(
        Slot.objects.select_related("task__segment__video"),
        pk=slot_pk,
        annotator=request.user,
        filled=False,
        task__campaign__is_open=True,
        task__segment__isnull=False,
    )
    segment = slot.task.segment
    assert segment is not None  # noqa: S101 - the query above says so
    try:
        with local_path(segment.video.audio) as path:
            wav = audio.slice_wav(path, segment.start_ms, segment.end_ms)
    except StageError as error:
        logger.error("Slot %s: its clip could not be cut: %s", slot.pk, error.message)
        raise Http404("This clip cannot be played.") from error
    return clip_response(request, wav)


def _slot(slot_pk: int) -> Slot | None:
    return Slot.objects.select_related("task__campaign").filter(pk=slot_pk).first()


def _onward(request: SignedInRequest, slot: Slot | None, problem: str = "") -> HttpResponse:
    """Back to the campaign, with a sentence where something was not counted."""
    if problem:
        messages.warning(request, problem)
    return redirect("annotate_campaign", slot.task.campaign_id) if slot else redirect("annotate")


@require_POST
@annotator_required
def submit_vote(request: SignedInRequest, slot_pk: int) -> HttpResponse:
    form = VoteForm(request.POST)
    if not form.is_valid():
        return HttpResponse(first_error(form), status=400, content_type="text/plain; charset=utf-8")
    slot = _slot(slot_pk)
    if slot is None:
        return _onward(request, None, assignment.LOST)
    try:
        assignment.submit(slot, request.user, **form.cleaned_data)
    except AnnotationError as error:
        return _onward(request, slot, error.message)
    return _onward(request, slot)


@require_POST
@annotator_required
def skip_task(request: SignedInRequest, slot_pk: int) -> HttpResponse:
    slot = _slot(slot_pk)
    if slot is None:
        return _onward(request, None, assignment.LOST)
    try:
        assignment.skip(slot, request.user)
    except AnnotationError as error:
        return _onward(request, slot, error.message)
    return _onward(request, slot)


@require_POST
@annotator_required
def undo_vote(request: SignedInRequest, campaign_pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=campaign_pk)
    try:
        if assignment.undo(campaign, request.user) is None:
            messages.info(request, "There is no vote of yours to undo in this campaign.")
    except AnnotationError as error:
        messages.warning(request, error.message)
    return redirect("annotate_campaign", campaign.pk)


@require_POST
@annotator_required
def renew_lease(request: SignedInRequest, slot_pk: int) -> HttpResponse:
    """Called by the page while its listener is active; 409 with a sentence where the place is lost."""
    slot = _slot(slot_pk)
    try:
        problem = "" if slot is not None and assignment.renew(slot, request.user) else assignment.LOST
    except AnnotationError as error:
        problem = error.message
    if problem:
        return HttpResponse(problem, status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)
