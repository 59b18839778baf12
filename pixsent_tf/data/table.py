"""Which pictures are there, and what are they labelled?

Whatever the source, pictures are files on disk and a data set is a table of them, in
an order that does not depend on the machine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pixsent_tf.config import DataConfig
from pixsent_tf.data.balance import balanced
from pixsent_tf.data.class_names import name_classes
from pixsent_tf.data.lists.rated import Ratings
from pixsent_tf.errors import DataError, FewClassesError, shown


@dataclass(frozen=True)
class Dataset:
    """A table of labelled pictures.

    Attributes:
        name: Short name for folders and titles.
        ids: Unique name of each picture, [N].
        paths: File of each picture, [N].
        labels: Class index of each picture, int32 [N].
        class_names: Names by class index, [K].
        folds: Published test fold of each picture, int32 [N], from 1; 0 = left out of
            every published fold. None where nothing is published.
        votes: Votes per class, int32 [N, K], or their shares where only these are
            known, float32; None where neither is.
        groups: Number of each picture's group, which no split tears apart, int32 [N];
            None where no groups are known.
        group_names: Name of each group by its number; "" for a picture on its own.
        joined: Weight of each picture that trains every fold and tests none, float32
            [N]; 0 for all others. None where there are only others.
        sources: Number of each picture's source, int32 [N]; None for a single one.
        source_names: Name of each source by its number.
        splits: "train", "val" or "test" of each picture, str [N]; None where nobody
            has divided them.
        notes: What was found on opening that is good to know, in lines.
        weights: How much each picture counts in training, float32 [N]; None where all
            count the same.
        whole: The larger data set that this one was selected from, where its folds
            must agree with those of other selections; None for a set of its own.
        ratings: What raters said in numbers, for a model that answers with numbers;
            labels are then ranges of the first target. None for classes.
    """

    name: str
    ids: tuple[str, ...]
    paths: tuple[str, ...]
    labels: np.ndarray
    class_names: tuple[str, ...]
    folds: np.ndarray | None = None
    votes: np.ndarray | None = None
    groups: np.ndarray | None = None
    group_names: tuple[str, ...] = ()
    joined: np.ndarray | None = None
    sources: np.ndarray | None = None
    source_names: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    weights: np.ndarray | None = None
    whole: Dataset | None = None
    ratings: Ratings | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_outputs(self) -> int:
        """How many numbers a model answers with: one for each class, or rating."""
        return self.num_classes if self.ratings is None else len(self.ratings.targets)

    @property
    def num_classes(self) -> int:
        """Number of classes, K."""
        return len(self.class_names)

    @property
    def majority_rate(self) -> float:
        """Accuracy of always answering the most frequent class, 0…1."""
        return float(np.bincount(self.labels).max() / len(self))

    def take(self, indices: np.ndarray) -> Dataset:
        """Select pictures, keeping names and classes.

        Args:
            indices: Positions, int [M], or a mask, bool [N].

        Returns:
            A data set of the selected pictures, in that order.
        """
        indices = np.arange(len(self))[indices]
        return replace(
            self,
            ids=tuple(self.ids[i] for i in indices),
            paths=tuple(self.paths[i] for i in indices),
            labels=self.labels[indices],
            folds=None if self.folds is None else self.folds[indices],
            votes=None if self.votes is None else self.votes[indices],
            groups=None if self.groups is None else self.groups[indices],
            joined=None if self.joined is None else self.joined[indices],
            sources=None if self.sources is None else self.sources[indices],
            splits=None if self.splits is None else self.splits[indices],
            weights=None if self.weights is None else self.weights[indices],
            ratings=None if self.ratings is None else self.ratings.take(indices),
        )

    def said(self, position: int) -> str:
        """Say what annotators said of a picture.

        Args:
            position: Of the picture.

        Returns:
            The name of its class, or its ratings.
        """
        if self.ratings is not None:
            return self.ratings.text(position)
        return self.class_names[self.labels[position]]

    def grouped(self, names: Sequence[str]) -> Dataset:
        """Say which pictures belong together.

        Args:
            names: Name of each picture's group, [N]; "" for a picture on its own.

        Returns:
            The same pictures with groups.
        """
        keys = [(name, -1 if name else i) for i, name in enumerate(names)]
        number = {key: i for i, key in enumerate(dict.fromkeys(keys))}
        return replace(
            self,
            groups=np.array([number[key] for key in keys], dtype="int32"),
            group_names=tuple(name for name, _ in number),
        )

    def groups_of(self, ids: Sequence[str]) -> np.ndarray | None:
        """Find the groups of some pictures.

        Args:
            ids: Their names, [M].

        Returns:
            Number of each one's group, int [M], below 0 for a picture that is not in
            this table; None where no groups are known.
        """
        if self.groups is None:
            return None
        number = dict(zip(self.ids, self.groups.tolist(), strict=True))
        return np.array([number.get(name, -1 - i) for i, name in enumerate(ids)])

    @property
    def only_trains(self) -> np.ndarray:
        """True for pictures that train every fold and test none, bool [N]."""
        if self.joined is None:
            return np.zeros(len(self), dtype=bool)
        return self.joined > 0

    @property
    def divided(self) -> np.ndarray | None:
        """True for pictures that somebody has set aside to test, bool [N].

        They are those of the split `test`, or of `val` where there is none; None where
        nobody has divided the pictures.
        """
        if self.splits is None:
            return None
        return self.splits == ("test" if "test" in self.splits else "val")

    @property
    def has_counts(self) -> bool:
        """Whether it is known how many voted, and not only the shares."""
        return self.votes is not None and self.votes.dtype.kind == "i"

    @property
    def agreement(self) -> np.ndarray:
        """Lead of the winning class over the others, float32 [N], 0…1; 1 if unknown."""
        if self.votes is None:
            return np.ones(len(self), dtype="float32")
        shares = self.votes.max(axis=1) / self.votes.sum(axis=1)
        return (2 * shares - 1).clip(0).astype("float32")

    def with_classes(self, names: Iterable[str]) -> Dataset:
        """Let classes be there that no picture is labelled, but some were voted for.

        Args:
            names: Of all classes.

        Returns:
            The data set with them, in the order of `name_classes`.
        """
        known = name_classes((*self.class_names, *names), self.name).class_names
        place = np.array([known.index(name) for name in self.class_names])
        return replace(
            self, class_names=known, labels=place[self.labels].astype("int32")
        )

    def targets(self, kind: str = "hard") -> np.ndarray:
        """Give what the training aims at.

        Args:
            kind: "hard" for one-hot labels, "votes" for the share of the votes.

        Returns:
            Target probabilities, float32 [N, K]; rows sum to one.

        Raises:
            DataError: If votes are asked for and the data has none.
        """
        if kind == "hard":
            return np.eye(self.num_classes, dtype="float32")[self.labels]
        if self.votes is None:
            raise DataError(
                f"{self.name} has no votes; leave --labels out to use its labels."
            )
        totals = self.votes.sum(axis=1, keepdims=True)
        return (self.votes / totals).astype("float32")

    def weighted_targets(
        self, data: DataConfig, *, among: np.ndarray | None = None
    ) -> np.ndarray:
        """Give what the training aims at, and how much each picture counts.

        Args:
            data: Names the labels, the weights, and what they balance.
            among: Positions of the pictures that train, int [M], which are balanced;
                all if None.

        Returns:
            Target probabilities times the weight of the picture, float32 [N, K].

        Raises:
            DataError: If votes are asked for and the data has none.
        """
        weights = np.ones(len(self), dtype="float32")
        if data.example_weights == "agreement":
            weights = self.agreement
        if self.weights is not None:
            weights = weights * self.weights
        if self.joined is not None:
            weights = np.where(self.only_trains, weights * self.joined, weights)
        targets = self.targets(data.labels) * weights[:, None]
        return balanced(targets, by=data.balance, sources=self.sources, among=among)

    def weights_like_those_to_come(
        self, data: DataConfig, *, among: np.ndarray
    ) -> np.ndarray:
        """Tell how much pictures count where a training is calibrated.

        Args:
            data: Names what is balanced.
            among: Positions of the pictures that train, int [M].

        Returns:
            float32 [M]: 0 for those that only train, who feel less clearly; the others
            balanced as in training, by their labels, 1 in the mean.
        """
        counted = among[~self.only_trains[among]]
        targets = balanced(
            self.targets(), by=data.balance, sources=self.sources, among=counted
        )
        return np.where(self.only_trains[among], 0, targets[among].sum(axis=1))


def build_dataset(
    *,
    name: str,
    ids: Sequence[str],
    paths: Sequence[Path],
    labels: Sequence[str],
    class_names: tuple[str, ...] | None = None,
    must_exist: bool = True,
    renamed: Mapping[str, str] | None = None,
    where: str | None = None,
) -> Dataset:
    """Check a table of pictures and make it a data set.

    Args:
        name: Short name for folders and titles.
        ids: Unique name of each picture.
        paths: File of each picture.
        labels: What each picture is labelled, in any spelling.
        class_names: Names by class index, which are the labels as they are; by default
            what `class_names.name_classes` reads them as, which a note says.
        must_exist: Refuse files that are not there. A list that names them is wrong; a
            broken link in a folder is one more picture that cannot be read.
        renamed: Class by label, where the spelling does not tell.
        where: What to call the source in messages; its name if None.

    Returns:
        The data set, in the order given.

    Raises:
        ConfigError: If a label of `renamed` does not occur.
        DataError: If it is empty, has one class, names a picture twice or misses files.
    """
    where = where or name
    if not ids:
        raise FewClassesError(
            f"{where} holds no pictures; it needs some of each class.", {}
        )
    check_pictures(where, ids, paths, must_exist=must_exist)
    notes: tuple[str, ...] = ()
    if class_names is None:
        naming = name_classes(labels, where, renamed)
        labels = [naming.by_label[label] for label in labels]
        class_names, notes = naming.class_names, naming.notes
    index = {class_name: i for i, class_name in enumerate(class_names)}
    present = sorted(set(labels))
    if len(present) < 2:
        raise FewClassesError(
            f"{where} holds one class only, {present[0]!r}; two or more are needed.",
            {present[0]: len(labels)},
        )
    return Dataset(
        name=name,
        ids=tuple(ids),
        paths=tuple(str(path) for path in paths),
        labels=np.array([index[label] for label in labels], dtype="int32"),
        class_names=class_names,
        notes=notes,
    )


def check_pictures(
    name: str, ids: Sequence[str], paths: Sequence[Path], *, must_exist: bool = True
) -> None:
    """Refuse a table that names a picture twice, or files that are not there.

    Args:
        name: Of the table.
        ids: Name of each picture.
        paths: File of each picture.
        must_exist: Refuse files that are not there.

    Raises:
        DataError: If it does.
    """
    _refuse_twice(name, ids, paths)
    missing = [path for path in paths if must_exist and not path.is_file()]
    if missing:
        raise DataError(
            f"{name} names {len(missing)} of {len(paths)} files that do not exist, "
            f"first {missing[0]}; correct the list or name the folder with --images."
        )


def _refuse_twice(name: str, ids: Sequence[str], paths: Sequence[Path]) -> None:
    """Refuse a picture that is named twice, also by two spellings of its path."""
    first: dict[str, int] = {}
    seen: set[str] = set()
    for i, path in enumerate(paths):
        if ids[i] in seen:
            raise DataError(
                f"{name} names {shown(ids[i])!r} twice; name every picture once."
            )
        seen.add(ids[i])
        j = first.setdefault(os.path.abspath(path).casefold(), i)
        if i != j and _is_same(paths[i], paths[j]):
            raise DataError(
                f"{name} names one file twice, as {shown(ids[j])!r} and as "
                f"{shown(ids[i])!r}; name every picture once."
            )


def _is_same(one: Path, other: Path) -> bool:
    """Tell whether two spellings that differ in case at most lead to one file."""
    if os.path.abspath(one) == os.path.abspath(other):
        return True
    try:
        return os.path.samefile(one, other)  # a disk that does not tell cases apart
    except OSError:
        return False
