"""What a finished run's model knows of itself: how sure it is, and which text labels it doubts."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from crossmodal.roles import admin_required
from evaluation import doubtful, line_charts
from evaluation.confidence import calibration_of, curves_of, table
from evaluation.label_forms import DoubtsForm
from pipeline.choices import RunState
from pipeline.csv_writer import TableWriter
from pipeline.models import TrainingRun

DOUBTS_PER_PAGE = 50
CSV_COLUMNS = (
    "segment", "video", "title", "url", "start_ms", "end_ms", "text", "given", "likely", "p_given", "p_likely",
    "text_label_now",
)  # fmt: skip


@require_safe
@admin_required
def show_confidence(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(TrainingRun, pk=pk)
    curves = curves_of(run) if run.state == RunState.DONE else []
    calibration = calibration_of(run) if run.state == RunState.DONE else None
    figures = {}
    if curves:
        figures["risk-coverage"] = line_charts.risk_coverage([curve.drawn() for curve in curves]).to_plotly_json()
    if calibration:
        figures["calibration"] = line_charts.calibration(calibration).to_plotly_json()
    context = {
        "nav": "evaluation",
        "here": "confidence",
        "run": run,
        "curves": curves,
        "rows": table(curves) if curves else [],
        "calibration": calibration,
        "figures": figures,
    }
    return render(request, "evaluation/show_confidence.html", context)


@require_safe
@admin_required
def list_doubtful_labels(request: HttpRequest, pk: int) -> HttpResponse:
    """The text labels that the run's model finds likely wrong, the least believable first."""
    run = get_object_or_404(TrainingRun, pk=pk)
    form = DoubtsForm(request.GET)
    found = doubtful.doubtful_labels(run) if run.state == RunState.DONE else None
    context = {"nav": "evaluation", "here": "doubts", "run": run, "found": found, "form": form}
    if not form.is_valid():
        return render(request, "evaluation/list_doubtful_labels.html", context, status=400)
    if found:
        label = form.cleaned_data["label"]
        page = Paginator(found.given_as(label), DOUBTS_PER_PAGE).get_page(request.GET.get("page"))
        shows = [("", "All", len(found.doubts)), *((name, name, n) for name, n in found.counts().items())]
        context |= {"page": page, "rows": doubtful.rows(run, list(page.object_list)), "label": label, "shows": shows}
    return render(request, "evaluation/list_doubtful_labels.html", context)


@require_safe
@admin_required
def doubtful_labels_csv(request: HttpRequest, pk: int) -> HttpResponse:
    run = get_object_or_404(TrainingRun, pk=pk)
    form = DoubtsForm(request.GET)
    found = doubtful.doubtful_labels(run) if run.state == RunState.DONE else None
    if not form.is_valid() or found is None:
        message = form.errors["label"][0] if form.errors else f"Run {pk} has no list of doubtful labels."
        return HttpResponse(
            f"{message}\n", status=400 if form.errors else 404, content_type="text/plain; charset=utf-8"
        )
    response = HttpResponse(
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="crossmodal-run-{pk}-doubtful-labels.csv"'},
    )
    writer = TableWriter(response)
    writer.write_row(CSV_COLUMNS)
    for row in doubtful.rows(run, found.given_as(form.cleaned_data["label"])):
        segment, doubt, video = row["segment"], row["doubt"], row["segment"].video
        place = [segment.pk, video.pk, video.title, video.url, segment.start_ms, segment.end_ms, segment.text]
        writer.write_row([*place, doubt.given, doubt.likely, row["p_given"], row["p_likely"], segment.label_now])
    return response
