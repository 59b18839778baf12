"""What does `audit` tell?"""

from __future__ import annotations

from typing import TypedDict

from pixsent_tf.results.unreadable import Unreadable


class CopiedPair(TypedDict):
    """Two files that show one picture."""

    ids: list[str]  # their names
    paths: list[str]  # the files
    kind: str  # "exact" for the same bytes, or "near"
    distance: float  # between the two, 0 for the same pixels
    labels: list[str]  # of each
    folds: list[int] | None  # of each; null without published folds
    splits: list[str] | None  # "train", "val" or "test"; null where nothing is divided


class AuditFold(TypedDict):
    """A published fold."""

    fold: int  # its number, from 1
    num_examples: int  # its pictures
    classes: dict[str, int]  # pictures by class
    majority_rate: float  # what always giving the most frequent answer reaches
    copied_from_training: int  # test pictures with a copy in training


class Suspect(TypedDict):
    """A picture whose label may be wrong, by models that have not seen it."""

    rank: int  # 1 for the least believable
    id: str  # its name
    path: str | None  # the file; null where it is not to be had
    label: str  # what annotators said
    answer: str  # what the model said
    prob_label: float  # probability of the label
    is_believed: bool  # whether another class is as probable as where it is the label


class AuditPart(TypedDict):
    """One selection of the pictures, such as an agreement level."""

    name: str  # of the selection
    num_examples: int  # its pictures
    classes: dict[str, int]  # pictures by class
    majority_rate: float  # what always giving the most frequent answer reaches
    unreadable: list[Unreadable]  # pictures that could not be read
    repaired: list[str]  # JPEGs that lack their end marker alone, and are read
    unreadable_by_reason: dict[str, int]  # how many, by the reason
    splits: dict[str, int] | None  # pictures by split; null where nothing is divided
    notes: list[str]  # how the source was read, and what of it was passed over
    in_folds: int | None  # pictures in published folds; null without such
    folds: list[AuditFold]  # the published folds
    is_stratified: bool | None  # whether every fold has the shares of all
    exact_pairs: int  # pairs of byte-identical files
    near_pairs: int  # pairs of one picture, encoded again, resized or slightly cut
    pairs: list[CopiedPair]  # all of these
    crossing: list[CopiedPair]  # those with one in training and one in test
    conflicting: list[CopiedPair]  # those with different labels
    num_groups: int | None  # groups of pictures; null where none are known
    crossing_groups: list[str] | None  # groups in several published folds, if both are
    label_ceiling: float | None  # how often one more annotator would agree
    suspects: list[Suspect] | None  # answered otherwise; null if not asked for


class AcrossParts(TypedDict):
    """What one selection trains on of what another tests in the fold of that number."""

    trained: str  # the one
    tested: str  # the other
    leaked: list[int]  # test pictures that are trained on, by fold
    num_examples: list[int]  # test pictures, by fold


class AuditResults(TypedDict):
    """What `audit` tells of pictures."""

    num_examples: int  # files
    exact_pairs: int  # pairs of byte-identical files
    near_pairs: int  # pairs of one picture, encoded again, resized or slightly cut
    parts: list[AuditPart]  # one for each selection
    across_parts: list[AcrossParts]  # leaks between them
    has_leak: bool  # whether a test picture, or a copy of it, is trained on


class DecisionCount(TypedDict):
    """How much a decision saw."""

    name: str  # "search" or "training"
    trained: int  # pictures that it trained on
    validated: int  # pictures that it chose by


class AuditedFold(TypedDict):
    """The decisions that led to a fold's model."""

    fold: int  # its number, from 1
    tested: int  # pictures that it tested
    decisions: list[DecisionCount]  # in their order


class Leak(TypedDict):
    """A picture that a decision saw and its fold tested."""

    fold: int  # number of the fold
    decision: str  # its name
    part: str  # "trained" or "validated"
    id: str  # name of the picture


class RunAuditResults(TypedDict):
    """What `audit` tells of a run."""

    out: str  # the run folder
    folds: list[AuditedFold]  # what each decision saw, in numbers
    leaks: list[Leak]  # what it should not have seen
    unrecorded: list[str]  # pictures with an answer that no fold says it tested
    has_leak: bool  # whether there is either, or no record at all
