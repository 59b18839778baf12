"""Writes files of weights by hand, so that reader and writer share no code."""

from __future__ import annotations

import numpy as np

CONVOLUTIONS = {  # filters, channels per group, kernel, stride, padding, groups
    "conv1": (96, 3, 11, 4, 0, 1),
    "conv2": (256, 48, 5, 1, 2, 2),
    "conv3": (384, 256, 3, 1, 1, 1),
    "conv4": (384, 192, 3, 1, 1, 2),
    "conv5": (256, 192, 3, 1, 1, 2),
}
V1_CONVOLUTION, V1_INNER_PRODUCT = 4, 14
MEAN = np.array([104.00699, 116.66877, 122.67891], "float32")


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def number_field(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def bytes_field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def blob(array: np.ndarray, *, legacy=False, packed=True, double=False) -> bytes:
    if legacy:
        sides = (1,) * (4 - array.ndim) + array.shape
        shape = b"".join(number_field(i, n) for i, n in enumerate(sides, start=1))
    else:
        shape = bytes_field(7, bytes_field(1, b"".join(varint(n) for n in array.shape)))
    raw = array.astype("<f8" if double else "<f4").tobytes()
    number, wire, width = (8, 1, 8) if double else (5, 5, 4)
    if packed:
        return shape + bytes_field(number, raw)
    tag = varint(number << 3 | wire)
    items = (raw[i : i + width] for i in range(0, len(raw), width))
    return shape + b"".join(tag + item for item in items)


def layer_v2(name: str, layer_type: str, *blobs: bytes) -> bytes:
    head = bytes_field(1, name.encode()) + bytes_field(2, layer_type.encode())
    body = b"".join(bytes_field(7, one) for one in blobs)
    return bytes_field(100, head + bytes_field(3, b"bottom") + body)


def layer_v1(name: str, layer_type: int, *blobs: bytes) -> bytes:
    body = b"".join(bytes_field(6, one) for one in blobs)
    head = bytes_field(2, b"bottom") + bytes_field(4, name.encode())
    return bytes_field(2, head + number_field(5, layer_type) + body)


def caffenet_blobs(num_classes=2, *, width=1.0, cells=6, seed=0) -> dict:
    """Random weights under Caffe's shapes, large enough for every layer to matter."""
    generator = np.random.default_rng(seed)
    shapes = {}
    for name, (filters, channels, kernel, *_) in CONVOLUTIONS.items():
        channels = channels if name == "conv1" else round(channels * width)
        shapes[name] = (round(filters * width), channels, kernel, kernel)
    units = round(4096 * width)
    shapes["fc6"] = (units, shapes["conv5"][0] * cells**2)
    shapes["fc7"] = (units, units)
    shapes["fc8"] = (num_classes, units)
    blobs = {}
    for name, shape in shapes.items():
        kernel = generator.standard_normal(shape, "float32")
        kernel *= np.sqrt(2 / np.prod(shape[1:]))
        blobs[name] = (kernel, generator.standard_normal(shape[0], "float32"))
    return blobs


def write_caffemodel(path, blobs: dict, *, version=2, **how) -> None:
    with open(path, "wb") as file:
        file.write(bytes_field(1, b"CaffeNet"))
        for name, arrays in blobs.items():
            written = [blob(array, **how) for array in arrays]
            conv = arrays[0].ndim == 4
            if version == 2:
                kind = "Convolution" if conv else "InnerProduct"
                file.write(layer_v2(name, kind, *written))
            else:
                kind = V1_CONVOLUTION if conv else V1_INNER_PRODUCT
                file.write(layer_v1(name, kind, *written))


def caffenet_prototxt(blobs: dict, size: int, *, order="caffenet") -> str:
    """CaffeNet as Caffe is told; dense layers of four sides become convolutions."""
    text = [f'input: "data" input_dim: 1 input_dim: 3 input_dim: {size} ']
    text.append(f"input_dim: {size}\n")
    top = "data"

    def add(name, kind, settings, *, in_place=False):
        nonlocal top
        out = top if in_place else name
        text.append(
            f'layer {{ name: "{name}" type: "{kind}" bottom: "{top}" top: "{out}" '
            f"{settings} }}\n"
        )
        top = out

    for name, (kernel, _) in blobs.items():
        index = name[-1]
        settings = f"num_output: {kernel.shape[0]} "
        if kernel.ndim == 2:
            add(name, "InnerProduct", f"inner_product_param {{ {settings} }}")
        else:
            stride, pad, groups = CONVOLUTIONS.get(name, [1, 0, 1])[-3:]
            settings += f"kernel_size: {kernel.shape[2]} stride: {stride} "
            settings += f"pad: {pad} group: {groups}"
            add(name, "Convolution", f"convolution_param {{ {settings} }}")
        if name != "fc8":
            add(f"relu{index}", "ReLU", "", in_place=True)
        behind = []
        if name in ("conv1", "conv2", "conv5"):
            behind.append(("pool", "Pooling", "pool: MAX kernel_size: 3 stride: 2"))
        if name in ("conv1", "conv2"):
            behind.append(("norm", "LRN", "local_size: 5 alpha: 0.0001 beta: 0.75"))
        for stem, kind, settings in behind[:: 1 if order == "caffenet" else -1]:
            param = "lrn_param" if kind == "LRN" else "pooling_param"
            add(f"{stem}{index}", kind, f"{param} {{ {settings} }}")
    return "".join(text)


def caffe_input(pixels: np.ndarray) -> np.ndarray:
    """RGB pixels [B, H, W, 3] as Caffe is fed: BGR minus mean, [B, 3, H, W]."""
    return np.ascontiguousarray((pixels[..., ::-1] - MEAN).transpose(0, 3, 1, 2))


def write_npz(model, path) -> None:
    """Keras' own arrays under "layer/variable"."""
    np.savez(path, **{variable.path: variable.numpy() for variable in model.weights})
