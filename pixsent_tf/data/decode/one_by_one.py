"""How are whole pictures gone through, one after the other?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pixsent_tf.data.decode.files import read_image
from pixsent_tf.errors import DataError, ImageError
from pixsent_tf.progress import Progress


@dataclass
class PictureStream:
    """The whole pixels of a list of files, in order, one by one.

    Iterate over it once; then `failures` is complete.

    Attributes:
        paths: The files.
        progress: Hears how far it is.
        what: What it is for, in a word.
        failures: The error of each file that could not be read, by position.
    """

    paths: Sequence[str]
    progress: Progress
    what: str
    failures: dict[int, ImageError] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[int, np.ndarray]]:
        """Yield position and pixels, RGB, uint8 [H, W, 3].

        Raises:
            DataError: At the end, if none of the files can be read.
        """
        with self.progress.step(len(self.paths), self.what):
            for position, path in enumerate(self.paths):
                try:
                    yield position, read_image(path)
                except ImageError as error:
                    self.failures[position] = error
                self.progress.advance(1)
        if len(self.failures) == len(self.paths):
            raise DataError(f"None of the {len(self.paths)} pictures can be read.")
