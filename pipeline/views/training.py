"""Training: start a run, watch it, read how well its model does, let it predict."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.views.decorators.http import require_POST, require_safe

from crossmodal.roles import admin_required
from pipeline import intake, labels
from pipeline.choices import RunState, Split, VideoState
from pipeline.models import Prediction, TextLabel, TrainingRun, Video
from pipeline.policies import policy_choices
from pipeline.queues import QueueUnavailable
from pipeline.stages.errors import StageError
from pipeline.training_forms import PredictForm, TrainingForm
from pipeline.views.run_scores import card_rows, read_scores

RUNS_PER_PAGE = 50
# Folds never split a video. Fewer videos than folds only mean fewer folds, which the run then notes.
MIN_VIDEOS = 2


def available() -> list[dict[str, Any]]:
    """What there is to learn from: per split and policy the ready videos and the kept segments of each class."""
    usable = TextLabel.objects.filter(
        segment__exclusion="", segment__video__state=VideoState.READY, label__in=labels.LABELS
    )
    rows = {
        (split, policy): {"split": split, "policy": policy, "videos": 0, "classes": dict.fromkeys(labels.LABELS, 0)}
        for split in Split.values
        for policy, _ in policy_choices()
    }
    by_video = usable.values("segment__video", "segment__video__split", "policy", "label").annotate(n=Count("pk"))
    seen: set[tuple[int, str]] = set()
    for row in by_video.order_by():
        known: dict[str, Any] | None = rows.get((row["segment__video__split"], row["policy"]))
        if known is None:
            continue
        known["classes"][row["label"]] += row["n"]
        if (row["segment__video"], row["policy"]) not in seen:
            seen.add((row["segment__video"], row["policy"]))
            known["videos"] += 1
    return list(rows.values())


def refusal(parameters: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """Why a run with these parameters cannot start, or nothing."""
    row = next(row for row in rows if (row["split"], row["policy"]) == (parameters["split"], parameters["policy"]))
    data = f"ready {row['split']} videos with “{row['policy']}” labels"
    if not row["videos"]:
        return f"There are no {data} yet. Add videos and wait until they are ready, or choose another split or policy."
    missing = [label for label, n in row["classes"].items() if not n]
    if missing:
        return f"No {' or '.join(missing)} segment in the {data}; training needs all three classes. Add more videos."
    if row["videos"] < MIN_VIDEOS:
        return f"There is only one of the {data}; training sets whole videos aside, so add at least one more."
    return ""


def _list_runs(request: HttpRequest, form: TrainingForm | None = None, status: int = 200) -> HttpResponse:
    runs = Paginator(TrainingRun.objects.select_related("created_by"), RUNS_PER_PAGE).get_page(request.GET.get("page"))
    unfinished = any(run.state in (RunState.QUEUED, RunState.RUNNING) for run in runs)
    context = {"nav": "training", "page": runs, "unfinished": unfinished}
    if "HX-Request" in request.headers and form is None:
        return render(request, "pipeline/_runs_table.html", context)
    form = form or TrainingForm()
    return render(
        request, "pipeline/list_runs.html", {**context, "form": form, "available": available()}, status=status
    )


@require_safe
@admin_required
def list_runs(request: HttpRequest) -> HttpResponse:
    """Runs and the form for a new one; a polling page gets the table of runs alone."""
    return _list_runs(request)


@require_POST
@admin_required
def start_run(request: HttpRequest) -> HttpResponse:
    form = TrainingForm(request.POST)
    if form.is_valid() and (reason := refusal(form.cleaned_data, available())):
        form.add_error(None, reason)
    if form.is_valid():
        try:
            run = intake.start_run(form.cleaned_data, request.user)
            return redirect("show_run", pk=run.pk)
        except QueueUnavailable as error:
            messages.warning(request, str(error))
            return redirect("list_runs")
        except StageError as error:
            form.add_error(None, str(error))
    return _list_runs(request, form, status=422)


def _predicted(run: TrainingRun) -> list[dict[str, Any]]:
    """Per split: videos that are ready, and how many of them the run's final model predicted."""
    ready = {row["split"]: row["n"] for row in Video.objects.ready().values("split").annotate(n=Count("pk")).order_by()}
    done = (
        Prediction.objects.filter(run=run)
        .values("segment__video__split")
        .annotate(videos=Count("segment__video", distinct=True), segments=Count("pk"))
        .order_by()
    )
    counts = {row["segment__video__split"]: row for row in done}
    nothing = {"videos": 0, "segments": 0}
    return [{"split": split, "ready": ready.get(split, 0), **counts.get(split, nothing)} for split in Split.values]


@require_safe
@admin_required
def show_run(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(TrainingRun.objects.select_related("created_by"), pk=pk)
    context = {
        "nav": "training",
        "run": run,
        "scores": read_scores(run.scores),
        "card": card_rows(run.card),
        "predicted": _predicted(run) if run.state == RunState.DONE else [],
        "predict_form": PredictForm(),
    }
    return render(request, "pipeline/show_run.html", context)


@require_safe
@admin_required
def run_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """State and progress alone; when the run ends, the page is told."""
    run = get_object_or_404(TrainingRun, pk=pk)
    response = render(request, "pipeline/_run_progress.html", {"run": run})
    if run.state in (RunState.DONE, RunState.FAILED):
        response["HX-Refresh"] = "true"
    return response


@require_POST
@admin_required
def predict_videos(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(TrainingRun, pk=pk)
    form = PredictForm(request.POST)
    if run.state != RunState.DONE:
        messages.error(request, "This run is not done, so it has no model to predict with.")
    elif not form.is_valid():
        messages.error(request, "Choose the train or the test split.")
    else:
        try:
            count = intake.predict_all(run, form.cleaned_data["split"])
            messages.info(request, f"{count} video{pluralize(count)} will be predicted; reload to see how far it is.")
        except (QueueUnavailable, StageError) as error:
            messages.warning(request, str(error))
    return redirect("show_run", pk=pk)


@require_safe
@admin_required
def run_card(request: HttpRequest, pk: int) -> HttpResponse:
    """The model card as a JSON download."""
    run = get_object_or_404(TrainingRun.objects.only("card"), pk=pk)
    if not run.card:
        raise Http404("This run has no model card yet.")
    headers = {"Content-Disposition": f'attachment; filename="crossmodal-run-{pk}-card.json"'}
    return JsonResponse(run.card, json_dumps_params={"indent": 2, "ensure_ascii": False}, headers=headers)
