"""Names in XML without their namespaces, which differ from edition to edition of a format."""


def local_name(name: str) -> str:
    """Return a name without its namespace.

    >>> local_name("{http://www.w3.org/ns/ttml}p"), local_name("tt:p"), local_name("p")
    ('p', 'p', 'p')
    """
    return name.rsplit("}", 1)[-1].rsplit(":", 1)[-1]
