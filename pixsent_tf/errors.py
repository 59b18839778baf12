"""What can go wrong that a user can act on?

    PixsentError             exit code 1
    ├── UsageError           exit code 2: the question itself cannot be answered
    │   └── ConfigError      a backbone, a layer or a setting that does not exist
    │       └── UnknownLabelError    `--classes` names a label that does not occur
    ├── DataError            a data set that is missing, empty, or contradicts itself
    │   ├── FewClassesError  labels of one class, or of none; `counts` tells how many
    │   └── ImageError       one picture that cannot be read; `reason` is a fixed word
    ├── TrainingError        a training whose numbers are not finite, or too large
    ├── WeightsError         a file of weights that is damaged or fits another network
    ├── RunError             a run folder that exists already, or is not one
    ├── ExportError          a model that cannot be exported as asked, or lost too much
    └── ServingError         a server that does not answer, or answers with an error;
                             `reason` is a fixed word

Every message is one line: what was wrong, what came, what would do.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence


def shown(name: str | os.PathLike[str]) -> str:
    r"""Write a file's name so that it can be printed on one line.

    Args:
        name: A path, whatever bytes it holds.

    Returns:
        The same, with escapes for what is not printable.

    Example:
        >>> print(shown("two" + chr(10) + "lines.jpg"))
        two\nlines.jpg
    """
    return "".join(c if c.isprintable() else _escape(c) for c in os.fspath(name))


def _escape(character: str) -> str:
    byte = ord(character) - 0xDC00  # a byte that is no UTF-8, as `os.fsdecode` gives it
    if 0x80 <= byte <= 0xFF:
        return f"\\x{byte:02x}"
    return character.encode("unicode_escape").decode("ascii")


class PixsentError(Exception):
    """The root of every error that this package raises on purpose."""

    exit_code = 1

    def __str__(self) -> str:
        return shown(super().__str__())  # one line, whatever names and cells it holds


class UsageError(PixsentError):
    """A request that no data could satisfy."""

    exit_code = 2


class ConfigError(UsageError):
    """A name or a setting that the package does not know."""


class UnknownLabelError(ConfigError):
    """A label that is to mean a class and does not occur.

    Attributes:
        labels: All such.
    """

    def __init__(self, message: str, labels: Sequence[str]) -> None:
        super().__init__(message)
        self.labels = tuple(labels)


class DataError(PixsentError):
    """A data set that is missing, empty, or contradicts itself."""


class FewClassesError(DataError):
    """A data set with labels of one class only, or with none.

    Attributes:
        counts: Pictures by class.
    """

    def __init__(self, message: str, counts: Mapping[str, int]) -> None:
        super().__init__(message)
        self.counts = counts


class ImageError(DataError):
    """One picture that cannot be read.

    Attributes:
        reason: One of `data.decode.opening.REASONS`; reports count failures by it.
    """

    def __init__(self, message: str, reason: str = "unreadable") -> None:
        super().__init__(message)
        self.reason = reason


class TrainingError(PixsentError):
    """A training that went wrong: numbers that are not finite, or no memory for them.

    Attributes:
        epoch: In which it was, from 1; None before the first.
        step: Of the epoch, from 1; None at the end of one.
        positions: Of the pictures of that step, in the order of the data set.
        batch_size: Pictures a step, where these did not fit into memory; else None.
    """

    def __init__(
        self,
        message: str,
        *,
        epoch: int | None = None,
        step: int | None = None,
        positions: Sequence[int] = (),
        batch_size: int | None = None,
    ) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.step = step
        self.positions = tuple(positions)
        self.batch_size = batch_size


class WeightsError(PixsentError):
    """A file of weights that is damaged or belongs to another network."""


class RunError(PixsentError):
    """A run folder that exists already, is incomplete, or is none."""


class ExportError(PixsentError):
    """A model that cannot be exported as asked, or lost too much on the way."""


class ServingError(PixsentError):
    """A model server that cannot be reached or refuses the request.

    Attributes:
        reason: "unreachable", "timeout", "refused" or "malformed".
    """

    def __init__(self, message: str, reason: str = "refused") -> None:
        super().__init__(message)
        self.reason = reason
