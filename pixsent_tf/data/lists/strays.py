"""Do the names in a list lead out of its folder? Lists come from others, too.

A list that names `/etc/passwd` or `../../letters/scan.jpg` has these files opened. That
is said once; with PIXSENT_STRICT=1, or `--strict`, such a list is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import PurePath

from pixsent_tf.errors import DataError, shown

STRICT = "PIXSENT_STRICT"


def find_strays(where: str, names: Iterable[str]) -> str | None:
    """Look for names that are absolute or go up.

    Args:
        where: The list, for the message.
        names: The names that it holds.

    Returns:
        One line about them; None if there are none.

    Raises:
        DataError: If there are some, and the environment asks for strictness.
    """
    strays = [name for name in names if _leads_out(name)]
    if not strays:
        return None
    line = (
        f"{shown(where)} names {len(strays)} files by absolute paths or by '..', first "
        f"{shown(strays[0])[:200]}"
    )
    if os.environ.get(STRICT):
        raise DataError(f"{line}; --strict refuses that.")
    return f"{line}; --strict refuses such lists."


def _leads_out(name: str) -> bool:
    path = PurePath(name)
    return path.is_absolute() or ".." in path.parts
