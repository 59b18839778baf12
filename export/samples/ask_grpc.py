"""Ask over gRPC, without pixsent-tf: ask_grpc.py photo.jpg... [--server HOST:PORT]

Needs: pip install tensorflow-serving-api
"""

import argparse
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

parser = argparse.ArgumentParser()
parser.add_argument("pictures", nargs="+", type=Path)
parser.add_argument("--server", default="localhost:8500")
arguments = parser.parse_args()

request = predict_pb2.PredictRequest()
request.model_spec.name = "sentiment"
request.model_spec.signature_name = "serving_default"
contents = [path.read_bytes() for path in arguments.pictures]
request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(contents))

with grpc.insecure_channel(arguments.server) as channel:
    stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    reply = stub.Predict(request, timeout=30)

answers = tf.make_ndarray(reply.outputs["answer"])
probs = tf.make_ndarray(reply.outputs["probs"])
names = [name.decode() for name in tf.make_ndarray(reply.outputs["class_names"])[0]]
for path, answer, row in zip(arguments.pictures, answers, probs, strict=True):
    shares = "  ".join(f"{n} {p:.4f}" for n, p in zip(names, row, strict=True))
    print(f"{path}  {answer.decode()}  {shares}")
