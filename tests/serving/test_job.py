from __future__ import annotations

import csv
from pathlib import Path

import pytest

from pixsent_tf.errors import RunError, UsageError
from pixsent_tf.inference.prediction import answer_columns
from pixsent_tf.serving.scorer import Row

pytest.importorskip("apache_beam")

import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from pixsent_tf.serving.job import Job

NAMES = answer_columns(("negative", "positive"))
FILES = [f"pictures/{name}.jpg" for name in ("a", "b ö", "c\nd", "e", "f")]


@pytest.fixture
def job(tmp_path):
    return Job.start(str(tmp_path / "t.parts"), {"model": "m"}, NAMES, FILES)


def test_shards_hold_every_file_once_in_order(job):
    shards = job.shards(2)

    assert [shard.count for shard in shards] == [2, 2, 1]
    assert [path for shard in shards for path in job.files(shard)] == FILES


def test_a_part_that_is_written_is_done(job):
    second = job.shards(2)[1]

    job.write_part(second, [Row("x", "ok", "positive", (0.25, 0.75))])

    assert job.done() == {1}


def test_a_half_written_part_is_not_done(job):
    (path,) = [f"{job.folder}/.part-00000.parquet.tmp"]
    with open(path, "wb") as file:
        file.write(b"PAR1")

    assert job.done() == set()


def fill(job):
    first, second = job.shards(3)
    job.write_part(
        first,
        [
            Row("a", "ok", "positive", (0.25, 0.75)),
            Row("b", "truncated"),
            Row("c", "ok", "negative", (0.5, 0.5)),
        ],
    )
    job.write_part(second, [Row("d", "missing"), Row("e", "missing")])
    return [first, second]


def test_the_parquet_table_has_one_row_per_file(job, tmp_path):
    statuses = job.assemble(fill(job), str(tmp_path / "t.parquet"))

    table = pq.read_table(tmp_path / "t.parquet").to_pydict()
    assert table == {
        "path": ["a", "b", "c", "d", "e"],
        "answer": ["positive", None, "negative", None, None],
        "prob_negative": [0.25, None, 0.5, None, None],
        "prob_positive": [0.75, None, 0.5, None, None],
        "status": ["ok", "truncated", "ok", "missing", "missing"],
    }
    assert statuses == {"ok": 2, "truncated": 1, "missing": 2}


def test_the_csv_table_has_the_columns_of_predict(job, tmp_path):
    job.assemble(fill(job), str(tmp_path / "t.csv"))

    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[:3] == [
        ["path", "answer", "prob_negative", "prob_positive", "status"],
        ["a", "positive", "0.25", "0.75", "ok"],
        ["b", "", "", "", "truncated"],
    ]


def test_a_job_goes_on_with_the_files_it_began_with(job):
    again = Job.start(job.folder, {"model": "m"}, NAMES, ["new.jpg"])

    (shard,) = again.shards(10)
    assert again.files(shard) == FILES


def test_another_job_in_the_folder_is_refused(job):
    with pytest.raises(UsageError, match="holds the parts of another job"):
        Job.start(job.folder, {"model": "other"}, NAMES, FILES)


def test_nothing_to_score_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no pictures to score"):
        Job.start(str(tmp_path / "x"), {}, NAMES, [])


def test_the_folder_goes_when_it_is_removed(job, tmp_path):
    job.remove()

    assert list(tmp_path.iterdir()) == []


def test_a_part_as_it_was_written_is_kept(job):
    shards = fill(job)

    assert job.keep_whole(shards) == {0, 1}


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:60] + bytes([content[60] ^ 1]) + content[61:],
        lambda content: b"[]",
    ],
    ids=["emptied", "cut", "a bit flipped", "another type"],
)
def test_a_damaged_part_is_scored_again(damage, job):
    shards = fill(job)
    (path,) = Path(job.folder).glob("part-00001-*.parquet")
    path.write_bytes(damage(path.read_bytes()))

    assert job.keep_whole(shards) == {0}
    assert not path.exists()


def test_a_part_whose_pictures_were_replaced_is_scored_again(tmp_path):
    files = [tmp_path / name for name in ("a.jpg", "b.jpg")]
    for path in files:
        path.write_bytes(b"one")
    job = Job.start(str(tmp_path / "t.parts"), {}, NAMES, map(str, files))
    shards = job.shards(1)
    for shard in shards:
        job.write_part(shard, [Row("a", "missing")])
    files[0].write_bytes(b"another")

    assert job.keep_whole(shards) == {1}


@pytest.mark.parametrize("name", ["job.json", "files.jsonl"])
@pytest.mark.parametrize("content", ["", "[]", "[1"])
def test_a_damaged_list_or_setting_is_named(name, content, job):
    Path(job.folder, name).write_text(content)

    with pytest.raises(RunError, match=f"{name} is damaged: .*; remove .* to begin"):
        Job.start(job.folder, {"model": "m"}, NAMES, FILES).shards(2)


def test_what_is_kept_of_a_file_stands_beside_its_answer(tmp_path):
    names = [f"{number}.jpg" for number in range(5)]
    columns = {"group": list("uvwxy"), "source": list("12345")}
    job = Job.start(str(tmp_path / "t.parts"), {}, NAMES, names, columns)
    shards = job.shards(2)
    for shard in reversed(shards):
        rows = [Row(path, "missing") for path in job.files(shard)]
        job.write_part(shard, rows)

    job.assemble(shards, str(tmp_path / "t.parquet"))

    table = pq.read_table(tmp_path / "t.parquet").to_pydict()
    assert table["path"] == names
    assert table["group"] == list("uvwxy")
    assert table["source"] == list("12345")


def test_other_columns_are_another_job(tmp_path):
    Job.start(str(tmp_path / "x"), {}, NAMES, ["a"], {"group": ["u"]})

    with pytest.raises(UsageError, match="holds the parts of another job"):
        Job.start(str(tmp_path / "x"), {}, NAMES, ["a"])


def test_a_list_that_has_changed_since_the_job_began_is_refused(job):
    (path,) = [p for p in Path(job.folder).iterdir() if p.name != "job.json"]
    path.write_bytes(path.read_bytes().replace(b"pictures/e", b"pictures/E"))

    with pytest.raises(RunError, match="is damaged: its checksum does not fit"):
        job.shards(2)


def test_many_parts_are_joined_in_the_order_of_the_files(tmp_path):
    names = [f"{number}.jpg" for number in range(12)]
    job = Job.start(str(tmp_path / "t.parts"), {}, NAMES, names)
    shards = job.shards(1)
    for shard in sorted(shards, key=lambda one: str(one.number)):
        job.write_part(shard, [Row(path, "missing") for path in job.files(shard)])

    job.assemble(shards, str(tmp_path / "t.parquet"))

    assert pq.read_table(tmp_path / "t.parquet")["path"].to_pylist() == names


@pytest.mark.parametrize("killed_at", [1, 2])
def test_a_job_that_was_killed_as_it_began_begins_anew(
    tmp_path, monkeypatch, killed_at
):
    folder, written = str(tmp_path / "t.parts"), []
    rename = FileSystems.rename

    def killed(sources, targets):
        written.append(targets)
        if len(written) == killed_at:
            raise KeyboardInterrupt
        rename(sources, targets)

    monkeypatch.setattr(FileSystems, "rename", killed)
    with pytest.raises(KeyboardInterrupt):
        Job.start(folder, {"model": "m"}, NAMES, ["old.jpg"])
    monkeypatch.setattr(FileSystems, "rename", rename)

    again = Job.start(folder, {"model": "m"}, NAMES, FILES)

    assert [path for shard in again.shards(2) for path in again.files(shard)] == FILES
