"""Addresses."""

from django.urls import path

from annotation import campaigns, views

urlpatterns = [
    path("campaigns/", campaigns.list_campaigns, name="list_campaigns"),
    path("campaigns/new/", campaigns.create_campaign, name="create_campaign"),
    path("campaigns/import/", campaigns.import_votes, name="import_campaign"),
    path("campaigns/<int:pk>/", campaigns.show_campaign, name="show_campaign"),
    path("campaigns/<int:pk>/import/", campaigns.import_votes, name="import_votes"),
    path("campaigns/<int:pk>/toggle/", campaigns.toggle_campaign, name="toggle_campaign"),
    path("campaigns/<int:pk>/export", campaigns.export_votes, name="export_votes"),
    path("adjudicate/<int:task_pk>/", campaigns.adjudicate, name="adjudicate"),
    path("annotate/", views.annotate, name="annotate"),
    path("annotate/<int:campaign_pk>/", views.annotate_campaign, name="annotate_campaign"),
    path("annotate/<int:slot_pk>/clip", views.task_clip, name="task_clip"),
    path("annotate/<int:slot_pk>/vote/", views.submit_vote, name="submit_vote"),
    path("annotate/<int:slot_pk>/skip/", views.skip_task, name="skip_task"),
    path("annotate/<int:campaign_pk>/undo/", views.undo_vote, name="undo_vote"),
    path("annotate/<int:slot_pk>/renew/", views.renew_lease, name="renew_lease"),
]
