"""What does the name of a network say?

    efficientnet_lite0                         one network, at the size it was trained
    efficientnet_lite0@320                     the same at 320 pixels
    efficientnet_lite0@320+efficientnet_lite2  several, their features side by side
    keras:MobileNetV2                          any network of `keras.applications`
    hub:towers/my own one                      a preset; a folder without + in its name

And of a surgery?

    fc7-2          the new head takes the place of fc7 and of all behind it
    fc7-4096       raw: fc7 loses its ReLU, and its own units are the classes
    fc8-1000       raw likewise, with the network's first classifier
    fc8-1000+fc9   the new head stands behind the first classifier
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

from pixsent_tf.config.values import nearest
from pixsent_tf.errors import ConfigError

CLASSIFIER = "fc8"
ADDED = "+fc9"
SURGERIES = ("fc7-2", "fc6-2", "fc7-4096", "fc6-4096", "fc8-1000", f"fc8-1000{ADDED}")
_BRANCH = re.compile(
    r"(hub:[^@+\x00-\x1f]+?|[^@+\s]+?)(?:@([1-9]\d*))?",  # folders may hold spaces
    re.ASCII,
)
_SURGERY = re.compile(r"([^+\s]+)-([1-9]\d*)(\+fc9)?", re.ASCII)


@dataclass(frozen=True)
class Branch:
    """One network of a backbone.

    Attributes:
        name: As the zoo knows it.
        size: Side of its crops, in pixels; None for that of its training.
    """

    name: str
    size: int | None = None

    def __str__(self) -> str:
        return self.name if self.size is None else f"{self.name}@{self.size}"


@dataclass(frozen=True)
class Surgery:
    """A change of the last layers of a network.

    Attributes:
        layer: The layer that it is about.
        units: How many units end there.
        is_added: Whether the new head stands behind this layer, not in its place.
    """

    layer: str
    units: int
    is_added: bool = False

    def __str__(self) -> str:
        return f"{self.layer}-{self.units}{ADDED if self.is_added else ''}"

    def is_raw(self, num_classes: int) -> bool:
        """Tell whether the network's own units are the classes.

        Args:
            num_classes: K.

        Returns:
            Whether no new head is needed.
        """
        return not self.is_added and self.units != num_classes


@functools.cache
def read_backbone(text: str) -> tuple[Branch, ...]:
    """Read the name of a backbone.

    Args:
        text: Of a form that the module's top shows.

    Returns:
        Its branches, in order; whether there are such networks, the zoo knows.

    Raises:
        ConfigError: If it has another form, or names a branch twice.
    """
    branches = []
    for part in text.split("+"):
        found = _BRANCH.fullmatch(part)
        if found is None:
            raise ConfigError(
                f"Backbone {text!r} is not of the form NAME, NAME@PIXELS or several "
                f"joined by +, as in efficientnet_lite0@320+efficientnet_lite2."
            )
        name, size = found.groups()
        branches.append(Branch(name, int(size) if size else None))
    if len(set(branches)) < len(branches):
        raise ConfigError(f"Backbone {text!r} names a branch twice.")
    return tuple(branches)


@functools.cache
def read_surgery(text: str) -> Surgery:
    """Read a surgery.

    Args:
        text: Of a form that the module's top shows.

    Returns:
        What it asks for; whether the network has such a layer, the network knows.

    Raises:
        ConfigError: If it has another form.
    """
    found = _SURGERY.fullmatch(text)
    if found is None or (found[3] and found[1] != CLASSIFIER):
        raise ConfigError(
            f"No surgery {text!r}{nearest(text, SURGERIES)}; there are "
            f"{', '.join(SURGERIES)} and their like."
        )
    return Surgery(found[1], int(found[2]), is_added=found[3] is not None)
