"""How often do the intervals of `share` hold the truth, on what real models say?

Pictures of a table are drawn so that the true share is known; 100 of each 2,000 drawn
are labelled: at random, by 25 users with 4 each, uncertain ones more often as
`label --by uncertainty` draws them (with their weights, and without), or by three
annotators of whom each errs on one picture in ten, where the truth is the share of
votes; or both of the last two. Beside it: the labels alone, and the plain count with
its usual interval.

    pixsent-tf crossval deepsent/ --level five_agrees --out runs/five
    python benchmarks/share_coverage.py runs/five/predictions.csv
    pixsent-tf fit deepsent/ --level five_agrees --out runs/tweets
    pixsent-tf predict oasis/images --model runs/tweets --out oasis.csv
    python benchmarks/share_coverage.py oasis.csv --ratings oasis/ratings.csv
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

from pixsent_tf.evaluation import sampling
from pixsent_tf.evaluation.intervals import wilson_interval
from pixsent_tf.evaluation.share import Answers, Estimate, Labels, combine, estimate

NUM_PICTURES, NUM_LABELS = 2000, 100
SHARES = (0.1, 0.3, 0.5, 0.7)
PER_USER = 4
LOWEST_POSITIVE, HIGHEST_NEGATIVE = 5.0, 3.5  # of ratings from 1 to 7
NUM_ANNOTATORS, WRONG = 3, 0.1
NAMES = ("share", "difference", "clustered", "weighted", "annotators", "both")
WORSE = ("unweighted", "plain count")  # what there is to compare with

Drawn = tuple[np.ndarray, np.ndarray]  # truth and scores


def read(path: Path, ratings: Path | None) -> Drawn:
    """Read labels (1 is negative) and probabilities of negative, both [N]."""
    known = {}
    if ratings is not None:
        with ratings.open() as file:
            for row in csv.DictReader(file):
                valence = float(row["valence"])
                if not HIGHEST_NEGATIVE < valence < LOWEST_POSITIVE:
                    known[Path(row["path"]).name] = valence <= HIGHEST_NEGATIVE
    truth, scores = [], []
    with path.open() as file:
        for row in csv.DictReader(file):
            name = Path(row.get("path") or row["id"]).name
            if ratings is None:
                known[name] = row["label"] == "negative"
            if name in known:
                truth.append(known[name])
                scores.append(float(row["prob_negative"]))
    return np.array(truth, float), np.array(scores)


def draw(pool: Drawn, chances: np.ndarray, rng: np.random.Generator) -> Drawn:
    """Draw a picture for each chance of being negative."""
    truth = (rng.random(len(chances)) < chances).astype(float)
    scores = np.empty(len(truth))
    for label in (0, 1):
        scores[truth == label] = rng.choice(
            pool[1][pool[0] == label], sum(truth == label)
        )
    return truth, scores


def estimated(
    table: Drawn,
    taken: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    users: np.ndarray | None = None,
    offset: int = 0,
    num_units: int | None = None,
) -> Estimate:
    """Estimate the share from the labels of the pictures taken."""
    truth, scores = table
    units = np.arange(len(taken)) + offset if users is None else users[taken]
    labels = Labels(
        truth[taken],
        scores[taken],
        np.ones(len(taken)) if weights is None else weights,
        units,
    )
    groups = () if users is None else (np.bincount(users), np.bincount(users, scores))
    answers = Answers(len(scores), scores.sum(), (scores**2).sum(), *groups)
    return estimate(answers, labels, num_units=num_units or int(units.max()) + 1)


def simulate(pool: Drawn, share: float, rng: np.random.Generator) -> dict[str, float]:
    """Draw once; tell by name what holds the truth, and the widths."""
    table = draw(pool, np.full(NUM_PICTURES, share), rng)
    other = draw(pool, np.full(NUM_PICTURES, share + 0.1), rng)
    taken = np.arange(NUM_LABELS)
    found = estimated(table, taken)
    alone = estimated((table[0], np.zeros(NUM_PICTURES)), taken)
    difference = combine(
        [
            estimated(table, taken, num_units=2 * NUM_LABELS),
            estimated(other, taken, offset=NUM_LABELS),
        ],
        [1, -1],
    )
    users = np.arange(NUM_PICTURES) // PER_USER
    chances = rng.beta(2 * share, 2 * (1 - share), users[-1] + 1)
    posted = draw(pool, chances[users], rng)
    clustered = estimated(posted, taken, users=users, num_units=users[-1] + 1)
    sizes = sampling.uncertainty(np.stack([table[1], 1 - table[1]], axis=1))
    sampled = sampling.inclusion_probabilities(sizes, NUM_LABELS)
    unsure = sampling.draw(sampled, rng)
    weights = 1 / sampled[unsure]
    wrong = rng.random((NUM_ANNOTATORS, NUM_PICTURES)) < WRONG
    voted = np.abs(table[0] - wrong).mean(axis=0), table[1]
    counted = int((table[1] > 0.5).sum())
    intervals = {
        "share": found.interval,
        "difference": difference.interval,
        "clustered": clustered.interval,
        "weighted": estimated(table, unsure, weights=weights).interval,
        "annotators": estimated(voted, taken).interval,
        "both": estimated(voted, unsure, weights=weights).interval,
        "unweighted": estimated(table, unsure).interval,
        "plain count": wilson_interval(counted, NUM_PICTURES),
    }
    votes = share + WRONG - 2 * share * WRONG
    truths = dict.fromkeys(intervals, share) | {"difference": -0.1}
    truths |= {"annotators": votes, "both": votes}
    result: dict[str, float] = {}
    for name, interval in intervals.items():
        assert interval is not None
        result[name] = float(interval[0] <= truths[name] <= interval[1])
    for name, one in (("width", found), ("width of labels", alone)):
        assert one.interval is not None
        result[name] = one.interval[1] - one.interval[0]
    return result


def main() -> None:
    """Print a table: a line for each true share."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("--ratings", type=Path, help="OASIS' ratings.csv, for labels.")
    parser.add_argument("--draws", type=int, default=1000)
    arguments = parser.parse_args()
    pool = read(arguments.table, arguments.ratings)
    right = np.mean((pool[1] > 0.5) == pool[0])
    print(f"{len(pool[0])} pictures, right on {right:.3f}; {arguments.draws} draws")
    print("true share", *NAMES, *WORSE, "width, to labels alone", sep="  ")
    for share in SHARES:
        rng = np.random.default_rng(0)
        rows = [simulate(pool, share, rng) for _ in range(arguments.draws)]
        means = {name: np.mean([row[name] for row in rows]) for name in rows[0]}
        numbers = [f"{means[name]:.3f}".rjust(len(name)) for name in NAMES + WORSE]
        ratio = means["width"] / means["width of labels"]
        width = f"{means['width']:.3f}, {ratio - 1:+.1%}"
        print(f"{share:.1f}".rjust(10), *numbers, width, sep="  ")


if __name__ == "__main__":
    main()
