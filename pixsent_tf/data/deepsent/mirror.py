"""Where is DeepSent, if the user has not brought it?

The authors name a page, not a file, so the archive is whatever that page links to.
Whether it is the right one is told by the pictures in it.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

from pixsent_tf.config import LEVELS
from pixsent_tf.data.levels import layout
from pixsent_tf.errors import DataError

PAGE = "http://www.cs.rochester.edu/u/qyou/DeepSent/deepsentiment.html"
# Of the 1,269 pictures, as `content_digest` computes it.
SHA256 = "d67a0d7efeb1c25ef2c5cb5e64f3e0605445a94ed8223e6ab05fa477d31a5815"
_TIMEOUT_SECONDS = 20
_LINK = re.compile(r"""href\s*=\s*["']([^"']+\.(?:zip|tar\.gz|tgz|tar))["']""", re.I)


def fetch(downloads: Any, *, page: str = PAGE, sha256: str = SHA256) -> Path:
    """Download DeepSent from the page that its authors name.

    Args:
        downloads: The download manager of TensorFlow Datasets.
        page: The page that links to the archive.
        sha256: What `content_digest` must give.

    Returns:
        The folder that holds the lists.

    Raises:
        DataError: If the page or its archive cannot be had, or holds other pictures.
    """
    root = None
    try:
        # The downloader's own retries take minutes where there is no network.
        with urlopen(page, timeout=_TIMEOUT_SECONDS) as answer:
            text = answer.read().decode("utf-8", errors="replace")
        for link in _LINK.findall(text)[:1]:
            root = find_root(Path(downloads.download_and_extract(urljoin(page, link))))
    except Exception as error:  # the downloader raises nearly every type
        raise DataError(
            f"DeepSent could not be fetched from {page} ({_first_line(error)}); get it "
            f"from its authors and open its folder, or name it as manual_dir."
        ) from error
    if root is None:
        raise DataError(
            f"{page} links to no archive of DeepSent any more; get it from its authors "
            f"and open its folder, or name it as manual_dir."
        )
    found = content_digest(root)
    if found != sha256:
        raise DataError(
            f"The archive that {page} links to holds other pictures than DeepSent "
            f"(SHA-256 {found[:12]}…, not {sha256[:12]}…); if you trust it, unpack it "
            f"and name its folder as manual_dir."
        )
    return root


def find_root(folder: Path) -> Path | None:
    """Find the folder with the lists, here or one or two levels below.

    Args:
        folder: Where to look.

    Returns:
        The folder; None if there is none.
    """
    below = (path for depth in ("*/", "*/*/") for path in sorted(folder.glob(depth)))
    return next((path for path in (folder, *below) if layout.is_deepsent(path)), None)


def content_digest(root: Path) -> str:
    """Compute one checksum of all pictures, whatever archive they came in.

    Args:
        root: The folder that holds the lists.

    Returns:
        SHA-256 of the lines `name sha256`, sorted by name, in hexadecimal.
    """
    dataset = layout.open_deepsent(root, LEVELS[-1])
    lines = (
        f"{name} {hashlib.sha256(Path(path).read_bytes()).hexdigest()}\n"
        for name, path in sorted(zip(dataset.ids, dataset.paths, strict=True))
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]:.120}" if lines else type(error).__name__
