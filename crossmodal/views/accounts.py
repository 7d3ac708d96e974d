"""Signing in and changing one's password."""

from django.contrib.auth import views as auth_views
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossmodal.forms import SignInForm

read_and_send = require_http_methods(["GET", "HEAD", "POST"])

login = read_and_send(
    auth_views.LoginView.as_view(
        template_name="registration/login.html", authentication_form=SignInForm, redirect_authenticated_user=True
    )
)
logout = require_POST(auth_views.LogoutView.as_view())
password_change = read_and_send(
    auth_views.PasswordChangeView.as_view(
        template_name="registration/password_change.html", success_url=reverse_lazy("password_change_done")
    )
)
password_change_done = require_safe(
    auth_views.PasswordChangeDoneView.as_view(template_name="registration/password_change_done.html")
)
