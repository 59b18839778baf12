"""What does each fold find? Computed once, kept whole, and put together again.

    RUN/folds/fold-K.json    what part K found, of which pictures, and by what
    RUN/folds/fold-K.lock    who is at it now; others may be at other parts

Whatever tests pictures that did not train is a list of parts: the folds of a
cross-validation, or the one part that is held out. A part that is kept is never
computed again, so that a killed study loses at most the part it was at.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from pixsent_tf.data.table import Dataset
from pixsent_tf.errors import ConfigError, ImageError, RunError
from pixsent_tf.locks import locked
from pixsent_tf.runs import Run
from pixsent_tf.studies.outcome import Outcome


@dataclass(frozen=True)
class Part:
    """One division of the pictures; its arrays hold ascending positions.

    Attributes:
        number: The test fold, from 1.
        train: Pictures that may train, int [M].
        test: Pictures that test, readable or not, int [T].
        left_out: Pictures that do neither, because the part tests others of their
            unit, int.
    """

    number: int
    train: np.ndarray
    test: np.ndarray
    left_out: np.ndarray


def divide(
    dataset: Dataset, folds: np.ndarray, *, units: np.ndarray | None = None
) -> list[Part]:
    """Make a part of each test fold.

    Args:
        dataset: The pictures; those that only train do so in every part.
        folds: Test fold of each picture, int [N], from 1; 0 = neither trains nor tests.
        units: Pictures that belong together share a number, int [N]; what belongs to
            a test picture does not train. None where each is its own.

    Returns:
        The parts in the order of their numbers.
    """
    in_folds = (folds > 0) | dataset.only_trains
    return [
        _part(number, folds == number, in_folds, units)
        for number in range(1, int(folds.max()) + 1)
    ]


def leave_sources_out(dataset: Dataset, *, units: np.ndarray) -> list[Part]:
    """Make a part of each source, which trains on all others.

    Args:
        dataset: The pictures of several sources. Those that only train do so where
            their source does.
        units: As in `divide`; a copy of a test picture in another source does not
            train.

    Returns:
        The parts in the order of the sources.

    Raises:
        ConfigError: If there is a single source.
    """
    if dataset.sources is None or len(np.unique(dataset.sources)) < 2:
        raise ConfigError(
            f"{dataset.name} is a single source, which leaves none to train on; name "
            f"another one too, or fill a column `source` of a table."
        )
    return [
        _part(
            number + 1,
            (dataset.sources == number) & ~dataset.only_trains,
            dataset.sources != number,
            units,
        )
        for number in np.unique(dataset.sources).tolist()
    ]


def hold_out(mask: np.ndarray, *, units: np.ndarray | None = None) -> Part:
    """Make the one part that tests what is held out and trains on all the rest.

    Args:
        mask: True where a picture is held out, bool [N].
        units: As in `divide`.

    Returns:
        The part; its number is 1.
    """
    return _part(1, mask, np.ones(len(mask), dtype=bool), units)


def _part(
    number: int, tested: np.ndarray, counts: np.ndarray, units: np.ndarray | None
) -> Part:
    trains = counts & ~tested
    tied = np.zeros_like(trains)
    if units is not None:
        tied = trains & np.isin(units, units[tested])
    return Part(number, *map(np.flatnonzero, (trains & ~tied, tested, tied)))


def choose(parts: Sequence[Part], numbers: Iterable[int] | None) -> list[Part]:
    """Choose parts by their numbers.

    Args:
        parts: All parts.
        numbers: Which are wanted, in any order; all of them if None.

    Returns:
        The wanted parts, each once, in the order of their numbers.

    Raises:
        ConfigError: If there is no such part.
    """
    if numbers is None:
        return list(parts)
    wanted = sorted(set(numbers))
    if not wanted or not 1 <= wanted[0] <= wanted[-1] <= len(parts):
        raise ConfigError(f"Folds {wanted} are not all between 1 and {len(parts)}.")
    return [parts[number - 1] for number in wanted]


class Finding(Protocol):
    """What a part found: a value that JSON can hold."""

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold; no NaN."""

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Any:
        """Build the finding from what `to_json` gave."""


F = TypeVar("F", bound=Finding)


@dataclass(frozen=True)
class Folds(Generic[F]):
    """What the parts of a study found.

    Attributes:
        run: The folder that keeps it.
        dataset: The pictures that are divided.
        kind: Type of what a part finds.
        made_by: What leads from pictures to a finding, such as the recipe; JSON can
            hold it. What was made by anything else is not recalled.
        name: Of the folder within the run.
    """

    run: Run
    dataset: Dataset
    kind: type[F]
    made_by: Mapping[str, Any]
    name: str = "folds"

    def find(
        self,
        parts: Iterable[Part],
        compute: Callable[[Part], F],
        *,
        on_kept: Callable[[Part], object] = lambda part: None,
    ) -> dict[int, F]:
        """Give what parts found: recalled where it is kept, else computed and kept.

        Args:
            parts: The parts.
            compute: Finds what a part finds.
            on_kept: Called when that is on the disk.

        Returns:
            Findings by the number of the part.

        Raises:
            RunError: If the run has kept what other pictures, or other settings, led
                to, or another process is at one of the parts; this is told before
                anything is computed.
        """
        parts, found = list(parts), {}
        finished = self.finished(parts)  # refuses what does not belong here
        locks = {part.number: self._path(part).with_suffix(".lock") for part in parts}
        with locked(locks[number] for number in locks.keys() - finished.keys()):
            pass  # nobody is at any of them now
        for part in parts:
            with contextlib.ExitStack() as held:
                if part.number not in finished:
                    held.enter_context(locked([locks[part.number]]))
                kept = self.recall(part)  # anew: another process may have been at it
                if kept is None:
                    kept = compute(part)
                    self._keep(part, kept)
                on_kept(part)
            found[part.number] = kept
        return found

    def finished(self, parts: Iterable[Part]) -> dict[int, F]:
        """Recall what those parts found that are finished.

        Args:
            parts: The parts.

        Returns:
            Findings by the number of the part.

        Raises:
            RunError: As `recall` does.
        """
        found = {part.number: self.recall(part) for part in parts}
        return {number: kept for number, kept in found.items() if kept is not None}

    def recall(self, part: Part) -> F | None:
        """Read what a part found.

        Args:
            part: The part.

        Returns:
            What was kept; None where the part is not finished.

        Raises:
            RunError: If other pictures, or other settings, led to it, or it is damaged.
        """
        path = self._path(part)
        if not path.is_file():
            return None
        kept = self.run.read_json(f"{self.name}/{path.name}")
        wanted = self._identity(part)
        if kept.pop("sha256", None) != _checksum(kept):
            raise RunError(
                f"{path} is damaged: its checksum does not fit; remove it to do fold "
                f"{part.number} again."
            )
        changed = [
            name
            for name, value in wanted["made_by"].items()
            if kept.get("made_by", {}).get(name) != value
        ]
        problem = None
        if kept.get("tested") != wanted["tested"]:
            problem = "tested other pictures"
        elif kept.get("trained") != wanted["trained"]:
            problem = "trained on other pictures or labels"
        elif changed:
            problem = f"used another {' and another '.join(changed)}"
        if problem:
            raise RunError(
                f"{self.run.path} {problem} in fold {part.number}; name another folder "
                f"with --out."
            )
        return self.kind.from_json(kept["found"])

    def _keep(self, part: Part, found: F) -> None:
        (self.run.path / self.name).mkdir(parents=True, exist_ok=True)
        values = self._identity(part) | {"found": found.to_json()}
        values = json.loads(json.dumps(values, allow_nan=False))  # keys as in the file
        values["sha256"] = _checksum(values)
        self.run.write_json(f"{self.name}/{self._path(part).name}", values)

    def _path(self, part: Part) -> Path:
        return self.run.path / self.name / f"fold-{part.number}.json"

    def _identity(self, part: Part) -> dict[str, Any]:
        """What must be the same for a finding to be recalled."""
        ids, said = self.dataset.ids, self.dataset.said
        lines = "\n".join(f"{said(i)} {ids[i]}" for i in part.train)
        return {
            "made_by": json.loads(json.dumps(self.made_by)),
            "trained": hashlib.sha256(lines.encode()).hexdigest(),
            "tested": [ids[i] for i in part.test],
        }


def _checksum(values: Mapping[str, Any]) -> str:
    """Stand for all that was kept of a part, in whatever order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Predicted:
    """What a model said about the test pictures of its part.

    Attributes:
        ids: Of the pictures that could be read, [M].
        probs: float32 [M, K]; of a model of ratings these, float32 [M, T].
        failures: The error of each picture that could not be read, whether it was to
            test or to train, by its id.
        half_widths: How far around ratings intervals reach, [T]; empty for classes.
    """

    ids: tuple[str, ...]
    probs: np.ndarray
    failures: Mapping[str, ImageError]
    half_widths: tuple[float, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Give what JSON can hold: `read`, `probs` and `unreadable`."""
        return {
            "read": list(self.ids),
            "probs": self.probs.tolist(),
            "unreadable": [
                {"id": name, "reason": error.reason, "message": str(error)}
                for name, error in self.failures.items()
            ],
            "half_widths": list(self.half_widths),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Predicted:
        """Build it again from what `to_json` gave."""
        return cls(
            tuple(values["read"]),
            np.array(values["probs"], dtype="float32"),
            {
                row["id"]: ImageError(row["message"], row["reason"])
                for row in values["unreadable"]
            },
            tuple(values["half_widths"]),
        )


def pool(
    dataset: Dataset, parts: Iterable[Part], predicted: Mapping[int, Predicted]
) -> Outcome:
    """Put the predictions of parts together.

    Args:
        dataset: The pictures.
        parts: The parts.
        predicted: What those that were tested predicted, by their number.

    Returns:
        Each picture with the prediction of the part that tested it.
    """
    return Outcome(dataset, *gather(dataset, parts, predicted, dataset.num_classes))


def gather(
    dataset: Dataset,
    parts: Iterable[Part],
    predicted: Mapping[int, Predicted],
    width: int,
) -> tuple[np.ndarray, np.ndarray, dict[int, ImageError]]:
    """Put what parts predicted in the order of the pictures.

    Args:
        dataset: The pictures.
        parts: The parts.
        predicted: What those that were tested predicted, by their number.
        width: Numbers of each prediction.

    Returns:
        Predictions, float32 [N, width], NaN where there are none; test folds, int32
        [N], 0 for none; and errors by position.
    """
    position = {name: i for i, name in enumerate(dataset.ids)}
    probs = np.full((len(dataset), width), np.nan, dtype="float32")
    folds = np.zeros(len(dataset), dtype="int32")
    failures: dict[int, ImageError] = {}
    for part in parts:
        if part.number not in predicted:
            continue
        found = predicted[part.number]
        folds[part.test] = part.number
        if found.ids:
            probs[[position[name] for name in found.ids]] = found.probs
        failures |= {position[name]: error for name, error in found.failures.items()}
    return probs, folds, failures
