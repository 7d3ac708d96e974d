"""Pages for admins: campaigns, how far they are, and how far people agree."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import exporting, summaries, truth
from annotation.errors import AnnotationError
from annotation.forms import AdjudicationForm, NewTableForm, SampleForm, TableForm, first_error
from annotation.importing import UnknownWordsError
from annotation.importing import import_votes as import_table
from annotation.models import Campaign, Task
from annotation.people import standing_votes
from annotation.requests import SignedInRequest
from annotation.sampling import labelled_counts, sample_campaign
from crossmodal.roles import admin_required
from pipeline.labels import LABELS


@require_safe
@admin_required
def list_campaigns(request: SignedInRequest) -> HttpResponse:
    context = {"nav": "campaigns", "campaigns": summaries.for_list()}
    return render(request, "annotation/list_campaigns.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def create_campaign(request: SignedInRequest) -> HttpResponse:
    """Draw segments for listeners."""
    form = SampleForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            campaign = sample_campaign(**form.drawing(), user=request.user)
        except AnnotationError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"“{campaign.name}” is ready: {campaign.tasks.count()} segments to hear.")
            return redirect("show_campaign", campaign.pk)
    context = {"nav": "campaigns", "form": form, "counts": labelled_counts()}
    return render(request, "annotation/create_campaign.html", context, status=400 if form.errors else 200)


@require_safe
@admin_required
def show_campaign(request: SignedInRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign.objects.select_related("created_by"), pk=pk)
    votes = standing_votes(campaign)
    context = {
        "nav": "campaigns",
        "campaign": campaign,
        "summary": summaries.summarise(campaign, votes),
        "disagreements": summaries.disagreements(campaign, votes),
        "labels": LABELS,
    }
    return render(request, "annotation/show_campaign.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def import_votes(request: SignedInRequest, pk: int | None = None) -> HttpResponse:
    """A vote table into this campaign, or into a new one; misspelt words are shown before anything is kept."""
    campaign = get_object_or_404(Campaign, pk=pk) if pk is not None else None
    form_class = TableForm if campaign else NewTableForm
    form = form_class(request.POST, request.FILES) if request.method == "POST" else form_class()
    context: dict[str, Any] = {"nav": "campaigns", "campaign": campaign, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            report = import_table(
                form.lines(),
                split=campaign.split if campaign else form.cleaned_data["split"],
                campaign_name=campaign.name if campaign else form.cleaned_data["name"],
                accept_suggestions=form.cleaned_data["accept_suggestions"],
                user=request.user,
                votes_per_task=form.cleaned_data.get("votes_per_segment"),
            )
        except UnknownWordsError as error:
            context |= {"unknown": error.unknown, "table": form.cleaned_data["table"]}
            context["acceptable"] = all(word.suggestion for word in error.unknown)
        except AnnotationError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, report.sentence())
            for sentence in (*report.unread, *report.notes):
                messages.warning(request, sentence)
            return redirect("show_campaign", Campaign.objects.get(name=report.campaign).pk)
    bad = form.errors or "unknown" in context
    return render(request, "annotation/import_votes.html", context, status=400 if bad else 200)


@require_POST
@admin_required
def toggle_campaign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close an open campaign or open a closed one; the form says which, so that a second click changes nothing."""
    campaign = get_object_or_404(Campaign, pk=pk)
    wanted = request.POST.get("open")
    if wanted not in ("0", "1"):
        messages.error(request, "Say whether the campaign is to be opened or closed.")
        return redirect("show_campaign", campaign.pk)
    Campaign.objects.filter(pk=pk).update(is_open=wanted == "1")
    messages.success(request, f"“{campaign.name}” is {'open: votes are taken' if wanted == '1' else 'closed'}.")
    return redirect("show_campaign", campaign.pk)


@require_safe
@admin_required
def export_votes(request: SignedInRequest, pk: int) -> HttpResponse:
    campaign = get_object_or_404(Campaign, pk=pk)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    name = slugify(campaign.name) or f"campaign-{campaign.pk}"
    response["Content-Disposition"] = f'attachment; filename="votes-{name}.csv"'
    exporting.write_votes(campaign, response)
    return response


@require_POST
@admin_required
def adjudicate(request: SignedInRequest, task_pk: int) -> HttpResponse:
    """Decide a segment whose listeners did not agree."""
    task = get_object_or_404(Task, pk=task_pk)
    form = AdjudicationForm(request.POST)
    if not form.is_valid():
        messages.error(request, first_error(form))
        return redirect("show_campaign", task.campaign_id)
    try:
        truth.adjudicate(task, request.user, **form.cleaned_data)
    except AnnotationError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Segment {task.position + 1} is decided: {form.cleaned_data['label']}.")
    return redirect("show_campaign", task.campaign_id)
