"""How is a text read that somebody else wrote? Whole, or not at all.

What this package wrote is UTF-8. Lists and tables that people bring may be UTF-16 or
Windows-1252 as well, and who reads them is told so. What is wrong with a text is said
in one line that names the file, with a guess at the encoding that it has instead.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pixsent_tf.errors import DataError, PixsentError, shown

_BLOCK = 1 << 20  # bytes that are looked at at once
MAX_BYTES = 2**29  # of a text: ten million lines of fifty letters
_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_text(path: Path, kind: type[PixsentError] = DataError) -> str:
    """Read a text file.

    Args:
        path: The file, in UTF-8 with or without a mark.
        kind: What to raise.

    Returns:
        Its content.

    Raises:
        PixsentError: If it cannot be opened, has another encoding, or is too large.
    """
    content = _read_bytes(path, kind)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise kind(
            f"{shown(path)} is not UTF-8: line {line} holds the byte "
            f"0x{content[error.start]:02x}; it looks like {guess_encoding(content)}; "
            f"save it as UTF-8."
        ) from None


def why_no_file(path: Path) -> str:
    """Say why something cannot be read as a file, without opening it.

    Args:
        path: What somebody has named.

    Returns:
        "X does not exist", or what it is; "" for a file.
    """
    if os.path.isfile(path):  # which knows names that are too long, too
        return ""
    if not os.path.exists(path):
        return f"{shown(path)} does not exist"
    what = "a folder" if path.is_dir() else "a pipe, a socket or a device"
    return f"{shown(path)} is {what}, not a file"


def _read_bytes(path: Path, kind: type[PixsentError]) -> bytes:
    if os.path.exists(path) and (why := why_no_file(path)):
        raise kind(f"{why}.")
    try:
        size = path.stat().st_size
        content = path.read_bytes() if size <= MAX_BYTES else b""
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise kind(f"{shown(path)} cannot be read: {what}.") from error
    if size > MAX_BYTES:
        raise kind(
            f"{shown(path)} is too large for a text: {size / 1e6:.0f} MB; the limit is "
            f"{MAX_BYTES / 1e6:.0f} MB."
        )
    return content


def read_brought(path: Path, kind: type[PixsentError] = DataError) -> tuple[str, str]:
    """Read a list that somebody brings.

    Args:
        path: The file, in one of the encodings that `find_encoding` knows.
        kind: What to raise.

    Returns:
        Its content, and the name of its encoding; "" for UTF-8.

    Raises:
        PixsentError: As `read_text` and `find_encoding`.
    """
    content = _read_bytes(path, kind)
    codec, encoding = find_encoding(path, kind)
    return content.decode(codec), encoding


def find_encoding(path: Path, kind: type[PixsentError] = DataError) -> tuple[str, str]:
    """Find how a list or a table was written that somebody brings.

    Args:
        path: The file; all of it is looked at, a block at a time.
        kind: What to raise.

    Returns:
        The codec, and the name of the encoding; "" for UTF-8, which needs no word.

    Raises:
        PixsentError: If it cannot be opened, or is neither UTF-8, UTF-16 nor
            Windows-1252.
    """
    if os.path.exists(path) and (why := why_no_file(path)):
        raise kind(f"{why}.")
    try:
        with path.open("rb") as file:
            head = file.read(_BLOCK)
            guess = guess_encoding(head) if _holds_zeros(head) else ""
            if guess == "UTF-16" and _decodes(head, file, codec := _utf_16(head)):
                return codec, guess
            if not guess and _decodes(head, file, "utf-8-sig"):
                return "utf-8-sig", ""
            file.seek(0)
            if not guess and _decodes(b"", file, "cp1252"):
                return "cp1252", "Windows-1252"
    except (OSError, ValueError) as error:
        what = getattr(error, "strerror", None) or error
        raise kind(f"{shown(path)} cannot be read: {what}.") from error
    like = "UTF-16 that is damaged" if guess == "UTF-16" else guess
    raise kind(
        f"{shown(path)} is neither UTF-8, UTF-16 nor Windows-1252; it looks like "
        f"{like or guess_encoding(head)}; save it as UTF-8."
    )


def _holds_zeros(head: bytes) -> bool:
    return b"\0" in head or any(head.startswith(mark) for mark, _ in _MARKS)


def _utf_16(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"


def _decodes(head: bytes, file: BinaryIO, codec: str) -> bool:
    """Tell whether what was read, and all that comes, is a text of an encoding."""
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        decoder.decode(head)
        for block in iter(lambda: file.read(_BLOCK), b""):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def guess_encoding(content: bytes) -> str:
    """Guess how a text that is not UTF-8 was written.

    Args:
        content: Its bytes.

    Returns:
        The name of an encoding, or "no text at all".
    """
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    sample = content[:4096]
    zeros = sample.count(0) / max(len(sample), 1)
    if 0.25 < zeros <= 0.5:  # half of each character of a Western text
        return "UTF-16"
    return "no text at all" if zeros else "Windows-1252 or Latin-1"


def read_table(
    path: Path, kind: type[PixsentError] = DataError, *, delimiter: str = ","
) -> tuple[tuple[str, ...], list[dict[str, str]]]:
    """Read a table with a header.

    Args:
        path: A CSV file in UTF-8.
        kind: What to raise.
        delimiter: Between cells.

    Returns:
        The columns, and the rows by column; "" for the cells that a row lacks. Cells
        that no column names are dropped.

    Raises:
        PixsentError: As `read_text`, and if a cell is too long.
    """
    text = io.StringIO(read_text(path, kind), newline="")
    reader = csv.DictReader(text, delimiter=delimiter)
    try:
        columns = tuple(reader.fieldnames or ())
        rows = [
            {name: cell or "" for name, cell in row.items() if name is not None}
            for row in reader
        ]
    except csv.Error as error:
        raise kind(
            f"{shown(path)}, line {reader.line_num + 1}, cannot be read: {error}; a "
            f"cell has at most {csv.field_size_limit()} characters."
        ) from None
    return columns, rows


def read_object(path: Path, kind: type[PixsentError] = DataError) -> dict[str, Any]:
    """Read a JSON object.

    Args:
        path: A JSON file in UTF-8.
        kind: What to raise.

    Returns:
        What it holds.

    Raises:
        PixsentError: As `read_text`, and if it holds anything else.
    """
    text = read_text(path, kind)
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise kind(
            f"{shown(path)} is damaged: it is no JSON ({str(error)[:100]})."
        ) from None
    if not isinstance(values, dict):
        raise kind(f"{shown(path)} is damaged: it holds no JSON object.")
    return values


@contextlib.contextmanager
def understood(path: Path, kind: type[PixsentError] = DataError) -> Iterator[None]:
    """Say in one line that a file which can be read does not hold what it should.

    Args:
        path: The file; the block takes apart what was read from it.
        kind: What to raise.

    Yields:
        Nothing.

    Raises:
        PixsentError: If something is missing, or is of another type.
    """
    try:
        yield
    except KeyError as error:
        raise kind(f"{shown(path)} is damaged: it lacks {error}.") from None
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        what = " ".join(str(error).split())[:100]
        raise kind(
            f"{shown(path)} is damaged: it holds something else than was written "
            f"there ({what})."
        ) from None


@contextlib.contextmanager
def streamed(path: Path, kind: type[PixsentError] = DataError) -> Iterator[None]:
    """Say in one line what is wrong with a text that is read a few lines at a time.

    Args:
        path: The file.
        kind: What to raise.

    Yields:
        Nothing.

    Raises:
        PixsentError: As `read_table`.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        read_text(path, kind)  # says it, unless only the end of the text is cut
        raise kind(f"{shown(path)} cannot be read: {error.reason}.") from None
    except csv.Error as error:
        raise kind(f"{shown(path)} cannot be read: {error}.") from None
    except OSError as error:
        raise kind(
            f"{shown(path)} cannot be read: {error.strerror or error}."
        ) from error
