"""The documentation builds without a warning, and its reference leaves nothing out."""

from __future__ import annotations

import ast
import html
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]
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


def public_docstrings(path: Path) -> dict[str, str | None]:
    """Read the docstrings of a module's public classes, functions and methods."""
    found: dict[str, str | None] = {}

    def visit(body: list[ast.stmt], prefix: str = "") -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                name = prefix + node.name
                if not node.name.startswith("_"):  # overloads: the last one speaks
                    found[name] = ast.get_docstring(node)
                    if isinstance(node, ast.ClassDef):
                        visit(node.body, name + ".")

    tree = ast.parse(path.read_text("utf-8"))
    visit(tree.body)
    return {"": ast.get_docstring(tree), **found}


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


def test_the_page_of_the_command_line_shows_every_verb(site):
    from pixsent_tf.cli import VERBS

    page = (site / "reference/command-line/index.html").read_text("utf-8")

    for verb in VERBS:
        assert f'id="{verb}"' in page
        assert f"Usage: pixsent-tf {verb} " in page


def test_no_page_asks_another_host_for_anything(site):
    host = r"(?:https?:)?//"
    asked = rf'<(?:script|img|iframe|source)[^>]+src="{host}|@import|url\({host}'
    asked += rf'|<link[^>]+rel="(?:stylesheet|icon|preconnect)"[^>]+href="{host}'
    pages = [*site.rglob("*.html"), *site.rglob("*.css")]

    assert [p.name for p in pages if re.search(asked, p.read_text("utf-8"))] == []


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
