"""Times, durations, numbers and labels written for people. Loaded in every template."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from pipeline import labels

register = template.Library()

MINUS = "\N{MINUS SIGN}"


@register.filter
def clock(milliseconds: int | None) -> str:
    """Position in a recording: ``3:07.5``, or ``1:03:07.5`` from one hour on."""
    if milliseconds is None:
        return ""
    tenths = round(milliseconds / 100)
    minutes, tenths = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths // 10:02d}.{tenths % 10}"
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


@register.filter
def duration(seconds: float | None) -> str:
    """Length of a recording: ``45 s``, ``1 min 20 s``, ``2 h 5 min``."""
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s" if total % 60 else f"{total // 60} min"
    hours, minutes = divmod(round(total / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@register.filter
def when(moment: datetime | None) -> SafeString | str:
    """A moment for people: ``just now``, ``5 min ago``, ``today 14:03``, ``3 May 2026``; exact time as title."""
    if moment is None:
        return ""
    local, now = timezone.localtime(moment), timezone.localtime()
    age_s = (now - local).total_seconds()
    if 0 <= age_s < 60:
        words = "just now"
    elif 0 <= age_s < 3600:
        words = f"{int(age_s // 60)} min ago"
    elif local.date() == now.date():
        words = f"today {local:%H:%M}"
    else:
        words = f"{local.day} {local:%b %Y}"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', local.isoformat(), f"{local:%Y-%m-%d %H:%M %Z}", words
    )


@register.filter
def until(moment: datetime | None) -> SafeString | str:
    """A moment to come: ``14:20 UTC``, ``tomorrow 14:20 UTC``, ``3 May 14:20 UTC``; a script makes it local time."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    days = (local.date() - timezone.localtime().date()).days
    day = {0: "", 1: "tomorrow "}.get(days, f"{local.day} {local:%b} ")
    return format_html('<time datetime="{}" data-until>{}{}</time>', local.isoformat(), day, f"{local:%H:%M %Z}")


@register.filter
def signed(value: float | None) -> str:
    """A polarity: ``+0.25``, ``−0.10``, ``0.00``."""
    if value is None:
        return ""
    if value == 0:
        return "0.00"
    return f"{'+' if value > 0 else MINUS}{abs(value):.2f}"


@register.filter
def percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


@register.filter
def figure(value: float | None) -> str:
    """A score with three places; an en dash where it is not defined."""
    return "–" if value is None else f"{value:.3f}"


@register.simple_tag
def label_chip(label: str) -> SafeString | str:
    """A class with its colour, its sign and its word."""
    if label not in labels.SIGNS:
        return format_html('<span class="label label--none">–</span>')
    return format_html(
        '<span class="label label--{}"><span class="label__sign" aria-hidden="true">{}</span>{}</span>',
        label,
        labels.SIGNS[label],
        label,
    )
