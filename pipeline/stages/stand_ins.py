"""Import a library whose unused dependencies are not installed."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def stand_ins(modules: Mapping[str, ModuleType]) -> Iterator[None]:
    """Put stand-in modules into ``sys.modules`` while a library is imported.

    Afterwards every stood-in name and ``sys.path`` are as they were, so that no other code meets a stand-in.

    Parameters
    ----------
    modules : mapping of str to module
        Full module name and what an ``import`` of it gives inside the ``with`` block.
    """
    path = list(sys.path)
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
        sys.path[:] = path
