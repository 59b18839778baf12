#!/bin/sh
# Is the server up, and does it see a picture? smoke.sh [PICTURE] [URL]
set -eu
picture=${1:-}
url=${2:-http://localhost:8501}
model="$url/v1/models/sentiment"

if [ -z "$picture" ]; then
    picture=$(mktemp)
    trap 'rm -f "$picture"' EXIT
    # A gray PNG of 8x8 pixels.
    base64 -d >"$picture" <<'PNG'
iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAD0lEQVR42mNowAEYhpYEAILzYAEl
lbNjAAAAAElFTkSuQmCC
PNG
fi

echo "status:"
curl --fail --silent --show-error "$model"

echo "prediction:"
answer=$(printf '{"instances": [{"image_bytes": {"b64": "%s"}}]}' \
    "$(base64 <"$picture" | tr -d '\n')" |
    curl --fail --silent --show-error --header 'Content-Type: application/json' \
        --data-binary @- "$model:predict")
echo "$answer"

case $answer in
*'"valid": true'*) echo "ok" ;;
*) echo "The server answers, but could not read $picture." >&2; exit 1 ;;
esac
