"""The addresses that the installation has."""

from collections.abc import Iterator

from django.urls import URLPattern, URLResolver


def routes_of(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """Give the routes below a resolver, as Django writes them."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes_of(entry, route)
        elif isinstance(entry, URLPattern):
            yield route
