"""A skops file whose bytes depend on the model alone."""

import hashlib
import io
import json
import zipfile
from typing import Any

SCHEMA = "schema.json"
# The first moment that a ZIP file can name.
NO_TIME = (1980, 1, 1, 0, 0, 0)


def stable_bytes(content: bytes) -> bytes:
    """The same skops file without what differs from one writing to the next.

    skops writes the time, and the address that each object has in memory, also as the name of each array's file. Here
    an array's file is named by a hash of its content, addresses are left out, and the time is always the same.
    Addresses only tell which objects are one and the same; nothing in a fitted model rests on that.

    Parameters
    ----------
    content : bytes
        From `skops.io.dumps`.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as source, zipfile.ZipFile(target, "w") as out:
        files = {name: source.read(name) for name in source.namelist() if name != SCHEMA}
        names = {name: f"{hashlib.sha256(data).hexdigest()}.{name.rpartition('.')[2]}" for name, data in files.items()}
        by_name = {names[name]: data for name, data in files.items()}
        schema = json.dumps(_without_addresses(json.loads(source.read(SCHEMA)), names), indent=1)
        for name, data in (*sorted(by_name.items()), (SCHEMA, schema.encode())):
            out.writestr(zipfile.ZipInfo(name, NO_TIME), data)
    return target.getvalue()


def _without_addresses(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, list):
        return [_without_addresses(part, names) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _without_addresses(part, names) for key, part in node.items() if key != "__id__"}
    if isinstance(kept.get("file"), str):
        kept["file"] = names[kept["file"]]
    return kept
