"""Addresses of the installation itself."""

from django.urls import path

from crossmodal.views import accounts, demo, home, people

urlpatterns = [
    path("", home.home, name="home"),
    path("healthz", home.healthz, name="healthz"),
    path("accounts/login/", accounts.login, name="login"),
    path("accounts/logout/", accounts.logout, name="logout"),
    path("accounts/password/", accounts.password_change, name="password_change"),
    path("accounts/password/done/", accounts.password_change_done, name="password_change_done"),
    path("people/", people.list_people, name="list_people"),
    path("people/add/", people.add_person, name="add_person"),
    path("people/<int:pk>/update/", people.update_person, name="update_person"),
    path("people/listeners/<int:pk>/link/", people.link_listener, name="link_listener"),
    path("people/listeners/<int:pk>/unlink/", people.unlink_listener, name="unlink_listener"),
    path("demo/start/", demo.start_demo, name="start_demo"),
    path("demo/progress/", demo.demo_progress, name="demo_progress"),
]
