"""How does a program ask TF Serving?

    with RestClient("http://localhost:8501") as client:
        answers = client.predict(["photo.jpg", "other.png"])

`GrpcClient("localhost:8500")` does the same faster, and needs the extra `serving`.
"""

from __future__ import annotations

import base64
import functools
import http.client
import itertools
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pixsent_tf.data.decode.opening import open_size
from pixsent_tf.errors import ServingError

RETRIED_STATUS = frozenset({429, 502, 503, 504})
FIRST_PAUSE_SECONDS = 0.2
INPUT = "image_bytes"

Image = bytes | str | os.PathLike[str]
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """What the server says about one picture.

    Attributes:
        answer: The likeliest class, or "unreadable".
        probs: Probability by class name; all equal where the picture is unreadable.
        valid: Whether the server could read it.
    """

    answer: str
    probs: dict[str, float]
    valid: bool


@dataclass(frozen=True, kw_only=True)
class Client:
    """What both ways of asking have in common.

    Attributes:
        model: Its name on the server.
        signature: "serving_default", or "crops10" for the mean over ten crops.
        version: Of the model; None for the newest.
        timeout_seconds: For one batch and one try.
        retries: Tries after the first, where the server is away or busy; each waits
            twice as long as the one before.
        batch_size: Pictures a request.
    """

    model: str = "sentiment"
    signature: str = "serving_default"
    version: int | None = None
    timeout_seconds: float = 30.0
    retries: int = 3
    batch_size: int = 16

    def predict(self, images: Iterable[Image]) -> list[Answer]:
        """Ask about pictures, in batches.

        Args:
            images: The content of files, or their paths; one or more.

        Returns:
            One answer per picture, in order.

        Raises:
            ServingError: If there is no picture, or the server does not answer, refuses
                or answers something else; `reason` says which.
            OSError: If a path cannot be read.
        """
        answers: list[Answer] = []
        for batch in _batches(images, self.batch_size):
            contents = [_read(image) for image in batch]
            answers += self._retry(functools.partial(self._ask, contents))
        if not answers:
            raise ServingError("There is no picture to ask about; give one or more.")
        return answers

    def close(self) -> None:
        """Let go of the connection."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _ask(self, contents: list[bytes]) -> list[Answer]:
        raise NotImplementedError

    def _retry(self, ask: Callable[[], T]) -> T:
        pause = FIRST_PAUSE_SECONDS
        for _ in range(self.retries):
            try:
                return ask()
            except ServingError as error:
                if error.reason not in ("unreachable", "timeout"):
                    raise
            time.sleep(pause)
            pause *= 2
        return ask()


@dataclass(frozen=True)
class RestClient(Client):
    """Ask over HTTP, with the standard library only.

    Attributes:
        url: Of the server, such as "http://localhost:8501".
    """

    url: str = "http://localhost:8501"

    def _ask(self, contents: list[bytes]) -> list[Answer]:
        version = "" if self.version is None else f"/versions/{self.version}"
        url = f"{self.url.rstrip('/')}/v1/models/{self.model}{version}:predict"
        instances = [
            {INPUT: {"b64": base64.b64encode(content).decode()}} for content in contents
        ]
        body = {"signature_name": self.signature, "instances": instances}
        answer = self._post(url, json.dumps(body).encode())
        try:
            rows = json.loads(answer)["predictions"]
            return _answers(
                names=rows[0]["class_names"],
                answers=[row["answer"] for row in rows],
                probs=[row["probs"] for row in rows],
                valid=[row["valid"] for row in rows],
                count=len(contents),
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise _malformed(url) from error

    def _post(self, url: str, body: bytes) -> bytes:
        request = urllib.request.Request(
            url, body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_seconds) as reply:
                return reply.read()
        except urllib.error.HTTPError as error:
            raise _refusal(url, error) from error
        except TimeoutError as error:
            raise _timeout(url, self.timeout_seconds) from error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(getattr(error, "reason", None), TimeoutError):
                raise _timeout(url, self.timeout_seconds) from error
            raise _unreachable(url, error) from error


@dataclass(frozen=True)
class GrpcClient(Client):
    """Ask over gRPC; a picture travels a third smaller than in JSON.

    Attributes:
        target: Of the server, such as "localhost:8500".
    """

    target: str = "localhost:8500"
    _channel: Any = field(init=False, repr=False, compare=False)
    _stub: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise ServingError(
                "tensorflow-serving-api is not installed; get it with: "
                "pip install 'pixsent-tf[serving]', or use RestClient."
            ) from error
        unlimited = [
            ("grpc.max_send_message_length", -1),
            ("grpc.max_receive_message_length", -1),
        ]
        channel = grpc.insecure_channel(self.target, options=unlimited)
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        object.__setattr__(self, "_channel", channel)
        object.__setattr__(self, "_stub", stub)

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()

    def _ask(self, contents: list[bytes]) -> list[Answer]:
        import grpc
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.model
        request.model_spec.signature_name = self.signature
        if self.version is not None:
            request.model_spec.version.value = self.version
        request.inputs[INPUT].CopyFrom(tf.make_tensor_proto(contents))
        try:
            reply = self._stub.Predict(request, timeout=self.timeout_seconds)
        except grpc.RpcError as error:
            raise self._error(error.code(), error.details()) from error
        try:
            found = {
                name: tf.make_ndarray(reply.outputs[name]).tolist()
                for name in ("answer", "class_names", "probs", "valid")
                if name in reply.outputs
            }
            return _answers(
                names=[name.decode() for name in found["class_names"][0]],
                answers=[answer.decode() for answer in found["answer"]],
                probs=found["probs"],
                valid=found["valid"],
                count=len(contents),
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise _malformed(self.target) from error

    def _error(self, code: Any, details: str | None) -> ServingError:
        import grpc

        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return _timeout(self.target, self.timeout_seconds)
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED):
            return _unreachable(self.target, details)
        return ServingError(f"{self.target} refuses: {code.name}, {details}")


def _batches(images: Iterable[Image], size: int) -> Iterator[list[Image]]:
    iterator = iter(images)
    while batch := list(itertools.islice(iterator, size)):
        yield batch


def _read(image: Image) -> bytes:
    if isinstance(image, bytes):
        return image
    open_size(image)  # refuses what is no file, and could wait for ever
    return Path(image).read_bytes()


def _answers(
    *,
    names: Sequence[str],
    answers: Sequence[str],
    probs: Sequence[Sequence[float]],
    valid: Sequence[bool],
    count: int,
) -> list[Answer]:
    """Put columns into rows; ValueError where they are not one row per picture."""
    if len(answers) != count:
        raise ValueError(f"{len(answers)} answers to {count} pictures")
    return [
        Answer(answer, dict(zip(names, row, strict=True)), is_valid)
        for answer, row, is_valid in zip(answers, probs, valid, strict=True)
    ]


def _refusal(url: str, error: urllib.error.HTTPError) -> ServingError:
    text = error.read().decode(errors="replace")
    try:
        text = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        text = text[:200] or str(error.reason)
    busy = error.code in RETRIED_STATUS
    return ServingError(
        f"{url} refuses: {error.code}, {text}", "unreachable" if busy else "refused"
    )


def _timeout(where: str, seconds: float) -> ServingError:
    return ServingError(
        f"{where} gave no answer within {seconds:g} seconds; raise timeout_seconds or "
        f"lower batch_size.",
        "timeout",
    )


def _unreachable(where: str, what: object) -> ServingError:
    return ServingError(
        f"{where} cannot be reached: {what}; is the server running there?",
        "unreachable",
    )


def _malformed(where: str) -> ServingError:
    return ServingError(
        f"{where} answers something else than this model; is it a model that "
        f"`pixsent-tf export` wrote?",
        "malformed",
    )
