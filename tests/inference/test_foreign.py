"""Only models that this package wrote reach Keras."""

from __future__ import annotations

import io
import json
import zipfile

import h5py
import keras
import pytest

from pixsent_tf.errors import WeightsError
from pixsent_tf.inference import foreign
from pixsent_tf.inference.foreign import check_archive
from pixsent_tf.inference.model import SentimentModel
from tests.serving.conftest import tiny_model

__all__ = ["tiny_model"]


@pytest.fixture(scope="module")
def members(tiny_model, tmp_path_factory):
    """The members of an archive that this package wrote."""
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    tiny_model.save(path)
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture
def pack(members, tmp_path, monkeypatch):
    """Write an archive with some members changed; Keras must not see it."""

    def refuse(*_, **__):
        raise AssertionError("Keras was asked.")

    monkeypatch.setattr(keras.saving, "load_model", refuse)

    def write(**changes):
        path = tmp_path / "model.keras"
        with zipfile.ZipFile(path, "w") as file:
            for name, content in {**members, **changes}.items():
                if content is not None:
                    file.writestr(name, content)
        return path

    return write


def with_layer(members, **layer):
    """The configuration with one layer more."""
    config = json.loads(members["config.json"])
    config["config"]["layers"].append({"config": {}, "registered_name": None, **layer})
    return json.dumps(config)


def test_what_this_package_wrote_is_accepted(tiny_model, tmp_path):
    tiny_model.save(tmp_path / "model.keras")

    check_archive(tmp_path / "model.keras")
    assert SentimentModel.load(tmp_path / "model.keras").class_names == (
        "negative",
        "positive",
    )


@pytest.mark.parametrize(
    "layer",
    [
        {"module": "keras.layers", "class_name": "Lambda"},
        {"module": "keras.layers", "class_name": "TFSMLayer"},
        {"module": "keras.layers", "class_name": "TorchModuleWrapper"},
        {"module": "os", "class_name": "system"},
        {"module": "builtins", "class_name": "function"},
        {"module": "keras.utils", "class_name": "get_file"},
        {"module": "keras", "class_name": "__lambda__"},
        {"module": None, "class_name": "Dense", "registered_name": "other>Dense"},
        {
            "module": "keras.layers",
            "class_name": "Dense",
            "registered_name": "other>Dense",
        },
        {"module": ["keras"], "class_name": "Dense"},
        {
            "module": "keras_hub.src.models.gemma.gemma_backbone",
            "class_name": "GemmaBackbone",
            "registered_name": "keras_hub>GemmaBackbone",
        },
        {
            "module": "keras_hub.src.models.vit.vit_backbone",
            "class_name": "ViTBackbone",
            "registered_name": "other>ViTBackbone",
        },
        {"module": "keras_hub.src.models.vit", "class_name": "ViTBackbone"},
        {
            "module": "keras_hub.evil",
            "class_name": "ViTBackbone",
            "registered_name": "keras_hub>ViTBackbone",
        },
        {"module": "keras.layers"},
    ],
    ids=str,
)
def test_a_foreign_class_never_reaches_keras(layer, members, pack):
    path = pack(**{"config.json": with_layer(members, **layer)})

    with pytest.raises(WeightsError, match="which no model of this package does"):
        SentimentModel.load(path)


def test_a_foreign_class_deep_in_a_layer_is_found(members, pack):
    inner = {"module": "keras.layers", "class_name": "Lambda", "config": {}}
    outer = {"module": "keras.layers", "class_name": "Dense", "config": [{"a": inner}]}
    path = pack(**{"config.json": with_layer(members, **outer)})

    with pytest.raises(WeightsError, match=r"keras\.layers\.Lambda"):
        SentimentModel.load(path)


def test_members_that_do_not_belong_are_refused(pack):
    with pytest.raises(WeightsError, match=r"it holds 'assets/x\.py'"):
        SentimentModel.load(pack(**{"assets/x.py": b""}))
    with pytest.raises(WeightsError, match="it lacks one of"):
        SentimentModel.load(pack(**{"metadata.json": None}))


def test_members_that_unpack_to_too_much_are_refused(pack, monkeypatch):
    monkeypatch.setitem(foreign.MEMBERS, "metadata.json", 10)

    with pytest.raises(WeightsError, match=r"its metadata\.json is too large"):
        SentimentModel.load(pack())


def weights_with(change):
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        change(file)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda file: file.__setitem__("a", h5py.ExternalLink("/etc/x", "/b")),
            "refer to other files",
        ),
        (
            lambda file: file.__setitem__("a", h5py.SoftLink("/b")),
            "refer to other files",
        ),
        (
            lambda file: file.create_dataset(
                "a", (4,), "uint8", external=[("/etc/hostname", 0, 4)]
            ),
            "refer to other files",
        ),
        (
            lambda file: file.create_dataset("a", (2**40,), "uint8", chunks=(1024,)),
            "claim more than there can be",
        ),
    ],
    ids=["external link", "soft link", "external data", "claims a terabyte"],
)
def test_weights_that_refer_or_claim_are_refused(change, words, pack):
    path = pack(**{"model.weights.h5": weights_with(change)})

    with pytest.raises(WeightsError, match=words):
        SentimentModel.load(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (weights_with(lambda file: None), "it is HDF5, which can hold code"),
        (b"text", "no .keras archive"),
        (b"", "no .keras archive"),
        (b"PK\x05\x06" + bytes(18), "it lacks one of"),
    ],
    ids=["hdf5", "text", "empty", "empty zip"],
)
def test_other_files_are_refused_by_their_content(content, words, tmp_path):
    (tmp_path / "model.keras").write_bytes(content)

    with pytest.raises(WeightsError, match=words):
        SentimentModel.load(tmp_path / "model.keras")


def test_a_configuration_without_end_is_refused(pack):
    deep = "[" * 100_000 + "]" * 100_000

    with pytest.raises(WeightsError, match="is no model of this package"):
        SentimentModel.load(pack(**{"config.json": deep}))
