"""Addresses of the evaluation pages and their downloads."""

from django.urls import path

from evaluation.views import comparisons, labels, runs

urlpatterns = [
    path("evaluation/", comparisons.show_evaluation, name="show_evaluation"),
    path("evaluation/report.json", comparisons.evaluation_report, name="evaluation_report"),
    path("evaluation/report.csv", comparisons.evaluation_csv, name="evaluation_csv"),
    path("evaluation/labels/", labels.show_label_report, name="show_label_report"),
    path("evaluation/labels/report.json", labels.label_report_json, name="label_report_json"),
    path("evaluation/labels/report.csv", labels.label_report_csv, name="label_report_csv"),
    path("evaluation/runs/<int:pk>/", runs.show_confidence, name="show_confidence"),
    path("evaluation/runs/<int:pk>/label-noise/", runs.list_doubtful_labels, name="list_doubtful_labels"),
    path("evaluation/runs/<int:pk>/label-noise.csv", runs.doubtful_labels_csv, name="doubtful_labels_csv"),
]
