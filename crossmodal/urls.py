"""Addresses of Crossmodal. URL name = view name = template name."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/queues/", include("django_rq.urls")),
    path("admin/", admin.site.urls),
    path("", include("crossmodal.pages")),
    path("", include("pipeline.urls")),
    path("", include("annotation.urls")),
    path("", include("evaluation.urls")),
]
