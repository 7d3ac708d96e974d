"""The page that says whether downloads can work."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from crossmodal.roles import admin_required
from pipeline.downloads import check_all, pacing
from pipeline.stages.downloader_check import DownloaderReport
from pipeline.stages.downloader_state import OLD_AFTER_DAYS

CACHE_KEY: Final = "check-downloads"
# The check starts a program and opens a connection; what it finds changes when somebody changes something.
CACHED_S: Final = 300


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def check_downloads(request: HttpRequest) -> HttpResponse:
    """Show the last check, or make one; POST makes a new one."""
    if request.method == "POST":
        cache.delete(CACHE_KEY)
        return redirect("check_downloads")
    found: tuple[DownloaderReport, datetime] | None = cache.get(CACHE_KEY)
    if found is None:
        found = (check_all(), timezone.now())
        cache.set(CACHE_KEY, found, CACHED_S)
    report, checked_at = found
    context = {
        "nav": "videos",
        "report": report,
        "checked_at": checked_at,
        "pacing": pacing(),
        "is_old": (report.yt_dlp_age_days or 0) > OLD_AFTER_DAYS,
        "hosts": settings.DOWNLOAD_ALLOWED_HOSTS,
        "clients": settings.DOWNLOAD_PLAYER_CLIENTS,
    }
    return render(request, "pipeline/check_downloads.html", context)
