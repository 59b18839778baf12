"""Which class does a label mean? The one place where spellings become classes.

    NEG, Negative, "NEGATIVE ", -1 and 0 beside 1      negative
    sad beside happy, False beside True                negative and positive
    Cat and cat                                        one class, as it is spelled most

Folders, lists, tables, TensorFlow Datasets and tables of answers all pass here, and
what is read otherwise than it is written is said in one line.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.errors import DataError, UnknownLabelError, shown

NEGATIVE, POSITIVE, NEUTRAL = *CLASS_NAMES, "neutral"
# Words that mean the same whatever else is there
_SPELLINGS = {
    NEGATIVE: (
        *("negative", "negatives", "neg", "negativ", "negativo", "negativa"),
        *("négatif", "négative"),
    ),
    NEUTRAL: ("neutral", "neutrals", "neu", "neutre", "neutro"),
    POSITIVE: (
        *("positive", "positives", "pos", "positiv", "positivo", "positiva"),
        "positif",
    ),
}
_WORDS = {word: name for name, words in _SPELLINGS.items() for word in words}
# Pairs that mean it where they are the two labels that there are
_PAIRS = (
    *(("sad", "happy"), ("unhappy", "happy"), ("bad", "good"), ("-", "+")),
    *(("dislike", "like"), ("unpleasant", "pleasant"), ("false", "true")),
    *(("n", "p"), ("sadness", "happiness")),
)
_NUMBER = re.compile(r"([+-]?)0*(\d+)(?:\.0*)?")
# What pandas writes and reads where there is no value
_NOTHING = {"", "nan", "na", "n/a", "#n/a", "<na>", "none", "null", "nat"}
_MAX_NAMED = 5


@dataclass(frozen=True)
class Naming:
    """What the labels of one source mean.

    Attributes:
        by_label: Class by label, as the label is written.
        notes: What is read otherwise than it is written, in one line; or nothing.
    """

    by_label: Mapping[str, str]
    notes: tuple[str, ...] = ()
    class_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        ordered = order_classes(list(self.by_label.values()))
        object.__setattr__(self, "class_names", ordered)


def name_classes(
    labels: Iterable[str], where: str, renamed: Mapping[str, str] | None = None
) -> Naming:
    """Say what labels mean.

    Args:
        labels: All labels of a source, as they are written, repeated or not.
        where: The source, for messages.
        renamed: Class by label, as `--classes` gives it; in any spelling.

    Returns:
        The classes, and one line about what is read otherwise than it is written.

    Raises:
        UnknownLabelError: If a label of `renamed` does not occur.

    Example:
        >>> name_classes(["NEG", "pos", "POS "], "mine.csv").by_label
        {'NEG': 'negative', 'pos': 'positive', 'POS ': 'positive'}
    """
    counts = Counter(labels)
    keys = {label: _key(label) for label in counts}
    told = _told(renamed or {}, keys, where)
    meant = {**_meanings(set(keys.values()) - set(told)), **told}
    spelled: dict[str, Counter[str]] = {}
    for label, count in counts.items():
        spelled.setdefault(keys[label], Counter())[label.strip()] += count
    own = {key: _most_common(spellings) for key, spellings in spelled.items()}
    by_label = {label: meant.get(keys[label], own[keys[label]]) for label in counts}
    return Naming(by_label, _notes(by_label, counts, where))


def canonical(names: Sequence[str]) -> tuple[str, ...]:
    """Name classes that go together as `name_classes` does, keeping their order.

    Args:
        names: Class names, such as those of a model, [K].

    Returns:
        The names that labels of such classes are read as, [K].
    """
    by_label = name_classes(names, "").by_label
    return tuple(by_label[name] for name in names)


def match_classes(names: Sequence[str], known: Sequence[str]) -> list[int] | None:
    """Find the classes of one list in another, however both are spelled.

    Args:
        names: Class names, [K].
        known: Those of a model, say.

    Returns:
        For each name its index in `known`; None where one is not there.
    """
    index = {_key(name): k for k, name in enumerate(canonical(known))}
    found = [index.get(_key(name)) for name in canonical(names)]
    places = [place for place in found if place is not None]
    return places if len(places) == len(names) else None


def index_labels(labels: Iterable[str], known: Sequence[str]) -> dict[str, int]:
    """Find labels among classes that are known, however both are spelled.

    Args:
        labels: All labels of a source, as they are written.
        known: Class names by index, [K].

    Returns:
        Class index by label, of those labels that mean one of the classes.
    """
    labels = [label for label in labels if not is_nothing(label)]
    index = {_key(name): k for k, name in enumerate(canonical(known))}
    index |= {_key(name): k for k, name in enumerate(known)}
    by_label = name_classes(labels, "").by_label
    found = {
        label: index.get(_key(label), index.get(_key(name)))
        for label, name in by_label.items()
    }
    return {label: k for label, k in found.items() if k is not None}


def is_nothing(label: str) -> bool:
    """Tell whether a label says that there is none.

    Args:
        label: As it is written.

    Returns:
        True for an empty one, NaN, None, NA and their like.
    """
    return label.strip().casefold() in _NOTHING


def order_classes(names: Sequence[str]) -> tuple[str, ...]:
    """Put class names into their fixed order.

    Args:
        names: Names in any order, repeated or not.

    Returns:
        Each name once: negative, neutral, positive where there are no others, and
        whole numbers by their value; sorted otherwise.
    """
    unique = sorted(set(names))
    if all(re.fullmatch(r"[+-]?\d+", name) for name in unique):
        return tuple(sorted(unique, key=int))
    return tuple(unique)


def _key(label: str) -> str:
    """What spellings of one label have in common."""
    text = " ".join(unicodedata.normalize("NFC", label).split()).casefold()
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    sign, digits = number.groups()
    return f"-{digits}" if sign == "-" and digits != "0" else digits


def _meanings(keys: set[str]) -> dict[str, str]:
    """The classes that keys of one source mean; none for those that mean themselves."""
    found = {key: _WORDS[key] for key in keys & _WORDS.keys()}
    others = keys - found.keys()
    if others and others <= {"-1", "0", "1"}:
        zero = NEUTRAL if "-1" in others else NEGATIVE
        found |= {"-1": NEGATIVE, "0": zero, "1": POSITIVE}
    for low, high in _PAIRS:
        if keys == {low, high}:
            found |= {low: NEGATIVE, high: POSITIVE}
    return found


def _told(
    renamed: Mapping[str, str], keys: Mapping[str, str], where: str
) -> dict[str, str]:
    """What the user says that keys mean."""
    there = set(keys.values())
    missing = [label for label in renamed if _key(label) not in there]
    if missing:
        found = ", ".join(dict.fromkeys(shown(label) for label in keys))
        raise UnknownLabelError(
            f"{where} has no label {missing[0]!r}, which --classes names; it has "
            f"{found:.200}.",
            missing,
        )
    return {
        _key(label): _WORDS.get(_key(name), name.strip())
        for label, name in renamed.items()
    }


def _most_common(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda text: (-spellings[text], text))


def _notes(
    by_label: Mapping[str, str], counts: Counter[str], where: str
) -> tuple[str, ...]:
    """One line about labels that are written otherwise than their classes."""
    parts = []
    for name in order_classes(list(by_label.values())):
        labels = [label for label, own in by_label.items() if own == name]
        if labels == [name]:
            continue
        named = [f"{_quoted(each)}" for each in labels[:_MAX_NAMED]]
        if more := len(labels) - _MAX_NAMED:
            named += [f"{more} more"] * (more > 0)
        parts.append(
            f"{' and '.join(named)} as {shown(name)}"
            + (f", one class of {sum(counts[each] for each in labels)} pictures")
            * (len(labels) > 1)
        )
    return (f"{shown(where)}: reading {'; '.join(parts)}",) if parts else ()


def _quoted(label: str) -> str:
    """A label as it is; in quotes where its ends would not be seen."""
    return shown(label) if label == label.strip() and label else repr(label)


def refuse_nothing(
    labels: Sequence[str], names: Sequence[str], where: str, *, skip: bool
) -> list[int]:
    """Find the pictures that have a label.

    Args:
        labels: As they are written, [N].
        names: Of the pictures, [N].
        where: The source, for the message.
        skip: Leave the others out.

    Returns:
        Positions of those that have one.

    Raises:
        DataError: If one has none and is not to be left out; the line names the rows.
    """
    kept = [i for i, label in enumerate(labels) if not is_nothing(label)]
    lacking = sorted(set(range(len(labels))) - set(kept))
    if not lacking or skip:
        return kept
    rows = ", ".join(str(i + 1) for i in lacking[:_MAX_NAMED])
    more = f" and {len(lacking) - _MAX_NAMED} more" * (len(lacking) > _MAX_NAMED)
    first = lacking[0]
    raise DataError(
        f"{shown(where)} has no label in row{'s' * (len(lacking) > 1)} {rows}{more} "
        f"(first {shown(names[first])}: {labels[first]!r}); fill "
        f"{'them' if len(lacking) > 1 else 'it'} in, or leave them out with "
        f"--skip-unlabelled."
    )
