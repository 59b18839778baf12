from __future__ import annotations

import io
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.framework import dataset_options_pb2

from pixsent_tf.config import PreprocessConfig, Recipe, from_json, to_json
from pixsent_tf.errors import ExportError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.output import RatingOutput
from pixsent_tf.models.zoo import attach_head
from pixsent_tf.serving import signature
from pixsent_tf.serving.saved_model import (
    export_saved_model,
    latest_version,
    next_version,
)
from pixsent_tf.serving.signature import (
    build_signatures,
    read_batch,
    to_outputs,
    to_rating_outputs,
)
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS, to_file


@pytest.fixture(scope="module")
def loaded(tiny_export):
    return tf.saved_model.load(str(tiny_export))


@pytest.fixture(scope="module")
def serve(loaded):
    return loaded.signatures["serving_default"]


def by_keras(model, image):
    """The packaged model on full-size pixels: no decoder, no canvas of ours."""
    return model.model(image[None], training=False).numpy()[0]


def test_files_get_the_probabilities_of_the_keras_model(
    serve, tiny_model, images, pngs
):
    answer = serve(image_bytes=tf.constant(pngs))

    expected = [by_keras(tiny_model, image) for image in images]
    assert_close_float32(answer["probs"], expected, operations=OPERATIONS)
    np.testing.assert_array_equal(answer["prob_positive"], answer["probs"][:, 1])


def test_every_output_has_its_documented_type_and_one_row_per_file(serve, pngs):
    answer = serve(image_bytes=tf.constant(pngs))

    types = {
        name: (value.dtype.name, value.shape.as_list())
        for name, value in answer.items()
    }
    assert types == {
        "probs": ("float32", [7, 2]),
        "prob_positive": ("float32", [7]),
        "class_names": ("string", [7, 2]),
        "answer": ("string", [7]),
        "valid": ("bool", [7]),
    }


def test_the_served_pipeline_is_untuned(tiny_model):
    trace = tf.function(lambda encoded: read_batch(encoded, tiny_model))
    graph = trace.get_concrete_function(tf.TensorSpec([None], tf.string)).graph
    nodes = [node for node in graph.as_graph_def().node if node.op == "OptionsDataset"]

    assert nodes
    for node in nodes:
        text = node.attr["serialized_options"].s
        options = dataset_options_pb2.Options.FromString(text)
        assert options.autotune_options.enabled is False
        assert options.autotune_options.WhichOneof("optional_enabled") == "enabled"


def test_one_corrupt_file_of_eight_leaves_seven_right_answers(serve, pngs):
    alone = serve(image_bytes=tf.constant(pngs))
    broken = [*pngs[:3], b"\xff\xd8\xff not a picture", *pngs[3:]]

    answer = serve(image_bytes=tf.constant(broken))

    valid = answer["valid"].numpy()
    assert valid.tolist() == [True] * 3 + [False] + [True] * 4
    found = answer["probs"][valid]
    assert_close_float32(found, alone["probs"], operations=OPERATIONS)
    assert answer["answer"].numpy()[3] == b"unreadable"
    assert answer["probs"].numpy()[3].tolist() == [0.5, 0.5]


def test_a_batch_of_nothing_but_broken_files_is_answered(serve):
    answer = serve(image_bytes=tf.constant([b"", b"GIF89a"]))

    assert answer["answer"].numpy().tolist() == [b"unreadable"] * 2
    assert np.isfinite(answer["probs"]).all()


@pytest.mark.parametrize("name", ["serving_default", "crops10"])
def test_an_empty_batch_of_files_is_refused(loaded, name):
    with pytest.raises(tf.errors.InvalidArgumentError, match="The batch is empty"):
        loaded.signatures[name](image_bytes=tf.zeros([0], tf.string))


def test_an_empty_batch_of_images_is_refused(loaded):
    with pytest.raises(tf.errors.InvalidArgumentError, match="The batch is empty"):
        loaded.signatures["images"](images=tf.zeros([0, 20, 20, 3], tf.uint8))


def test_a_photograph_taken_sideways_is_turned_upright(serve, tiny_model):
    generator = np.random.default_rng(1)
    pixels = generator.integers(0, 256, (4, 6, 3)).repeat(8, 0).repeat(8, 1)
    image = Image.fromarray(pixels.astype("uint8"))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the picture's top is on the right
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, exif=exif)
    stored = np.array(Image.open(buffer))
    upright = np.rot90(stored, k=-1).copy()

    answer = serve(image_bytes=tf.constant([buffer.getvalue()]))

    turned, not_turned = by_keras(tiny_model, upright), by_keras(tiny_model, stored)
    np.testing.assert_allclose(answer["probs"][0], turned, atol=2e-3)
    assert abs(turned - not_turned).max() > 5e-3


@pytest.mark.parametrize("form", ["JPEG", "GIF", "BMP", "WEBP"])
def test_other_formats_are_read(serve, tiny_model, images, form):
    content = to_file(images[0], form)
    pixels = np.array(Image.open(io.BytesIO(content)).convert("RGB"))

    answer = serve(image_bytes=tf.constant([content]))

    assert answer["valid"].numpy().all()
    np.testing.assert_allclose(
        answer["probs"][0], by_keras(tiny_model, pixels), atol=2e-3
    )


def test_the_images_signature_takes_pixels_of_any_size(loaded, tiny_model, images):
    answer = loaded.signatures["images"](images=tf.constant(images[2][None]))

    expected = by_keras(tiny_model, images[2])
    assert_close_float32(answer["probs"][0], expected, operations=OPERATIONS)


def test_ten_crops_are_averaged(loaded, tiny_model, images):
    canvas = np.array(Image.fromarray(images[0]).resize((20, 20)))
    content = to_file(canvas)
    views = [
        view[y : y + 16, x : x + 16]
        for view in (canvas, canvas[:, ::-1])
        for y, x in ((0, 0), (0, 4), (4, 0), (4, 4), (2, 2))
    ]
    classifier = tiny_model.classifier
    logits = classifier(np.stack(views)).numpy() / 1.5
    exponentials = np.exp(logits)
    expected = (exponentials / exponentials.sum(1, keepdims=True)).mean(0)

    answer = loaded.signatures["crops10"](image_bytes=tf.constant([content]))

    assert_close_float32(answer["probs"][0], expected, operations=OPERATIONS)


def test_the_assets_name_the_classes_and_the_geometry(tiny_export):
    assets = tiny_export / "assets"

    assert (assets / "class_names.txt").read_text() == "negative\npositive\n"
    assert json.loads((assets / "preprocess.json").read_text()) == {
        "canvas_size": 20,
        "crop_size": 16,
        "fit": "squash",
        "resample": "bilinear",
    }


def test_the_recipe_of_a_run_travels_along(tiny_model, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "recipe.json").write_text(to_json(Recipe(name="mine", seed=3)))
    tiny_model.save(run / "model.keras")

    folder = export_saved_model(SentimentModel.load(run), tmp_path / "models")

    recipe = from_json((folder / "assets" / "recipe.json").read_text())
    assert recipe == Recipe(name="mine", seed=3)


@pytest.mark.journey
def test_a_fresh_process_without_the_package_loads_it(tiny_export, pngs, serve):
    code = """
import sys, numpy, tensorflow as tf
sys.modules["pixsent_tf"] = None
serve = tf.saved_model.load(sys.argv[1]).signatures["serving_default"]
answer = serve(image_bytes=tf.constant([sys.stdin.buffer.read()]))
print(*answer["probs"].numpy()[0])
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(tiny_export)]
    done = subprocess.run(
        command, input=pngs[0], capture_output=True, check=True, cwd="/"
    )

    expected = serve(image_bytes=tf.constant(pngs[:1]))["probs"][0]
    found = [float(text) for text in done.stdout.split()]
    assert_close_float32(found, expected, operations=OPERATIONS)


def test_classes_without_a_positive_one_have_no_prob_positive(tmp_path):
    crops = keras.Input((8, 8, 3), name="crops")
    logits = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(crops))
    classifier = keras.Model(crops, logits, name="classifier")
    model = SentimentModel.build(
        classifier, PreprocessConfig(8, 8), ("cat", "dog", "owl")
    )

    folder = export_saved_model(model, tmp_path)

    signature = tf.saved_model.load(str(folder)).signatures["images"]
    assert sorted(signature.structured_outputs) == [
        "answer",
        "class_names",
        "probs",
        "valid",
    ]


def test_a_version_is_never_overwritten(tiny_export, tiny_model):
    with pytest.raises(ExportError, match="the next free one is 2"):
        export_saved_model(tiny_model, tiny_export.parent, version=1)


def test_a_failed_export_leaves_nothing_a_server_would_load(tmp_path):
    crops = keras.Input((8, 8, 3), name="crops")
    grouped = keras.layers.Conv2D(6, 1, groups=3)(crops)
    logits = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(grouped))
    classifier = keras.Model(crops, logits, name="classifier")
    model = SentimentModel.build(
        classifier, PreprocessConfig(8, 8), ("negative", "positive")
    )

    with pytest.raises(ExportError, match="compiled by XLA"):
        export_saved_model(model, tmp_path / "models")

    assert list((tmp_path / "models").iterdir()) == []


def test_versions_count_by_number_not_by_name(tmp_path):
    for name in ("2", "10", "notes"):
        (tmp_path / name).mkdir()

    assert next_version(tmp_path) == 11


def test_the_latest_version_is_what_a_server_would_load(tiny_export):
    assert latest_version(tiny_export.parent) == tiny_export
    assert latest_version(tiny_export) == tiny_export


def test_a_folder_without_versions_is_refused(tmp_path):
    with pytest.raises(ExportError, match="holds no SavedModel"):
        latest_version(tmp_path)


PROBS = tf.constant([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8], [1 / 3] * 3, [0.9, 0.1, 0.0]])
VALID = tf.constant([True, True, True, False])


def test_the_positive_probability_is_that_of_the_class_that_is_called_so():
    outputs = to_outputs(
        PROBS, VALID, class_names=("glad", "so-so", "sad"), positive_index=0
    )

    found = outputs["prob_positive"].numpy()
    np.testing.assert_allclose(found, [0.7, 0.1, 1 / 3, 1 / 3])
    assert outputs["answer"].numpy().tolist() == [
        *(b"glad", b"sad", b"unsure", b"unreadable"),
    ]
    assert outputs["class_names"].numpy().tolist() == [[b"glad", b"so-so", b"sad"]] * 4


def test_a_large_jpeg_whose_end_is_missing_is_completed_too(
    tiny_model, images, monkeypatch
):
    whole = to_file(images[0], "JPEG")
    monkeypatch.setattr(signature, "LARGE_BYTES", 1)  # each comes again, in its turn

    canvases, valid = read_batch(tf.constant([b"", whole[:-2], whole]), tiny_model)

    assert valid.numpy().tolist() == [False, True, True]
    np.testing.assert_array_equal(canvases[1], canvases[2])


def test_ratings_are_served_with_the_ends_of_their_intervals():
    rating = RatingOutput(("valence", "arousal"), (1, 7), (0.5, 2.0))
    ratings = tf.constant([[2.0, 6.0], [6.75, 2.0], [3.0, 3.0]])

    outputs = to_rating_outputs(ratings, tf.constant([True, True, False]), rating)

    # what cannot be read may be anything
    assert outputs["ratings"].numpy().tolist() == [[2, 6], [6.75, 2], [4, 4]]
    assert outputs["low"].numpy().tolist() == [[1.5, 4], [6.25, 1], [1, 1]]
    assert outputs["high"].numpy().tolist() == [[2.5, 7], [7, 4], [7, 7]]
    assert outputs["target_names"].numpy().tolist() == [[b"valence", b"arousal"]] * 3
    assert outputs["valid"].numpy().tolist() == [True, True, False]


def test_a_model_of_ratings_beside_one_of_classes_answers_from_the_same_features(
    tiny_model, images
):
    head = tiny_model.classifier.get_layer("logits")
    backbone = keras.Model(tiny_model.classifier.input, head.input)
    network = attach_head(backbone, 2)
    network.get_layer("logits").set_weights(
        [head.kernel.numpy()[:, ::-1] / 3, np.array([3.0, 5.0], "float32")]
    )
    config = tiny_model.preprocessor.config
    rated = SentimentModel.wrap(
        network, config, RatingOutput(("valence", "arousal"), (1, 7), (0.5, 1.0))
    )
    pixels = tf.constant(images[0][None])

    answer = build_signatures(tiny_model, rated)["images"](images=pixels)

    assert_close_float32(
        answer["probs"][0], by_keras(tiny_model, images[0]), operations=OPERATIONS
    )
    expected = rated.model(pixels, training=False)
    assert_close_float32(answer["ratings"], expected, operations=OPERATIONS, scale=7)
    assert np.ptp(answer["ratings"]) > 0.5  # the two are told apart
