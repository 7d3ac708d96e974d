"""Admin site. What votes say is shown here and changed nowhere: the record of who judged what is append-only."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from annotation.models import Adjudication, Campaign, ImportedListener, Skip, Slot, Task, Vote

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
else:
    BaseAdmin = admin.ModelAdmin  # Django's class takes no type at runtime


class ReadOnlyAdmin(BaseAdmin):
    """Rows that the annotation room itself writes, by rules that a form here would pass by."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Campaign)
class CampaignAdmin(BaseAdmin):
    list_display = ("name", "split", "policy", "votes_per_task", "show_text", "is_open", "created_at")
    list_filter = ("split", "is_open")
    search_fields = ("name",)
    readonly_fields = ("split", "policy", "sampling", "seed", "votes_per_task", "created_by", "created_at")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a campaign without drawn segments is of no use


@admin.register(Task)
class TaskAdmin(ReadOnlyAdmin):
    list_display = ("campaign", "position", "state", "truth", "segment", "imported_key")
    list_filter = ("state", "truth", "campaign")
    list_select_related = ("campaign", "segment")
    search_fields = ("imported_key", "imported_text")


@admin.register(ImportedListener)
class ImportedListenerAdmin(ReadOnlyAdmin):
    list_display = ("name", "campaign", "account", "linked_by", "linked_at")
    list_filter = ("campaign",)
    list_select_related = ("campaign", "account", "linked_by")
    search_fields = ("name",)


@admin.register(Slot)
class SlotAdmin(ReadOnlyAdmin):
    list_display = ("task", "slot", "annotator", "filled", "lease_ends")
    list_filter = ("filled", "annotator")
    list_select_related = ("task", "annotator")


@admin.register(Skip)
class SkipAdmin(ReadOnlyAdmin):
    list_display = ("task", "annotator", "created_at")
    list_select_related = ("task", "annotator")


@admin.register(Vote)
class VoteAdmin(ReadOnlyAdmin):
    list_display = ("task", "annotator", "label", "retracts", "origin", "condition", "heard_share", "created_at")
    list_filter = ("label", "origin", "condition", "annotator")
    list_select_related = ("task", "annotator", "retracts")


@admin.register(Adjudication)
class AdjudicationAdmin(ReadOnlyAdmin):
    list_display = ("task", "label", "decided_by", "created_at")
    list_select_related = ("task", "decided_by")
