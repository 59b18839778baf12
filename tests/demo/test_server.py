"""The server takes what the page sends, and refuses everything else."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.request

import pytest
from werkzeug.test import Client

from pixsent_tf.demo.server import DemoApp, local_hosts, open_server
from pixsent_tf.errors import ConfigError

LIMIT = 1000


class StandIn:
    """Answers with what it was asked."""

    def describe(self):
        return {"name": "stand-in", "class_names": ("negative", "positive")}

    def predict(self, name, encoded):
        return {"name": name, "status": "ok", "bytes": len(encoded)}

    def map(self, name, encoded):
        return {"name": name, "status": "ok", "map": encoded.decode()}


def build(hosts=None) -> DemoApp:
    """The application around the stand-in."""
    return DemoApp(StandIn(), max_bytes=LIMIT, hosts=hosts)


@pytest.fixture
def client() -> Client:
    """Asks the application, as on this machine."""
    return Client(build(local_hosts("127.0.0.1")))


@pytest.fixture
def listening():
    """The application behind a socket."""
    server = open_server(build(), host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join(10)
    assert not thread.is_alive()


def post(client: Client, path: str, data: bytes, **more):
    """Send a picture's bytes as the page does."""
    more = {"content_type": "application/octet-stream"} | more
    return client.post(path, data=data, **more)


@pytest.mark.parametrize(
    ("path", "kind", "part"),
    [
        ("/", "text/html", "<title>"),
        ("/page.css", "text/css", ":root"),
        ("/page.js", "text/javascript", '"use strict"'),
    ],
)
def test_the_page_and_its_parts_are_served(client, path, kind, part):
    response = client.get(path)

    assert response.status_code == 200
    assert response.mimetype == kind
    assert part in response.text


def test_the_page_names_nothing_but_its_own_parts(client):
    page, style, script = (client.get(p).text for p in ("/", "/page.css", "/page.js"))

    assert "//" not in page.replace("<!doctype html>", "")
    assert "url(" not in style
    assert "@import" not in style
    assert "http" not in script
    assert "innerHTML" not in script  # a file's name is text, not markup


def test_the_page_learns_about_the_model_and_the_limit(client):
    assert client.get("/model").json == {
        "name": "stand-in",
        "class_names": ["negative", "positive"],
        "max_bytes": LIMIT,
    }


def test_a_picture_is_answered_under_its_name(client):
    response = post(client, "/predict?name=se%C3%B1al%20%231.jpg", b"abc")

    assert response.json == {"name": "señal #1.jpg", "status": "ok", "bytes": 3}
    assert post(client, "/map", b"abc").json["map"] == "abc"
    assert len(post(client, f"/map?name={'x' * 999}", b"x").json["name"]) == 255


def test_the_largest_picture_is_taken_and_a_larger_one_refused(client):
    assert post(client, "/predict", b"x" * LIMIT).status_code == 200
    for path in ("/predict", "/map"):
        assert post(client, path, b"x" * (LIMIT + 1)).status_code == 413


def test_a_body_of_unknown_length_is_refused_and_not_cut_at_the_limit(listening):
    connection = http.client.HTTPConnection("127.0.0.1", listening.port, timeout=10)
    connection.request(
        "POST",
        "/predict",
        body=iter([b"x" * (LIMIT + 1)]),
        headers={"Content-Type": "application/octet-stream"},
        encode_chunked=True,
    )
    with connection.getresponse() as response:
        assert response.status == 411
    connection.close()


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
)
def test_what_a_form_of_another_site_can_send_is_refused(client, kind):
    assert post(client, "/predict", b"abc", content_type=kind).status_code == 415


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nothing"),
        ("GET", "/../server.py"),
        ("GET", "/answers.py"),
        ("GET", "/predict"),
        ("POST", "/"),
        ("POST", "/model"),
        ("OPTIONS", "/predict"),
        ("DELETE", "/map"),
    ],
)
def test_any_other_request_finds_nothing(client, method, path):
    assert client.open(path, method=method).status_code == 404


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:7860", "[::1]:7860"])
def test_this_machine_may_be_called_by_its_names(client, host):
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7860", "127.0.0.1.nip", "[", ""]
)
def test_another_name_that_leads_here_is_refused(client, host):
    response = client.get("/model", headers={"Host": host})

    assert response.status_code == 400
    assert "stand-in" not in response.text


def test_a_server_that_is_open_to_the_network_has_any_name():
    client = Client(build(local_hosts("0.0.0.0")))

    assert client.get("/", headers={"Host": "den.example"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "is_local"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("192.168.0.7", False),
        ("den.example", False),
    ],
)
def test_only_addresses_of_this_machine_are_local(host, is_local):
    hosts = local_hosts(host)

    assert (hosts is not None) == is_local
    assert hosts is None or host in hosts


@pytest.mark.parametrize("path", ["/", "/model", "/nothing"])
def test_the_browser_is_told_to_ask_nobody_else(client, path):
    headers = client.get(path).headers

    policy = dict(
        part.strip().split(" ", 1)
        for part in headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


def test_it_answers_over_a_socket_and_prints_nothing(listening, capfd):
    address = f"http://127.0.0.1:{listening.port}/model"
    with urllib.request.urlopen(address, timeout=10) as response:
        assert json.load(response)["name"] == "stand-in"

    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken_is_explained_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError) as raised:
            open_server(build(), host="127.0.0.1", port=port)

    assert str(raised.value) == (
        f"Nothing can listen at 127.0.0.1:{port} (Address already in use); choose "
        "another --port, or --host."
    )


def test_an_address_that_is_not_ours_is_explained_in_one_line():
    with pytest.raises(ConfigError, match=r"Nothing can listen at 192\.0\.2\.1:0 \("):
        open_server(build(), host="192.0.2.1", port=0)
