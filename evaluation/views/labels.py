"""The report of the three text classifiers: what they add to each other, and what a threshold buys."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crossmodal.roles import admin_required
from evaluation import label_exports
from evaluation.label_forms import LabelReportForm
from evaluation.label_quality import LabelQuality, label_quality
from evaluation.label_sections import label_figures, label_tables
from evaluation.reports import finished_runs
from pipeline.labels import LABELS

PLAIN = "text/plain; charset=utf-8"


@require_safe
@admin_required
def show_label_report(request: HttpRequest) -> HttpResponse:
    form = LabelReportForm(request.GET)
    context = {"nav": "evaluation", "here": "labels", "form": form, "run": finished_runs().first(), "labels": LABELS}
    if not form.is_valid():
        return render(request, "evaluation/show_label_report.html", context, status=400)
    quality = _quality(form)
    parameters = {
        "split": quality.split,
        "campaign": str(quality.campaign.pk) if quality.campaign else "",
        "policy": quality.policy.name,
    }
    context |= {
        "form": LabelReportForm(parameters),
        "query": urlencode(parameters),
        "quality": quality,
    }
    if quality.report:
        context |= label_tables(quality, quality.report)
        context["figures"] = label_figures(quality, quality.report)
    return render(request, "evaluation/show_label_report.html", context)


@require_safe
@admin_required
def label_report_json(request: HttpRequest) -> HttpResponse:
    """The stable JSON of docs/api.md."""
    form = LabelReportForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"error": _said(form)}, status=400)
    quality = _quality(form)
    if not quality.report:
        return JsonResponse({"error": _nothing(quality)}, status=404)
    return JsonResponse(label_exports.document(quality, quality.report), json_dumps_params={"indent": 2})


@require_safe
@admin_required
def label_report_csv(request: HttpRequest) -> HttpResponse:
    form = LabelReportForm(request.GET)
    if not form.is_valid():
        return HttpResponse(f"{_said(form)}\n", status=400, content_type=PLAIN)
    quality = _quality(form)
    if not quality.report:
        return HttpResponse(f"{_nothing(quality)}\n", status=404, content_type=PLAIN)
    return HttpResponse(
        label_exports.as_csv(quality.report),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="labels-{quality.split}.csv"'},
    )


def _quality(form: LabelReportForm) -> LabelQuality:
    cleaned = form.cleaned_data
    return label_quality(cleaned["split"], cleaned["policy"], cleaned["campaign"])


def _said(form: LabelReportForm) -> str:
    return " ".join(str(message) for messages in form.errors.values() for message in messages)


def _nothing(quality: LabelQuality) -> str:
    return f"No segment of the {quality.split} split has been scored under the policy “{quality.policy.name}” yet."
