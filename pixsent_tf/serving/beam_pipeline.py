"""How are a hundred thousand pictures scored, on one machine or on many?

An Apache Beam pipeline: shards of the list -> RunInference over the SavedModel -> one
part of the table per shard. A job that was killed goes on where it was.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics
from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner

from pixsent_tf.locks import locked
from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.serving.job import Job, Shard
from pixsent_tf.serving.scorer import Scorer, read_names

DIRECT_RUNNER = "DirectRunner"
SHARD_SIZE = 256
_WATCH_SECONDS = 1.0


@dataclass(frozen=True)
class Scored:
    """How a job went.

    Attributes:
        statuses: Number of files by status, "ok" among them.
        resumed: Number of files whose rows an earlier job had left.
    """

    statuses: dict[str, int]
    resumed: int


class SavedModelHandler(ModelHandler[Shard, PredictionResult, Scorer]):
    """What RunInference needs to know about the exported model.

    Beam's own TensorFlow handlers do not load what Keras 3 exports.

    Args:
        saved_model: The version's folder.
        job: Where the shards' files are listed.
        num_examples: How many files are to be scored.
    """

    def __init__(self, saved_model: str, job: Job, num_examples: int) -> None:
        super().__init__()
        self.saved_model = saved_model
        self.job = job
        self.num_examples = num_examples

    def load_model(self) -> Scorer:
        """Load the SavedModel, once per process.

        Returns:
            The scorer.
        """
        return Scorer(self.saved_model, self.num_examples, open_anywhere)

    def run_inference(
        self,
        batch: Sequence[Shard],
        model: Scorer,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterator[PredictionResult]:
        """Score shards; keep the rows of each as soon as they are known.

        Beam may score several before it passes them on, and a kill would lose them.

        Args:
            batch: Some shards.
            model: What `load_model` returned.
            inference_args: None.

        Yields:
            Number of rows of each shard by status.
        """
        for shard in batch:
            rows = list(model.score(self.job.files(shard)))
            self.job.write_part(shard, rows)
            yield PredictionResult(shard, Counter(row.status for row in rows))

    def batch_elements_kwargs(self) -> dict[str, Any]:
        """Give each shard on as soon as it is scored: a batch of pictures is inside.

        Returns:
            Settings of Beam's batches.
        """
        return {"min_batch_size": 1, "max_batch_size": 1}

    def get_metrics_namespace(self) -> str:
        """Name the metrics.

        Returns:
            Their namespace.
        """
        return "pixsent_tf"


class CountRows(beam.DoFn):
    """Count rows by status."""

    def process(self, element: PredictionResult) -> Iterator[int]:
        """Count those of one part.

        Args:
            element: A shard, and what `SavedModelHandler` counted of it.

        Yields:
            The number of its files.
        """
        statuses: Any = element.inference  # Beam's own types say nothing
        for status, count in statuses.items():
            Metrics.counter("pixsent_tf", f"status_{status}").inc(count)
        yield statuses.total()


def score(
    files: Iterable[str],
    saved_model: str,
    out: str,
    *,
    settings: dict[str, Any],
    columns: Mapping[str, Sequence[str]] | None = None,
    runner: str = DIRECT_RUNNER,
    options: Sequence[str] = (),
    shard_size: int = SHARD_SIZE,
    keep_parts: bool = False,
    progress: Progress = NO_PROGRESS,
) -> Scored:
    """Score files into a table.

    Args:
        files: Paths, on any file system that Beam knows.
        saved_model: The version's folder, where every worker can read it.
        out: The table, `*.parquet` or `*.csv`; `OUT.parts` beside it keeps what is
            done until it is complete.
        settings: What identifies the job; one that was killed goes on if they agree.
        columns: What else the table shall say of the files, by name, in their order.
        runner: Beam's name of it; by default this process.
        options: Further options of the pipeline, such as "--num_workers=8".
        shard_size: Files a shard; what a kill can cost.
        keep_parts: Leave the parts when the table is complete.
        progress: Hears how far it is.

    Returns:
        How it went.

    Raises:
        RunError: If another process is at the same table, or what it kept is damaged.
        UsageError: If `OUT.parts` is of another job, or there are no files.
    """
    settings = {**settings, "shard_size": shard_size}
    names = read_names(saved_model).columns
    job = Job.start(f"{out}.parts", settings, names, files, columns or {})
    shards = job.shards(shard_size)
    done = job.keep_whole(shards)
    resumed = sum(shard.count for shard in shards if shard.number in done)
    pending = [shard for shard in shards if shard.number not in done]
    if pending:
        total = sum(shard.count for shard in shards)
        with (
            locked([] if "://" in out else [Path(f"{out}.parts", "table.lock")]),
            progress.step(total, "scoring"),
            _watched(job, shards, progress),
        ):
            _run(pending, job, saved_model, runner, options)
    statuses = job.assemble(shards, out)
    if not keep_parts:
        job.remove()
    return Scored(dict(statuses), resumed)


def _run(
    pending: list[Shard],
    job: Job,
    saved_model: str,
    runner: str,
    options: Sequence[str],
) -> None:
    """Build the pipeline and wait for its end."""
    # Beam's "DirectRunner" first tries to download another one.
    local = runner == DIRECT_RUNNER
    pipeline = beam.Pipeline(
        runner=FnApiRunner() if local else runner,
        options=PipelineOptions(list(options)),
    )
    handler = SavedModelHandler(saved_model, job, sum(shard.count for shard in pending))
    _ = (
        pipeline
        | "Shards" >> beam.Create(pending)
        | "Spread" >> beam.Reshuffle()
        | "Score" >> RunInference(handler)
        | "Count" >> beam.ParDo(CountRows())
    )
    pipeline.run().wait_until_finish()


@contextlib.contextmanager
def _watched(job: Job, shards: Sequence[Shard], progress: Progress) -> Iterator[None]:
    """Report parts as they appear, whoever writes them."""
    counts = {shard.number: shard.count for shard in shards}
    seen: set[int] = set()
    ended = threading.Event()

    def report() -> None:
        new = job.done() - seen
        seen.update(new)
        progress.advance(sum(counts[number] for number in new))

    def watch() -> None:
        while not ended.wait(_WATCH_SECONDS):
            report()

    report()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
        report()


def open_anywhere(path: str) -> Any:
    """Open a file of any file system.

    Args:
        path: A local path, or one such as `gs://bucket/photo.jpg`.

    Returns:
        A file of its bytes, as they are.
    """
    return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)
