"""How does a saved model come to have the same bytes whenever it is saved?

Keras writes the time of day and addresses of its memory into a `.keras` file, which is
a zip of two JSON texts and the weights. Without them two files of the same model are
equal, so that a digest of the file tells models apart.
"""

from __future__ import annotations

import json
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Any

_CONFIG, _METADATA = "config.json", "metadata.json"
_ADDRESS = "shared_object_id"
_NO_TIME = (1980, 1, 1, 0, 0, 0)  # the first that a zip can tell


def settle(path: Path) -> None:
    """Take out of a `.keras` file what is not of the model.

    Args:
        path: The file, as Keras wrote it; it is written anew.
    """
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    config = json.loads(members[_CONFIG])
    _number(config, {})
    notes = json.loads(members[_METADATA])
    notes.pop("date_saved", None)
    members[_CONFIG] = json.dumps(config, allow_nan=False).encode()
    members[_METADATA] = json.dumps(notes, allow_nan=False).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), content)


def tell_versions(path: Path) -> str:
    """Say which Keras wrote a `.keras` file, where that is not the one that is here.

    Args:
        path: The file.

    Returns:
        A part of a line; "" where the versions are the same, or the file does not tell.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(_METADATA)).get("keras_version")
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile):
        return ""
    here = metadata.version("keras")
    if not isinstance(found, str) or found == here:
        return ""
    return (
        f" that can be read here: Keras {found[:20]} wrote it, and Keras {here} is "
        f"installed (`pip install -U keras`)"
    )


def _number(config: Any, numbers: dict[int, int]) -> None:
    """Put the order of their appearance in the place of addresses."""
    if isinstance(config, dict):
        if isinstance(config.get(_ADDRESS), int):
            address = config[_ADDRESS]
            config[_ADDRESS] = numbers.setdefault(address, len(numbers))
        for value in config.values():
            _number(value, numbers)
    elif isinstance(config, list):
        for value in config:
            _number(value, numbers)
