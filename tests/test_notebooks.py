"""The notebooks: thin, clean, and true to what they do.

`pytest -m slow tests/test_notebooks.py` executes all on the drawn sample, offline;
with PIXSENT_WRITE_NOTEBOOKS=1 it also writes what they put out into notebooks/.
"""

from __future__ import annotations

import ast
import base64
import csv
import io
import os
import re
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from PIL import Image

from tests.float32 import LITE0_OPERATIONS, rounding
from tests.notebook_numbers import find_changes

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
NAMES = (
    "01_quickstart",
    "02_reproduce_the_paper",
    "03_sentiment_maps",
    "04_tune",
    "05_export_and_serve",
    "06_your_own_folder",
    "07_how_negative",
    "08_towers",
)
MAX_KILOBYTES = 600
MAX_SECONDS = 400  # of one cell
NOISE = ("Traceback", "Warning", "WARNING", "Error", "\r", "\x1b", "it/s]", "oneDNN")


@dataclass
class Story:
    """A notebook and what its cells put out."""

    notebook: nbformat.NotebookNode

    def source(self, cell: str) -> str:
        return self._cell(cell).source

    def text(self, cell: str) -> str:
        return "".join(_texts(self._cell(cell)))

    def pictures(self, cell: str) -> list[Image.Image]:
        found = [output.get("data", {}) for output in self._cell(cell).outputs]
        return [
            Image.open(io.BytesIO(base64.b64decode(data["image/png"])))
            for data in found
            if "image/png" in data
        ]

    def number(self, cell: str, pattern: str) -> float:
        match = re.search(pattern, self.text(cell), flags=re.M)
        assert match, f"{pattern} is not in {self.text(cell)}"
        return float(match[1])

    def code(self) -> list[nbformat.NotebookNode]:
        return [cell for cell in self.notebook.cells if cell.cell_type == "code"]

    def _cell(self, name: str) -> nbformat.NotebookNode:
        (found,) = (cell for cell in self.notebook.cells if cell.id == name)
        return found


def _texts(cell: nbformat.NotebookNode) -> list[str]:
    """What a cell prints or shows, apart from pictures."""
    texts = []
    for output in cell.outputs:
        texts.append(output.get("text", ""))
        texts += [
            text
            for kind, text in output.get("data", {}).items()
            if kind.startswith("text/") or kind == "image/svg+xml"
        ]
    return texts


def read(name: str) -> Story:
    return Story(nbformat.read(FOLDER / f"{name}.ipynb", as_version=4))


def is_python(line: str) -> bool:
    return not line.lstrip().startswith(("!", "%"))


def tree_of(cell: nbformat.NotebookNode) -> ast.Module:
    """Parse a cell; a shell command or a magic becomes `pass`."""
    lines = cell.source.splitlines()
    python = [
        line if is_python(line) else line[: -len(line.lstrip())] + "pass"
        for line in lines
    ]
    return ast.parse("\n".join(python))


def test_there_are_eight():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == list(NAMES)


def test_the_readme_of_the_folder_names_each():
    text = (FOLDER / "README.md").read_text("utf-8")

    assert [name for name in NAMES if f"]({name}.ipynb)" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_the_title_has_a_badge_that_opens_this_notebook(name):
    text = read(name).source("title")

    assert text.startswith("# ")
    assert "[![Open in Colab](https://colab.research.google.com/assets/" in text
    assert re.search(
        rf"\(https://colab\.research\.google\.com/github/([\w.-]+/pixsent-tf)"
        rf"/blob/main/notebooks/{name}\.ipynb\)",
        text,
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_title_says_how_long_it_takes(name):
    assert re.search(
        r"(minute|seconds).* on 2\s+CPU\s+cores", read(name).source("title")
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_first_code_cell_installs_and_names_no_host(name):
    first = read(name).code()[0]

    assert first.id == "install"
    assert "%pip install" in first.source
    assert "//" not in first.source
    assert "--index" not in first.source


@pytest.mark.parametrize("name", NAMES)
def test_the_choices_are_a_form_that_starts_with_the_drawn_sample(name):
    text = read(name).source("choices")

    assert 'DATA = "smileys"  #@param' in text
    assert 'os.environ.get("PIXSENT_DATA", DATA)' in text


@pytest.mark.parametrize("name", NAMES)
def test_notebooks_hold_no_logic(name):
    kinds = (ast.FunctionDef, ast.ClassDef, ast.While, ast.Lambda, ast.With)
    found = [
        cell.id
        for cell in read(name).code()
        if any(isinstance(node, kinds) for node in ast.walk(tree_of(cell)))
        or len(cell.source.splitlines()) > 25
    ]

    assert found == []


@pytest.mark.parametrize("name", NAMES)
def test_what_only_colab_has_is_guarded(name):
    for cell in read(name).code():
        tree = tree_of(cell)
        guarded = [
            node
            for block in ast.walk(tree)
            if isinstance(block, ast.Try)
            for node in ast.walk(block)
        ]
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "google.colab":
                assert node in guarded


@pytest.mark.parametrize("name", NAMES)
def test_links_into_the_repository_lead_somewhere(name):
    texts = [c.source for c in read(name).notebook.cells if c.cell_type == "markdown"]
    links = re.findall(r"\]\((?!https:)([^)#]+)\)", "\n".join(texts))

    assert [link for link in links if not (FOLDER / link).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_outputs_come_from_one_run_from_top_to_bottom(name):
    counts = [cell.execution_count for cell in read(name).code()]

    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_clean(name):
    path = FOLDER / f"{name}.ipynb"
    texts = "\n".join(t for cell in read(name).code() for t in _texts(cell))

    assert path.stat().st_size < MAX_KILOBYTES * 1000
    assert [noise for noise in NOISE if noise in texts] == []
    assert (
        re.findall(r"(?<![\w.<:/])/(?:tmp|home|root|work|usr|content)\b.*", texts) == []
    )
    assert socket.gethostname() not in texts
    assert read(name).notebook.metadata["language_info"] == {"name": "python"}


@pytest.fixture
def execute(tmp_path, monkeypatch):
    """Give a function that runs a notebook in an empty folder, by this Python."""
    scripts, work = tmp_path / "bin", tmp_path / "work"
    scripts.mkdir()
    work.mkdir()
    script = scripts / "pixsent-tf"  # as pip writes it, for this Python and checkout
    script.write_text(f"#!{sys.executable}\nfrom pixsent_tf.cli import main\nmain()\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(scripts), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    # No kernel, setting or history of the user's
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    for variable in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    for variable in ("PIXSENT_DATA", "COLUMNS"):
        monkeypatch.delenv(variable, raising=False)
    for variable in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # nobody answers there

    def run(name: str) -> Story:
        path, committed = FOLDER / f"{name}.ipynb", read(name)
        notebook = nbformat.read(path, as_version=4)
        metadata = notebook.metadata.copy()
        client = NotebookClient(
            notebook,
            timeout=MAX_SECONDS,
            kernel_name="python3",
            coalesce_streams=True,
            record_timing=False,
            resources={"metadata": {"path": str(work)}},
        )
        client.execute()
        for cell in Story(notebook).code():
            for output in cell.outputs:
                if "text" in output:  # of a command: as a terminal ends its lines
                    output.text = output.text.replace("\r\n", "\n")
        notebook.metadata = metadata  # without the version of this machine's Python
        if os.environ.get("PIXSENT_WRITE_NOTEBOOKS"):
            path.write_text(nbformat.writes(notebook, indent=1) + "\n", "utf-8")
            committed = read(name)
        story = Story(notebook)
        assert "pixsent-tf is installed." in story.text("install")
        for cell in committed.code():
            assert find_changes(committed.text(cell.id), story.text(cell.id)) == []
        return story

    return run


@pytest.mark.journey
def test_quickstart_trains_looks_and_predicts(execute):
    story = execute("01_quickstart")

    assert story.number("train", r"held-out pictures: ([\d.]+)") >= 0.95
    assert story.number("train", r"larger class: ([\d.]+)") == 0.55  # of the drawing
    assert [image.format for image in story.pictures("look")] == ["PNG"]
    assert re.findall(r"^(\w+\.jpg): \w+, P", story.text("own"), flags=re.M) == [
        "china.jpg",
        "flower.jpg",
    ]
    assert len(story.pictures("own-map")) == 1


@pytest.mark.journey
def test_the_paper_is_run_again_beside_its_own_numbers(execute):
    story = execute("02_reproduce_the_paper")
    table = story.text("paper")

    assert "Smoke run" in table
    # Table 2 of the paper: five, four, three agree; center crop and ten crops
    for printed in ("0.817", "0.830", "0.782", "0.787", "0.739", "0.749"):
        assert f"| {printed} |" in table
    assert len(story.pictures("paper-figure")) == 1
    assert story.number("ours", r"^accuracy +([\d.]+)") >= 0.95
    early, late = (
        story.number("layers", rf"^stage{stage} +([\d.]+)") for stage in (1, 7)
    )
    assert late > 0.95 > 0.7 > early


@pytest.mark.journey
def test_maps_point_at_the_mouth(execute):
    story = execute("03_sentiment_maps")

    assert len(story.pictures("photos")) == 2
    assert len(story.pictures("truth")) == 1
    assert story.number("check", r"^peak in the face +([\d.]+)") >= 0.9
    mouth = story.number("check", r"^peak in the mouth +([\d.]+)")
    assert mouth > 3 * story.number("check", r"^peak in the mouth.*chance ([\d.]+)")


@pytest.mark.journey
def test_the_search_is_drawn_and_proved_honest(execute):
    story = execute("04_tune")

    trials = int(re.search(r"TRIALS = (\d+)", story.source("choices"))[1])
    assert story.number("search", r"^settings tried +(\d+)") == trials
    assert story.number("search", r"^accuracy +([\d.]+)") >= 0.95
    assert "<svg" in story.text("figure")
    # 400 drawings, a fifth of them held out
    assert "search saw 320, training saw 320; tested 80" in story.text("proof")
    assert "No leak was found." in story.text("proof")


@pytest.mark.journey
def test_exports_answer_what_the_model_answers(execute):
    story = execute("05_export_and_serve")

    assert "serve check  passed" in story.text("export")
    saved, keras = re.findall(r"(\w+), P\(positive\) = ([\d.]+)", story.text("ask"))
    assert saved[0] == keras[0] == "positive"  # as it was drawn
    rounded = rounding(operations=LITE0_OPERATIONS, scale=1)
    assert float(saved[1]) == pytest.approx(float(keras[1]), abs=rounded)
    rows = dict(re.findall(r"^(\w+(?: \w+)?) +([01]\.\d+)", story.text("lite"), re.M))
    assert float(rows["tflite int8"]) >= float(rows["keras"]) - 0.01
    assert 3 < story.number("download", r"tflite, ([\d.]+) MB") < 6


@pytest.mark.journey
def test_a_disconnect_costs_no_finished_fold(execute):
    story = execute("06_your_own_folder")

    assert "Runs are kept in this folder." in story.text("mount")
    assert "No leak was found." in story.text("audit")
    before, after = (
        re.search(r"^each fold +(.*)", story.text(cell), flags=re.M)[1].split()
        for cell in ("crossval-some", "crossval")
    )
    assert (len(before), len(after)) == (2, 5)
    assert after[:2] == before
    assert story.text("crossval").count("fold-") == 5
    lines = [line for line in story.text("new").splitlines() if "," in line]
    answers = {row["path"]: row["answer"] for row in csv.DictReader(lines)}
    assert answers == {
        "new-pictures/frown.png": "negative",
        "new-pictures/smile.png": "positive",
    }
    assert len(story.pictures("maps")) == 1


@pytest.mark.journey
def test_a_few_labels_put_the_count_of_a_hashtag_right(execute):
    story = execute("07_how_negative")

    assert "uncorrected" in story.text("plain")
    for name in ("friday", "monday"):
        plain, low, high, planted = (
            story.number("share", rf"^#{name}: .*{pattern}")
            for pattern in (
                r"plain ([\d.]+)",
                r"\(([\d.]+) to",
                r"to ([\d.]+)\)",
                r"planted ([\d.]+)",
            )
        )
        assert low < planted < high
        assert abs(plain - planted) > 0.05
    assert story.number("share", r"p by Holm ([\d.]+)") < 0.05
    assert "clustered by user" in story.text("methods")
    assert len(story.pictures("time")) == 1


@pytest.mark.journey
def test_a_tower_goes_the_way_of_every_backbone(execute):
    story = execute("08_towers")

    accuracy, tuned = (
        story.number(cell, r"^accuracy +([\d.]+)") for cell in ("head", "lpft")
    )
    table = story.text("table")
    assert f"random on smileys, tower-head | {accuracy:.3f} |" in table
    assert f"random on smileys, tower-lpft | {tuned:.3f} |" in table
    assert "random tower on drawings" in story.source("title")
    assert "Not run here" in story.source("first-row")
