"""pixsent-tf audit DATA: can this data be trusted?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.options import (
    GROUP,
    IMAGES,
    engine_options,
    refuse_idle,
    setting,
)
from pixsent_tf.cli.reading import data_config, reading_options
from pixsent_tf.cli.tables import print_table
from pixsent_tf.cli.trouble import OutFile
from pixsent_tf.config import LEVELS
from pixsent_tf.errors import shown
from pixsent_tf.results.audits import (
    AuditPart,
    AuditResults,
    CopiedPair,
    RunAuditResults,
    Suspect,
)

MAX_PAIRS = 20


@click.command(name="audit")
@click.argument("data")
@setting(
    "data.level", f"One agreement level only, of {', '.join(LEVELS)}; all if left out."
)
@IMAGES
@GROUP
@reading_options
@click.option(
    "--suspects",
    is_flag=True,
    help="List the labels that a model which has not seen them believes least.",
)
@click.option(
    "--run",
    help="A crossval run of DATA whose answers doubt; else heads are trained for it.",
)
@click.option(
    "--out",
    type=OutFile(),
    help="Web page to write, with the pairs; suspects are decided on there.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["leak"]),
    help="Exit with 1 if a test picture, or a copy of it, is trained on.",
)
@engine_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    data: str,
    suspects: bool,
    run: str | None,
    out: str | None,
    fail_on: str | None,
    as_json: bool,
    quiet: bool,
    **named: Any,
) -> None:
    """Look for what makes results look better than they are.

    DATA is any source of pictures, or the folder of a run: of a run it is checked that
    no decision, such as a search for settings, saw a picture that it was tested on.

    Counts classes and folds, names unreadable files, and finds copies of one picture
    (the same bytes, encoded again, resized or slightly cut): in training and test at
    once, or under two labels. Where votes are known, it tells how often people agree.

    With --suspects it lists the labels that are least believable, and the page of --out
    takes what you decide on each and gives the corrected list.

    \b
    Example:
      pixsent-tf audit pictures/ --out audit.html
      pixsent-tf audit pictures/ --suspects --out audit.html
      pixsent-tf audit deepsent/ --json --fail-on leak
      pixsent-tf audit runs/tuned         exit 1 when a decision saw test pictures
    """
    if (Path(data) / "recipe.json").is_file():
        idle = [*named, "suspects", "run", "out", "fail_on"]
        refuse_idle(idle, "for a run")
        audit_decisions(Path(data), as_json=as_json)
        return
    if not suspects:
        refuse_idle(["run"], "without --suspects")
    from pixsent_tf.data.copies import audit, page
    from pixsent_tf.runs import write_text

    if suspects or data.startswith("tfds:"):
        console.load_tensorflow()
    progress = console.show_progress(quiet=quiet)
    parts = audit.open_parts(data_config(data, **named), progress=progress)
    findings = audit.audit(parts, progress=progress)
    if suspects:
        from pixsent_tf.studies.suspects import list_suspects

        for part, found in zip(parts, findings["parts"], strict=True):
            found["suspects"] = list_suspects(
                part, run=Path(run) if run else None, progress=progress
            )
    if out:
        text = page.render(findings, title=Path(data).name, parts=parts)
        write_text(Path(out), text)
    if as_json:
        click.echo(json.dumps(findings, allow_nan=False))
    else:
        _print(findings)
    if fail_on == "leak" and findings["has_leak"]:
        console.warn("Training holds test pictures or copies of them: a leak.")
        sys.exit(1)


def audit_decisions(folder: Path, *, as_json: bool) -> None:
    """Check what the decisions of a run saw; exit with 1 if it was too much.

    Args:
        folder: The run's folder.
        as_json: Print one JSON object.
    """
    from pixsent_tf.runs import Run
    from pixsent_tf.studies.provenance import decisions

    findings = decisions.audit_run(Run.open(folder))
    if as_json:
        click.echo(json.dumps(findings, allow_nan=False))
    else:
        _print_decisions(findings)
    if findings["has_leak"]:
        console.warn("A decision saw what its fold tested, or does not say: a leak.")
        sys.exit(1)


def _print_decisions(findings: RunAuditResults) -> None:
    for fold in findings["folds"]:
        saw = ", ".join(
            f"{row['name']} saw {max(row['trained'], row['validated'])}"
            for row in fold["decisions"]
        )
        click.echo(f"fold {fold['fold']}: {saw}; tested {fold['tested']} pictures")
    for leak in findings["leaks"][:MAX_PAIRS]:
        click.echo(
            f"  leak in fold {leak['fold']}: {leak['decision']} {leak['part']} on "
            f"{leak['id']}, which the fold tested"
        )
    for name in findings["unrecorded"][:MAX_PAIRS]:
        click.echo(f"  {name} has a prediction that no fold owns up to")
    click.echo("A leak was found." if findings["has_leak"] else "No leak was found.")


def _print(findings: AuditResults) -> None:
    """Print a column for each part, then the pairs that matter."""
    parts = findings["parts"]
    rows = [["", *(part["name"] for part in parts)]]
    rows += [[title, *(str(show(part)) for part in parts)] for title, show in ROWS]
    print_table(rows)
    for part in parts:
        _print_pairs(part["name"], part["crossing"], "pairs that cross folds or splits")
        _print_pairs(part["name"], part["conflicting"], "pairs with two labels")
        _print_suspects(part["name"], part["suspects"] or [])
        for row in part["unreadable"][:MAX_PAIRS]:
            click.echo(f"  unreadable ({row['reason']}): {row['message']}")
        for name in part["repaired"][:MAX_PAIRS]:
            click.echo(f"  ok (repaired): {shown(name)} lacks its end marker")
    for pair in findings["across_parts"]:
        least, most = min(pair["leaked"]), max(pair["leaked"])
        click.echo(
            f"{pair['trained']} trains on {least} to {most} of the "
            f"{max(pair['num_examples'])} pictures that {pair['tested']} tests in the "
            f"fold of the same number."
        )
    click.echo("A leak was found." if findings["has_leak"] else "No leak was found.")


def _classes(part: AuditPart) -> str:
    return ", ".join(f"{count} {name}" for name, count in part["classes"].items())


def _folds(part: AuditPart) -> str:
    if part["splits"] is not None:
        return ", ".join(f"{split} {n}" for split, n in part["splits"].items())
    if part["in_folds"] is None:
        return "none published"
    sizes = sorted({row["num_examples"] for row in part["folds"]})
    return f"{len(part['folds'])} of {' or '.join(map(str, sizes))}"


def _rates(part: AuditPart) -> str:
    rates = [row["majority_rate"] for row in part["folds"]]
    return f"{min(rates):.3f} to {max(rates):.3f}" if rates else "-"


def _copied(part: AuditPart) -> str:
    return " ".join(str(row["copied_from_training"]) for row in part["folds"]) or "-"


def _unreadable(part: AuditPart) -> str:
    reasons = part["unreadable_by_reason"].items()
    return ", ".join(f"{count} {reason}" for reason, count in reasons) or "none"


def _crossing_groups(part: AuditPart) -> str:
    return "-" if part["crossing_groups"] is None else str(len(part["crossing_groups"]))


def _suspects(part: AuditPart) -> str:
    return "not looked for" if part["suspects"] is None else str(len(part["suspects"]))


def _or_dash(value: Any) -> str:
    return {None: "-", True: "yes", False: "no"}.get(value, str(value))


ROWS: tuple[tuple[str, Callable[[AuditPart], Any]], ...] = (
    ("pictures", lambda part: part["num_examples"]),
    ("classes", _classes),
    ("majority rate", lambda part: f"{part['majority_rate']:.3f}"),
    ("unreadable", _unreadable),
    ("folds", _folds),
    ("pictures in folds", lambda part: _or_dash(part["in_folds"])),
    ("majority rate by fold", _rates),
    ("folds are stratified", lambda part: _or_dash(part["is_stratified"])),
    ("byte-identical pairs", lambda part: part["exact_pairs"]),
    ("near-duplicate pairs", lambda part: part["near_pairs"]),
    ("pairs across folds", lambda part: len(part["crossing"])),
    ("test copies in training", _copied),
    ("groups", lambda part: _or_dash(part["num_groups"])),
    ("groups across folds", _crossing_groups),
    ("pairs with two labels", lambda part: len(part["conflicting"])),
    ("labels to look at again", _suspects),
    ("label ceiling", lambda part: _or_dash(part["label_ceiling"])),
)


def _print_suspects(name: str, suspects: Sequence[Suspect]) -> None:
    if not suspects:
        return
    believed = sum(row["is_believed"] for row in suspects)
    click.echo(
        f"\n{name}: {len(suspects)} labels to look at again; about {believed} may be "
        f"wrong"
    )
    for row in suspects[:MAX_PAIRS]:
        click.echo(
            f"  {row['rank']:>3} {row['label']} {row['prob_label']:.3f}, answered "
            f"{row['answer']}  {row['id']}"
        )
    if len(suspects) > MAX_PAIRS:
        click.echo(f"  and {len(suspects) - MAX_PAIRS} more; --json or --out has them.")


def _print_pairs(name: str, pairs: Sequence[CopiedPair], what: str) -> None:
    if not pairs:
        return
    click.echo(f"\n{name}: {len(pairs)} {what}")
    for pair in pairs[:MAX_PAIRS]:
        folds = f" folds {pair['folds'][0]} {pair['folds'][1]}" if pair["folds"] else ""
        labels = "/".join(dict.fromkeys(pair["labels"]))
        click.echo(f"  {pair['kind']:<5}{folds} {labels}  {'  '.join(pair['ids'])}")
    if len(pairs) > MAX_PAIRS:
        click.echo(
            f"  and {len(pairs) - MAX_PAIRS} more; --json or --out has them all."
        )
