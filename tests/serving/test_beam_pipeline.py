from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.float32 import assert_close_float32
from tests.serving.conftest import OPERATIONS

pytest.importorskip("apache_beam")

import pyarrow.parquet as pq

from pixsent_tf.serving import beam_pipeline
from pixsent_tf.serving.job import Job
from tests.heard import Heard

pytestmark = [
    # Beam warns about itself
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def files(pngs, tmp_path):
    """Twenty-one pictures, every seventh broken."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(21):
        content = pngs[number % 7] if number % 7 != 3 else b"broken"
        (folder / f"{number:02}.png").write_bytes(content)
    return sorted(str(path) for path in folder.iterdir())


def score(files, tiny_export, tmp_path, **settings):
    out = str(tmp_path / "table.parquet")
    scored = beam_pipeline.score(
        files, str(tiny_export), out, settings={"job": 1}, shard_size=4, **settings
    )
    return scored, pq.read_table(out).to_pydict()


def test_the_table_is_what_predict_says(files, tiny_export, tiny_model, tmp_path):
    scored, table = score(files, tiny_export, tmp_path)

    predictions = list(tiny_model.predict(files))
    expected = [None if p.error else p.probs[1] for p in predictions]
    readable = [value is not None for value in expected]
    assert table["path"] == files
    assert [status == "ok" for status in table["status"]] == readable
    assert_close_float32(
        [p for p in table["prob_positive"] if p is not None],
        [p for p in expected if p is not None],
        operations=OPERATIONS,
    )
    assert scored.statuses == {"ok": 18, "not_an_image": 3}


def test_progress_counts_every_file_once(files, tiny_export, tmp_path):
    heard = Heard()

    score(files, tiny_export, tmp_path, progress=heard)

    assert sum(heard.counts) == 21


def test_finished_shards_are_not_scored_again(files, tiny_export, tmp_path):
    _, whole = score(files, tiny_export, tmp_path, keep_parts=True)
    parts = sorted((tmp_path / "table.parquet.parts").glob("part-*"))
    before = {part: part.stat().st_mtime_ns for part in parts}
    parts[2].unlink()

    scored, table = score(files, tiny_export, tmp_path, keep_parts=True)

    after = {part: part.stat().st_mtime_ns for part in parts}
    assert [part for part in parts if after[part] != before[part]] == [parts[2]]
    assert scored.resumed == 21 - 4
    assert table == whole


def test_rows_are_kept_before_they_are_passed_on(files, tiny_export, tmp_path):
    job = Job.start(str(tmp_path / "parts"), {}, ("negative", "positive"), files)
    handler = beam_pipeline.SavedModelHandler(str(tiny_export), job, 8)
    shards = job.shards(8)

    results = handler.run_inference(shards, handler.load_model())

    for number, result in enumerate(results, start=1):
        assert job.done() == set(range(number))  # and no later one is begun
        assert result.inference.total() == shards[number - 1].count


def test_nothing_is_left_beside_the_table(files, tiny_export, tmp_path):
    score(files, tiny_export, tmp_path)

    assert sorted(os.listdir(tmp_path)) == ["pictures", "table.parquet"]


def test_the_counters_are_beams(files, tiny_export, tmp_path):
    import apache_beam as beam
    from apache_beam.ml.inference.base import RunInference
    from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

    names = ("negative", "positive")
    job = Job.start(str(tmp_path / "parts"), {}, names, files)
    pipeline = beam.Pipeline(runner=FnApiRunner())
    _ = (
        pipeline
        | beam.Create(job.shards(8))
        | RunInference(beam_pipeline.SavedModelHandler(str(tiny_export), job, 8))
        | beam.ParDo(beam_pipeline.CountRows())
    )
    result = pipeline.run()
    result.wait_until_finish()

    counters = result.metrics().query()["counters"]
    statuses = {
        counter.key.metric.name: counter.committed
        for counter in counters
        if counter.key.metric.name.startswith("status_")
    }
    assert statuses == {"status_ok": 18, "status_not_an_image": 3}


KILLED = """
import sys
from pixsent_tf.serving import beam_pipeline
_, export, out, *files = sys.argv
beam_pipeline.score(files, export, out, settings={"job": 1}, shard_size=4)
"""


@pytest.mark.journey
def test_a_killed_job_goes_on_to_the_same_table(files, tiny_export, tmp_path):
    _, whole = score(files, tiny_export, tmp_path)
    out = tmp_path / "killed.parquet"
    slow = KILLED.replace(
        "_, export",
        "import time; from pixsent_tf.serving.job import Job\n"
        "write = Job.write_part\n"
        "Job.write_part = lambda *a: (write(*a), time.sleep(0.5))\n"
        "_, export",
    )
    command = ["-W", "ignore", "-c", slow, str(tiny_export), str(out), *files]
    process = subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL)
    parts = tmp_path / "killed.parquet.parts"
    deadline = time.monotonic() + 120
    while not len(list(parts.glob("part-*"))) >= 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()

    scored = beam_pipeline.score(
        files, str(tiny_export), str(out), settings={"job": 1}, shard_size=4
    )

    assert 8 <= scored.resumed < 21
    assert pq.read_table(out).to_pydict() == whole
