"""The clients against a server process: TF Serving's where there is one."""

from __future__ import annotations

import http.server
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pixsent_tf.errors import ServingError
from pixsent_tf.serving import client
from pixsent_tf.serving.client import Answer, GrpcClient, RestClient
from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS

pytest.importorskip("tensorflow_serving")
BINARY = "tensorflow_model_server"


def start_stand_in(folder, name="tiny"):
    script = Path(__file__).with_name("stand_in_server.py")
    command = [sys.executable, "-W", "ignore", str(script), name, str(folder)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    ports = process.stdout.readline().split()
    return process, *map(int, ports)


def start_tf_serving(folder):
    grpc_port, rest_port = free_port(), free_port()
    process = subprocess.Popen(
        [
            BINARY,
            f"--port={grpc_port}",
            f"--rest_api_port={rest_port}",
            "--model_name=tiny",
            f"--model_base_path={folder.resolve()}",
        ],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not is_open(rest_port):
        time.sleep(0.1)
    return process, grpc_port, rest_port


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(
    scope="module",
    params=["stand-in", pytest.param("tf-serving", marks=pytest.mark.serving)],
)
def ports(request, tiny_export):
    if request.param == "tf-serving" and not shutil.which(BINARY):
        pytest.skip(f"{BINARY} is not installed")
    start = {"stand-in": start_stand_in, "tf-serving": start_tf_serving}
    process, *ports = start[request.param](tiny_export.parent)
    yield ports
    process.terminate()
    process.wait()
    if process.stdout:
        process.stdout.close()


@pytest.fixture(params=["grpc", "rest"])
def connect(request, ports):
    """Makes a client of either kind."""
    grpc_port, rest_port = ports

    def make(**settings):
        settings = {"model": "tiny", "retries": 0, **settings}
        if request.param == "grpc":
            return GrpcClient(f"localhost:{grpc_port}", **settings)
        return RestClient(f"http://localhost:{rest_port}", **settings)

    return make


def test_answers_are_those_of_the_keras_model(connect, tiny_model, images, pngs):
    with connect() as asked:
        answers = asked.predict(pngs)

    for image, answer in zip(images, answers, strict=True):
        expected = tiny_model.model(image[None], training=False).numpy()[0]
        given = [answer.probs["negative"], answer.probs["positive"]]
        assert_close_float32(given, expected, operations=OPERATIONS)
        assert answer.answer == ("negative", "positive")[expected.argmax()]


def test_small_batches_give_the_same_answers_in_order(connect, pngs):
    with connect(batch_size=3) as few, connect() as all_at_once:
        small, large = few.predict(pngs), all_at_once.predict(pngs)

    for one, other in zip(small, large, strict=True):
        assert one.probs.keys() == other.probs.keys()
        found, expected = list(one.probs.values()), list(other.probs.values())
        assert_close_float32(found, expected, operations=OPERATIONS)


def test_a_broken_picture_is_answered_as_unreadable(connect, pngs):
    with connect() as asked:
        answers = asked.predict([pngs[0], b"broken"])

    assert answers[1] == Answer("unreadable", {"negative": 0.5, "positive": 0.5}, False)
    assert answers[0].valid


def test_paths_are_read(connect, pngs, tmp_path):
    (tmp_path / "a.png").write_bytes(pngs[1])

    with connect() as asked:
        assert asked.predict([tmp_path / "a.png"]) == asked.predict(pngs[1:2])


def test_another_signature_can_be_asked(connect, pngs):
    with connect(signature="crops10") as ten, connect() as center:
        assert ten.predict(pngs[:1])[0].probs != center.predict(pngs[:1])[0].probs


def test_nothing_to_ask_is_refused(connect):
    with connect() as asked, pytest.raises(ServingError, match="There is no picture"):
        asked.predict([])


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"model": "other"}, "not found"),
        ({"version": 7}, "not found"),
        ({"signature": "dance"}, "dance"),
    ],
)
def test_what_the_server_lacks_is_said_by_it(connect, pngs, settings, said):
    with (
        connect(**settings) as asked,
        pytest.raises(ServingError, match=said) as caught,
    ):
        asked.predict(pngs[:1])

    assert caught.value.reason == "refused"


@pytest.mark.parametrize("kind", [GrpcClient, RestClient])
def test_a_server_that_is_not_there_is_named(kind):
    address = f"localhost:{free_port()}"
    target = address if kind is GrpcClient else f"http://{address}"

    with (
        kind(target, retries=0) as asked,
        pytest.raises(ServingError, match="is the server running") as caught,
    ):
        asked.predict([b"any"])

    assert caught.value.reason == "unreachable"


@pytest.mark.parametrize("kind", [GrpcClient, RestClient])
def test_a_server_that_hangs_is_given_up(kind):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        target = address if kind is GrpcClient else f"http://{address}"

        with (
            kind(target, retries=0, timeout_seconds=0.3) as asked,
            pytest.raises(ServingError, match=r"within 0\.3 seconds") as caught,
        ):
            asked.predict([b"any"])

    assert caught.value.reason == "timeout"


class Scripted(http.server.BaseHTTPRequestHandler):
    """Answers with one (status, body) after the other."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        status, body = self.server.replies.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_arguments):
        pass


@pytest.fixture
def scripted(monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.001)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Scripted)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


ROW = {"class_names": ["a", "b"], "answer": "b", "probs": [0.25, 0.75], "valid": True}
GOOD = (200, json.dumps({"predictions": [ROW]}))
BUSY = (503, "busy")


def test_a_busy_server_is_asked_again(scripted):
    scripted.replies = [BUSY, BUSY, GOOD]

    (answer,) = RestClient(f"http://127.0.0.1:{scripted.server_port}").predict([b"x"])

    assert answer == Answer("b", {"a": 0.25, "b": 0.75}, True)


def test_retries_end(scripted):
    scripted.replies = [BUSY] * 3
    asked = RestClient(f"http://127.0.0.1:{scripted.server_port}", retries=2)

    with pytest.raises(ServingError, match="503, busy"):
        asked.predict([b"x"])

    assert scripted.replies == []


def test_a_refusal_is_not_repeated(scripted):
    scripted.replies = [(400, '{"error": "no such input"}'), GOOD]

    with pytest.raises(ServingError, match="400, no such input"):
        RestClient(f"http://127.0.0.1:{scripted.server_port}").predict([b"x"])

    assert scripted.replies == [GOOD]


@pytest.mark.parametrize(
    "body", ["<html>", '{"predictions": []}', '{"predictions": [{"scores": [1]}]}']
)
def test_an_answer_of_another_model_is_malformed(scripted, body):
    scripted.replies = [(200, body)]

    with pytest.raises(ServingError, match="something else than this model") as caught:
        RestClient(f"http://127.0.0.1:{scripted.server_port}").predict([b"x"])

    assert caught.value.reason == "malformed"


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)

    with pytest.raises(ServingError, match=r"pip install 'pixsent-tf\[serving\]'"):
        GrpcClient("localhost:1")


def test_each_pause_is_twice_as_long_as_the_one_before(scripted, monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(client, "FIRST_PAUSE_SECONDS", 0.25)
    monkeypatch.setattr(client.time, "sleep", pauses.append)
    scripted.replies = [(429, "busy"), (502, ""), (503, "busy"), (504, ""), GOOD]

    asked = RestClient(f"http://127.0.0.1:{scripted.server_port}", retries=4)
    asked.predict([b"x"])

    assert pauses == [0.25, 0.5, 1, 2]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_answers_as_pictures_are_expected(scripted, count):
    scripted.replies = [(200, json.dumps({"predictions": [ROW] * count}))]

    with pytest.raises(ServingError, match="something else than this model"):
        RestClient(f"http://127.0.0.1:{scripted.server_port}").predict([b"x", b"y"])


def test_an_answer_that_takes_too_long_is_asked_for_again(monkeypatch):
    asked = RestClient("http://127.0.0.1:1", retries=2)
    tried: list[int] = []

    def ask(_self, contents):
        tried.append(len(contents))
        if len(tried) < 3:
            raise ServingError("no answer", "timeout")
        return [Answer("b", {"a": 0.25, "b": 0.75}, True)] * len(contents)

    monkeypatch.setattr(RestClient, "_ask", ask)
    monkeypatch.setattr(client.time, "sleep", lambda seconds: None)

    assert len(asked.predict([b"x"] * 20)) == 20
    assert tried == [16, 16, 16, 4]
