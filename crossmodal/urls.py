"""Addresses of Crossmodal. URL name = view name = template name."""

from django.contrib import admin
from django.urls import include, path, re_path

from crossmodal.admin_pages import view_on_site
from crossmodal.roles import admin_required
from crossmodal.views import accounts

# The admin site has no forms of its own that ask for a password: they would know nothing of the throttle.
admin.site.login = accounts.admin_site_login  # type: ignore[assignment, method-assign]
admin.site.password_change = accounts.admin_site_password_change  # type: ignore[assignment, method-assign]

urlpatterns = [
    # The dots are as wide as those of django-rq's own address.
    re_path(r"^admin/queues/stats.json/[\s\S]", accounts.refuse_token),
    path("admin/queues/", include("django_rq.urls")),
    path("admin/r/<path:row>", admin_required(view_on_site)),
    path("admin/", admin.site.urls),
    path("", include("crossmodal.pages")),
    path("", include("pipeline.urls")),
    path("", include("annotation.urls")),
    path("", include("evaluation.urls")),
]
