"""How does a page reach this machine? A small web server for one person.

What all pages share is `PageApp`: files, safety, errors. The page that is dropped on:

    GET  /                the page; /page.css and /page.js belong to it
    GET  /model           what the page has to know of the model, JSON
    POST /predict?name=…  a picture's bytes -> its answer, JSON
    POST /map?name=…      a picture's bytes -> its maps, JSON

A picture that cannot be read is an answer, with its reason, not a failure of the
request. Nothing is stored, and nothing is asked of another host.
"""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from pixsent_tf.errors import ConfigError

try:
    from werkzeug import Request, Response
    from werkzeug.exceptions import (
        BadRequest,
        HTTPException,
        LengthRequired,
        NotFound,
        UnsupportedMediaType,
    )
    from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
except ImportError as _error:  # pragma: no cover - tensorboard brings it
    raise ConfigError(
        "The page needs a web server: `pip install 'pixsent-tf[demo]'`."
    ) from _error

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    # the browser itself refuses any request to another host
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
BODY = "application/octet-stream"
MAX_NAME = 255  # characters of a file's name
SILENCE_SECONDS = 20  # after which a connection is dropped


class Answering(Protocol):
    """What the server asks: `answers.Answerer`."""

    def describe(self) -> Mapping[str, object]: ...  # noqa: D102

    def predict(self, name: str, encoded: bytes) -> Mapping[str, object]: ...  # noqa: D102

    def map(self, name: str, encoded: bytes) -> Mapping[str, object]: ...  # noqa: D102


class PageApp:
    """A page's requests as a WSGI application; what is answered is up to the page.

    Args:
        files: The page's own files and their types, by path.
        body: The type of what is posted.
        max_bytes: The largest body to accept.
        hosts: Names under which the page may be asked for; None for any. A page of
            another site whose name leads here would otherwise read the answers.
    """

    def __init__(
        self,
        files: Mapping[str, tuple[str, str]],
        *,
        body: str,
        max_bytes: int,
        hosts: Iterable[str] | None,
    ) -> None:
        self.files = files
        self.body = body
        self.max_bytes = max_bytes
        self.hosts = None if hosts is None else list(hosts)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        request.max_content_length = self.max_bytes
        response: Any
        try:
            response = self._respond(request)
        except HTTPException as error:
            response = error.get_response(environ)
        response.headers.update(HEADERS)
        return response(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if not self._is_ours(request.headers.get("Host", "")):
            raise BadRequest("Ask for this page as localhost.")
        if request.method in ("GET", "HEAD"):
            if request.path in self.files:
                name, kind = self.files[request.path]
                return Response(
                    Path(__file__).with_name(name).read_bytes(), content_type=kind
                )
            return self.show(request)
        if request.method == "POST":
            return self.take(request)
        raise NotFound

    def show(self, request: Request) -> Response:
        """Answer a GET request for what is no file.

        Args:
            request: It.

        Returns:
            The answer.

        Raises:
            NotFound: If there is nothing.
        """
        raise NotFound

    def take(self, request: Request) -> Response:
        """Answer a POST request.

        Args:
            request: It.

        Returns:
            The answer.

        Raises:
            NotFound: If nothing is taken there.
        """
        raise NotFound

    def read_body(self, request: Request) -> bytes:
        """Read what was posted, if it is what the page sends.

        Args:
            request: The request.

        Returns:
            Its body.

        Raises:
            UnsupportedMediaType: If it is of another type.
            LengthRequired: If it does not say how long it is.
        """
        # a type that no form of another site can send without asking first
        if request.mimetype != self.body:
            raise UnsupportedMediaType(f"Send it as {self.body}.")
        # else what is beyond the limit would be cut off without a word
        if request.content_length is None:
            raise LengthRequired
        return request.get_data(cache=False)

    def _is_ours(self, host: str) -> bool:
        """Tell whether a request's `Host` is a name under which we may be asked."""
        if self.hosts is None:
            return True
        try:
            return urlsplit(f"//{host}").hostname in self.hosts
        except ValueError:
            return False


class DemoApp(PageApp):
    """The page that pictures are dropped on.

    Args:
        answerer: The model behind the page.
        max_bytes: The largest file to accept.
        hosts: As in `PageApp`.
    """

    def __init__(
        self, answerer: Answering, *, max_bytes: int, hosts: Iterable[str] | None
    ) -> None:
        super().__init__(FILES, body=BODY, max_bytes=max_bytes, hosts=hosts)
        self.answerer = answerer

    def show(self, request: Request) -> Response:
        """Answer a GET request for what is no file."""
        if request.path != "/model":
            raise NotFound
        return to_json({**self.answerer.describe(), "max_bytes": self.max_bytes})

    def take(self, request: Request) -> Response:
        """Answer a POST request: a picture's bytes."""
        questions = {"/predict": self.answerer.predict, "/map": self.answerer.map}
        if request.path not in questions:
            raise NotFound
        encoded = self.read_body(request)
        name = request.args.get("name", "picture")[:MAX_NAME]
        return to_json(questions[request.path](name, encoded))


def open_server(app: PageApp, *, host: str, port: int) -> BaseWSGIServer:
    """Start to listen; `serve_forever` of what is returned answers until Ctrl-C.

    Args:
        app: The application.
        host: The address to listen at.
        port: The port; 0 for any free one.

    Returns:
        The server; its `port` is the one it listens at.

    Raises:
        ConfigError: If the address cannot be listened at.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        why = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        raise ConfigError(
            f"Nothing can listen at {host}:{port} ({why}); choose another --port, or "
            "--host."
        ) from error
    with listening:
        actual: int = listening.getsockname()[1]
        return make_server(
            host,
            actual,
            app,
            threaded=True,
            request_handler=_QuietHandler,
            fd=listening.fileno(),
        )


def local_hosts(host: str) -> list[str] | None:
    """Name the hosts under which a page may be asked for.

    Args:
        host: The address that the server listens at.

    Returns:
        The names of this machine, if nobody else can reach the address; None if
        others can, and know the machine by names of their own.
    """
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = host == "localhost"
    return ["localhost", "127.0.0.1", "::1", host] if is_local else None


def to_json(values: Mapping[str, object]) -> Response:
    """Answer with JSON.

    Args:
        values: What is told.

    Returns:
        The answer.
    """
    text = json.dumps(values, allow_nan=False)
    return Response(text, content_type="application/json")


class _QuietHandler(WSGIRequestHandler):
    """Requests are no news; what goes wrong is. Who sends nothing is not waited for."""

    timeout = SILENCE_SECONDS

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass
