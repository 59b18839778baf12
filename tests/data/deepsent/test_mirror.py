"""Is what the page links to fetched and checked, and its absence explained?"""

from __future__ import annotations

import functools
import hashlib
import http.server
import shutil
import threading

import pytest
import tensorflow_datasets as tfds
from deepsent_files import name_of, write_deepsent

from pixsent_tf.data.deepsent.mirror import content_digest, fetch, find_root
from pixsent_tf.errors import DataError


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site(tmp_path):
    """A server on this machine: the folder it serves, and its address."""
    folder = tmp_path / "site"
    folder.mkdir()
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def downloads(tmp_path):
    return tfds.download.DownloadManager(download_dir=tmp_path / "downloads")


@pytest.fixture
def archive(site, tmp_path):
    """A page that links to an archive of the drawn set; gives the page's address."""
    folder, address = site
    write_deepsent(tmp_path / "packed/DeepSent")
    shutil.make_archive(str(folder / "data"), "zip", tmp_path / "packed")
    (folder / "page.html").write_text('<a HREF="data.zip">the data</a>')
    return f"{address}/page.html"


def test_archive_behind_the_page_is_fetched_and_checked(archive, downloads, tmp_path):
    wanted = content_digest(tmp_path / "packed/DeepSent")

    root = fetch(downloads, page=archive, sha256=wanted)

    assert (root / "images" / name_of(0)).is_file()


def test_other_pictures_are_refused(archive, downloads):
    with pytest.raises(
        DataError, match=r"holds other pictures than DeepSent \(SHA-256"
    ):
        fetch(downloads, page=archive)


def test_page_without_an_archive_is_explained(site, downloads):
    folder, address = site
    (folder / "page.html").write_text("<a href='papers.pdf'>papers</a>")

    with pytest.raises(DataError, match=r"links to no archive of DeepSent any more"):
        fetch(downloads, page=f"{address}/page.html")


def test_page_that_is_gone_is_explained_in_one_line(site, downloads):
    with pytest.raises(
        DataError, match=r"^DeepSent could not be fetched from .*manual_dir\.$"
    ):
        fetch(downloads, page=f"{site[1]}/gone.html")


def test_checksum_covers_names_and_bytes(tmp_path):
    root = write_deepsent(tmp_path)
    lines = sorted(
        f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path in (root / "images").iterdir()
    )

    assert content_digest(root) == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_folder_is_found_up_to_two_levels_below(tmp_path):
    write_deepsent(tmp_path / "a/b")

    assert find_root(tmp_path) == tmp_path / "a/b"
    assert find_root(tmp_path / "a/b/images") is None


@pytest.mark.data
def test_checksum_is_that_of_the_real_pictures(shared_data):
    from pixsent_tf.data.deepsent.mirror import SHA256

    assert content_digest(shared_data / "deepsent") == SHA256
