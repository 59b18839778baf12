"""The operator's folder: TF Serving's own messages read its files, a server answers."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pixsent_tf.serving import tflite
from tests.conftest import ROOT
from tests.serving.test_client import start_stand_in

pytest.importorskip("tensorflow_serving")

FOLDER = ROOT / "export"


@pytest.fixture(scope="module")
def server(tiny_export):
    """A stand-in that serves the tiny model under the name in `models.config`."""
    process, grpc_port, rest_port = start_stand_in(tiny_export.parent, "sentiment")
    yield f"localhost:{grpc_port}", f"http://localhost:{rest_port}"
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def picture(images, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(images[0]).save(path)
    return path


def run(*command):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_model_configuration_is_what_the_server_parses():
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    text = (FOLDER / "models.config").read_text()
    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())

    (model,) = config.model_config_list.config
    assert (model.name, model.base_path) == ("sentiment", "/models/sentiment")
    assert model.model_version_policy.latest.num_versions == 2


def test_the_monitoring_configuration_is_what_the_server_parses():
    from google.protobuf import text_format

    pb2 = pytest.importorskip("tensorflow_serving.config.monitoring_config_pb2")

    text = (FOLDER / "monitoring.config").read_text()
    config = text_format.Parse(text, pb2.MonitoringConfig())
    assert config.prometheus_config.enable


@pytest.mark.journey
@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_smoke_script_passes_with_its_own_picture(server):
    assert run(FOLDER / "smoke.sh", "", server[1]).endswith("ok\n")


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_rest_sample_gets_an_answer(server, picture):
    assert '"valid": true' in run(FOLDER / "samples/rest.sh", picture, server[1])


@pytest.mark.journey
def test_the_grpc_sample_gets_an_answer(server, picture):
    script = FOLDER / "samples/ask_grpc.py"

    output = run(sys.executable, script, picture, "--server", server[0])

    assert output.startswith(f"{picture}  ")
    assert "positive 0." in output


def test_the_tflite_sample_says_what_the_model_says(tiny_model, picture, tmp_path):
    path = tflite.write_tflite(
        tflite.convert(tiny_model), tiny_model, tmp_path / "m.tflite"
    )

    output = run(sys.executable, FOLDER / "samples/tflite_predict.py", path, picture)

    probs = tiny_model.model(np.asarray(Image.open(picture))[None], training=False)
    assert float(output.split()[-1]) == pytest.approx(probs.numpy()[0, 1], abs=0.01)
