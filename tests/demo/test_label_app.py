"""What the labelling page may ask: its own sample, by number, and nothing else."""

from __future__ import annotations

import io
import json
import threading

import numpy as np
import pytest
from PIL import Image
from werkzeug.test import Client

from pixsent_tf.demo.label_app import KEYS, LabelApp, Session, check_class_names
from pixsent_tf.demo.label_sample import Chosen, Sample
from pixsent_tf.demo.label_table import LabelFile, sample_path
from pixsent_tf.demo.server import local_hosts
from pixsent_tf.errors import UsageError


@pytest.fixture
def session(tmp_path):
    pixels = np.full((30, 40, 3), [200, 30, 90], dtype="uint8")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    (tmp_path / "negative").mkdir()
    Image.fromarray(pixels).save(tmp_path / "negative/0.jpg", exif=exif)
    (tmp_path / "negative/1.jpg").write_bytes(b"no picture")
    Image.new("RGB", (2600, 5)).save(tmp_path / "secret.png")
    pictures = tuple(Chosen(f"negative/{i}.jpg", 0.5, "positive", 0.8) for i in (0, 1))
    sample = Sample({}, ("negative", "positive"), 4, pictures)
    sample.write(sample_path(tmp_path / "labels.csv"))
    return Session(LabelFile.open(tmp_path / "labels.csv", sample), "ada", tmp_path)


@pytest.fixture
def client(session) -> Client:
    return Client(LabelApp(session, hosts=local_hosts("127.0.0.1")))


def post(client, path, values, **more):
    data = values if isinstance(values, bytes) else json.dumps(values)
    return client.post(path, data=data, **{"content_type": "application/json"} | more)


@pytest.mark.parametrize("path", ["/", "/page.css", "/label.css", "/label.js"])
def test_the_page_s_files_are_served_and_name_no_host(client, path):
    response = client.get(path)

    assert response.status_code == 200
    text = response.text.replace("<!doctype html>", "")
    assert "http" not in text
    assert "innerHTML" not in text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_neither_answers_nor_names_are_told_while_hidden(client):
    known = client.get("/sample").json

    assert known["choices"] == ["negative", "positive", "skip"]
    assert (known["keys"], known["labels"]) == ("123", [None, None])
    assert not {"names", "answers"} & set(known)
    assert "0.jpg" not in client.get("/sample").text


def test_answers_are_told_where_asked_for(session):
    shown = Session(session.table, "ada", session.folder, blind=False)

    known = Client(LabelApp(shown, hosts=None)).get("/sample").json

    assert known["answers"] == [["positive", 0.8]] * 2
    assert known["names"] == ["negative/0.jpg", "negative/1.jpg"]


def test_a_picture_comes_upright(client):
    response = client.get("/picture?number=0")

    image = Image.open(io.BytesIO(response.data))
    assert (response.mimetype, image.size) == ("image/jpeg", (30, 40))
    assert np.abs(np.asarray(image, int) - [200, 30, 90]).max() < 5


def test_a_large_picture_comes_small_enough_to_show(session):
    pictures = (Chosen("secret.png", 1.0),)
    sample = Sample({}, ("negative", "positive"), 1, pictures)
    large = Session(LabelFile(session.table.path, sample), "ada", session.folder)

    assert Image.open(io.BytesIO(large.picture(0))).size == (2400, 5)


def test_a_broken_picture_says_why_and_not_where_it_lies(client):
    response = client.get("/picture?number=1")

    assert response.status_code == 422
    assert response.text.startswith("This picture is not a picture")
    assert "negative" not in response.text


@pytest.mark.parametrize("number", ["2", "-1", "", "x", "../secret.png", "9" * 30, "²"])
def test_only_pictures_of_the_sample_can_be_read(client, number):
    assert client.get("/picture", query_string={"number": number}).status_code == 404


def test_a_label_is_kept_once_and_taken_back(client, session):
    values = {"number": 1, "label": "skip", "seconds": 2}

    assert post(client, "/label", values).json == {"number": 1, "label": "skip"}
    assert post(client, "/label", values).status_code == 409
    assert session.table.labels_of("ada") == {1: "skip"}
    assert client.get("/sample").json["labels"] == [None, "skip"]
    assert post(client, "/undo", {}).json == {"number": 1}
    assert post(client, "/undo", {}).json == {"number": None}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"number": 7}, 404),
        ({"label": "sad"}, 400),
        ({"label": None}, 400),
        ({"seconds": -1}, 400),
        ({"seconds": "2"}, 400),
    ],
)
def test_what_is_no_label_is_refused(client, session, change, status):
    values = {"number": 0, "label": "negative", "seconds": 1} | change

    assert post(client, "/label", values).status_code == status
    assert session.table.rows() == []


@pytest.mark.parametrize("body", [b" ", b"[1]", b"7", b"{", b"\xff"])
def test_what_is_no_object_is_refused(client, body):
    assert post(client, "/label", body).status_code == 400


def test_a_form_of_another_site_another_host_and_long_bodies_are_refused(client):
    values = {"number": 0, "label": "negative", "seconds": 1}

    assert post(client, "/label", values, content_type="text/plain").status_code == 415
    named = {"headers": {"Host": "evil.example"}}
    assert post(client, "/label", values, **named).status_code == 400
    assert client.get("/picture?number=0", **named).status_code == 400
    assert post(client, "/label", b" " * 3000).status_code == 413
    assert post(client, "/predict", {}).status_code == 404
    assert client.get("/labels.csv").status_code == 404


def test_finishing_calls_what_ends_the_server(session):
    app, ended = LabelApp(session, hosts=None), threading.Event()
    app.on_finish = ended.set

    assert post(Client(app), "/finish", {}).status_code == 200
    assert ended.wait(10)


def test_classes_need_keys_and_names_of_their_own():
    assert check_class_names(["a", "b", "c"]) == ("a", "b", "c")
    assert {"u", "z"}.isdisjoint(KEYS)
    for names in (["a"], ["a", "a"], [str(i) for i in range(len(KEYS))]):
        with pytest.raises(UsageError, match="different names"):
            check_class_names(names)
    with pytest.raises(UsageError, match="'skip'"):
        check_class_names(["a", "skip"])
