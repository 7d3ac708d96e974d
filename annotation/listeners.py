"""Listeners as the headings of a vote table name them."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.errors import AnnotationError
from pipeline.cell_names import same_heading, seen

SIMULATED_SUFFIX = " (simulated)"
# Before and after a name that is to be read letter by letter, since by itself it would be read otherwise.
EXACT_PREFIX = "annotator: "
EXACT_SUFFIX = " (person)"
MAX_NAME_CHARACTERS = 150


@dataclass(frozen=True)
class Listener:
    """A person whose votes are in one column; ``exact`` where the name is written letter by letter."""

    name: str
    simulated: bool
    exact: bool = False

    @property
    def username(self) -> str:
        """The name by which the person is known: without white space, and in the form that Django gives to names."""
        return self.name if self.exact else "_".join(unicodedata.normalize("NFKC", self.name).split())


def listener_of(heading: str) -> Listener:
    """Read a heading as a listener; AnnotationError where it is no name."""
    bare = heading.lstrip()
    if bare.startswith(EXACT_PREFIX) and bare.endswith((EXACT_SUFFIX, SIMULATED_SUFFIX)):
        simulated = bare.endswith(SIMULATED_SUFFIX)
        name = bare.removeprefix(EXACT_PREFIX).removesuffix(SIMULATED_SUFFIX if simulated else EXACT_SUFFIX)
        listener = Listener(name, simulated, exact=True)
    else:
        words = " ".join(seen(heading).split())
        listener = Listener(words.removesuffix(SIMULATED_SUFFIX), words.endswith(SIMULATED_SUFFIX))
    if not listener.username:
        raise AnnotationError(f"The heading “{heading.strip()}” is no name; write the annotator's name.")
    if len(listener.username) > MAX_NAME_CHARACTERS:
        raise AnnotationError(f"The heading “{listener.name[:40]}…” is too long for an annotator's name.")
    return listener


def exact_heading(username: str, *, simulated: bool) -> str:
    """Return a heading that is read as this name, whatever it is."""
    return f"{EXACT_PREFIX}{username}{SIMULATED_SUFFIX if simulated else EXACT_SUFFIX}"


def plain_heading(username: str, *, simulated: bool) -> str:
    """Return the name as a heading; an exact one where it would be read as another."""
    heading = username + SIMULATED_SUFFIX if simulated else username
    read = Listener(username, simulated)
    same = heading == " ".join(heading.split()) and listener_of(heading) == read and read.username == username
    return heading if same else exact_heading(username, simulated=simulated)


def check_people(listeners: Sequence[Listener]) -> None:
    """Raise AnnotationError where two columns would become one person.

    One person may have a column of simulated votes beside one of their own.
    """
    seen: dict[str, Listener] = {}
    taken: set[tuple[str, bool]] = set()
    for listener in listeners:
        earlier = seen.setdefault(same_heading(listener.username), listener)
        key = (listener.username, listener.simulated)
        alike = earlier.username != listener.username and not (earlier.exact or listener.exact)
        differs = earlier.username == listener.username and earlier.name != listener.name and not listener.exact
        if key in taken or alike or differs:
            raise AnnotationError(
                f"Two columns are named “{listener.name}”; each annotator needs one column of their own."
                if earlier.name == listener.name
                else f"The columns “{earlier.name}” and “{listener.name}” would become one person, "
                f"“{earlier.username}”; give them names that differ in more than case, spaces and underscores."
            )
        taken.add(key)
