"""pixsent-tf label TABLE|FOLDER: say what pictures are, one key each."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.files import find_files
from pixsent_tf.cli.options import COUNT, NAMES, Value
from pixsent_tf.cli.trouble import OutFile
from pixsent_tf.config import CLASS_NAMES
from pixsent_tf.config.values import Range
from pixsent_tf.errors import DataError, UsageError
from pixsent_tf.progress import Progress

if TYPE_CHECKING:
    from pixsent_tf.demo.label_app import Session
    from pixsent_tf.demo.label_sample import Chosen, Population, Sample
    from pixsent_tf.results.labels import LabelResults

BY = ("random", "uncertainty", "diversity")


@click.command(name="label")
@click.argument("source")
@click.option(
    "--out",
    type=OutFile(),
    required=True,
    help="Table of labels to write, or go on with.",
)
@click.option("-n", "--num", type=COUNT, default=100, help="Pictures to label; 100.")
@click.option(
    "--by",
    type=click.Choice(BY),
    default="random",
    help="Which: random (default), those the model is unsure of, or unlike ones.",
)
@click.option("--annotator", default="me", help="Who labels; me.")
@click.option(
    "--classes", type=NAMES, help="Names to choose from; default: the model's."
)
@click.option(
    "--images", default=".", help="Folder that paths of TABLE are relative to."
)
@click.option("--model", help="Run folder or .keras file; default: the one that ships.")
@click.option("--show-answers", is_flag=True, help="Show names and answers of TABLE.")
@click.option("--seed", type=Value(int), default=0, help="Of the sample; 0.")
@click.option("--host", default="127.0.0.1", help="Address to listen at; 127.0.0.1.")
@click.option(
    "--port",
    type=Value(Annotated[int, Range(least=0, most=65535)]),
    default=7861,
    help="Port; 7861. 0 takes any free one.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object at the end."
)
@click.option("--quiet", is_flag=True, help="Show no progress.")
def command(
    source: str,
    out: str,
    annotator: str,
    show_answers: bool,
    images: str,
    host: str,
    port: int,
    show: bool,
    as_json: bool,
    quiet: bool,
    **asked: Any,
) -> None:
    """Label pictures on a local page, one key each; labels are saved at once.

    SOURCE is what predict or score wrote (.csv, .jsonl, .parquet), or a folder, glob or
    list of pictures. What the model says is hidden, so that nobody is led. Labels go to
    `path,label,annotator,probability,seconds`, which `share --labels` and `fit` read.
    Started again it goes on where it was; by another --annotator it shows the same
    pictures. End it on the page, or with Ctrl-C.

    \b
    Example:
      pixsent-tf label table.csv --out labels.csv
      pixsent-tf label pictures/ --out labels.csv -n 30 --annotator ada --open
      pixsent-tf label table.csv --out more.csv --by uncertainty
    """
    from pixsent_tf.demo.label_app import LabelApp, Session
    from pixsent_tf.demo.label_table import LabelFile, check_annotator
    from pixsent_tf.demo.server import local_hosts, open_server

    check_annotator(annotator)
    path = Path(out)
    if path.suffix != ".csv":
        raise UsageError(f"--out {out} must end in .csv.")
    is_table = _is_answered(source)
    if show_answers and not is_table:
        raise UsageError(f"--show-answers needs a table of answers; {source} is none.")
    folder = Path(images)
    progress = console.show_progress(quiet=quiet)
    sample = _sample(path, source, folder, asked, progress)
    table = LabelFile.open(path, sample)
    session = Session(table, annotator, folder, blind=not show_answers)
    hosts = local_hosts(host)
    app = LabelApp(session, hosts=hosts)
    server = open_server(app, host=host, port=port)
    app.on_finish = lambda: threading.Thread(target=server.shutdown).start()
    if hosts is None:
        console.warn(f"{host} is open to the network: whoever reaches it may label.")
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{server.port}/"
    click.echo(f"The page is at {address} (Ctrl-C ends it).", err=as_json)
    if show:
        click.launch(address)
    server.serve_forever()
    results = _results(session, path)
    console.print_results(_rows(results, source), results, as_json=as_json)


def _sample(
    path: Path, source: str, folder: Path, asked: dict[str, Any], progress: Progress
) -> Sample:
    """The sample that is kept beside the labels, or a new one."""
    from pixsent_tf.demo.label_app import check_class_names
    from pixsent_tf.demo.label_sample import Sample
    from pixsent_tf.demo.label_table import sample_path

    kept = sample_path(path)
    wanted = {"source": source, **{name: asked[name] for name in ("num", "by", "seed")}}
    if kept.exists():
        sample = Sample.read(kept)
        sample.check(wanted, kept)
        return sample
    if path.exists():
        raise UsageError(
            f"{path} has no sample beside it ({kept}); name another --out."
        )
    population, chosen = _draw(source, folder, asked, progress)
    names = asked["classes"] or population.class_names or CLASS_NAMES
    missing = [each.path for each in chosen if not (folder / each.path).is_file()]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(chosen)} pictures are not there, first "
            f"{folder / missing[0]}; name the folder of the pictures by --images."
        )
    count = len(population.paths)
    sample = Sample(wanted, check_class_names(names), count, tuple(chosen))
    sample.write(kept)
    return sample


def _draw(
    source: str, folder: Path, asked: dict[str, Any], progress: Progress
) -> tuple[Population, list[Chosen]]:
    """What there is, and what of it is to be labelled."""
    from pixsent_tf.demo.label_sample import (
        Population,
        draw_alike,
        draw_diverse,
        first_part,
    )

    num, by, seed, model = (asked[name] for name in ("num", "by", "seed", "model"))
    if _is_answered(source):
        population = Population.read(Path(source))
    else:
        population = Population(_found(source))
    needs_model = by == "diversity" or (by == "uncertainty" and not population.answers)
    if model is not None and not needs_model:
        raise UsageError("--model is not used: no picture has to be looked at here.")
    if not needs_model:
        return population, draw_alike(population, num, by, seed)
    console.load_tensorflow()
    from pixsent_tf.demo import label_model
    from pixsent_tf.inference.shipped import load_model

    loaded = load_model(model)
    if by == "uncertainty":
        population = label_model.ask(loaded, population.paths, progress=progress)
        return population, draw_alike(population, num, by, seed)
    part = first_part(population, seed)
    seen, features = label_model.see(loaded, part, folder, progress=progress)
    return population, draw_diverse(seen, features, num, seed)


def _is_answered(source: str) -> bool:
    """Tell whether it is a table with a model's answers."""
    from pixsent_tf.config import PROB
    from pixsent_tf.data.lists.tables import is_table, read_header

    path = Path(source)
    if not (is_table(path) and path.is_file()):
        return False
    columns = read_header(path)
    return bool({"answer", "prob"} & set(columns)) or any(
        name.startswith(PROB) for name in columns
    )


def _found(source: str) -> list[str]:
    """The pictures of a folder, a glob or a list."""
    files = find_files([source])
    if files == [source] and not Path(source).exists():
        raise DataError(f"{source} does not exist; name a table, a folder or a list.")
    return files


def _results(session: Session, path: Path) -> LabelResults:
    from pixsent_tf.demo.label_table import sample_path

    table, sample = session.table, session.table.sample
    return {
        "num_examples": len(sample.pictures),
        "population": sample.population,
        "by": str(sample.asked["by"]),
        "blind": session.blind,
        "left": len(sample.pictures) - len(table.labels_of(session.annotator)),
        "annotators": table.annotated(),
        "agreement": table.agreement(),
        "sample": str(sample_path(path)),
        "out": str(path),
    }


def _rows(results: LabelResults, source: str) -> list[tuple[str, str]]:
    rows = [("out", results["out"])]
    sample = f"{results['num_examples']:,} of {results['population']:,} pictures"
    rows.append(("sample", f"{sample}, by {results['by']}"))
    for one in results["annotators"]:
        skipped = f", {one['num_skipped']} skipped" if one["num_skipped"] else ""
        text = f"{one['num_labels']} labelled{skipped}"
        rows.append((one["annotator"], f"{text}, {one['median_seconds']:.1f} s each"))
    if results["left"]:
        rows.append(("left", f"{results['left']}; start it again to go on"))
    if (agreement := results["agreement"]) is not None:
        rows.append(("shared", f"{agreement['num_shared']} pictures"))
        rows.append(("all agree", f"{agreement['all_agree']:.1%}"))
        for key, name in (
            ("cohen_kappa", "Cohen's kappa"),
            ("krippendorff_alpha", "Krippendorff's alpha"),
        ):
            if (value := agreement[key]) is not None:  # type: ignore[literal-required]
                rows.append((name, f"{value:.3f}"))
        if agreement["ceiling"] is not None:
            rows.append(
                ("ceiling", f"{agreement['ceiling']:.1%}: one meets the others")
            )
    if _is_answered(source) and not results["left"]:
        rows.append(("next", f"pixsent-tf share {source} --labels {results['out']}"))
    return rows
