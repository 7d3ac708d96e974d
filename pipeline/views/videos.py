"""The corpus: a table of all videos, and the three ways to add to it."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from crossmodal.roles import admin_required
from crossmodal.upload_room import problem_of
from pipeline import intake, labels
from pipeline.choices import RUNNING_STATES, WAITING_STATES
from pipeline.claims import UPLOAD_ANOTHER
from pipeline.forms import DatasetForm, SplitForm, UploadForm, UrlsForm, VideosFilter
from pipeline.list_forms import ListAddressForm
from pipeline.models import Segment, TextLabel, Video, VideoQuerySet
from pipeline.queues import QueueUnavailable
from pipeline.site_waits import resting_sites
from pipeline.stages.errors import DiskFullError, StageError
from pipeline.views import lists

VIDEOS_PER_PAGE = 50
UNFINISHED = [*WAITING_STATES, *RUNNING_STATES]

WAYS = ("urls", "list", "dataset", "upload")


def _matching(values: dict[str, Any]) -> VideoQuerySet:
    videos = Video.objects.all()
    if values["split"]:
        videos = videos.in_split(values["split"])
    if values["q"]:
        q = values["q"]
        videos = videos.filter(
            Q(title__icontains=q) | Q(url__icontains=q) | Q(submitted_url__icontains=q) | Q(dataset_id=q)
        )
    return videos


def count_segments(videos: Iterable[Video]) -> list[Video]:
    """The videos, each with its segments kept and rejected and its labels per class under its own policy.

    Two grouped queries; one query that joins segments and labels takes three times as long, and the table polls.
    """
    videos = list(videos)
    segments = Segment.objects.filter(video__in=videos).order_by().values("video")
    counted = {row["video"]: row for row in segments.annotate(n=Count("pk"), kept=Count("pk", filter=Q(exclusion="")))}
    labelled = TextLabel.objects.filter(segment__video__in=videos, policy=F("segment__video__policy")).order_by()
    per_label = {
        (row["segment__video"], row["label"]): row["n"]
        for row in labelled.values("segment__video", "label").annotate(n=Count("pk"))
    }
    for video in videos:
        row = counted.get(video.pk, {"n": 0, "kept": 0})
        vars(video).update(n_segments=row["n"], n_kept=row["kept"], n_rejected=row["n"] - row["kept"])
        vars(video).update({f"n_{label}": per_label.get((video.pk, label), 0) for label in labels.LABELS})
    return videos


def _table(request: HttpRequest) -> dict[str, Any]:
    """Context of the table: one page of videos with their counts, and how many there are in each state.

    The counts are taken for the page's videos only; over the whole corpus they would join all of its segments.
    """
    values = VideosFilter(request.GET).values()
    videos = _matching(values)
    per_state = videos.aggregate(
        all=Count("pk"),
        unfinished=Count("pk", filter=Q(state__in=UNFINISHED)),
        **{state: Count("pk", filter=Q(state=state)) for state in VideosFilter.STATES if state != "unfinished"},
    )
    if values["state"] == "unfinished":
        videos = videos.unfinished()
    elif values["state"]:
        videos = videos.filter(state=values["state"])
    page: Page[Any] = Paginator(videos.order_by("-pk").values_list("pk", flat=True), VIDEOS_PER_PAGE).get_page(
        request.GET.get("page")
    )
    rows = count_segments(Video.objects.filter(pk__in=list(page.object_list)).order_by("-pk"))
    query = request.GET.copy()
    query["page"] = str(page.number)
    return {
        "videos": rows,
        "page": page,
        "filter": values,
        "is_filtered": any(values.values()),
        "states": [("", "All", per_state["all"])]
        + [(state, words, per_state[state]) for state, words in VideosFilter.STATES.items()],
        "unfinished": per_state["unfinished"],
        "resting_sites": resting_sites(),
        "table_query": query.urlencode(),
        "next": f"{reverse('list_videos')}?{query.urlencode()}",
    }


def _show_list(request: HttpRequest, *, status: int = 200, way: str = "", **context: Any) -> HttpResponse:
    """The whole page; ``way`` names the form that was just sent, ``?add=`` the one to open."""
    table = _table(request)
    asked = request.GET.get("add", "")
    forms = {"urls_form": UrlsForm(), "list_form": ListAddressForm()}
    forms |= {"dataset_form": DatasetForm(), "upload_form": UploadForm()}
    context = {
        "nav": "videos",
        **forms,
        **table,
        "way": way or (asked if asked in WAYS else "urls"),
        "add_is_open": bool(way) or "add" in request.GET or not (table["is_filtered"] or table["states"][0][2]),
        **context,
    }
    return render(request, "pipeline/list_videos.html", context, status=status)


@require_safe
@admin_required
def list_videos(request: HttpRequest) -> HttpResponse:
    return _show_list(request)


@require_safe
@admin_required
def videos_table(request: HttpRequest) -> HttpResponse:
    """The table alone, which fetches itself again while a job has something to do."""
    return render(request, "pipeline/_videos_table.html", _table(request))


def _answer_intake(request: HttpRequest, taken: intake.Intake, form: SplitForm, way: str) -> HttpResponse:
    """Back to the list where all was taken; else the form again with what was refused, line by line."""
    if count := len(taken.created):
        messages.success(request, f"{count} video{pluralize(count)} added.")
    if taken.problem:
        messages.warning(request, taken.problem)
    if not taken.refused:
        return redirect("list_videos")
    return _show_list(request, status=422, way=way, refused=taken.refused, **{f"{way}_form": form})


@require_POST
@admin_required
def submit_videos(request: HttpRequest) -> HttpResponse:
    form = UrlsForm(request.POST)
    if not form.is_valid():
        return _show_list(request, status=422, way="urls", urls_form=form)
    data = form.cleaned_data
    goal = {"split": data["split"], "policy": data["policy"]}
    if url := lists.single_list(data["urls"]):
        return lists.lead_to_list(request, url, goal)
    taken = intake.submit_urls(data["urls"], **goal)
    lists.tell_lists_beside(request, taken.created, goal)
    left = {**data, "urls": "\n".join(refusal.text for refusal in taken.refused)}
    return _answer_intake(request, taken, UrlsForm(initial=left), "urls")


@require_POST
@admin_required
def import_dataset(request: HttpRequest) -> HttpResponse:
    form = DatasetForm(request.POST, request.FILES)
    if form.is_valid():
        data = form.cleaned_data
        options = {name: data[name] for name in ("split", "policy", "fetch")}
        try:
            taken = intake.import_dataset(data["file"], **options)
            for sentence in form.unread:
                messages.warning(request, sentence)
        except StageError as error:
            form.add_error("file", str(error))
        else:
            return _answer_intake(request, taken, DatasetForm(initial=options), "dataset")
    return _show_list(request, status=422, way="dataset", dataset_form=form)


@require_POST
@admin_required
def upload_recording(request: HttpRequest) -> HttpResponse:
    """Takes the form as a plain one, and from the script that shows how much is sent."""
    form, status = UploadForm(request.POST, request.FILES), 422
    if problem := problem_of(request):
        form, status = form.without_file(problem.message), 507
    elif form.is_valid():
        data = form.cleaned_data
        try:
            video = intake.store_upload(
                data["recording"], data["captions"], split=data["split"], title=data["title"], policy=data["policy"]
            )
            messages.success(request, f"“{video}” added.")
        except QueueUnavailable as error:
            messages.warning(request, str(error))
        except StageError as error:
            form.add_error(None, str(error))
            status = 507 if isinstance(error, DiskFullError) else 422
    if form.errors:
        return _show_list(request, status=status, way="upload", upload_form=form)
    there = reverse("list_videos")
    return HttpResponseClientRedirect(there) if "HX-Request" in request.headers else redirect(there)


def back(request: HttpRequest) -> str:
    """Where the button was pressed, as far as that is one of our own pages."""
    there = request.POST.get("next") or request.GET.get("next", "")
    if url_has_allowed_host_and_scheme(there, {request.get_host()}, require_https=request.is_secure()):
        return there
    return reverse("list_videos")


@require_POST
@admin_required
def retry_video(request: HttpRequest, pk: int) -> HttpResponse:
    video = get_object_or_404(Video, pk=pk)
    try:
        if video.is_lost_upload:
            messages.info(request, f"{UPLOAD_ANOTHER} Nothing of “{video}” is left to try again.")
        elif not intake.retry(video):
            messages.info(request, f"“{video}” neither failed nor waits to be fetched, so there is nothing to start.")
    except QueueUnavailable as error:
        messages.warning(request, str(error))
    return redirect(back(request))


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def remove_video(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks first; removes on POST."""
    (video,) = count_segments([get_object_or_404(Video, pk=pk)])
    context: dict[str, Any] = {"nav": "videos", "video": video, "next": back(request)}
    if request.method == "POST":
        name = str(video)
        try:
            intake.remove(video)
        except StageError as error:
            return render(request, "pipeline/remove_video.html", {**context, "refusal": error}, status=409)
        messages.success(request, f"“{name}” removed.")
        return redirect(context["next"])
    return render(request, "pipeline/remove_video.html", context)
