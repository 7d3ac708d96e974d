"""Signing in and changing one's password."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crossmodal import throttle
from crossmodal.forms import ChangePasswordForm, SignInForm
from crossmodal.roles import admin_required

read_and_send = require_http_methods(["GET", "HEAD", "POST"])


class AnswersThrottled:
    """A form that asks to wait is answered with 429, and with the seconds for programs."""

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        if form.wait_s:
            response.status_code = 429
            response["Retry-After"] = str(form.wait_s)
            response._has_been_logged = True  # type: ignore[attr-defined] # Django would log each guess of a flood
        return response


class SignIn(AnswersThrottled, auth_views.LoginView):
    template_name = "registration/login.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        throttle.remember_sign_in(self.request, response, form.cleaned_data["username"])
        return response


class ChangePassword(AnswersThrottled, auth_views.PasswordChangeView):
    template_name = "registration/password_change.html"
    form_class = ChangePasswordForm
    success_url = reverse_lazy("password_change_done")


login = read_and_send(SignIn.as_view())
logout = require_POST(auth_views.LogoutView.as_view())
password_change = read_and_send(ChangePassword.as_view())
password_change_done = require_safe(
    auth_views.PasswordChangeDoneView.as_view(template_name="registration/password_change_done.html")
)


@admin_required
def admin_site_login(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
    """Send whoever is signed in to the admin site; others came from here to the one sign-in page."""
    if not admin.site.has_permission(request):
        raise PermissionDenied("This account may not use the admin site; ask another admin.")
    return redirect("admin:index")


@login_required
def admin_site_password_change(request: HttpRequest, extra_context: dict[str, object] | None = None) -> HttpResponse:
    return redirect("password_change")
