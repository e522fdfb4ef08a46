#!/bin/sh
# Everything that CI does: scripts/check.sh, then every test, with the share of lines they reach.
# Sets up what a bare Debian or Ubuntu machine lacks.
set -eu
cd "$(dirname "$0")/.."
LINES_MIN=85

sh scripts/check.sh
. scripts/setup.sh
step() { say "── $(date +%H:%M:%S) $*"; }

# Finds llvm-cov and llvm-profdata of rustc's own LLVM: rustup's, or Debian's.
setup_llvm() {
    rustup component list --installed 2>/dev/null | grep -q '^llvm-tools' && return
    rustup component add llvm-tools >/dev/null 2>&1 && return
    version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    folder="/usr/lib/llvm-$version/bin"
    [ -x "$folder/llvm-cov" ] || install_packages "llvm-$version" || return 1
    LLVM_COV="$folder/llvm-cov"
    LLVM_PROFDATA="$folder/llvm-profdata"
    export LLVM_COV LLVM_PROFDATA
}

# Whether this machine allows what the trials of power, memory and a full disk need.
allows_trials() {
    [ "$(id -u)" = 0 ] && has cc && has mkfs.ext4 && has losetup || return 1
    losetup -f >/dev/null 2>&1 && [ -w /sys/fs/cgroup/memory ] || return 1
    folder=$(mktemp -d)
    mounted=1
    mount -t tmpfs tmpfs "$folder" 2>/dev/null && umount "$folder" && mounted=0
    rmdir "$folder"
    return $mounted
}

if [ -z "${LEDGERLINE_TRIALS_MUST_RUN:-}" ] && allows_trials; then
    LEDGERLINE_TRIALS_MUST_RUN=1
    export LEDGERLINE_TRIALS_MUST_RUN
fi

if ! setup_llvm; then
    step 'tests; coverage is not measured: neither rustup nor apt has the LLVM tools for this rustc'
    exec cargo test --workspace --locked
fi

step "tests, which must reach $LINES_MIN % of all lines"
cargo_llvm_cov=$(cargo xtask setup cargo-llvm-cov)
# One instrumented build and no other: cargo keeps it beside the plain one. Tests and tools do not
# count as lines to be reached.
"$cargo_llvm_cov" llvm-cov --workspace --locked --fail-under-lines "$LINES_MIN" \
    --ignore-filename-regex '(^|/)(tests|xtask|bench)/|/tests\.rs$'
step 'all passed'
