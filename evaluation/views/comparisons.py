"""The evaluation page, and its reports as JSON and CSV."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from crossmodal.roles import admin_required
from evaluation import charts, exports
from evaluation.forms import EvaluationForm, ReportForm
from evaluation.metrics import EvaluationError, Report
from evaluation.reports import COMPARISONS, Comparison, Question
from evaluation.sections import TITLES, Section

QUESTION = ("split", "policy", "campaign", "run", "min_confidence")


@require_safe
@admin_required
def show_evaluation(request: HttpRequest) -> HttpResponse:
    form = EvaluationForm(request.GET)
    context = {"nav": "evaluation", "form": form, "low_colour": charts.LOW_COLOUR, "high_colour": charts.HIGH_COLOUR}
    if not form.is_valid():
        return render(request, "evaluation/show_evaluation.html", context, status=400)
    question = _question(form)
    sections = [Section(question, question.compare(kind)) for kind in COMPARISONS]
    context |= {
        # Shown with what was in fact chosen where nothing was asked for.
        "form": EvaluationForm(_parameters(question)),
        "question": question,
        "sections": sections,
        "query": urlencode(_parameters(question)),
    }
    return render(request, "evaluation/show_evaluation.html", context)


@require_safe
@admin_required
def evaluation_report(request: HttpRequest) -> HttpResponse:
    """The stable JSON of one comparison (docs/api.md)."""
    try:
        question, comparison, report = _asked_for(request)
    except BadParametersError as error:
        return JsonResponse({"error": str(error)}, status=400)
    except EvaluationError as error:
        return JsonResponse({"error": str(error)}, status=404)
    return JsonResponse(exports.document(question, comparison, report), json_dumps_params={"indent": 2})


@require_safe
@admin_required
def evaluation_csv(request: HttpRequest) -> HttpResponse:
    try:
        question, comparison, report = _asked_for(request)
    except BadParametersError as error:
        return HttpResponse(f"{error}\n", status=400, content_type="text/plain; charset=utf-8")
    except EvaluationError as error:
        return HttpResponse(f"{error}\n", status=404, content_type="text/plain; charset=utf-8")
    name = f"evaluation-{comparison.kind}.csv"
    return HttpResponse(
        exports.as_csv(question, comparison, report),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class BadParametersError(ValueError):
    """The address asks for something that does not exist."""


def _asked_for(request: HttpRequest) -> tuple[Question, Comparison, Report]:
    form = ReportForm(request.GET)
    if not form.is_valid():
        raise BadParametersError(" ".join(str(message) for messages in form.errors.values() for message in messages))
    question = _question(form)
    kind = form.cleaned_data["comparison"]
    comparison = question.compare(kind)
    if comparison.counts.unsure and not comparison.counts.compared:
        raise EvaluationError(
            f"{TITLES[kind]}: the model is less than {question.min_confidence:g} sure of every segment; ask for less."
        )
    if not comparison.counts.compared:
        raise EvaluationError(f"{TITLES[kind]}: no segment of the {question.split} split has both yet.")
    return question, comparison, comparison.report()


def _question(form: EvaluationForm) -> Question:
    return Question(**{name: form.cleaned_data[name] for name in QUESTION})


def _parameters(question: Question) -> dict[str, str]:
    parameters = {
        "split": question.split,
        "campaign": str(question.campaign.pk) if question.campaign else "",
        "run": str(question.run.pk) if question.run else "",
        "policy": question.policy,
    }
    if question.min_confidence is not None:
        parameters["min_confidence"] = f"{question.min_confidence:g}"
    return parameters
