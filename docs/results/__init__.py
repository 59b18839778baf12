"""What commands printed: the figures that README, docs, cards and change log quote.

A file per command: what was run, on which commit, when, and what it said. `texts.json`
names for each figure below each heading of a text the file and the key that it comes
from, so that a figure that no command printed, or that a command has printed
differently since, is found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
TEXTS = "texts.json"
SHIPPED = {
    "shipped": "pixsent_tf/shipped/results.json",
    "shipped-best": "pixsent_tf/shipped/best/results.json",
}
# What a block prints is compared when it is run; code, and where a link leads, are no
# figures.
FENCE = re.compile(r"^```.*?^```$", re.M | re.S)
OTHER = re.compile(r"`[^`\n]*`|\]\([^)]*\)|<[^>]+>")
# Decimals: two digits behind the point, or one where none stands before it.
NUMBER = re.compile(r"(?<![\w.:])([−-]?)(\d{0,3})\.(\d+)(?![\w.]*\w)( ?%?)")


@dataclass(frozen=True)
class Record:
    """What one command printed.

    Attributes:
        command: As the text shows it, with the data by their short names.
        commit: Of the code that ran.
        date: On which it ran, as YYYY-MM-DD.
        read_off: Whether the values were taken from the text when these files began,
            since the command takes hours; the commit and the date are then those of
            the text. Such a file holds the text still, and proves nothing.
        values: What was printed: numbers, or lists and dictionaries of numbers.
    """

    command: str
    commit: str
    date: str
    read_off: bool
    values: Any

    @classmethod
    def load(cls, name: str) -> Record:
        """Read a file.

        Args:
            name: Without the suffix. `shipped` and `shipped-best` are in the package,
                where `CONTRIBUTING.md` says what writes them.
        """
        if name in SHIPPED:
            values = json.loads((ROOT / SHIPPED[name]).read_text("utf-8"))
            return cls("see CONTRIBUTING.md", "", "", False, values)
        return cls(**json.loads((FOLDER / f"{name}.json").read_text("utf-8")))

    def save(self, name: str) -> None:
        """Write it beside the others.

        Args:
            name: Without the suffix.
        """
        text = json.dumps(asdict(self), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", "utf-8")


@dataclass(frozen=True)
class Figure:
    """A number as a text has it.

    Attributes:
        text: As it stands there.
        value: What it says; of a percentage, the hundredth.
        unit: What its last digit counts, in the same measure.
    """

    text: str
    value: float
    unit: float

    def is_rounded(self, value: float) -> bool:
        """Tell whether it is this value, rounded as it is.

        Args:
            value: As a command gave it. Its sign counts where the figure has one.
        """
        mine = self.value if self.text[0] in "−-" else abs(self.value)
        theirs = value if self.text[0] in "−-" else abs(value)
        return abs(mine - theirs) <= self.unit / 2 * (1 + 1e-6)


def find_figures(text: str) -> Iterator[Figure]:
    """Give the figures of a text, without its code and addresses.

    Args:
        text: Markdown.

    Yields:
        Each, in order.
    """
    plain = OTHER.sub(" ", FENCE.sub("", text))
    for sign, whole, decimals, percent in NUMBER.findall(plain):
        if len(decimals) == 1 and whole:
            continue  # seconds, megabytes, versions
        scale = 100.0 if "%" in percent else 1.0
        value = float(f"{whole or 0}.{decimals}") / scale
        yield Figure(
            f"{sign}{whole}.{decimals}{percent.rstrip()}",
            -value if sign else value,
            10.0 ** -len(decimals) / scale,
        )


def split_sections(text: str) -> dict[str, str]:
    """Cut a text at its headings.

    Args:
        text: Markdown.

    Returns:
        What stands below each heading; what comes before the first has "" as its name.
    """
    parts = re.split(r"^#+ +(.+?) *$(?![^`]*^```$)", text, flags=re.M)
    sections = {"": parts[0]}
    for name, body in zip(parts[1::2], parts[2::2], strict=True):
        sections[name] = sections.get(name, "") + body
    return sections


def flatten(values: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """Give every number within lists and dictionaries.

    Args:
        values: As JSON has it.
        path: Of these values.

    Yields:
        The path of each number, with points between keys, and the number.
    """
    if isinstance(values, dict):
        pairs: Iterable[tuple[Any, Any]] = values.items()
    elif isinstance(values, list):
        pairs = enumerate(values)
    else:
        if isinstance(values, int | float) and not isinstance(values, bool):
            yield path, float(values)
        return
    for key, value in pairs:
        yield from flatten(value, f"{path}.{key}" if path else str(key))


def find_faults(text: str, sources: dict[str, list[str]], name: str) -> list[str]:
    """Name the figures of a text that are not what their commands printed.

    Args:
        text: Markdown.
        sources: By heading, where each figure below it comes from, in order:
            `record:path`, or `=` and the number for what no command prints, such as
            versions and examples.
        name: What to call the text.

    Returns:
        One line for each figure, and for each heading that is not there.
    """
    sections = split_sections(text)
    faults = [
        f"{name} has no heading {heading!r}, which {TEXTS} names"
        for heading in set(sources) - set(sections)
    ]
    for heading, body in sections.items():
        found, named = list(find_figures(body)), sources.get(heading, [])
        for figure, source in zip(found, named, strict=False):
            if not fits(figure, source):
                faults.append(f"{name}, {heading!r}: {figure.text} is not {source}")
                break  # what follows may only have moved
        else:
            for figure in found[len(named) :]:
                faults.append(f"{name}, {heading!r}: {figure.text} has no source")
            for source in named[len(found) :]:
                faults.append(f"{name}, {heading!r}: {source} is not there")
    return faults


def fits(figure: Figure, source: str) -> bool:
    """Tell whether a figure is what its source says.

    Args:
        figure: Of a text.
        source: As `find_faults` takes it.
    """
    if source.startswith("="):
        return figure.text == source[1:]
    record, _, path = source.partition(":")
    values = dict(flatten(Record.load(record).values))
    return path in values and figure.is_rounded(values[path])


def bind(text: str, records: list[str], stated: list[str]) -> list[str]:
    """Propose where the figures of a section come from, for a person to look over.

    Args:
        text: Markdown below one heading.
        records: Where to look, the likeliest first.
        stated: Numbers that no command prints.

    Returns:
        A source for each figure; `?` and the figure where nothing fits. Of several that
        fit, one of the record before that is not quoted yet, else the likeliest.
    """
    known = [
        (f"{record}:{path}", value)
        for record in records
        for path, value in flatten(Record.load(record).values)
    ]
    chosen: list[str] = []
    before = ""
    for figure in find_figures(text):
        fitting = [name for name, value in known if figure.is_rounded(value)]
        same = [name for name in fitting if name.split(":")[0] == before]
        if figure.text in stated:
            chosen.append(f"={figure.text}")
        elif fitting:
            fresh = [name for name in same if name not in chosen]
            chosen.append((fresh or same or fitting)[0])
            before = chosen[-1].split(":")[0]
        else:
            chosen.append(f"?{figure.text}")
    return chosen
