"""Addresses of Crossmodal. URL name = view name = template name."""

from django.contrib import admin
from django.urls import include, path
from django_rq.stats_views import stats_json
from django_rq.urls import get_admin_urlpatterns

from crossmodal.admin_pages import may_use_admin_site, view_on_site
from crossmodal.roles import admin_required
from crossmodal.views import accounts

# The admin site has no forms of its own that ask for a password: they would know nothing of the throttle.
admin.site.login = accounts.admin_site_login  # type: ignore[assignment, method-assign]
admin.site.password_change = accounts.admin_site_password_change  # type: ignore[assignment, method-assign]
# Being marked as staff is not enough for either of the two; the role is.
admin.site.has_permission = may_use_admin_site  # type: ignore[method-assign]
# Without the address of their figures for a token in the address: no token is set, and it answered nonsense with 500.
queue_patterns = [
    path("stats.json", admin_required(stats_json), name="home_json"),
    *get_admin_urlpatterns(view_wrapper=admin_required),
]

handler500 = "crossmodal.views.home.server_error"

urlpatterns = [
    path("admin/queues/", include((queue_patterns, "django_rq"))),
    path("admin/r/<path:row>", admin_required(view_on_site)),
    path("admin/", admin.site.urls),
    path("", include("crossmodal.pages")),
    path("", include("pipeline.urls")),
    path("", include("annotation.urls")),
    path("", include("evaluation.urls")),
]
