"""Does the paper come out again? (`pixsent-tf reproduce campos2016`)

    OUT/
      study.json            what is run, and every shortcut
      table-T.md .json .png one for each table of the paper
      rows/NAME/            the cross-validation of a row; finished folds stay
      probes/ maps/         what Table 3 and the maps keep

Started again on the same folder, a study goes on where it ended.

Reference:
    Campos et al., "From Pixels to Sentiment: Fine-tuning CNNs for Visual Sentiment
    Prediction", Image and Vision Computing 65, 2017.
"""

from __future__ import annotations

from pathlib import Path

from pixsent_tf.progress import NO_PROGRESS, Progress
from pixsent_tf.results.paper import PaperTable, ReproduceResults
from pixsent_tf.runs import Run, environment, write_text
from pixsent_tf.studies.paper.measured_table import to_markdown
from pixsent_tf.studies.paper.plan import Plan
from pixsent_tf.studies.paper.rows import Rows
from pixsent_tf.studies.paper.tables import run_table


def reproduce(
    plan: Plan, out: Path, *, progress: Progress = NO_PROGRESS
) -> ReproduceResults:
    """Run tables of the paper, or go on with them.

    Args:
        plan: What to run.
        out: The folder to fill, or to go on with.
        progress: Hears of each row, and how far it is.

    Returns:
        The tables, each as `table-T.json` holds it.

    Raises:
        DataError: If the data cannot be opened.
        RunError: If the folder holds another study.
    """
    notes = {"notes": plan.notes, "environment": environment()}
    run = Run.begin(out, plan.identity, **notes)
    rows = Rows(plan, run, progress)
    tables: dict[str, PaperTable] = {}
    for name in plan.tables:
        tables[name] = table = run_table(rows, name)
        run.write_json(f"table-{name}.json", table)
        write_text(run.path / f"table-{name}.md", to_markdown(table))
    return {"tables": tables, "out": str(run.path)}
