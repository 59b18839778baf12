"""The documentation builds without a warning, leaves nothing out, and tells the truth.

Every block of shell or Python on its pages runs here, in a folder with a few pictures.
"""

from __future__ import annotations

import ast
import contextlib
import html
import importlib
import importlib.util
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from pixsent_tf.cli import cli
from pixsent_tf.models import zoo
from pixsent_tf.results.verbs import VERBS as TOLD
from tests.models.caffe_files import caffenet_blobs, write_caffemodel
from tests.rated_pictures import write_rated
from tests.serving.test_client import start_stand_in

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SETUP = (ROOT / "setup.cfg").read_text("utf-8")
HAS_BEAM = importlib.util.find_spec("apache_beam") is not None
MODULES = sorted(
    path
    for path in (ROOT / "pixsent_tf").rglob("*.py")
    if not re.search(r"/_(?!_init__)", path.relative_to(ROOT).as_posix())
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """Build the pages as a reader gets them; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    built = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr[-3000:]
    assert "WARNING" not in built.stderr, built.stderr
    return folder


def text_of(page: Path) -> str:
    """Read what a page says, without its markup and line breaks."""
    words = re.sub(r"<[^>]+>", "", page.read_text("utf-8"))
    return re.sub(r"\s+", "", html.unescape(words))


def is_declaration(node: ast.stmt) -> bool:
    """Say whether it is an overload, or a promise described where it is kept."""
    return ast.unparse(node).endswith("...")


def public_docstrings(path: Path) -> dict[str, str | None]:
    """Read the docstrings of a module's public classes, functions and methods."""
    found: dict[str, str | None] = {}

    def visit(body: list[ast.stmt], prefix: str = "") -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                name = prefix + node.name
                if not node.name.startswith("_") and not is_declaration(node):
                    found[name] = ast.get_docstring(node)
                    if isinstance(node, ast.ClassDef):
                        visit(node.body, name + ".")

    tree = ast.parse(path.read_text("utf-8"))
    visit(tree.body)
    return {"": ast.get_docstring(tree), **found}


@pytest.mark.journey
def test_every_public_module_has_a_page_with_all_its_docstrings(site):
    missing = []
    for path in MODULES:
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        page = site / "reference" / name.removesuffix("__init__") / "index.html"
        text = text_of(page) if page.is_file() else ""
        for thing, docstring in public_docstrings(path).items():
            first = re.sub(r"[`*]", "", (docstring or "?").split("\n\n")[0])
            if not docstring or re.sub(r"\s+", "", first) not in text:
                missing.append(f"{name}: {thing or 'the module'}")

    assert missing == []


@pytest.mark.journey
def test_the_page_of_the_command_line_shows_every_verb(site):
    from pixsent_tf.cli import VERBS

    page = (site / "reference/command-line/index.html").read_text("utf-8")

    for verb in VERBS:
        assert f'id="{verb}"' in page
        assert f"Usage: pixsent-tf {verb} " in page


@pytest.mark.journey
def test_the_page_of_the_settings_says_what_each_may_be_and_what_uses_it(site):
    page = (site / "reference/settings/index.html").read_text("utf-8")
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    cells = [re.sub("<.*?>", "", row).split("\n")[1:-1] for row in rows]

    epochs = next(row for row in cells if row[0] == "training.epochs")
    assert epochs[1:] == [
        *("--epochs", "10", "whole number of 1 or more"),
        "strategy last-blocks, all, lp-ft",
    ]


@pytest.mark.journey
def test_the_page_of_the_results_explains_every_key_of_every_verb(site):
    rows = re.findall(
        r"<tr>\s*<td><code>(\w+)</code></td>\s*<td>(.*?)</td>\s*<td>(.*?)</td>",
        (site / "reference/results/index.html").read_text("utf-8"),
    )

    told = {key for key, _, text in rows if text}
    wanted = {
        key for kinds in TOLD.values() for kind in kinds for key in get_type_hints(kind)
    }
    assert wanted - told == set()
    assert {key for key, kind, text in rows if not (kind and text)} == set()


@pytest.mark.journey
def test_no_page_asks_another_host_for_anything(site):
    host = r"(?:https?:)?//"
    asked = rf'<(?:script|img|iframe|source)[^>]+src="{host}|@import|url\({host}'
    asked += rf'|<link[^>]+rel="(?:stylesheet|icon|preconnect)"[^>]+href="{host}'
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]

    assert [p.name for p in pages if re.search(asked, p.read_text("utf-8"))] == []


@pytest.mark.journey
def test_the_opening_figure_is_what_its_command_makes(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs")
    opening_figure = importlib.import_module("opening_figure")

    opening_figure.main(tmp_path / "figure.jpg")

    committed = ROOT / "docs/images/sentiment-maps.jpg"
    assert committed.stat().st_size < 400_000
    with Image.open(tmp_path / "figure.jpg") as made, Image.open(committed) as kept:
        assert made.size == kept.size
        difference = np.abs(np.asarray(made, int) - np.asarray(kept, int))
    assert difference.mean() < 3


class Page:
    """A page of docs/, whose blocks run in the current folder one after the other."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text("utf-8")
        self.output = ""  # of the block before
        self.names: dict = {}
        self.ports: dict[str, str] = {}

    def run(self) -> None:
        fences = r"^```(\w+)([^\n]*)\n(.*?)^```$"
        for kind, title, code in re.findall(fences, self.text, re.S | re.M):
            if kind == "bash":
                self.output = "".join(map(self.shell, logical_lines(code)))
            elif kind == "python":
                self.output = self.python(code)
            elif title.startswith(' title="prints'):
                printed = " ".join(self.output.split())
                for line in code.splitlines():
                    assert " ".join(line.split()) in printed, self.output

    def python(self, code: str) -> str:
        if "parquet" in code and not HAS_BEAM:
            compile(code, "docs", "exec")
            return ""
        if "localhost:8501" in code:
            code = code.replace("8501", self.ports["8501"])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(code, self.names)
        return printed.getvalue()

    def shell(self, line: str) -> str:
        """Run one line; what is not our command is a file list or an installation."""
        before, _, command = line.rpartition(" | ")
        listed = subprocess.run(
            before or "true", shell=True, capture_output=True, text=True, check=True
        ).stdout
        words = shlex.split(re.sub(r"^([A-Z_]+=\S* )+|\s*&$", "", command))
        if words == ["wait"]:
            return ""
        if words[0] in ("mkdir", "cp", "echo"):
            subprocess.run(line, shell=True, check=True)
            return ""
        if words[:2] == ["pip", "install"]:
            extra = re.fullmatch(r"\.|pixsent-tf\[(\w+)\]", words[2])
            assert extra, line
            assert f"\n{extra[1] or '[metadata]'}" in "\n" + SETUP, line
            return ""
        assert words[0] == "pixsent-tf", line
        result = CliRunner().invoke(cli, words[1:], input=listed)
        if words[1] == "score" and not HAS_BEAM:
            assert result.exit_code == 2
            assert "pip install" in result.output
        else:
            assert result.exit_code == 0, f"{line}: {result.output}"
        return result.output


def logical_lines(code: str) -> list[str]:
    joined = code.replace("\\\n", " ").splitlines()
    return [line.strip() for line in joined if line.strip()]


@pytest.fixture(scope="module")
def small_run(colored_folder, tmp_path_factory) -> Path:
    """A finished run of a very small network, for the pages that begin with one."""
    import keras

    import pixsent_tf
    from pixsent_tf.config import PreprocessConfig

    def build(weights, input_size, seed):
        crops = keras.Input((32, 32, 3), name="crops")
        maps = keras.layers.Rescaling(1 / 255)(crops)
        maps = keras.layers.Conv2D(8, 3, activation="relu")(maps)
        return keras.Model(crops, keras.layers.GlobalAveragePooling2D()(maps))

    folder = tmp_path_factory.mktemp("runs") / "mine"
    settings = {"model.backbone": "small", "model.weights": None}
    entry = zoo.BackboneEntry(build, PreprocessConfig(36, 32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(zoo.BACKBONES, "small", entry)
        pixsent_tf.fit(colored_folder, out=folder, settings=settings)
    return folder


@pytest.fixture
def desk(colored_folder, tmp_path, monkeypatch) -> Path:
    """A folder as the pages take it to be."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(colored_folder, "pictures")
    shutil.copytree(colored_folder / "positive", "holiday")
    for name, number in (("photo.jpg", 0), ("other.jpg", 1)):
        with Image.open(f"holiday/{number:02}.png") as image:
            image.save(name)
    return tmp_path


def test_the_first_page(desk):
    Page(DOCS / "index.md").run()


@pytest.mark.journey
def test_the_tutorial(desk):
    page = Page(DOCS / "tutorial.md")
    page.run()

    assert Path("runs/first/evaluation/report.html").is_file()
    assert Path("runs/first-maps/contact-sheet.png").is_file()
    assert page.names["found"].answer in ("negative", "positive", "unsure")


@pytest.mark.journey
def test_how_to_use_your_own_folder(desk):
    page = Page(DOCS / "how-to/own-folder.md")
    page.run()

    assert "No leak was found" in Path("audit.html").read_text("utf-8")
    assert len(Path("answers.csv").read_text().splitlines()) == 1 + 12
    assert page.names["results"]["accuracy"] == 1.0


@pytest.mark.journey
def test_what_files_are_read(desk):
    Page(DOCS / "how-to/your-files.md").run()


def test_how_to_keep_groups_together(desk):
    page = Page(DOCS / "how-to/groups.md")
    page.run()

    assert page.names["recipe"].data.group == "folder"


@pytest.mark.journey
def test_how_to_train_on_several_sources(desk):
    shutil.copytree("pictures", "tweets")
    page = Page(DOCS / "how-to/several-sources.md")
    page.run()

    assert [row["source"] for row in page.names["results"]["per_source"]] == [
        "pictures",
        "tweets",
    ]


@pytest.mark.journey
def test_how_to_train_on_ratings(desk):
    write_rated(desk)
    page = Page(DOCS / "how-to/ratings.md")
    page.run()

    assert "residuals-valence" in Path(
        "runs/rated-folds/evaluation/report.html"
    ).read_text("utf-8")


@pytest.mark.journey
def test_how_to_train_on_votes_for_emotions(desk):
    lines = ["path,votes_amusement,votes_awe,votes_fear"]
    for number in range(12):
        lines.append(f"pictures/negative/{number:02}.png,1,{number % 2},9")
        votes = "7,2,0" if number % 2 else "2,8,1"
        lines.append(f"pictures/positive/{number:02}.png,{votes}")
    Path("votes.csv").write_text("\n".join(lines))
    Page(DOCS / "how-to/emotions.md").run()

    page = Path("runs/emotions/evaluation/report.html").read_text("utf-8")
    assert "Shares of the votes" in page
    assert "Rolled up to negative and positive" in page


@pytest.mark.journey
def test_how_to_use_another_backbone(desk):
    page = Page(DOCS / "how-to/new-backbone.md")
    try:
        page.run()
    finally:
        zoo.BACKBONES.pop("tiny", None)

    assert page.names["results"]["accuracy"] >= 0.8
    assert Path("runs/tiny-maps/contact-sheet.png").is_file()


@pytest.mark.journey
def test_how_to_use_a_tower(desk):
    Page(DOCS / "how-to/towers.md").run()


@pytest.mark.journey
def test_how_to_use_caffe_weights(desk):
    write_caffemodel(desk / "caffenet.caffemodel", caffenet_blobs(1000))
    page = Page(DOCS / "how-to/caffe-weights.md")
    page.run()

    assert Path("runs/caffenet/model.keras").is_file()


@pytest.mark.journey
def test_how_to_serve(desk, small_run):
    shutil.copytree(small_run, "runs/mine")
    page = Page(DOCS / "how-to/serving.md")
    export, rest = page.text.split("## Ask", 1)
    page.text = export
    page.run()
    process, _, port = start_stand_in(Path("export/models/sentiment"), "sentiment")
    try:
        page.text, page.ports = rest, {"8501": str(port)}
        page.run()
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()

    assert [row.answer for row in page.names["rows"]] == ["positive"] * 2
    assert Path("export/tflite/sentiment-int8.tflite").is_file()


@pytest.mark.journey
def test_how_to_score_very_many_pictures(desk, small_run):
    shutil.copytree(small_run, "runs/mine")
    page = Page(DOCS / "how-to/scoring-at-scale.md")
    page.run()

    assert len(Path("answers.csv").read_text().splitlines()) == 1 + 24
    assert len(Path("answers.jsonl").read_text().splitlines()) == 24
    if HAS_BEAM:
        assert page.names["table"].num_rows == 24


def test_how_to_publish_a_share(desk, small_run):
    shutil.copytree(small_run, "runs/mine")
    page = Page(DOCS / "how-to/shares.md")
    page.run()

    assert Path("runs/shares/shares.png").is_file()
    assert page.names["results"]["cells"][0]["num_labels"] == 16


def test_how_to_adapt_a_model(desk, small_run):
    shutil.copytree(small_run, "runs/mine")
    page = Page(DOCS / "how-to/adapt.md")
    page.run()

    assert page.names["results"]["num_labels"] == 24


def test_what_computes_and_what_is_kept(desk):
    Page(DOCS / "how-to/engines.md").run()


@pytest.mark.journey
def test_how_to_fine_tune(desk):
    Page(DOCS / "how-to/fine-tuning.md").run()

    results = json.loads(Path("runs/last-blocks/results.json").read_text())
    assert results["num_examples"] == 24


@pytest.mark.journey
def test_how_to_use_several_gpus(desk):
    Page(DOCS / "how-to/several-gpus.md").run()

    results = json.loads(Path("runs/folds/results.json").read_text())
    assert results["folds_tested"] == [1, 2, 3]
    assert results["num_examples"] == 24


@pytest.mark.parametrize("path", sorted((DOCS / "explanation").glob("*.md")), ids=str)
def test_explanation(path, desk):
    Page(path).run()


def test_no_page_is_forgotten():
    tested = (ROOT / "tests/test_docs.py").read_text("utf-8")
    for path in DOCS.rglob("*.md"):
        text, name = path.read_text("utf-8"), path.relative_to(DOCS).as_posix()
        assert not re.search(r"^ +```(bash|python)", text, re.M), name
        if re.search(r"^```(bash|python)", text, re.M):
            assert f'"{name}"' in tested or path.parent.name == "explanation", name
