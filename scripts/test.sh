#!/bin/sh
# Runs every test of the workspace with what a bare machine with rustup has.
set -eu
cd "$(dirname "$0")/.."
CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ledgerline/target}"
export CARGO_TARGET_DIR
cargo test --workspace --locked
