#!/bin/sh
# What needs no test to run: layout, lints, licences and the rules of ARCHITECTURE.md.
set -eu
cd "$(dirname "$0")/.."
. scripts/setup.sh

step() { say "── $(date +%H:%M:%S) $*"; }

step 'cargo fmt'
cargo fmt --all --check

step 'cargo clippy'
cargo clippy --workspace --locked --lib --bins -- -D warnings
# Tests may use the machine's own disk and clock: see clippy.toml.
cargo clippy --workspace --locked --tests --benches --examples -- \
    -D warnings -A clippy::disallowed_methods

step 'cargo xtask tidy'
cargo xtask tidy

step 'cargo deny'
if ! has python3 || ! python3 -c 'import ensurepip' 2>/dev/null; then
    need_packages python3 python3-venv
fi
# Advisories come from a database on the network; CI must not depend on it.
cargo_deny=$(cargo xtask setup cargo-deny)
"$cargo_deny" --workspace --locked check bans licenses sources
