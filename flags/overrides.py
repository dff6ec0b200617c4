"""The override file: flags set while running, shared by all processes of one data folder.

It is a JSON object of names and values, such as `{"COORDINATOR_ENGINE": "workflow"}`, and operators may
edit it by hand.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from flags.errors import ConfigurationError
from flags.layers import Layer, layer_of
from flags.names import KnownNames
from flags.values import FLAG_NAMES, FlagValue

KNOWN = KnownNames(ours=frozenset(FLAG_NAMES))


def read_overrides(content: bytes | None) -> Layer:
    """The flags that the file sets; no file, or an empty one, sets none.

    Raises:
        ConfigurationError: not a JSON object, a misspelt name or a bad value.
    """
    values = _object(content)
    misspelt = {name: meant for name in values if (meant := KNOWN.misspelt(name))}
    if misspelt:
        raise ConfigurationError([f"override: did you mean {meant}?" for meant in misspelt.values()])
    return layer_of(values, "override")


def write_overrides(path: Path, changes: Mapping[str, FlagValue | None]) -> Layer:
    """Set flags, or remove the override of those that are None; what others set meanwhile stays.

    The file is replaced in one step and is on disk when this returns; gives all that it now sets.

    Raises:
        OSError: it cannot be written; the old file stands.
        ConfigurationError: the file holds something else that is wrong, which is for an operator to mend.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        values = {**_object(path.read_bytes() if path.exists() else None), **changes}
        kept = {name: value for name, value in sorted(values.items()) if value is not None}
        content = json.dumps(kept, indent=2).encode() + b"\n"
        layer = read_overrides(content)
        _replace(path, content)
    return layer


def _object(content: bytes | None) -> dict[str, Any]:
    try:
        values = json.loads(content or b"{}")
    except ValueError as error:
        raise ConfigurationError(["override: the file is not JSON."]) from error
    if not isinstance(values, dict):
        raise ConfigurationError(["override: the file is not a JSON object of names and values."])
    return {name.upper(): value for name, value in cast(dict[str, Any], values).items()}


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_suffix(f".{os.getpid()}.draft")
    try:
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
