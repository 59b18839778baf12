"""pixsent-tf demo: drop pictures on a local web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import click

from pixsent_tf.cli import console
from pixsent_tf.cli.options import THRESHOLD, Value, model_option
from pixsent_tf.config.values import Range


@click.command(name="demo")
@model_option
@THRESHOLD
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to listen at."
)
@click.option(
    "--port",
    type=Value(Annotated[int, Range(least=0, most=65535)]),
    default=7860,
    show_default=True,
    help="Port; 0 takes any free one.",
)
@click.option(
    "--max-mb",
    type=Value(Annotated[int, Range(least=1, most=1000)]),
    default=20,
    show_default=True,
    help="Largest picture to accept, in megabytes.",
)
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
def command(
    model: str | None,
    threshold: float | None,
    host: str,
    port: int,
    max_mb: int,
    show: bool,
) -> None:
    """Show what a model says about the pictures that you drop on a page.

    The page gives the probability, `unsure` where the model should keep silent, where
    it looks, and a table to download. It works without a network; pictures stay on
    this machine and are not stored. End it with Ctrl-C.

    \b
    Example:
      pixsent-tf demo
      pixsent-tf demo --model runs/mine --port 8000 --open
    """
    console.load_tensorflow()
    from pixsent_tf.demo.answers import Answerer
    from pixsent_tf.demo.server import DemoApp, local_hosts, open_server
    from pixsent_tf.inference.shipped import (
        comes_with_ratings,
        load_any_model,
        load_model,
        load_ratings,
    )

    hosts = local_hosts(host)
    name = Path(model).resolve().name if model else "the model that ships"
    trained = load_any_model(model)
    if threshold is not None:
        trained = load_model(model, threshold=threshold)
    second = load_ratings(model, trained) if comes_with_ratings(model) else None
    answerer = Answerer(trained, name, second)
    app = DemoApp(answerer, max_bytes=max_mb * 1_000_000, hosts=hosts)
    server = open_server(app, host=host, port=port)
    answerer.warm_up()
    if hosts is None:
        console.warn(f"{host} is open to the network: whoever reaches it may ask.")
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{server.port}/"
    click.echo(f"The page is at {address} (Ctrl-C ends it).")
    if show:
        click.launch(address)
    server.serve_forever()
