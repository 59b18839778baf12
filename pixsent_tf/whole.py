"""How is a file written so that nobody ever finds half of it?

To a temporary name beside it, onto the disk, then renamed. A process that is killed, a
full disk or an error in the middle leaves what was there before; a power cut does too.
"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Lend a temporary path, and put what was written there in place at the end.

    Args:
        path: The file or folder to make; a file that is there is replaced. Folders
            above it are made. A device or a pipe is written to directly.

    Yields:
        A path beside it that nobody else has, with the same suffix, for the caller to
        make a file or a folder at. It is gone when an error ends the block.

    Raises:
        OSError: If the place cannot be written to.
        FileExistsError: If a folder with something in it is there.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "numbers.txt")
        >>> with whole(path) as temporary:
        ...     _ = temporary.write_text("1 2 3")
        >>> path.read_text()
        '1 2 3'
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        yield path
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}-{uuid.uuid4().hex[:8]}{path.suffix}")
    try:
        yield temporary
        _to_disk(temporary)
        _rename(temporary, path)
        _sync(path.parent)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def forget(path: Path) -> None:
    """Remove what killed processes have left of a file that nobody is writing now.

    Args:
        path: What they would have made; it stays as it is.
    """
    for left in path.parent.glob(f".{glob.escape(path.stem)}-????????{path.suffix}"):
        if left.is_file():
            left.unlink(missing_ok=True)


def _rename(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        if path.is_dir():
            message = "a folder with something in it is there"
            raise FileExistsError(error.errno, message, str(path)) from error
        raise


def _to_disk(path: Path) -> None:
    """A name that survives a power cut shall not name a file that did not."""
    inside = path.rglob("*") if path.is_dir() else ()
    for each in (*inside, path):
        _sync(each)


def _sync(path: Path) -> None:
    if not path.is_dir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        return
    # Some file systems, as those behind a network, know no fsync of folders.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
