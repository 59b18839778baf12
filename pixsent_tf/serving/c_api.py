"""Does a SavedModel run without Python's TensorFlow? (as TF Serving runs it)

    python -I -S c_api.py TENSORFLOW_FOLDER SAVED_MODEL SIGNATURE < request > answer

Loads the export through TensorFlow's C API with XLA switched off, which is what TF
Serving's loader does. A script of its own: it imports the standard library only, so a
process that runs it can be denied every package. The request is a JSON list of files
in base64, or uint8 images as {"shape": [B, H, W, 3], "b64": "..."}; the answer is a
JSON object of lists by output.
"""

from __future__ import annotations

import base64
import ctypes
import json
import math
import os
import struct
import sys
from collections.abc import Iterator
from typing import Any

FLOAT, UINT8, STRING, BOOL = 1, 4, 7, 10  # of TensorFlow's DataType
_FORMATS = {FLOAT: "f", UINT8: "B", BOOL: "?"}
_TSTRING_BYTES = 24

Request = list[str] | dict[str, Any]
Tensors = dict[str, str]


def main(arguments: list[str]) -> None:
    """Run one request.

    Args:
        arguments: TensorFlow's folder, the SavedModel's, and the signature's name.
    """
    tensorflow, saved_model, name = arguments
    # TensorFlow writes to standard output as well; the answer must be alone there.
    answer_to = os.dup(1)
    os.dup2(2, 1)
    library = open_library(tensorflow)
    session = Session(library, saved_model)
    answer = session.run(name, json.load(sys.stdin))
    with os.fdopen(answer_to, "w", encoding="utf-8") as file:
        json.dump(answer, file)


def open_library(folder: str) -> ctypes.CDLL:
    """Open TensorFlow's libraries and switch XLA off.

    Args:
        folder: The folder of the installed package `tensorflow`.

    Returns:
        The library with the C API.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    names = sorted(os.listdir(folder))
    for stem in ("libtensorflow_framework.", "libtensorflow_cc."):
        (name,) = (name for name in names if name.startswith(stem))
        library = ctypes.CDLL(os.path.join(folder, name), mode=ctypes.RTLD_GLOBAL)
    for function, restype in (
        ("TF_NewStatus", ctypes.c_void_p),
        ("TF_Message", ctypes.c_char_p),
        ("TF_NewGraph", ctypes.c_void_p),
        ("TF_NewSessionOptions", ctypes.c_void_p),
        ("TF_NewBuffer", ctypes.POINTER(_Buffer)),
        ("TF_LoadSessionFromSavedModel", ctypes.c_void_p),
        ("TF_GraphOperationByName", ctypes.c_void_p),
        ("TF_AllocateTensor", ctypes.c_void_p),
        ("TF_TensorData", ctypes.c_void_p),
        ("TF_Dim", ctypes.c_int64),
        ("TF_StringGetDataPointer", ctypes.c_void_p),
        ("TF_StringGetSize", ctypes.c_size_t),
    ):
        getattr(library, function).restype = restype
    library._ZN10tensorflow21DisableXlaCompilationEv()
    return library


class _Buffer(ctypes.Structure):
    _fields_ = (
        ("data", ctypes.c_void_p),
        ("length", ctypes.c_size_t),
        ("deallocator", ctypes.c_void_p),
    )


class _Output(ctypes.Structure):
    _fields_ = (("operation", ctypes.c_void_p), ("index", ctypes.c_int))


class Session:
    """A loaded SavedModel.

    Args:
        library: What `open_library` returned.
        folder: The SavedModel.
    """

    def __init__(self, library: ctypes.CDLL, folder: str) -> None:
        self.library = library
        self.status = ctypes.c_void_p(library.TF_NewStatus())
        self.graph = ctypes.c_void_p(library.TF_NewGraph())
        meta_graph = library.TF_NewBuffer()
        self.session = ctypes.c_void_p(
            library.TF_LoadSessionFromSavedModel(
                ctypes.c_void_p(library.TF_NewSessionOptions()),
                None,
                folder.encode(),
                (ctypes.c_char_p * 1)(b"serve"),
                1,
                self.graph,
                meta_graph,
                self.status,
            )
        )
        self._check()
        found = ctypes.string_at(meta_graph.contents.data, meta_graph.contents.length)
        self.signatures = read_signatures(found)

    def run(self, name: str, values: Request) -> dict[str, list[Any]]:
        """Run a signature with one input.

        Args:
            name: The signature.
            values: Files in base64; or uint8 images: their shape, and bytes in base64.

        Returns:
            The outputs by name; text as strings.
        """
        inputs, outputs = self.signatures[name]
        (source,) = inputs.values()
        feed = ctypes.c_void_p(self._to_tensor(values))
        names, targets = zip(*outputs.items(), strict=True)
        results = (ctypes.c_void_p * len(targets))()
        self.library.TF_SessionRun(
            self.session,
            None,
            ctypes.byref(self._output(source)),
            ctypes.byref(feed),
            1,
            (_Output * len(targets))(*map(self._output, targets)),
            results,
            len(targets),
            None,
            0,
            None,
            self.status,
        )
        self._check()
        return {
            name: self._to_list(ctypes.c_void_p(result))
            for name, result in zip(names, results, strict=True)
        }

    def _check(self) -> None:
        if self.library.TF_GetCode(self.status) != 0:
            raise SystemExit(self.library.TF_Message(self.status).decode())

    def _output(self, name: str) -> _Output:
        operation, _, index = name.partition(":")
        found = self.library.TF_GraphOperationByName(self.graph, operation.encode())
        return _Output(found, int(index or 0))

    def _to_tensor(self, values: Request) -> int:
        if isinstance(values, list):
            tensor, data = self._allocate(STRING, [len(values)], _TSTRING_BYTES)
            for i, value in enumerate(values):
                place = ctypes.c_void_p(data + i * _TSTRING_BYTES)
                content = base64.b64decode(value)
                self.library.TF_StringInit(place)
                self.library.TF_StringCopy(
                    place, content, ctypes.c_size_t(len(content))
                )
            return tensor
        content = base64.b64decode(values["b64"])
        tensor, data = self._allocate(UINT8, values["shape"], 1)
        ctypes.memmove(data, content, len(content))
        return tensor

    def _allocate(self, kind: int, shape: list[int], size: int) -> tuple[int, int]:
        tensor = self.library.TF_AllocateTensor(
            kind,
            (ctypes.c_int64 * len(shape))(*shape),
            len(shape),
            ctypes.c_size_t(math.prod(shape) * size),
        )
        return tensor, self.library.TF_TensorData(ctypes.c_void_p(tensor))

    def _to_list(self, tensor: ctypes.c_void_p) -> list[Any]:
        library = self.library
        rank, kind = library.TF_NumDims(tensor), library.TF_TensorType(tensor)
        shape = [library.TF_Dim(tensor, axis) for axis in range(rank)]
        data, count = library.TF_TensorData(tensor), math.prod(shape)
        flat: list[Any]
        if kind == STRING:
            places = [ctypes.c_void_p(data + i * _TSTRING_BYTES) for i in range(count)]
            flat = [
                ctypes.string_at(
                    library.TF_StringGetDataPointer(place),
                    library.TF_StringGetSize(place),
                ).decode()
                for place in places
            ]
        else:
            form = f"<{count}{_FORMATS[kind]}"
            flat = list(
                struct.unpack(form, ctypes.string_at(data, struct.calcsize(form)))
            )
        for side in reversed(shape[1:]):
            flat = [flat[i : i + side] for i in range(0, len(flat), side)]
        return flat


def read_signatures(meta_graph: bytes) -> dict[str, tuple[Tensors, Tensors]]:
    """Find the signatures in a serialized MetaGraphDef.

    Args:
        meta_graph: The message.

    Returns:
        The names of the input and of the output tensors, by signature.
    """
    signatures = {}
    for number, entry in _fields(meta_graph):
        if number == 5:  # signature_def
            name, signature = _entry(entry)
            tensors: tuple[Tensors, Tensors] = ({}, {})
            for side, tensor in _fields(signature):
                if side in (1, 2):  # inputs, outputs
                    key, info = _entry(tensor)
                    found = dict(_fields(info))[1]  # TensorInfo.name
                    tensors[side - 1][key.decode()] = found.decode()
            signatures[name.decode()] = tensors
    return signatures


def _entry(message: bytes) -> tuple[bytes, bytes]:
    """Key and value of a map's entry."""
    fields = dict(_fields(message))
    return fields[1], fields.get(2, b"")


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field of a protobuf message that has a length."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == 2:
            length, position = _varint(message, position)
            yield number, message[position : position + length]
            position += length
        elif kind == 0:
            _, position = _varint(message, position)
        else:
            position += {1: 8, 5: 4}[kind]


def _varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7


if __name__ == "__main__":
    main(sys.argv[1:])
