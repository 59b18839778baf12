"""How is a file written so that nobody ever finds half of it?

To a temporary name beside it, onto the disk, then renamed. A process that is killed, a
full disk or an error in the middle leaves what was there before; a power cut does too.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
import socket
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path

_HOST = zlib.crc32(socket.gethostname().encode())  # processes of others are unknown
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STEM = 40  # letters, of four bytes each at most; a name has 255


@contextlib.contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Lend a temporary path, and put what was written there in place at the end.

    Args:
        path: The file or folder to make; a file that is there is replaced. Folders
            above it are made. A device or a pipe is written to directly.

    Yields:
        A path beside it that nobody else has, with the same suffix, for the caller to
        make a file or a folder at. It is gone when an error ends the block; what a
        killed process has left of it goes when the next begins.

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
    _remove_left(path)
    own = f"{_HOST:08x}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
    temporary = path.with_name(f"{_beginning(path)}{own}{path.suffix}")
    try:
        yield temporary
        _to_disk(temporary)
        _rename(temporary, path)
        _sync(path.parent)
    except OSError as error:
        if error.errno in _FULL and error.filename is None:
            error.filename = str(path)  # a write knows its number only
        raise
    finally:
        _remove(temporary)


def _beginning(path: Path) -> str:
    """How temporary names begin: whatever fits the suffix, too, is short enough."""
    return f".{path.stem[:_STEM]}-"


def _remove_left(path: Path) -> None:
    """Remove what processes of this machine have left that are no more."""
    begun = f"{_beginning(path)}{_HOST:08x}-"
    pattern = f"{glob.escape(begun)}*-????????{glob.escape(path.suffix)}"
    for left in path.parent.glob(pattern):
        process = left.name.removeprefix(begun).partition("-")[0]
        if process.isdecimal() and not _is_alive(int(process)):
            _remove(left)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
