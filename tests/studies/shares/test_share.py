"""From tables to shares by cell."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import pixsent_tf
from pixsent_tf.data.lists import tables
from pixsent_tf.errors import DataError, UsageError
from tests.heard import Heard


def write(path, columns, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """1,200 pictures in two cities and six weeks, 120 labelled; .2 and .6 negative."""
    folder = tmp_path_factory.mktemp("world")
    rng = np.random.default_rng(1)
    table, meta, labels = [], [], []
    for i in range(1200):
        city = ("bern", "rom")[i % 2]
        negative = rng.random() < (0.2, 0.6)[i % 2]
        logit = 1.2 * (2 * negative - 1) + rng.normal() + 0.9
        prob = round(float(1 / (1 + np.exp(-2 * logit))), 6)
        answer = "negative" if prob > 0.5 else "positive"
        table.append([f"{i}.jpg", answer, prob, round(1 - prob, 6), "ok"])
        meta.append([f"{i}.jpg", city, f"2024-01-{1 + 7 * (i % 4):02}", f"u{i % 300}"])
        meta[-1].append("xyz"[i % 3])
        if i < 120:
            labels.append([f"{i}.jpg", "negative" if negative else "positive"])
    table += [[f"bad{i}.jpg", "", "", "", "truncated"] for i in range(12)]
    meta += [[f"bad{i}.jpg", "bern", "2024-01-01", "u1", "x"] for i in range(12)]
    columns = ["path", "answer", "prob_negative", "prob_positive", "status"]
    write(folder / "table.csv", columns, table)
    write(folder / "meta.csv", ["path", "city", "date", "user", "shop"], meta)
    write(folder / "labels.csv", ["path", "label"], labels)
    return folder


def shares_of(world, **settings):
    settings.setdefault("labels", world / "labels.csv")
    return pixsent_tf.share(world / "table.csv", **settings)


def test_shares_are_put_right_in_each_cell_and_told_apart(world):
    results = shares_of(world, by="city", meta=world / "meta.csv")

    bern, rome = results["cells"]
    assert [bern["by"], rome["by"]] == [{"city": "bern"}, {"city": "rom"}]
    for cell, truth in ((bern, 0.2), (rome, 0.6)):
        negative, positive = cell["shares"]["negative"], cell["shares"]["positive"]
        low, high = negative["interval"]
        assert (cell["num_examples"], cell["num_labels"]) == (600, 60)
        assert low < truth < high
        assert negative["plain"] > truth + 0.1
        assert negative["corrected"] + positive["corrected"] == pytest.approx(1)
        assert positive["interval"] == pytest.approx([1 - high, 1 - low])
    difference = results["differences"][0]
    assert difference["class_name"] == "negative"
    assert difference["difference"] == pytest.approx(
        bern["shares"]["negative"]["corrected"]
        - rome["shares"]["negative"]["corrected"]
    )
    assert difference["p_holm"] < 0.01


def test_plain_shares_are_counts_of_the_answers(world):
    results = shares_of(world, labels=None)

    with (world / "table.csv").open() as file:
        answers = [row["answer"] for row in csv.DictReader(file) if row["answer"]]
    (cell,) = results["cells"]
    negative = cell["shares"]["negative"]
    assert negative["plain"] == answers.count("negative") / 1200
    assert negative["corrected"] is negative["interval"] is None
    assert {"half_width": 0.05, "num_labels": 385} in results["labels_needed"]
    assert "uncorrected" in results["notes"][0]


def test_unreadable_pictures_bound_the_share(world):
    (cell,) = shares_of(world)["cells"]

    share = cell["shares"]["negative"]
    low, high = share["bounds"]
    assert cell["num_unreadable"] == 12
    assert low == pytest.approx(share["corrected"] * 1200 / 1212)
    assert high == pytest.approx((share["corrected"] * 1200 + 12) / 1212)


def test_periods_are_cells_and_have_a_trend(world):
    settings = {"meta": world / "meta.csv", "group": "user"}
    results = shares_of(world, over="date:week", by="city", **settings)

    assert [cell["by"] for cell in results["cells"]][:2] == [
        {"city": "bern", "date": "2024-W01"},
        {"city": "bern", "date": "2024-W03"},
    ]
    months = shares_of(world, over="date:month", **settings)
    assert [cell["by"] for cell in months["cells"]] == [{"date": "2024-01"}]
    weeks = shares_of(world, over="date", **settings)
    assert [trend["class_name"] for trend in weeks["trends"]] == [
        "negative",
        "positive",
    ]
    assert "clustered by user" in weeks["methods"]


def test_cells_with_few_labels_borrow_and_say_so(world, tmp_path):
    with (world / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    kept = [list(row.values()) for i, row in enumerate(rows) if i % 3 or i < 30]
    labels = write(tmp_path / "few.csv", ["path", "label"], kept)

    results = shares_of(world, labels=labels, by="shop", meta=world / "meta.csv")

    told = [(cell["num_labels"], cell["borrowed"]) for cell in results["cells"]]
    assert told == [(10, True), (40, False), (40, False)]
    low, high = results["cells"][0]["shares"]["negative"]["interval"]
    assert low < 0.4 < high
    assert high - low < 0.3
    assert any("borrowed" in note for note in results["notes"])


def test_json_lines_and_parquet_give_what_csv_gives(world, tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    lines, columns = [], []
    with (world / "table.csv").open() as file:
        for row in csv.DictReader(file):
            ok = row["status"] == "ok"
            probs = {c: float(row[f"prob_{c}"]) for c in ("negative", "positive") if ok}
            head = {"path": row["path"], "answer": row["answer"] or None}
            lines.append({**head, "probs": probs or None, "status": row["status"]})
            flat = {f"prob_{c}": probs.get(c) for c in ("negative", "positive")}
            columns.append({**head, **flat, "status": row["status"]})
    table = tmp_path / "table.jsonl"
    table.write_text("".join(json.dumps(line) + "\n" for line in lines))
    pq.write_table(pa.Table.from_pylist(columns), tmp_path / "table.parquet")

    expected = shares_of(world)
    for name in ("table.jsonl", "table.parquet"):
        found = pixsent_tf.share(tmp_path / name, world / "labels.csv")
        assert found["cells"] == expected["cells"]


def test_annotators_vote(tmp_path):
    table = write(
        tmp_path / "t.csv", ["path", "answer"], [[f"{i}", "negative"] for i in range(9)]
    )
    votes = [
        [f"{i}", ("negative", "positive")[who and i % 2], who]
        for i in range(8)
        for who in (0, 1)
    ]
    labels = write(tmp_path / "l.csv", ["path", "label", "annotator"], votes)

    results = pixsent_tf.share(table, labels)

    # half of the pictures by both votes, the other half by one of two
    (cell,) = results["cells"]
    assert cell["shares"]["negative"]["corrected"] == pytest.approx(0.75)
    assert any("votes" in note for note in results["notes"])


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"by": "town"}, DataError, "no column 'town'"),
        ({"over": "date:decade"}, UsageError, "use day, week, month, year"),
        ({"over": "answer"}, DataError, "dates are written"),
        ({"meta": "absent.csv"}, DataError, "does not exist"),
    ],
)
def test_what_cannot_be_cut_is_refused(world, settings, error, match):
    with pytest.raises(error, match=match):
        shares_of(world, **settings)


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        ("path,label\nelsewhere.jpg,negative\n", "labels no picture"),
        ("path,label\n1.jpg,sad\n", "labelled 'sad'"),
        ("path,label\n1.jpg,negative\n1.jpg,positive\n", "label it once"),
        ("path,label,probability\n1.jpg,negative,1.5\n", "above 0, up to 1"),
        ("path,label,probability\n1.jpg,negative,1\n2.jpg,negative,\n", "but others"),
        ("path,label\n1.jpg,skip\n", "holds no labels"),
        ("path\n1.jpg\n", "lacks a path or a label"),
    ],
)
def test_labels_that_contradict_are_refused(world, tmp_path, lines, match):
    (tmp_path / "labels.csv").write_text(lines)

    with pytest.raises(DataError, match=match):
        shares_of(world, labels=tmp_path / "labels.csv")


def test_a_table_with_ids_and_paths_is_joined_by_either(world, tmp_path):
    with (world / "table.csv").open() as file:
        rows = list(csv.DictReader(file))
    columns = ["id", *rows[0]]
    table = write(
        tmp_path / "t.csv",
        columns,
        [[f"post-{i}", *row.values()] for i, row in enumerate(rows)],
    )
    by_id = write(
        tmp_path / "l.csv",
        ["id", "label"],
        [[f"post-{i}", "negative"] for i in range(30)],
    )
    by_path = write(
        tmp_path / "m.csv",
        ["path", "label"],
        [[f"{i}.jpg", "negative"] for i in range(30)],
    )

    first, second = (pixsent_tf.share(table, one)["cells"] for one in (by_id, by_path))

    assert first == second
    assert first[0]["num_labels"] == 30


def test_batches_add_up_to_what_one_would_be(world, monkeypatch):
    settings = {"meta": world / "meta.csv", "group": "user", "by": ("city", "shop")}
    at_once = shares_of(world, **settings)

    monkeypatch.setattr(tables, "BATCH_ROWS", 100)
    in_parts = shares_of(world, **settings)

    assert flatten(in_parts["cells"]) == pytest.approx(flatten(at_once["cells"]))


def flatten(cells):
    return [
        number
        for cell in cells
        for share in cell["shares"].values()
        for number in (share["plain"], share["corrected"], *share["interval"])
    ]


def test_how_far_it_is_is_told_until_all_rows_are_read(world):
    heard = Heard()

    shares_of(world, progress=heard)

    assert heard.steps == [(1212, "reading")]
    assert sum(heard.counts) == 1212
