"""Addresses of the evaluation page and its downloads."""

from django.urls import path

from evaluation import views

urlpatterns = [
    path("evaluation/", views.show_evaluation, name="show_evaluation"),
    path("evaluation/report.json", views.evaluation_report, name="evaluation_report"),
    path("evaluation/report.csv", views.evaluation_csv, name="evaluation_csv"),
]
