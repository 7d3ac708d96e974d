"""Addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def unfinished(request: HttpRequest, **kwargs: int) -> HttpResponse:
    return HttpResponse(status=501)


urlpatterns = [
    path("campaigns/", unfinished, name="list_campaigns"),
    path("campaigns/new/", unfinished, name="create_campaign"),
    path("campaigns/<int:pk>/", unfinished, name="show_campaign"),
    path("campaigns/<int:pk>/import/", unfinished, name="import_votes"),
    path("campaigns/<int:pk>/toggle/", unfinished, name="toggle_campaign"),
    path("campaigns/<int:pk>/export", unfinished, name="export_votes"),
    path("adjudicate/<int:task_pk>/", unfinished, name="adjudicate"),
    path("annotate/", unfinished, name="annotate"),
    path("annotate/<int:campaign_pk>/", unfinished, name="annotate_campaign"),
    path("annotate/<int:slot_pk>/clip", unfinished, name="task_clip"),
    path("annotate/<int:slot_pk>/vote/", unfinished, name="submit_vote"),
    path("annotate/<int:slot_pk>/skip/", unfinished, name="skip_task"),
    path("annotate/<int:campaign_pk>/undo/", unfinished, name="undo_vote"),
    path("annotate/<int:slot_pk>/renew/", unfinished, name="renew_lease"),
]
