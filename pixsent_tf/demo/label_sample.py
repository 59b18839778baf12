"""Which pictures are shown to who labels, and how likely was each to be among them?

The sample is drawn once and kept beside the labels, so that a second annotator, or the
same one after a break, goes on with the same pictures in the same order.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.evaluation import sampling
from pixsent_tf.studies.shares.answer_reader import AnswerReader
from pixsent_tf.whole import whole

SCHEMES = ("random", "uncertainty", "diversity")
MOST_COMPARED = 5000  # pictures whose features are compared; a random part of more


@dataclass(frozen=True)
class Chosen:
    """A picture to label.

    Attributes:
        path: As the table or the folder names it.
        probability: Of having been drawn, 0…1.
        answer: What the model says; None where nobody asked it.
        sureness: Its probability of that, 0…1; None likewise.
    """

    path: str
    probability: float
    answer: str | None = None
    sureness: float | None = None


@dataclass(frozen=True)
class Sample:
    """What is to be labelled.

    Attributes:
        asked: What it was drawn by: source, number, scheme, seed.
        class_names: What a picture may be called, in the order of the keys.
        population: How many pictures it was drawn from.
        pictures: In the order in which they are shown.
    """

    asked: dict[str, Any]
    class_names: tuple[str, ...]
    population: int
    pictures: tuple[Chosen, ...]

    @classmethod
    def read(cls, path: Path) -> Sample:
        """Read a sample that was kept.

        Args:
            path: What `write` wrote.

        Returns:
            The sample.

        Raises:
            DataError: If the file is none.
        """
        try:
            kept = json.loads(path.read_text("utf-8"))
            pictures = tuple(Chosen(**each) for each in kept.pop("pictures"))
            names = tuple(kept.pop("class_names"))
            return cls(class_names=names, pictures=pictures, **kept)
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"{path} is no sample that label wrote; name another --out."
            ) from None

    def write(self, path: Path) -> None:
        """Keep the sample.

        Args:
            path: The JSON file to write.
        """
        with whole(path) as temporary:
            text = json.dumps(asdict(self), indent=1, allow_nan=False)
            temporary.write_text(text, "utf-8")

    def check(self, asked: dict[str, Any], path: Path) -> None:
        """Refuse to go on where something else was asked for.

        Args:
            asked: As in the attribute.
            path: Where this sample is kept.

        Raises:
            UsageError: If it differs.
        """
        for name, value in asked.items():
            if self.asked.get(name) != value:
                raise UsageError(
                    f"{path} holds a sample of {name} {self.asked.get(name)!r}, not "
                    f"{value!r}; start label as before, or name another --out."
                )


@dataclass(frozen=True)
class Population:
    """The pictures a sample is drawn from.

    Attributes:
        paths: As the table or the folder names them, [N].
        class_names: Names by class index; empty where no model answered.
        answers: What the model says of each, [N]; empty likewise.
        scores: Its probabilities, float32 [N, K]; None likewise.
    """

    paths: Sequence[str]
    class_names: tuple[str, ...] = ()
    answers: Sequence[str | None] = ()
    scores: np.ndarray | None = None

    @classmethod
    def read(cls, table: Path) -> Population:
        """Read what `predict` or `score` wrote.

        Args:
            table: .csv, .jsonl or .parquet.

        Returns:
            The pictures that got an answer.

        Raises:
            DataError: If there is none, or a row cannot be understood.
            UsageError: If the table is of a kind that cannot be read.
        """
        reader = AnswerReader(table)
        paths: list[str] = []
        answers: list[str | None] = []
        scores: list[np.ndarray] = []
        for batch in reader.batches():
            read = reader.read(batch)
            # the file's own path, where there is an id beside it
            named = list(zip(*reversed(reader.names(batch)), strict=True))
            paths += [next(filter(None, named[i])) for i in read.rows.tolist()]
            names = [*reader.class_names, None]  # the last one is that of UNSURE
            answers += [names[k] for k in read.answers.tolist()]
            if len(read.rows):
                scores.append(read.scores.astype("float32"))
        if not paths:
            raise DataError(f"{table} holds no picture that got an answer.")
        return cls(paths, reader.class_names, answers, np.concatenate(scores))

    def chosen(self, index: int, probability: float) -> Chosen:
        """Make a picture one of the sample.

        Args:
            index: Its place.
            probability: Of having been drawn.

        Returns:
            The picture.
        """
        if self.scores is None:
            return Chosen(self.paths[index], probability)
        sureness = round(float(self.scores[index].max()), 6)
        return Chosen(self.paths[index], probability, self.answers[index], sureness)


def draw_alike(
    population: Population, num_drawn: int, by: str, seed: int
) -> list[Chosen]:
    """Draw at random, or uncertain pictures more often.

    Args:
        population: All pictures.
        num_drawn: How many to draw; all, where there are fewer.
        by: "random" or "uncertainty".
        seed: Of the draw.

    Returns:
        The pictures in random order.
    """
    sizes = np.ones(len(population.paths))
    if by == "uncertainty":
        assert population.scores is not None
        sizes = sampling.uncertainty(population.scores.astype(float))
    chances = sampling.inclusion_probabilities(sizes, min(num_drawn, len(sizes)))
    drawn = sampling.draw(chances, np.random.default_rng(seed))
    return [population.chosen(i, float(chances[i])) for i in drawn.tolist()]


def first_part(population: Population, seed: int) -> list[Chosen]:
    """Draw the pictures among which diverse ones are looked for.

    Args:
        population: All pictures.
        seed: Of the draw.

    Returns:
        All of them, or a random part of very many.
    """
    return draw_alike(population, MOST_COMPARED, "random", seed)


def draw_diverse(
    part: Sequence[Chosen], features: np.ndarray, num_drawn: int, seed: int
) -> list[Chosen]:
    """Draw pictures that differ.

    Args:
        part: What `first_part` gave.
        features: What a network sees in each, [N, F].
        num_drawn: How many to draw.
        seed: Of the draw.

    Returns:
        The pictures in random order, fewer where fewer differ.
    """
    indices, chances = sampling.draw_diverse(
        features, min(num_drawn, len(part)), np.random.default_rng(seed)
    )
    return [
        Chosen(
            part[i].path,
            part[i].probability * float(chance),
            part[i].answer,
            part[i].sureness,
        )
        for i, chance in zip(indices.tolist(), chances, strict=True)
    ]
