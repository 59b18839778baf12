"""How does the labelling page reach the table? The same server as the demo's.

    GET  /                   the page; /page.css, /label.css and /label.js belong to it
    GET  /sample             what the page has to know, JSON
    GET  /picture?number=…   a picture of the sample, upright, as JPEG
    POST /label              {number, label, seconds} -> what is on the disk now, JSON
    POST /undo               takes the last label back, JSON
    POST /finish             ends the server

Pictures are asked for by number: nothing but the sample can be read. While answers are
hidden, so are the names of files, which may tell as much.
"""

from __future__ import annotations

import io
import json
import string
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image
from werkzeug import Request, Response
from werkzeug.exceptions import BadRequest, Conflict, NotFound

from pixsent_tf.data.decode.files import read_image
from pixsent_tf.demo.label_table import SKIP, LabelFile
from pixsent_tf.demo.server import PageApp, to_json
from pixsent_tf.errors import ImageError, UsageError

FILES = {
    "/": ("label.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/label.css": ("label.css", "text/css; charset=utf-8"),
    "/label.js": ("label.js", "text/javascript; charset=utf-8"),
}
MAX_SIDE = 2400  # of a picture that is shown, in pixels
MAX_BODY = 2000  # bytes of a label
MAX_SECONDS = 86_400.0
# as the digits lie on a keyboard, then letters that do nothing else
KEYS = "1234567890" + "".join(c for c in string.ascii_lowercase if c not in "uz")


@dataclass(frozen=True)
class Session:
    """Who labels what, and how.

    Attributes:
        table: Where labels go.
        annotator: Who gives them.
        folder: Where the pictures are that the table names.
        blind: Whether to hide what the model says.
    """

    table: LabelFile
    annotator: str
    folder: Path
    blind: bool = True

    @property
    def choices(self) -> tuple[str, ...]:
        """What a picture may be called, `SKIP` last."""
        return (*self.table.sample.class_names, SKIP)

    def path(self, number: int) -> Path:
        """Find the file of a picture.

        Args:
            number: Of the picture.

        Returns:
            Its path.
        """
        return self.folder / self.table.sample.pictures[number].path

    def describe(self) -> dict[str, Any]:
        """Tell the page what it has to know.

        Returns:
            Choices with their keys, and the label of each picture; null where it has
            none. Answers and names only where they are not hidden.
        """
        labels = self.table.labels_of(self.annotator)
        pictures = self.table.sample.pictures
        known: dict[str, Any] = {
            "choices": list(self.choices),
            "keys": KEYS[: len(self.choices)],
            "annotator": self.annotator,
            "out": self.table.path.name,
            "labels": [labels.get(number) for number in range(len(pictures))],
            "order": list(labels),
        }
        if not self.blind:
            known["names"] = [each.path for each in pictures]
            known["answers"] = [[each.answer, each.sureness] for each in pictures]
        return known

    def picture(self, number: int) -> bytes:
        """Give a picture as a browser shows it.

        Args:
            number: Of the picture.

        Returns:
            A JPEG file's bytes.

        Raises:
            ImageError: If it cannot be read.
        """
        image = Image.fromarray(read_image(self.path(number), target_side=MAX_SIDE))
        image.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=92)
        return buffer.getvalue()


class LabelApp(PageApp):
    """The page that shows one picture at a time.

    Args:
        session: Who labels what.
        hosts: As in `PageApp`.

    Attributes:
        on_finish: What ends the server; whoever starts it sets it.
    """

    def __init__(self, session: Session, *, hosts: Iterable[str] | None) -> None:
        super().__init__(
            FILES, body="application/json", max_bytes=MAX_BODY, hosts=hosts
        )
        self.session = session
        self.on_finish: Callable[[], object] = lambda: None

    def show(self, request: Request) -> Response:
        """Answer a GET request for what is no file."""
        if request.path == "/sample":
            return to_json(self.session.describe())
        if request.path != "/picture":
            raise NotFound
        number = self._number(request.args.get("number", ""))
        try:
            return Response(self.session.picture(number), content_type="image/jpeg")
        except ImageError as error:
            # where it lies is nobody's business, and its name may tell its label
            why = str(error).replace(str(self.session.path(number)), "This picture")
            return Response(why, status=422, content_type="text/plain; charset=utf-8")

    def take(self, request: Request) -> Response:
        """Answer a POST request."""
        actions = {"/label": self._label, "/undo": self._undo, "/finish": self._finish}
        if request.path not in actions:
            raise NotFound
        return actions[request.path](self._values(self.read_body(request)))

    def _label(self, values: dict[str, Any]) -> Response:
        session = self.session
        number = self._number(values.get("number"))
        label, seconds = values.get("label"), values.get("seconds")
        if label not in session.choices:
            raise BadRequest(f"A label is one of {', '.join(session.choices)}.")
        if not isinstance(seconds, int | float) or not seconds >= 0:
            raise BadRequest("Seconds are a number from 0.")
        seconds = min(float(seconds), MAX_SECONDS)
        if not session.table.add(number, label, session.annotator, seconds):
            raise Conflict("This picture has a label already.")
        return to_json({"number": number, "label": label})

    def _undo(self, values: dict[str, Any]) -> Response:
        return to_json({"number": self.session.table.undo(self.session.annotator)})

    def _finish(self, values: dict[str, Any]) -> Response:
        # from another thread: a server that waits for itself never ends
        threading.Timer(0.3, self.on_finish).start()
        return to_json({})

    def _number(self, value: object) -> int:
        text = str(value)
        count = len(self.session.table.sample.pictures)
        if not (text.isascii() and text.isdecimal() and int(text[:9]) < count):
            raise NotFound(f"Pictures are numbers from 0 to {count - 1}.")
        return int(text[:9])

    @staticmethod
    def _values(body: bytes) -> dict[str, Any]:
        try:
            return dict(json.loads(body))
        except (ValueError, TypeError):
            raise BadRequest("Send one JSON object.") from None


def check_class_names(names: Sequence[str]) -> tuple[str, ...]:
    """Refuse classes that keys cannot stand for.

    Args:
        names: By class index.

    Returns:
        The names.

    Raises:
        UsageError: If there are too few or too many, or one is called as `SKIP`.
    """
    most = len(KEYS) - 1
    if not 2 <= len(names) <= most or len(set(names)) < len(names):
        raise UsageError(
            f"Labels are 2 to {most} different names; --classes {','.join(names)!r} "
            f"are {len(set(names))}."
        )
    if SKIP in names or "" in names:
        raise UsageError(f"No class may be called {SKIP!r} or nothing: a key skips.")
    return tuple(names)
