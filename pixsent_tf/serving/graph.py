"""Can this graph run where there is no Python, no XLA and no training?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

from pixsent_tf.errors import ExportError

_PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
_RANDOM = ("Random", "StatelessRandom", "StatefulRandom", "StatefulUniform")


def check_portable(folder: Path) -> None:
    """Refuse a SavedModel that a model server could not run, or not repeatably.

    Args:
        folder: The SavedModel.

    Raises:
        ExportError: If it calls Python or XLA, holds an operation that TensorFlow does
            not bring, or draws random numbers as training does.
    """
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((folder / "saved_model.pb").read_bytes())
    for node in iterate_nodes(saved_model):
        problem = find_problem(node)
        if problem:
            raise ExportError(
                f"The operation {node.name!r} ({node.op}) {problem}; use another "
                f"backbone or replace the layer it belongs to."
            )


def iterate_nodes(
    saved_model: saved_model_pb2.SavedModel,
) -> Iterator[node_def_pb2.NodeDef]:
    """Walk all nodes, inside functions too.

    Args:
        saved_model: What `saved_model.pb` holds.

    Yields:
        Each node.
    """
    for meta_graph in saved_model.meta_graphs:
        yield from meta_graph.graph_def.node
        for function in meta_graph.graph_def.library.function:
            if function.attr["_XlaMustCompile"].b:
                name = function.signature.name
                yield node_def_pb2.NodeDef(name=name, op="XlaFunction")
            yield from function.node_def


def find_problem(node: node_def_pb2.NodeDef) -> str | None:
    """Say what keeps a node from a model server.

    Args:
        node: Any node.

    Returns:
        The problem, to follow the node's name; None if there is none.
    """
    if node.op in _PYTHON:
        return "calls Python, which a model server has not"
    if node.op.startswith("Xla") or node.attr["_XlaMustCompile"].b:
        return "is compiled by XLA, which a model server switches off on a CPU"
    if node.op.startswith(_RANDOM):
        return "draws random numbers, which belongs to training"
    if not hasattr(tf.raw_ops, node.op) and not node.op.startswith("_"):
        return "is none of TensorFlow's own operations"
    return None
