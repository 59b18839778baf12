"""Is the audit's page whole, safe and short enough?"""

from __future__ import annotations

import base64
import io
import re

import pytest
from deepsent_files import name_of, write_deepsent
from PIL import Image

from pixsent_tf.config import DataConfig
from pixsent_tf.data.copies import page
from pixsent_tf.data.copies.audit import audit, open_parts


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    folder = write_deepsent(tmp_path_factory.mktemp("copied"), copies=True)
    return audit(open_parts(DataConfig(str(folder))))


def test_page_needs_no_other_file(findings):
    text = page.render(findings, title="mine")

    assert not re.findall(r"""(?:src|href)=["'](?!data:)""", text)


def test_each_pair_is_shown_once_as_two_pictures(findings):
    text = page.render(findings, title="mine")

    urls = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', text)
    images = [Image.open(io.BytesIO(base64.b64decode(url))) for url in urls]
    assert len(images) == 2 * 3
    assert {image.size for image in images} == {(96, 64)}


def test_conflicts_and_leaks_come_first(findings):
    text = page.render(findings, title="mine")

    first = text.index(f"{name_of(1)}<br>{name_of(30)}")
    assert first < text.index(f"{name_of(1)}<br>{name_of(3)}")


def test_verdict_is_the_one_found(findings):
    assert "A leak was found" in page.render(findings, title="mine")
    clean = {**findings, "has_leak": False}
    assert "No leak was found" in page.render(clean, title="mine")


def test_groups_in_several_folds_are_named(findings):
    (part, *others) = findings["parts"]
    torn = {**part, "num_groups": 40, "crossing_groups": [f"u{n}" for n in range(31)]}
    assert part["folds"]

    text = page.render({**findings, "parts": [torn, *others]}, title="mine")

    assert "31 of 40 groups have pictures in several" in text
    assert "u0, u1, " in text
    assert "u29 and\n1 more." in text
    assert "groups have pictures" not in page.render(findings, title="mine")


def test_names_are_escaped(findings):
    text = page.render(findings, title="<script>alert(1)</script>")

    assert "<script>" not in text


def test_long_lists_are_cut_and_say_so(findings, monkeypatch):
    monkeypatch.setattr(page, "MAX_PAIRS", 2)

    assert "2 of 3 pairs are shown" in page.render(findings, title="mine")
