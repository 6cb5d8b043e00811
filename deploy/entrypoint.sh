#!/bin/sh
# The first start makes the data folder and prints the API key, once, to the container's log.
set -eu
[ -f "$LINGSOU_DATA_DIR/lingsou.toml" ] || lingsou init --data "$LINGSOU_DATA_DIR"
exec "$@"
