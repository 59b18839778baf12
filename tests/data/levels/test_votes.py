"""Which tables of votes are understood?"""

from __future__ import annotations

import pytest

from pixsent_tf.data.levels.votes import read_nesting, read_table

LABELS = {"b_2.jpg": 1, "a_1.jpg": 0}
EXPECTED = [[1, 4], [3, 2]]  # b: one against four; a: three against two

TABLES = {
    "words": "a_1.jpg,negative,positive,negative,Positive,negative\n"
    "b_2.jpg,positive,positive,positive,positive,negative\n",
    "zeros_and_ones": "img,v1,v2,v3,v4,v5\na_1.jpg,0,1,0,1,0\nb_2.jpg,1,1,1,1,0\n",
    "total_and_counts": "name,total,x,y\na_1.jpg,5,3,2\nb_2.jpg,5,1,4\n",
    "counts_the_other_way_round": "name,x,y\na_1.jpg,2,3\nb_2.jpg,4,1\n",
    "one_row_for_each_vote": "".join(
        f"http://host/{name},{vote}\n"
        for name, votes in (("a_1.jpg", "01010"), ("b_2.jpg", "11110"))
        for vote in votes
    ),
    "byte_order_mark_and_spaces": "\ufeffa_1.jpg, 5, 3, 2\nb_2.jpg, 5, 1, 4\n",
}


@pytest.mark.parametrize("form", TABLES)
def test_every_known_form_gives_the_votes_in_the_order_of_the_labels(form, tmp_path):
    (tmp_path / "amt_result.csv").write_text(TABLES[form], "utf-8")

    votes = read_table(tmp_path / "amt_result.csv", LABELS)

    assert votes.tolist() == EXPECTED


def test_table_that_lacks_a_picture_is_not_used(tmp_path):
    (tmp_path / "amt.csv").write_text("a_1.jpg,5,3,2\n")

    assert read_table(tmp_path / "amt.csv", LABELS) is None


def test_table_that_contradicts_the_labels_both_ways_is_not_used(tmp_path):
    (tmp_path / "amt.csv").write_text("a_1.jpg,5,3,2\nb_2.jpg,5,4,1\n")

    assert read_table(tmp_path / "amt.csv", LABELS) is None


def test_table_of_something_else_is_not_used(tmp_path):
    (tmp_path / "amt.csv").write_text("a_1.jpg,happy\nb_2.jpg,17,99,3\n,,\n")

    assert read_table(tmp_path / "amt.csv", LABELS) is None


def test_nesting_gives_the_majority_to_the_label():
    votes = read_nesting({"b_2.jpg": 4, "a_1.jpg": 3}, LABELS)

    assert votes.tolist() == EXPECTED


@pytest.mark.parametrize("words", [("negative", "positive"), ("0", "1")])
def test_what_all_agree_on_is_no_vote_for_the_other(words, tmp_path):
    (tmp_path / "amt.csv").write_text(
        f"a_1.jpg,{words[0]}\n" * 5 + f"b_2.jpg,{words[1]}\n" * 5
    )

    assert read_table(tmp_path / "amt.csv", LABELS).tolist() == [[0, 5], [5, 0]]


def test_a_tie_is_no_majority(tmp_path):
    (tmp_path / "amt.csv").write_text("a_1.jpg,4,2,2\nb_2.jpg,5,1,4\n")

    assert read_table(tmp_path / "amt.csv", LABELS) is None


def test_a_total_that_is_not_the_sum_is_no_total(tmp_path):
    (tmp_path / "amt.csv").write_text("a_1.jpg,9,3,2\nb_2.jpg,5,1,4\n")

    assert read_table(tmp_path / "amt.csv", LABELS) is None


def test_a_name_with_folders_of_either_system_is_that_of_the_file(tmp_path):
    (tmp_path / "amt.csv").write_text("C:\\mine\\a_1.jpg,3,2\nmine/b_2.jpg,1,4\n")

    assert read_table(tmp_path / "amt.csv", LABELS).tolist() == EXPECTED
