"""Addresses of Crossmodal. URL name = view name = template name."""

from django.contrib import admin
from django.urls import include, path

from crossmodal.admin_pages import view_on_site
from crossmodal.roles import admin_required

# One way in: the admin site has no sign-in form of its own, which would know nothing of the throttle.
admin.site.login = admin_required(admin.site.login)  # type: ignore[assignment, method-assign]

urlpatterns = [
    path("admin/queues/", include("django_rq.urls")),
    path("admin/r/<path:row>", admin_required(view_on_site)),
    path("admin/", admin.site.urls),
    path("", include("crossmodal.pages")),
    path("", include("pipeline.urls")),
    path("", include("annotation.urls")),
    path("", include("evaluation.urls")),
]
