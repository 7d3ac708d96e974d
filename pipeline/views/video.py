"""One video: its sound, its segments, and what text and model say about each."""

import json
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, FilteredRelation, Prefetch, Q, When
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from crossmodal.roles import admin_required
from pipeline import intake, labels
from pipeline.choices import RunState
from pipeline.forms import CaptionsForm, SegmentsFilter
from pipeline.models import Prediction, Segment, SegmentQuerySet, TextLabel, TrainingRun, Video
from pipeline.policies import policy_choices
from pipeline.queues import QueueUnavailable
from pipeline.site_waits import why_it_waits
from pipeline.stages.english import hint_on_language
from pipeline.stages.errors import StageError
from pipeline.views.videos import count_segments

SEGMENTS_PER_PAGE = 100
# Lanes of the map under the waveform: the three classes, then kept without a label, then excluded.
LANE_UNLABELLED, LANE_EXCLUDED = len(labels.LABELS), len(labels.LABELS) + 1
# Label of the text label that belongs to the chosen policy, see `_with_chosen`.
LABEL = "chosen__label"
# Of the predicted class.
PROBABILITY = Case(*(When(label=label, then=F(f"p_{label}")) for label in labels.LABELS))


def _with_chosen(video: Video, policy: str) -> SegmentQuerySet:
    """The video's segments, each joined to its text label of one policy."""
    return video.segments.annotate(chosen=FilteredRelation("text_labels", condition=Q(text_labels__policy=policy)))


def _shown(segments: SegmentQuerySet, show: str) -> SegmentQuerySet:
    if show == "kept":
        return segments.kept()
    if show == "rejected":
        return segments.exclude(exclusion="")
    if show == "unlabelled":
        return segments.kept().exclude(**{f"{LABEL}__in": labels.LABELS})
    return segments.kept().filter(**{LABEL: show}) if show else segments


def _counts(segments: SegmentQuerySet) -> dict[str, int]:
    kept = Q(exclusion="")
    per_label = {label: Count("pk", filter=kept & Q((LABEL, label))) for label in labels.LABELS}
    counts: dict[str, int] = segments.aggregate(all=Count("pk"), kept=Count("pk", filter=kept), **per_label)
    counts["rejected"] = counts["all"] - counts["kept"]
    counts["unlabelled"] = counts["kept"] - sum(counts[label] for label in labels.LABELS)
    return counts


def _segments(request: HttpRequest, video: Video) -> dict[str, Any]:
    """Context of the segments: one page of them, with the chosen policy's labels and the chosen run's predictions."""
    values = SegmentsFilter(request.GET).values()
    policy = values["policy"] or video.policy
    runs = list(
        TrainingRun.objects.filter(
            pk__in=Prediction.objects.filter(segment__video=video).values("run"), state=RunState.DONE
        )
    )
    run = next((run for run in runs if run.pk == values["run"]), runs[0] if runs else None)
    segments = _with_chosen(video, policy)
    counts = _counts(segments)
    rows = _shown(segments, values["show"]).prefetch_related(
        Prefetch("text_labels", TextLabel.objects.filter(policy=policy), to_attr="chosen_labels"),
        Prefetch(
            "predictions",
            Prediction.objects.filter(run=run).annotate(probability=PROBABILITY),
            to_attr="chosen_predictions",
        ),
    )
    paginator = Paginator(rows.order_by("position"), SEGMENTS_PER_PAGE)
    page: Page[Segment] = paginator.get_page(request.GET.get("page"))
    return {
        "video": video,
        "page": page,
        "policy": policy,
        "policies": [name for name, _ in policy_choices()],
        "runs": runs,
        "run": run,
        "show": values["show"],
        "shows": [("", "All", counts["all"])] + [(name, words, counts[name]) for name, words in SegmentsFilter.SHOWN],
        "per_page": SEGMENTS_PER_PAGE,
        "language_hint": hint_on_language(segment.text for segment in page.object_list if segment.is_kept),
    }


def _map(video: Video, policy: str) -> list[list[int]]:
    """Every segment as ``[pk, start_ms, end_ms, lane]``, in the order of the recording."""
    rows = _with_chosen(video, policy).order_by("position").values_list("pk", "start_ms", "end_ms", "exclusion", LABEL)
    lanes = {label: lane for lane, label in enumerate(labels.LABELS)}
    return [
        [pk, start_ms, end_ms, LANE_EXCLUDED if exclusion else lanes.get(label, LANE_UNLABELLED)]
        for pk, start_ms, end_ms, exclusion, label in rows
    ]


def _content_security(video: Video) -> dict[str, list[Any]]:
    """The player's own style element needs a nonce; sound in object storage comes from another origin."""
    policy: dict[str, list[Any]] = {"style-src": [SELF, NONCE]}
    url = urlsplit(video.audio.url if video.audio else "")
    if url.netloc:
        policy["media-src"] = [f"{url.scheme}://{url.netloc}"]
    return policy


def _show(request: HttpRequest, video: Video, *, status: int = 200, **extra: Any) -> HttpResponseBase:
    context = {
        "nav": "videos",
        "captions_form": CaptionsForm(),
        "wait": why_it_waits(video),
        "audio_version": PurePosixPath(str(video.audio.name)).stem if video.audio else "",
        **_segments(request, video),
        **extra,
    }
    context["map"] = _map(video, context["policy"])

    @csp_update(_content_security(video))
    def page(request: HttpRequest) -> HttpResponseBase:
        return render(request, "pipeline/show_video.html", context, status=status)

    return page(request)


@require_safe
@admin_required
def show_video(request: HttpRequest, pk: int) -> HttpResponseBase:
    (video,) = count_segments([get_object_or_404(Video, pk=pk)])
    return _show(request, video)


@require_safe
@admin_required
def video_segments(request: HttpRequest, pk: int) -> HttpResponse:
    """One page of segments alone."""
    return render(request, "pipeline/_video_segments.html", _segments(request, get_object_or_404(Video, pk=pk)))


@require_safe
@admin_required
def video_state(request: HttpRequest, pk: int) -> HttpResponse:
    """State and progress alone; when the state is another than the page shows, the page is told."""
    video = get_object_or_404(Video, pk=pk)
    response = render(request, "pipeline/_video_state.html", {"video": video, "wait": why_it_waits(video)})
    if request.GET.get("seen", video.state) != video.state:
        response["HX-Trigger"] = json.dumps({"crossmodal:changed": {"state": video.state}})
    return response


@require_POST
@admin_required
def upload_captions(request: HttpRequest, pk: int) -> HttpResponseBase:
    (video,) = count_segments([get_object_or_404(Video, pk=pk)])
    form = CaptionsForm(request.POST, request.FILES)
    if not video.takes_captions:
        messages.error(request, "This video is not waiting for captions.")
        return redirect("show_video", pk=pk)
    if form.is_valid():
        try:
            intake.attach_captions(video, form.cleaned_data["captions"])
            messages.success(request, "Captions added. The segments follow in a moment.")
        except QueueUnavailable as error:
            messages.warning(request, str(error))
        except StageError as error:
            form.add_error("captions", str(error))
    if form.errors:
        return _show(request, video, status=422, captions_form=form)
    return redirect("show_video", pk=pk)
