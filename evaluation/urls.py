"""Addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def unfinished(request: HttpRequest, **kwargs: int) -> HttpResponse:
    return HttpResponse(status=501)


urlpatterns = [
    path("evaluation/", unfinished, name="show_evaluation"),
    path("evaluation/report.json", unfinished, name="evaluation_report"),
]
