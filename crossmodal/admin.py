"""Admin site: what belongs to the installation itself, to look at and to clear."""

from django.contrib import admin
from django.http import HttpRequest

from crossmodal import admin_accounts, admin_pages  # noqa: F401 - register accounts and the way to the queues
from crossmodal.models import Demonstration, KnownAddress, SignInBudget


class LookOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows that only the program writes; deleting one makes it start afresh."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(SignInBudget)
class SignInBudgetAdmin(LookOnly):
    list_display = ("slot", "whole_at_ms")
    show_full_result_count = False


@admin.register(KnownAddress)
class KnownAddressAdmin(LookOnly):
    list_display = ("key", "until_ms")
    show_full_result_count = False


@admin.register(Demonstration)
class DemonstrationAdmin(LookOnly):
    list_display = ("started_at", "finished_at", "run", "error_message")
