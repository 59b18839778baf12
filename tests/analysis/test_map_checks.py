"""What a map gains is signed as it is said, and counted for the class it is of."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from pixsent_tf.analysis import map_checks
from pixsent_tf.analysis.map_checks import check_faithfulness, check_maps, pointing_game
from pixsent_tf.config import PreprocessConfig
from pixsent_tf.errors import DataError
from pixsent_tf.inference.model import SentimentModel
from pixsent_tf.models.zoo import attach_head

# A bright spot in the top right of a wide picture.
SPOT = {"left": 88, "top": 0, "right": 120, "bottom": 16}


def build_model(names):
    """A network that answers 1 where something is bright, which a blur takes away."""
    crops = keras.Input((64, 64, 3), name="crops")
    x = layers.AveragePooling2D(8, name="pool")(crops)
    x = layers.Conv2D(1, 1, activation="relu", name="bright")(x)
    features = layers.GlobalAveragePooling2D(name="features")(x)
    classifier = attach_head(keras.Model(crops, features, name="spots"), num_classes=2)
    weights = [np.full((1, 1, 3, 1), 1 / 3), np.array([-100.0])]
    classifier.get_layer("bright").set_weights(weights)
    head = [np.array([[-0.5, 0.5]]), np.array([1.0, -1.0])]
    classifier.get_layer("logits").set_weights(head)
    config = PreprocessConfig(canvas_size=64, crop_size=64)
    return SentimentModel.build(classifier, config, names)


@pytest.fixture(scope="module")
def model():
    return build_model(("bad", "good"))


@pytest.fixture
def spots(tmp_path):
    """Two pictures with a spot, left and right, one that cannot be read, and boxes."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    pixels = np.full((60, 120, 3), 20, dtype="uint8")
    pixels[SPOT["top"] : SPOT["bottom"], SPOT["left"] : SPOT["right"]] = 250
    Image.fromarray(pixels[:, ::-1]).save(folder / "left.png")
    (folder / "none.png").write_bytes(b"")
    Image.fromarray(pixels).save(folder / "right.png")
    return [str(folder / name) for name in ("none.png", "left.png", "right.png")]


def write_boxes(spots, *, label="good"):
    """The face is the spot of the right picture; the mouth is where nothing is."""
    path = map_checks.find_boxes(spots) or spots[0].rpartition("/pictures")[0]
    face = ",".join(str(value) for value in SPOT.values())
    rows = [
        f"pictures/{name}.png,{label},{face},50,30,70,42" for name in ("left", "right")
    ]
    sides = [f"{part}_{side}" for part in ("face", "mouth") for side in SPOT]
    text = "\n".join([",".join(["path", "label", *sides]), *rows])
    with open(f"{path}/boxes.csv", "w") as file:
        file.write(text)


def test_gains_are_what_deletion_takes_and_what_insertion_brings(model, spots):
    found = check_faithfulness(model, spots)

    deletion, insertion = found["deletion"], found["insertion"]
    for way in ("random", "center"):
        assert deletion[f"gain_over_{way}"] == pytest.approx(
            deletion[way] - deletion["map"], abs=1e-6
        )
        assert insertion[f"gain_over_{way}"] == pytest.approx(
            insertion["map"] - insertion[way], abs=1e-6
        )
        for part in (deletion, insertion):
            low, high = part[f"gain_over_{way}_interval"]
            assert 0 < low <= part[f"gain_over_{way}"] <= high
    assert found["num_examples"] == 2
    assert [row["id"] for row in found["unreadable"]] == [spots[0]]


def test_likeness_to_random_weights_is_a_mean_over_the_pictures(model, spots):
    name = "correlation_with_random_weights"
    each = [check_faithfulness(model, [path])[name] for path in spots[1:]]

    assert check_faithfulness(model, spots)[name] == pytest.approx(np.mean(each))
    assert np.mean(each) != 0


def test_gains_are_those_of_the_answer_whichever_class_it_is(model, spots):
    turned = build_model(("good", "bad"))  # as names go; the answer is class 1
    head = turned.classifier.get_layer("logits")
    kernel, bias = head.get_weights()
    head.set_weights([kernel[:, ::-1], bias[::-1]])  # and now class 0

    one, other = (check_faithfulness(each, spots) for each in (model, turned))

    assert other["deletion"]["map"] == pytest.approx(one["deletion"]["map"], abs=1e-5)
    assert other["insertion"]["map"] == pytest.approx(one["insertion"]["map"], abs=1e-5)


def test_a_map_that_points_at_the_face_hits_it_and_not_the_mouth(model, spots):
    write_boxes(spots)

    found = check_maps(model, spots)["pointing"]

    face, mouth = found["face"], found["mouth"]
    assert found["num_examples"] == 2
    assert (face["hits"], mouth["hits"]) == (0.5, 0)  # of two, one is mirrored
    assert face["chance"] == pytest.approx(32 * 16 / (60 * 120))
    assert mouth["chance"] == pytest.approx(20 * 12 / (60 * 120))
    assert face["interval"] == pytest.approx([0.0945, 0.9055], abs=1e-4)  # Wilson


def test_the_map_of_the_other_class_points_elsewhere(model, spots):
    write_boxes(spots, label="bad")

    assert pointing_game(model, map_checks.find_boxes(spots))["face"]["hits"] == 0


def test_boxes_of_other_pictures_are_refused(model, spots):
    write_boxes(spots)

    with pytest.raises(DataError, match="names none of the pictures"):
        pointing_game(model, map_checks.find_boxes(spots), wanted=["other.png"])


def test_without_boxes_nothing_is_pointed_at(model, spots):
    assert map_checks.find_boxes(spots) is None
    assert check_maps(model, spots[1:2])["pointing"] is None


def test_what_matters_is_what_speaks_for_a_class_and_not_for_the_other():
    logits = np.array([[[1.0, 3.0], [5.0, 4.0]]])

    assert map_checks._importance(logits, 1).tolist() == [[2.0, -1.0]]
    assert map_checks._importance(logits, 0).tolist() == [[-2.0, 1.0]]


def test_a_map_is_compared_with_that_of_the_network_that_knows_nothing(
    model, spots, monkeypatch
):
    opposite = build_model(("bad", "good")).classifier
    head = opposite.get_layer("logits")
    head.set_weights([-each for each in head.get_weights()])
    monkeypatch.setattr(
        map_checks.faithfulness, "with_random_weights", lambda *_, **__: opposite
    )

    found = check_faithfulness(model, spots)

    assert found["correlation_with_random_weights"] == pytest.approx(-1, abs=1e-5)


def test_pictures_have_random_orders_of_their_own_that_the_seed_decides(model, spots):
    twice = [spots[2], spots[1], spots[2]]  # one picture in two places

    def area(count, seed=0):
        found = check_faithfulness(model, twice[:count], seed=seed)
        return found["deletion"]["random"]

    first, last = area(1), 3 * area(3) - 2 * area(2)
    assert abs(last - first) > 1e-3  # the same picture, in another order
    assert abs(area(1, seed=9) - first) > 1e-3


def test_boxes_stay_with_their_pictures_between_broken_ones(model, spots):
    write_boxes(spots)
    boxes = map_checks.find_boxes(spots)
    lines = boxes.read_text().splitlines()
    face = ",".join(str(value) for value in SPOT.values())
    broken = "pictures/none.png,bad,0,0,1,1,0,0,1,1"
    right = f"pictures/right.png,good,{face},50,30,70,42"
    boxes.write_text("\n".join([lines[0], broken, right]))

    found = pointing_game(model, boxes)

    assert found["num_examples"] == 1
    assert found["face"]["hits"] == 1
    assert found["face"]["chance"] == pytest.approx(32 * 16 / (60 * 120))


def test_only_wanted_pictures_count(model, spots):
    write_boxes(spots)

    found = pointing_game(model, map_checks.find_boxes(spots), wanted=[spots[2]])

    assert (found["num_examples"], found["face"]["hits"]) == (1, 1)
