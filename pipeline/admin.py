"""Admin site: everything the machine stored, to look at; pages and commands are where work is started."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest

from pipeline import intake
from pipeline.models import DownloadSite, Prediction, Segment, TextLabel, TrainingRun, Video

DERIVED = [
    "state_since",
    "attempts",
    "deaths",
    "interruptions",
    "progress_what",
    "progress_done",
    "progress_total",
    "created_at",
]


@admin.register(Video)
class VideoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["id", "__str__", "split", "state", "captions_kind", "duration_s", "segment_count", "created_at"]
    list_display_links = ["id", "__str__"]
    list_filter = ["split", "state", "captions_kind", "policy"]
    search_fields = ["title", "url", "submitted_url", "extractor_id", "=dataset_id"]
    readonly_fields = [
        *DERIVED,
        "url",
        "submitted_url",
        "extractor",
        "extractor_id",
        "site",
        "waits_until",
        "captions_asks",
        "dataset_row",
        "duration_s",
        "state",
        "error_message",
        "error_permanent",
        "captions_kind",
        "captions_notes",
        "sound_notes",
        "source",
        "audio",
        "captions",
        "peaks",
        "features",
    ]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """With the number of segments, counted for the shown rows only."""
        segments = Segment.objects.filter(video=OuterRef("pk")).order_by().values("video")
        counted = Subquery(segments.annotate(n=Count("pk")).values("n"), output_field=IntegerField())
        return Video.objects.annotate(segment_count=Coalesce(counted, 0))

    @admin.display(description="Segments", ordering="segment_count")
    def segment_count(self, video: Any) -> int:
        return int(video.segment_count)

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        """With its files, and without the work on it."""
        intake.remove(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        for video in queryset:
            intake.remove(video)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Videos come in through the Videos page, which checks the address and starts the fetching."""
        return False


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only a job writes; changed by hand they would no longer be what the machine said."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Segment)
class SegmentAdmin(ReadOnlyAdmin):
    list_display = ["id", "video", "position", "start_ms", "end_ms", "text", "exclusion", "policy"]
    list_filter = ["policy", "exclusion", "video__split"]
    list_select_related = ["video"]
    search_fields = ["text", "video__title"]


@admin.register(TextLabel)
class TextLabelAdmin(ReadOnlyAdmin):
    list_display = ["id", "segment", "policy", "vader", "textblob", "pattern", "mean", "label", "rejection"]
    list_filter = ["policy", "label", "rejection"]
    list_select_related = ["segment"]
    search_fields = ["segment__text"]


@admin.register(TrainingRun)
class TrainingRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = [
        "id",
        "split",
        "policy",
        "classifier",
        "balancing",
        "fold_scheme",
        "state",
        "created_by",
        "created_at",
    ]
    list_filter = ["state", "split", "policy", "classifier"]
    list_select_related = ["created_by"]
    search_fields = ["=id", "data_fingerprint", "created_by__username"]

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        intake.remove_run(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for run in queryset:
            intake.remove_run(run)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A model's card must go on telling how it was made."""
        return False


@admin.register(DownloadSite)
class DownloadSiteAdmin(ReadOnlyAdmin):
    list_display = ["name", "free_at", "holder", "held_until", "called", "rests_until", "refusals", "reason"]
    search_fields = ["name"]


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    list_display = ["id", "run", "segment", "label", "p_positive", "p_neutral", "p_negative", "fold"]
    list_filter = ["label", "run"]
    list_select_related = ["run", "segment"]
    search_fields = ["segment__text"]
