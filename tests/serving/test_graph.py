from __future__ import annotations

import pytest
import tensorflow as tf
from tensorflow.core.framework import node_def_pb2
from tensorflow.core.protobuf import saved_model_pb2

from pixsent_tf.errors import ExportError
from pixsent_tf.serving.graph import check_portable, find_problem, iterate_nodes


def save(function, folder):
    module = tf.Module()
    module.function = tf.function(function)
    spec = tf.TensorSpec([None], tf.float32)
    signature = module.function.get_concrete_function(spec)
    tf.saved_model.save(module, folder, signatures=signature)
    return folder


def test_a_graph_of_stock_operations_passes(tmp_path):
    check_portable(save(lambda x: {"y": tf.sqrt(x)}, tmp_path))


def test_a_call_into_python_is_refused(tmp_path):
    folder = save(lambda x: {"y": tf.py_function(abs, [x], tf.float32)}, tmp_path)

    with pytest.raises(ExportError, match=r"EagerPyFunc.*calls Python"):
        check_portable(folder)


def test_a_function_compiled_by_xla_is_refused(tmp_path):
    compiled = tf.function(tf.sqrt, jit_compile=True)

    with pytest.raises(ExportError, match="compiled by XLA"):
        check_portable(save(lambda x: {"y": compiled(x)}, tmp_path))


def test_what_belongs_to_training_is_refused(tmp_path):
    def drop(x):
        return {"y": tf.nn.dropout(x, rate=0.5)}

    with pytest.raises(ExportError, match="random numbers"):
        check_portable(save(drop, tmp_path))


def test_an_operation_that_tensorflow_lacks_is_refused():
    node = node_def_pb2.NodeDef(name="face", op="MyCompanyFaceDetector")

    assert "none of TensorFlow's own" in find_problem(node)


def test_the_exported_graph_holds_no_foreign_node(tiny_export):
    saved_model = saved_model_pb2.SavedModel()
    saved_model.ParseFromString((tiny_export / "saved_model.pb").read_bytes())
    operations = {node.op for node in iterate_nodes(saved_model)}

    assert {"DecodePng", "ScaleAndTranslate", "IgnoreErrorsDataset"} <= operations
    foreign = {"EagerPyFunc", "PyFunc", "XlaFunction", "XlaLaunch", "RandomUniform"}
    assert not operations & foreign
