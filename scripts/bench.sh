#!/bin/sh
# Measures the release build; what is measured, and against what, is in bench/. `--help` lists what
# can be chosen: `sh scripts/bench.sh --only audit --seconds 10`.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

cargo build --locked --release --package ledgerline-cli --package ledgerline-bench
exec cargo run --locked --release --package ledgerline-bench -- "$@"
