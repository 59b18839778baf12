"""What do `maps`, `features` and `probe` tell?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.intervals import Interval
from pixsent_tf.results.unreadable import Unreadable


class MapsResults(TypedDict):
    """What `maps` tells."""

    num_examples: int  # pictures that have a map
    kind: str  # how the maps are made
    maps: list[str]  # what there is a map of: classes, of two the second, or ratings
    unreadable: list[Unreadable]  # pictures that could not be read
    out: str  # the folder


class Faithfulness(TypedDict):
    """Area under the answer while places are blurred, or come back, in an order."""

    map: float  # in the order of the map
    random: float  # in a random order
    center: float  # from the center outwards
    gain_over_random: float  # how much the map's order is better
    gain_over_random_interval: Interval  # by bootstrap
    gain_over_center: float  # how much the map's order is better
    gain_over_center_interval: Interval  # by bootstrap


class Pointing(TypedDict):
    """How often the map's peak lies in a box that is known."""

    hits: float  # share of the pictures
    interval: Interval  # Wilson's
    chance: float  # share that a peak anywhere would reach


class PointingGame(TypedDict):
    """Where the maps of drawn faces peak."""

    face: Pointing  # in the face
    mouth: Pointing  # in the mouth
    num_examples: int  # pictures


class MapCheck(TypedDict):
    """Whether maps show what the model uses."""

    num_examples: int  # pictures that were examined
    kind: str  # how the maps are made
    deletion: Faithfulness  # blurring the most important places first
    insertion: Faithfulness  # bringing them back first
    correlation_with_random_weights: float  # of maps, mean over pictures
    unreadable: list[Unreadable]  # pictures that could not be read


class MapCheckResults(MapCheck):
    """What `maps --check` tells."""

    pointing: PointingGame | None  # null where no boxes lie beside the pictures


class FeaturesResults(TypedDict):
    """What `features` tells."""

    layers: dict[str, list[int]]  # shapes of the arrays by the names of the layers
    unreadable: list[Unreadable]  # pictures that could not be read
    out: str  # the file


class LayerProbe(TypedDict):
    """How much a layer knows."""

    name: str  # of the layer
    num_features: int  # numbers that the linear classifier sees of each picture
    accuracy: float  # of the pooled predictions
    accuracy_interval: Interval  # Wilson's
    mean: float  # accuracy, mean over folds
    std: float  # its standard deviation over folds


class ProbeResults(TypedDict):
    """What `probe` tells."""

    layers: list[LayerProbe]  # in the order asked for
    majority_rate: float  # what always giving the most frequent answer reaches
    num_examples: int  # pictures that were tested
    unreadable: list[Unreadable]  # pictures that could not be read
    out: str  # the folder
