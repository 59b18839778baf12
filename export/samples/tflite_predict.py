"""Predict with a TFLite file, without pixsent-tf: tflite_predict.py MODEL PICTURE...

Needs: pip install ai-edge-litert numpy pillow. What it does in Python, an app does in
Kotlin or Swift: upright, resize, cut the center, ask.
"""

import json
import sys
import zipfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps


def to_crop(path: str, geometry: dict) -> np.ndarray:
    """Cut the crop that the model wants, uint8 [1, S, S, 3]."""
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    canvas, side = geometry["canvas_size"], geometry["crop_size"]
    if geometry["fit"] == "crop":
        image = ImageOps.fit(image, (min(image.size),) * 2)
    resample = Image.Resampling[geometry["resample"].upper()]
    image = image.resize((canvas, canvas), resample)
    margin = (canvas - side) // 2
    crop = image.crop((margin, margin, margin + side, margin + side))
    return np.asarray(crop)[None]


model, *pictures = sys.argv[1:]
with zipfile.ZipFile(model) as archive:
    class_names = archive.read("class_names.txt").decode().splitlines()
    geometry = json.loads(archive.read("preprocess.json"))

predict = Interpreter(model).get_signature_runner("serving_default")
for picture in pictures:
    probs = predict(crops=to_crop(picture, geometry))["probs"][0]
    shares = "  ".join(f"{n} {p:.4f}" for n, p in zip(class_names, probs, strict=True))
    print(f"{picture}  {class_names[probs.argmax()]}  {shares}")
