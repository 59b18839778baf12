"""How does the page reach the model? A small web server for one person's machine.

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
from collections.abc import Callable, Iterable, Mapping
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


class Answering(Protocol):
    """What the server asks: `answers.Answerer`."""

    def describe(self) -> Mapping[str, object]: ...  # noqa: D102

    def predict(self, name: str, encoded: bytes) -> Mapping[str, object]: ...  # noqa: D102

    def map(self, name: str, encoded: bytes) -> Mapping[str, object]: ...  # noqa: D102


class DemoApp:
    """The page's requests as a WSGI application.

    Args:
        answerer: The model behind the page.
        max_bytes: The largest file to accept.
        hosts: Names under which the page may be asked for; None for any. A page of
            another site whose name leads here would otherwise read the answers.
    """

    def __init__(
        self, answerer: Answering, *, max_bytes: int, hosts: Iterable[str] | None
    ) -> None:
        self.answerer = answerer
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
            if request.path in FILES:
                name, kind = FILES[request.path]
                return Response(
                    Path(__file__).with_name(name).read_bytes(), content_type=kind
                )
            if request.path == "/model":
                known = {**self.answerer.describe(), "max_bytes": self.max_bytes}
                return _json(known)
        elif request.method == "POST":
            if request.path == "/predict":
                return self._ask(self.answerer.predict, request)
            if request.path == "/map":
                return self._ask(self.answerer.map, request)
        raise NotFound

    def _ask(
        self, question: Callable[[str, bytes], Mapping[str, object]], request: Request
    ) -> Response:
        # a type that no form of another site can send without asking first
        if request.mimetype != BODY:
            raise UnsupportedMediaType(f"Send the picture's bytes as {BODY}.")
        # else what is beyond the limit would be cut off without a word
        if request.content_length is None:
            raise LengthRequired
        name = request.args.get("name", "picture")[:MAX_NAME]
        return _json(question(name, request.get_data(cache=False)))

    def _is_ours(self, host: str) -> bool:
        """Tell whether a request's `Host` is a name under which we may be asked."""
        if self.hosts is None:
            return True
        try:
            return urlsplit(f"//{host}").hostname in self.hosts
        except ValueError:
            return False


def open_server(app: DemoApp, *, host: str, port: int) -> BaseWSGIServer:
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


def _json(values: Mapping[str, object]) -> Response:
    text = json.dumps(values, allow_nan=False)
    return Response(text, content_type="application/json")


class _QuietHandler(WSGIRequestHandler):
    """Requests are no news; what goes wrong is."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass
