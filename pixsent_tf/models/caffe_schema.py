"""Which fields of Caffe's messages describe a layer's weights?

Only those that are read are declared; protobuf skips the others. Texts are bytes here:
protobuf's versions differ in what they do with text that is no UTF-8. Numbers and
names are those of BVLC Caffe's `caffe.proto`.
"""

from __future__ import annotations

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto
_BYTES, _INT32, _INT64 = _Field.TYPE_BYTES, _Field.TYPE_INT32, _Field.TYPE_INT64

# message -> field -> (number, type or name of the message, repeated)
_MESSAGES: dict[str, dict[str, tuple[int, int | str, bool]]] = {
    "LayerHeader": {"name": (1, _BYTES, False), "type": (2, _BYTES, False)},
    "V1LayerHeader": {"name": (4, _BYTES, False), "type": (5, _INT32, False)},
    "BlobShape": {"dim": (1, _INT64, True)},
    "BlobHeader": {
        "num": (1, _INT32, False),
        "channels": (2, _INT32, False),
        "height": (3, _INT32, False),
        "width": (4, _INT32, False),
        "shape": (7, "BlobShape", False),
    },
}

# fmt: off
_V1_TYPES = (  # by their number
    "None", "Accuracy", "BNLL", "Concat", "Convolution", "Data", "Dropout",
    "EuclideanLoss", "Flatten", "HDF5Data", "HDF5Output", "Im2col", "ImageData",
    "InfogainLoss", "InnerProduct", "LRN", "MultinomialLogisticLoss", "Pooling",
    "ReLU", "Sigmoid", "Softmax", "SoftmaxWithLoss", "Split", "TanH", "WindowData",
    "Eltwise", "Power", "SigmoidCrossEntropyLoss", "HingeLoss", "MemoryData",
    "ArgMax", "Threshold", "DummyData", "Slice", "MVN", "AbsVal", "Silence",
    "ContrastiveLoss", "Exp", "Deconvolution",
)
# fmt: on
V1_TYPES = dict(enumerate(_V1_TYPES))


def _file() -> descriptor_pb2.FileDescriptorProto:
    """Write the table above as protobuf's own description."""
    file = descriptor_pb2.FileDescriptorProto(
        name="pixsent_tf/caffe.proto", package="pixsent_tf.caffe", syntax="proto2"
    )
    for message_name, fields in _MESSAGES.items():
        message = file.message_type.add(name=message_name)
        for name, (number, kind, repeated) in fields.items():
            field = message.field.add(
                name=name,
                number=number,
                label=_Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL,
            )
            if isinstance(kind, str):
                field.type = _Field.TYPE_MESSAGE
                field.type_name = f".{file.package}.{kind}"
            else:
                field.type = kind
    return file


_pool = descriptor_pool.DescriptorPool()  # our own: other packages may know Caffe too
_pool.Add(_file())
_classes = {
    name: message_factory.GetMessageClass(
        _pool.FindMessageTypeByName(f"pixsent_tf.caffe.{name}")
    )
    for name in _MESSAGES
}
LayerHeader = _classes["LayerHeader"]
V1LayerHeader = _classes["V1LayerHeader"]
BlobHeader = _classes["BlobHeader"]
