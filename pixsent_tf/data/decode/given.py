"""Which pictures does a program hand over? Paths, folders, and pictures in memory.

    "photo.jpg", Path("photos/")             a file; a folder is walked
    bytes, an open file                      an encoded picture
    PIL.Image, uint8 [H, W, 3]               a picture
    uint8 [B, H, W, 3], a list of any        several

What is in memory goes to a file for as long as it is looked at, without loss, so that
it is read, bounded and turned upright as every other picture.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeAlias

import numpy as np
from PIL import Image, ImageOps

from pixsent_tf.data.pictures import walk_pictures
from pixsent_tf.errors import DataError, shown

Picture: TypeAlias = (
    str | os.PathLike[str] | bytes | IO[bytes] | Image.Image | np.ndarray
)
KINDS = (
    "a path, a folder, bytes, an open file, a PIL image, or uint8 pixels [H, W, 3] or "
    "[B, H, W, 3] of 0…255"
)
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # that PNG keeps


@dataclass(frozen=True)
class Given:
    """Pictures that were handed over.

    Attributes:
        paths: A file for each, [N].
        names: What to call each: its path, or what it was and its number, [N].
        is_single: Whether one picture was handed over, and no collection.
    """

    paths: tuple[str, ...]
    names: tuple[str, ...]
    is_single: bool


@contextlib.contextmanager
def as_files(pictures: Picture | Iterable[Picture]) -> Iterator[Given]:
    """Bring pictures of any kind into files.

    Args:
        pictures: One of these kinds, or an iterable of them; see the module.

    Yields:
        A file for each picture; those of pictures in memory are there until the end.

    Raises:
        DataError: If something else was handed over; the line says what it was.
    """
    with tempfile.TemporaryDirectory(prefix="pixsent-tf-") as folder:
        given = _Files(Path(folder))
        is_single = given.add(pictures)
        if is_single is None:
            _refuse_no_collection(pictures)
            is_single = False
            for number, one in enumerate(pictures):  # type: ignore[arg-type]
                if given.add(one) is None:
                    raise _refusal(one, f"picture {number} of the collection")
        yield Given(tuple(given.paths), tuple(given.names), is_single)


class _Files:
    """Collects files.

    Args:
        folder: For pictures in memory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[str] = []
        self.names: list[str] = []

    def add(self, given: Any) -> bool | None:
        """Add what is given; tell whether it was one picture, None if it is no kind."""
        if isinstance(given, (str, os.PathLike)):
            return self._add_path(os.fspath(given))
        if isinstance(given, (bytes, bytearray, memoryview)):
            return self._add_encoded(bytes(given), self._named("bytes"))
        if isinstance(given, Image.Image):
            return self._add_image(given, self._named("image"))
        if hasattr(given, "read"):
            return self._add_opened(given)
        if _is_pixels(given):
            return self._add_pixels(np.asarray(given))
        return None

    def _add_path(self, path: str | bytes) -> bool:
        name = os.fsdecode(path)
        if not os.path.isdir(name):
            self._note(name, name)
            return True
        found = [str(each) for each in walk_pictures(Path(name))]
        if not found:
            raise DataError(f"{shown(name)} holds no pictures; name another folder.")
        for each in found:
            self._note(each, each)
        return False

    def _add_encoded(self, encoded: bytes, name: str) -> bool:
        path = self._next()
        path.write_bytes(encoded)
        self._note(str(path), name)
        return True

    def _add_opened(self, file: Any) -> bool:
        content = file.read()
        if not isinstance(content, bytes):
            raise DataError(
                f"A file that was opened as text holds no picture: reading it gives "
                f"{type(content).__name__}; open it with mode 'rb'."
            )
        name = getattr(file, "name", None)
        named = name if isinstance(name, str) else self._named("file")
        return self._add_encoded(content, named)

    def _add_image(self, image: Image.Image, name: str) -> bool:
        try:
            upright = ImageOps.exif_transpose(image)
        except OSError as error:  # it is decoded only now
            raise DataError(f"A PIL image cannot be decoded: {error}.") from error
        path = self._next()
        kept = upright if upright.mode in _MODES else upright.convert("RGB")
        kept.save(path, "PNG", compress_level=1)
        self._note(str(path), name)
        return True

    def _add_pixels(self, pixels: np.ndarray) -> bool:
        if pixels.dtype != np.uint8:
            hint = _scale_hint(pixels)
            raise DataError(
                f"Pixels are uint8 of 0…255; these are {pixels.dtype} {_shape(pixels)}"
                f"{hint}."
            )
        if pixels.ndim not in (3, 4) or pixels.shape[-1] != 3 or 0 in pixels.shape[-3:]:
            raise DataError(
                f"Pixels are RGB, [H, W, 3] or [B, H, W, 3]; these are "
                f"{_shape(pixels)}."
            )
        for one in pixels.reshape(-1, *pixels.shape[-3:]):
            self._add_image(Image.fromarray(one), self._named("array"))
        return pixels.ndim == 3

    def _named(self, what: str) -> str:
        return f"{what} {len(self.names)}"

    def _next(self) -> Path:
        return self.folder / f"{len(self.paths):07}"

    def _note(self, path: str, name: str) -> None:
        self.paths.append(path)
        self.names.append(name)


def _is_pixels(given: Any) -> bool:
    """Tell whether something is an array of numbers, and no column of paths."""
    if not hasattr(given, "__array__"):
        return False
    return np.asarray(given).dtype.kind in "buifc"


def _scale_hint(pixels: np.ndarray) -> str:
    if pixels.dtype.kind != "f" or not pixels.size:
        return "; give pixels.astype('uint8') if they are of 0…255"
    if pixels.min() >= 0 and pixels.max() <= 1:
        return "; if they are of 0…1 give (255 * pixels).round().astype('uint8')"
    return "; give pixels.round().astype('uint8') if they are of 0…255"


def _shape(pixels: np.ndarray) -> str:
    return f"[{', '.join(map(str, pixels.shape))}]"


def _refuse_no_collection(given: Any) -> None:
    """Refuse what can be no collection of pictures."""
    is_collection = isinstance(given, Iterable) and not isinstance(given, Mapping)
    if not is_collection:
        raise _refusal(given, "what was given")


def _refusal(given: Any, where: str) -> DataError:
    hint = ""
    if isinstance(given, Sequence):
        hint = "; give one flat list"
    return DataError(
        f"{where[0].upper()}{where[1:]} is no picture, it is a "
        f"{type(given).__name__}{hint}; a picture is {KINDS}."
    )
