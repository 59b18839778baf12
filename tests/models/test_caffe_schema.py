"""The encoded messages are written byte by byte, from Caffe's own field numbers."""

from __future__ import annotations

from pixsent_tf.models.caffe_schema import (
    V1_TYPES,
    BlobHeader,
    LayerHeader,
    V1LayerHeader,
)


def test_layer_keeps_name_and_type_in_fields_one_and_two():
    layer = LayerHeader.FromString(b"\x0a\x05conv1\x12\x03LRN")
    assert (layer.name, layer.type) == (b"conv1", b"LRN")


def test_first_format_keeps_name_and_type_in_fields_four_and_five():
    layer = V1LayerHeader.FromString(b"\x22\x03fc6\x28\x0e")
    assert (layer.name, V1_TYPES[layer.type]) == (b"fc6", "InnerProduct")


def test_types_of_the_first_format_have_caffes_numbers():
    assert {name: number for number, name in V1_TYPES.items()}.items() >= {
        "Convolution": 4,
        "Pooling": 17,
        "ReLU": 18,
        "Eltwise": 25,
        "ArgMax": 30,
        "Slice": 33,
        "Deconvolution": 39,
    }.items()


def test_blob_keeps_packed_and_unpacked_shapes():
    for dims in (b"\x0a\x02\x60\x03", b"\x08\x60\x08\x03"):
        blob = BlobHeader.FromString(b"\x3a\x04" + dims)
        assert list(blob.shape.dim) == [96, 3]


def test_blob_tells_a_missing_side_from_zero():
    assert not BlobHeader.FromString(b"").HasField("num")
    assert BlobHeader.FromString(b"\x08\x00").HasField("num")
