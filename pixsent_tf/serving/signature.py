"""What does the served graph compute? The same pixels and numbers as in training.

    serving_default   image_bytes, string [B]       files as they are
    crops10           image_bytes, string [B]       the same, averaged over ten crops
    images            images, uint8 [B, H, W, 3]    pixels of one size
    canvases          canvases, uint8 [B, C, C, 3]  pixels resized as in training

Each gives `probs` float32 [B, K], `class_names` string [B, K], `answer` string [B],
`valid` bool [B] and, where a class is called positive, `prob_positive` float32 [B].

A model of ratings gives `ratings` float32 [B, T], the ends `low` and `high` float32
[B, T] of intervals that hold nine of ten, `target_names` string [B, T] and `valid`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from pixsent_tf.data.decode.bounds import BOUNDS, LARGE_BYTES
from pixsent_tf.data.decode.graph import completed
from pixsent_tf.data.parallel import untuned
from pixsent_tf.data.pipeline import decode_canvas
from pixsent_tf.data.preprocess import Preprocessor, ToCrop
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.inference.prediction import UNSURE
from pixsent_tf.inference.sweep import mean_of_views
from pixsent_tf.models import zoo
from pixsent_tf.models.output import RatingOutput

UNREADABLE = "unreadable"

Outputs = dict[str, tf.Tensor]


def build_signatures(
    model: SentimentModel, second: SentimentModel | None = None
) -> dict[str, Any]:
    """Trace what a server is asked for.

    Args:
        model: The model.
        second: A model of ratings on the same features, whose outputs come along.

    Returns:
        Concrete functions by the name of their signature.
    """
    side = model.preprocessor.config.canvas_size
    look = _look(model, second)

    def answer(
        probs: tf.Tensor,
        ratings: tf.Tensor | None = None,
        *,
        valid: tf.Tensor | None = None,
    ) -> Outputs:
        valid = tf.ones(tf.shape(probs)[:1], tf.bool) if valid is None else valid
        if model.rating is not None:
            return to_rating_outputs(probs, valid, model.rating)
        outputs = to_outputs(
            probs,
            valid,
            class_names=model.class_names,
            positive_index=model.positive_index,
        )
        if ratings is not None and second is not None and second.rating is not None:
            outputs |= to_rating_outputs(ratings, valid, second.rating)
        return outputs

    def serving_default(image_bytes: tf.Tensor) -> Outputs:
        canvases, valid = read_batch(image_bytes, model)
        return answer(*look(canvases), valid=valid)

    def crops10(image_bytes: tf.Tensor) -> Outputs:
        canvases, valid = read_batch(image_bytes, model)
        each = [
            mean_of_views(one.view_probs(canvases, "ten_crop"))
            for one in (model, second)
            if one is not None
        ]
        return answer(*each, valid=valid)

    def images(images: tf.Tensor) -> Outputs:
        return answer(*look(_not_empty(images)))

    def canvases(canvases: tf.Tensor) -> Outputs:
        return answer(*look(_not_empty(canvases)))

    encoded = tf.TensorSpec([None], tf.string, "image_bytes")
    return {
        "serving_default": _trace(serving_default, encoded),
        "crops10": _trace(crops10, encoded),
        "images": _trace(
            images, tf.TensorSpec([None, None, None, 3], tf.uint8, "images")
        ),
        "canvases": _trace(
            canvases, tf.TensorSpec([None, side, side, 3], tf.uint8, "canvases")
        ),
    }


def _look(
    model: SentimentModel, second: SentimentModel | None
) -> Callable[[tf.Tensor], tuple[tf.Tensor, ...]]:
    """From pixels to the answers of both, whose features are computed once."""
    if second is None:
        return lambda pixels: (model.model(pixels, training=False),)
    features = model.classifier.get_layer(zoo.HEAD).input
    network = keras.Model(
        model.classifier.input, [model.classifier.output, features], name="both"
    )
    to_crop = ToCrop.build_from(model.preprocessor.config)
    head = second.classifier.get_layer(zoo.HEAD)

    def look(pixels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        logits, features = network(to_crop(pixels), training=False)
        return model.output(logits), second.output(head(features))

    return look


def _trace(function: Callable[..., Outputs], spec: tf.TensorSpec) -> Any:
    return tf.function(function, input_signature=[spec]).get_concrete_function()


def read_batch(
    encoded: tf.Tensor, model: SentimentModel
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode files in parallel; a bad one does not sink the others.

    Args:
        encoded: The files' bytes, string [B].
        model: Knows the canvas.

    Returns:
        Canvases, uint8 [B, canvas, canvas, 3], black where a file cannot be read, and
        whether it can, bool [B].
    """
    encoded = _not_empty(encoded)
    canvases, valid = _read_all(encoded, model.preprocessor, in_turn=False)
    # What is large, or no picture at all, comes again: one at a time.
    places = tf.where(~valid)[:, 0]
    others = tf.gather(encoded, places)
    more, found = _read_all(others, model.preprocessor, in_turn=True)
    side = model.preprocessor.config.canvas_size
    canvases = tf.tensor_scatter_nd_update(
        tf.cast(canvases, tf.int32), places[:, None], tf.cast(more, tf.int32)
    )
    valid = tf.tensor_scatter_nd_update(valid, places[:, None], found)
    return tf.ensure_shape(tf.cast(canvases, tf.uint8), [None, side, side, 3]), valid


def _read_all(
    encoded: tf.Tensor, preprocessor: Preprocessor, *, in_turn: bool
) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode files, small ones at once or large ones in turn; tell which could be."""
    side = preprocessor.config.canvas_size
    count = tf.size(encoded, out_type=tf.int64)
    memory_bytes = BOUNDS.memory_bytes if in_turn else LARGE_BYTES

    def read(index: tf.Tensor, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if in_turn:
            image = completed(image)
        canvas = decode_canvas(image, preprocessor, memory_bytes=memory_bytes)
        return index, tf.ensure_shape(canvas, [side, side, 3])

    readable = (
        tf.data.Dataset.from_tensor_slices((tf.range(count), encoded))
        .map(
            read,
            num_parallel_calls=None if in_turn else tf.data.AUTOTUNE,
            deterministic=None if in_turn else False,
        )
        .ignore_errors()
    )
    # The batch is one element, whatever was left out; a place beyond the end keeps it
    # from being empty, and is cut off again.
    spare = tf.data.Dataset.from_tensors((count, tf.zeros([side, side, 3], tf.uint8)))
    batches = untuned(readable.concatenate(spare).batch(count + 1))
    places, canvases = batches.get_single_element()
    shape = tf.stack([count + 1, side, side, 3])
    # As int32: a CPU scatters no uint8.
    scattered = tf.scatter_nd(places[:, None], tf.cast(canvases, tf.int32), shape)
    marks = tf.scatter_nd(
        places[:, None], tf.ones_like(places), tf.reshape(count + 1, [1])
    )
    return tf.cast(scattered[:-1], tf.uint8), marks[:-1] > 0


def to_outputs(
    probs: tf.Tensor,
    valid: tf.Tensor,
    *,
    class_names: tuple[str, ...],
    positive_index: int | None,
) -> Outputs:
    """Name what a server answers.

    An unreadable image gets equal probabilities, which favor no class: TF Serving
    would print NaN as something that is not JSON. Every output has one row per image,
    as TF Serving's row format demands.

    Args:
        probs: float32 [B, K].
        valid: Whether each image could be read, bool [B].
        class_names: Names by class index, [K].
        positive_index: Which of them is positive; None if none is.

    Returns:
        The outputs by name.
    """
    num_classes = len(class_names)
    probs = tf.where(valid[:, None], probs, 1 / num_classes)
    names = tf.constant(class_names)
    best = tf.gather(names, tf.argmax(probs, axis=1))
    is_tie = tf.reduce_max(probs, axis=1) == tf.reduce_min(probs, axis=1)
    best = tf.where(is_tie, UNSURE, best)  # what a gate makes of no photograph
    outputs = {
        "probs": probs,
        "class_names": tf.tile(names[None], [tf.shape(probs)[0], 1]),
        "answer": tf.where(valid, best, UNREADABLE),
        "valid": valid,
    }
    if positive_index is not None:
        outputs["prob_positive"] = probs[:, positive_index]
    return outputs


def to_rating_outputs(
    ratings: tf.Tensor, valid: tf.Tensor, rating: RatingOutput
) -> Outputs:
    """Name what a server answers in ratings.

    An unreadable image gets the middle of the scale, and an interval that is all of it.

    Args:
        ratings: float32 [B, T].
        valid: Whether each image could be read, bool [B].
        rating: Knows the targets, the scale and the intervals.

    Returns:
        The outputs by name.
    """
    (least, most), widths = rating.scale, tf.constant(rating.half_widths, tf.float32)
    is_read = valid[:, None]
    names = tf.constant(rating.targets)
    low = tf.clip_by_value(ratings - widths, least, most)
    high = tf.clip_by_value(ratings + widths, least, most)
    return {
        "ratings": tf.where(is_read, ratings, (least + most) / 2),
        "low": tf.where(is_read, low, least),
        "high": tf.where(is_read, high, most),
        "target_names": tf.tile(names[None], [tf.shape(ratings)[0], 1]),
        "valid": valid,
    }


def _not_empty(inputs: tf.Tensor) -> tf.Tensor:
    """Refuse an empty batch, on which oneDNN ends the whole process."""
    refusal = tf.debugging.Assert(
        tf.shape(inputs)[0] > 0, ["The batch is empty; send one image or more."]
    )
    with tf.control_dependencies([refusal]):
        return tf.identity(inputs)
