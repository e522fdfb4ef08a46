#!/bin/sh
# Builds the program and starts it with demo data, on 127.0.0.1:8080, its data in ./data.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

if [ ! -x "$CARGO_TARGET_DIR/quick/ledgerline" ]; then
    say 'The first build takes about 11 minutes on 2 cores, half of that on 4; later ones take seconds.'
fi
cargo build --locked --profile quick --package ledgerline-cli --bin ledgerline
exec "$CARGO_TARGET_DIR/quick/ledgerline" demo --data ./data --listen 127.0.0.1:8080 "$@"
