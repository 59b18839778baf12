#!/bin/sh
# Ask over REST about one picture: rest.sh photo.jpg [URL]
set -eu
printf '{"signature_name": "serving_default", "instances": [{"image_bytes": {"b64": "%s"}}]}' \
    "$(base64 <"$1" | tr -d '\n')" |
    curl --fail --silent --show-error --header 'Content-Type: application/json' \
        --data-binary @- "${2:-http://localhost:8501}/v1/models/sentiment:predict"
