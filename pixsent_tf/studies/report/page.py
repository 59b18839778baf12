"""How do results become a page that people read, and that opens anywhere?

The page holds everything it shows: no script, no request, no file beside it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from pixsent_tf.results.distributions import DISTANCES
from pixsent_tf.results.files import Environment
from pixsent_tf.results.studies import AuditSummary, EvaluateResults

METRICS = (
    ("accuracy", "accuracy"),
    ("balanced accuracy", "balanced_accuracy"),
    ("AUC", "auc"),
    ("log loss", "log_loss"),
    ("Brier score", "brier"),
    ("calibration error", "ece"),
)


@dataclass(frozen=True)
class Picture:
    """One picture of a gallery.

    Attributes:
        id: Its name.
        label: The truth.
        answer: What the model says.
        prob: Probability of the answer, 0…1.
        image: Data URI.
        map: Data URI of its sentiment map; None where there is none.
        caption: What to say instead of answer and label; None for these.
    """

    id: str
    label: str
    answer: str
    prob: float
    image: str
    map: str | None = None
    caption: str | None = None


@dataclass(frozen=True)
class Gallery:
    """Pictures that are shown for a reason.

    Attributes:
        title: Of the section.
        text: The reason.
        pictures: In the order of showing.
        low: What one end of the colors of their maps means.
        high: What the other end means.
    """

    title: str
    text: str
    pictures: Sequence[Picture]
    low: str = "against the answer"
    high: str = "for it"

    @property
    def has_maps(self) -> bool:
        """Whether a map stands beside any picture."""
        return any(picture.map for picture in self.pictures)


def render_report(
    *,
    title: str,
    subtitle: str,
    results: EvaluateResults,
    figures: Sequence[tuple[str, str]],
    galleries: Sequence[Gallery],
    commands: Sequence[str],
    environment: Environment,
    recipe: str | None = None,
    notes: Sequence[str] = (),
) -> str:
    """Write the page.

    Args:
        title: Above everything.
        subtitle: What was measured on what.
        results: What an evaluation found.
        figures: Captions and SVG text.
        galleries: Pictures to show.
        commands: What to type to get here.
        environment: As `runs.environment` describes it.
        recipe: The recipe of the training as JSON; None where it is not known.
        notes: What the reader must know before trusting the numbers.

    Returns:
        HTML.
    """
    counts = [row["num_examples"] for row in results["per_class"]]
    return render(
        "report.html",
        title=title,
        subtitle=subtitle,
        results=results,
        metrics=METRICS,
        distances=DISTANCES,
        majority_name=results["per_class"][int(np.argmax(counts))]["name"],
        figures=figures,
        galleries=galleries,
        audit_rows=audit_rows(results["audit"]),
        commands=commands,
        environment=list(flat(environment)),
        recipe=recipe,
        notes=notes,
    )


def render(template: str, **values: Any) -> str:
    """Fill one of the package's templates.

    Args:
        template: File name, beside this module; HTML is escaped.
        values: What the template asks for; what is left out is not shown.

    Returns:
        The text.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=template.endswith(".html"),
        undefined=jinja2.Undefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["signed"] = lambda value: f"{value:+.3f}".replace("-", "−")
    environment.filters["p"] = lambda value: (
        f"{value:.3f}" if value >= 1e-3 else "< .001"
    )
    environment.filters["num"] = lambda value: f"{value:.3f}"
    environment.filters["share"] = lambda value: f"{value:.1%}".replace("%", " %")
    return environment.get_template(template).render(**values)


def data_uri(image: np.ndarray) -> str:
    """Put a picture into the page itself.

    Args:
        image: uint8 [H, W, 3].

    Returns:
        The picture as a JPEG data URI.
    """
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def audit_rows(audit: AuditSummary | None) -> list[tuple[str, str]]:
    """Put a data audit into words.

    Args:
        audit: What it found; None for no audit.

    Returns:
        Pairs of a name and its value.
    """
    if not audit:
        return []
    classes = ", ".join(f"{name} {count}" for name, count in audit["classes"].items())
    copies = f"{audit['exact_pairs']} exact, {audit['near_pairs']} nearly"
    return [
        ("pictures", f"{audit['num_examples']} ({classes})"),
        ("unreadable", str(len(audit["unreadable"]))),
        ("pairs of copies", copies),
        ("copies across folds", str(audit["crossing"])),
        ("copies labelled differently", str(audit["conflicting"])),
    ]


def flat(values: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Put nested values in a row, but for the command.

    Args:
        values: By name.

    Yields:
        Names and values.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flat(value)
        elif name != "command":
            yield name, value
