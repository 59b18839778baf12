"""A stand-in for TF Serving, for tests only: it is not `tensorflow_model_server`.

    python stand_in_server.py MODEL_NAME MODEL_FOLDER

It speaks TF Serving's two interfaces, gRPC by the service definitions of
`tensorflow-serving-api` and REST as its documentation describes, around a SavedModel
that TensorFlow loads. It prints the two ports, then serves until it is ended.
"""

from __future__ import annotations

import base64
import http.server
import json
import re
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_PATH = re.compile(r"/v1/models/(?P<name>[^/:]+)(/versions/(?P<version>\d+))?:predict")


class Refusal(Exception):
    """What TF Serving answers with an error."""

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


class Model:
    """The newest version in a folder, as TF Serving picks it."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.version = max(
            int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal()
        )
        self.loaded = tf.saved_model.load(str(folder / str(self.version)))

    def run(self, name, version, signature, inputs):
        if name != self.name or version not in (None, self.version):
            message = f"Servable not found for request: {name}({version})"
            raise Refusal(grpc.StatusCode.NOT_FOUND, message)
        if signature not in self.loaded.signatures:
            message = f'Serving signature key "{signature}" not found.'
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)
        try:
            outputs = self.loaded.signatures[signature](**inputs)
        except (tf.errors.InvalidArgumentError, TypeError) as error:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        return {key: value.numpy() for key, value in outputs.items()}


class Grpc(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, model: Model) -> None:
        self.model = model

    def Predict(self, request, context):
        spec = request.model_spec
        version = spec.version.value if spec.HasField("version") else None
        inputs = {
            key: tf.constant(tf.make_ndarray(value))
            for key, value in request.inputs.items()
        }
        try:
            outputs = self.model.run(
                spec.name, version, spec.signature_name or "serving_default", inputs
            )
        except Refusal as refusal:
            context.abort(refusal.code, str(refusal))
        reply = predict_pb2.PredictResponse()
        for key, value in outputs.items():
            reply.outputs[key].CopyFrom(tf.make_tensor_proto(value))
        return reply


class Rest(http.server.BaseHTTPRequestHandler):
    model: Model

    def do_GET(self):
        state = {"version": str(self.model.version), "state": "AVAILABLE"}
        self._send(200, {"model_version_status": [state]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, answer = 200, {"predictions": self._predict(body)}
        except Refusal as refusal:
            found = refusal.code != grpc.StatusCode.NOT_FOUND
            status, answer = 400 if found else 404, {"error": str(refusal)}
        self._send(status, answer)

    def _send(self, status, answer):
        content = json.dumps(answer, allow_nan=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _predict(self, body):
        match = _PATH.fullmatch(self.path)
        if match is None:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "Malformed request")
        columns: dict[str, list] = {}
        for instance in body["instances"]:
            for key, value in instance.items():
                columns.setdefault(key, []).append(_from_json(value))
        inputs = {key: tf.constant(_typed(values)) for key, values in columns.items()}
        version = match["version"] and int(match["version"])
        outputs = self.model.run(
            match["name"],
            version,
            body.get("signature_name", "serving_default"),
            inputs,
        )
        count = len(body["instances"])
        if any(value.shape[:1] != (count,) for value in outputs.values()):
            # The row format's rule: every output has one row per instance.
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "inconsistent batch size")
        return [
            {key: _to_json(key, value[i]) for key, value in outputs.items()}
            for i in range(count)
        ]

    def log_message(self, *_arguments):
        pass


def _from_json(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return value


def _typed(values):
    return values if isinstance(values[0], bytes) else np.array(values, "uint8")


def _to_json(key, value):
    if isinstance(value, bytes):
        if key.endswith("_bytes"):
            return {"b64": base64.b64encode(value).decode()}
        return value.decode()
    if isinstance(value, np.ndarray):
        return [_to_json(key, item) for item in value]
    return value.item()


def main(name: str, folder: str) -> None:
    model = Model(name, Path(folder))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    service = Grpc(model)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(service, server)
    grpc_port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    Rest.model = model
    rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Rest)
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    print(grpc_port, rest.server_port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
