"""Choosing from a playlist, channel or feed: its address, the reading by a worker, and adding what was chosen."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST, require_safe

from crossmodal.roles import admin_required
from pipeline import intake, listing
from pipeline.hosts import check_url
from pipeline.list_forms import ChosenVideosForm, ListAddressForm, ListQuery
from pipeline.models import Video
from pipeline.stages.errors import StageError
from pipeline.stages.list_addresses import ListAddressError, list_beside
from pipeline.stages.list_entries import ListedVideo
from pipeline.stages.video_lists import PAGE_ENTRIES

# The split and the policy that videos are meant for.
Goal = dict[str, str]
# Lists beside added videos that one message names.
MAX_LISTS_NAMED = 3


@dataclass(frozen=True)
class Row:
    """An entry as the chooser shows it: the video that it is here already, if any, and whether its box is ticked."""

    entry: ListedVideo
    video: Video | None
    chosen: bool

    @property
    def can_be_added(self) -> bool:
        return self.entry.identity is not None and self.video is None


def _rows(found: Iterable[ListedVideo], chosen: Iterable[str], *, every: bool) -> list[Row]:
    entries, ticked = list(found), set(chosen)
    here = listing.find_here(entries)
    return [
        Row(entry, here.get(entry.identity) if entry.identity else None, every or entry.url in ticked)
        for entry in entries
    ]


def _context(values: dict[str, Any], chosen: Iterable[str] = ()) -> dict[str, Any]:
    """What the chooser shows of a stretch of a list: how far its reading is, or its rows with their numbers."""
    context: dict[str, Any] = {"nav": "videos", **values, "page_entries": PAGE_ENTRIES}
    if not values["url"]:
        return context
    try:
        shown = listing.look(listing.check_list(values["url"], values["first"]), values["first"])
    except StageError as error:
        return {**context, "refusal": error.message}
    rows = _rows(shown.found.entries, chosen, every=values["all"]) if shown.found else []
    can = sum(row.can_be_added for row in rows)
    here = sum(row.video is not None for row in rows)
    return {
        **context,
        "listing": shown,
        "found": shown.found,
        "rows": rows,
        "n_can": can,
        "n_here": here,
        "n_cannot": len(rows) - can - here,
        "n_chosen": sum(row.chosen and row.can_be_added for row in rows),
        "previous": max(1, values["first"] - PAGE_ENTRIES) if values["first"] > 1 else None,
        "no_worker": shown.is_under_way and not listing.has_worker(),
        "query": urlencode({name: values[name] for name in ("url", "first", "split", "policy")}),
    }


def _show(request: HttpRequest, values: dict[str, Any], *, status: int = 200, **context: Any) -> HttpResponse:
    address_form = ListAddressForm(initial=values)
    chosen_form = ChosenVideosForm(initial=values)
    chosen = context.pop("chosen", ())
    context = {"address_form": address_form, "chosen_form": chosen_form, **_context(values, chosen), **context}
    return render(request, "pipeline/choose_videos.html", context, status=status)


@require_safe
@admin_required
def choose_videos(request: HttpRequest) -> HttpResponse:
    return _show(request, ListQuery(request.GET).values())


@require_safe
@admin_required
def listed_videos(request: HttpRequest) -> HttpResponse:
    """The list alone, which fetches itself again while it is being read."""
    values = ListQuery(request.GET).values()
    context = {"chosen_form": ChosenVideosForm(initial=values), **_context(values)}
    return render(request, "pipeline/_listed_videos.html", context)


@require_POST
@admin_required
def read_list(request: HttpRequest) -> HttpResponse:
    form = ListAddressForm(request.POST)
    if not form.is_valid():
        return _show(request, ListQuery({}).values(), status=422, address_form=form)
    data = form.cleaned_data
    try:
        return open_list(data["url"], _goal(data), first=data["first"], again=data["again"])
    except StageError as error:
        form.add_error("url", error.message)
    return _show(request, ListQuery({}).values(), status=422, address_form=form)


def open_list(url: str, goal: Goal, *, first: int = 1, again: bool = False) -> HttpResponse:
    """Have the list read and go to the page that shows it. Raises StageError where that is not possible."""
    listing.ask(url, first, again=again)
    return redirect(chooser_address(listing.check_list(url, first), goal, first))


def lead_to_list(request: HttpRequest, url: str, goal: Goal) -> HttpResponse:
    """Go on to a list whose address was pasted where addresses of videos go."""
    messages.info(request, "This is the address of a list, so nothing has been added yet. Choose from its videos.")
    try:
        return open_list(url, goal)
    except StageError:  # the chooser says why, and has a button to try again
        return redirect(chooser_address(url, goal))


def chooser_address(url: str, goal: Goal, first: int = 1) -> str:
    """The chooser's address for a stretch of a list."""
    given = {name: value for name, value in goal.items() if value}
    return f"{reverse('choose_videos')}?{urlencode({'url': url, 'first': first, **given})}"


def _goal(data: dict[str, Any]) -> Goal:
    return {"split": data["split"], "policy": data["policy"]}


@require_POST
@admin_required
def submit_chosen(request: HttpRequest) -> HttpResponse:
    form = ChosenVideosForm(request.POST)
    if not form.is_valid():
        return _show(request, ListQuery(request.POST).values(), status=422, chosen_form=form)
    data = form.cleaned_data
    title, titles = _titles(data["url"], data["first"])
    taken = intake.submit_urls(data["videos"], titles=titles, **_goal(data))
    if count := len(taken.created):
        back = chooser_address(data["url"], _goal(data), data["first"])
        said = "{} video{} added. <a href='{}'>Go on choosing from “{}”</a>"
        messages.success(request, format_html(said, count, pluralize(count), back, title or "the list"))
    if taken.problem:
        messages.warning(request, taken.problem)
    if not taken.refused:
        return redirect("list_videos")
    values = ListQuery(request.POST).values()
    return _show(request, values, status=422, refused=taken.refused, chosen=[one.text for one in taken.refused])


def _titles(url: str, first: int) -> tuple[str, dict[str, str]]:
    """The list's title, and those of its videos by address, as long as they are kept."""
    try:
        found = listing.look(url, first).found
    except StageError:
        return "", {}
    return (found.title, {entry.url: entry.title for entry in found.entries}) if found else ("", {})


def single_list(urls: list[str]) -> str:
    """The list that was pasted alone where addresses of videos go; empty where anything else was."""
    try:
        if len(urls) == 1:
            check_url(urls[0])
    except ListAddressError as error:
        return error.list_address.url
    except StageError:
        return ""
    return ""


def tell_lists_beside(request: HttpRequest, videos: Iterable[Video], goal: Goal) -> None:
    """Offer the playlists that addresses of added videos name beside them."""
    found = {there.url for video in videos if video.submitted_url and (there := list_beside(video.submitted_url))}
    for url in sorted(found)[:MAX_LISTS_NAMED]:
        said = "A video was added alone; its address also names a playlist. <a href='{}'>Choose from the playlist</a>"
        messages.info(request, format_html(said, chooser_address(url, goal)))
