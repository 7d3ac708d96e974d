"""Who may use this installation."""

from collections import Counter

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation.models import ImportedListener
from crossmodal import people
from crossmodal.demo.listeners import is_simulated
from crossmodal.forms import AddPeopleForm, LinkListenerForm, UpdatePersonForm
from crossmodal.people import NameTakenError, NewPassword, RefusedError, Role
from crossmodal.roles import admin_required
from crossmodal.user_names import is_no_account


@require_safe
@admin_required
def list_people(request: HttpRequest) -> HttpResponse:
    users = list(people.listed_people())
    listeners = people.imported_listeners() if any(user.beside_listeners for user in users) else []  # type: ignore[attr-defined]
    n_imported: Counter[int | None] = Counter()
    for listener in listeners:
        n_imported[listener.account_id] += listener.n_votes  # type: ignore[attr-defined]
    listed = [
        {
            "user": user,
            "role": people.role_of(user),
            "simulated": is_simulated(user),
            "self": user.pk == request.user.pk,
            "n_imported": n_imported[user.pk],
        }
        for user in users
    ]
    context = {
        "nav": "people",
        "people": listed,
        "listeners": listeners,
        "form": AddPeopleForm(),
        "roles": Role.choices,
    }
    return render(request, "people/list_people.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def add_person(request: HttpRequest) -> HttpResponse:
    form = AddPeopleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = people.add_people(form.cleaned_data["names"], form.cleaned_data["role"])
        except NameTakenError as error:
            form.add_error("names", str(error))
        else:
            return _show_passwords(request, made)
    return render(request, "people/add_person.html", {"nav": "people", "form": form})


@never_cache
def _show_passwords(request: HttpRequest, made: list[NewPassword]) -> HttpResponse:
    """Answer the POST itself: a redirect would have to keep the passwords somewhere in between."""
    return render(request, "people/show_passwords.html", {"nav": "people", "made": made})


@require_POST
@admin_required
def update_person(request: HttpRequest, pk: int) -> HttpResponse:
    user = get_object_or_404(User, pk=pk)
    actor = request.user
    form = UpdatePersonForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: choose what to do with the account.")
        return redirect("list_people")
    if is_no_account(user):
        messages.error(request, f"{user} is a listener who never signs in, and stays as it is.")
        return redirect("list_people")
    try:
        made = _update(user, form.cleaned_data, actor)  # type: ignore[arg-type]
    except RefusedError as error:
        messages.error(request, str(error))
        return redirect("list_people")
    if made:
        return _show_passwords(request, [made])
    messages.success(request, f"{user} was changed.")
    return redirect("list_people")


def _update(user: User, cleaned: dict[str, str], actor: User) -> NewPassword | None:
    match cleaned["action"]:
        case UpdatePersonForm.DEACTIVATE:
            people.set_active(user, False, actor)
        case UpdatePersonForm.REACTIVATE:
            people.set_active(user, True, actor)
        case UpdatePersonForm.ROLE:
            people.change_role(user, cleaned["role"], actor)
        case _:
            if user.pk == actor.pk:
                raise RefusedError("Change your own password through “Change password” in the menu under your name.")
            return people.reset_password(user)
    return None


@require_POST
@admin_required
def link_listener(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whose votes an imported listener's are."""
    listener = get_object_or_404(ImportedListener, pk=pk)
    form = LinkListenerForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: write the name of the account.")
        return redirect("list_people")
    try:
        listener = people.link_listener(listener, form.cleaned_data["account"], request.user)  # type: ignore[arg-type]
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The votes of “{listener}” now count as those of {listener.account}.")
    return redirect("list_people")


@require_POST
@admin_required
def unlink_listener(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back whose votes an imported listener's are."""
    listener = get_object_or_404(ImportedListener, pk=pk)
    try:
        people.unlink_listener(listener, request.user)  # type: ignore[arg-type]
    except RefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"“{listener}” counts as a person of their own.")
    return redirect("list_people")
