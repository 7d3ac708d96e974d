"""Addresses."""

from django.http import HttpRequest, HttpResponse
from django.urls import path


def unfinished(request: HttpRequest, **kwargs: int) -> HttpResponse:
    return HttpResponse(status=501)


urlpatterns = [
    path("", unfinished, name="home"),
    path("healthz", unfinished, name="healthz"),
    path("accounts/login/", unfinished, name="login"),
    path("accounts/logout/", unfinished, name="logout"),
    path("accounts/password/", unfinished, name="password_change"),
    path("accounts/password/done/", unfinished, name="password_change_done"),
    path("people/", unfinished, name="list_people"),
    path("people/add/", unfinished, name="add_person"),
    path("people/<int:pk>/update/", unfinished, name="update_person"),
    path("demo/start/", unfinished, name="start_demo"),
    path("demo/progress/", unfinished, name="demo_progress"),
]
