# shellcheck shell=sh
# Sets up what building takes, where it is missing. To be sourced, from the top of the repository.
# What it cannot set up, it names in one line.

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "error: $1"
    [ $# -lt 2 ] || say "hint: $2"
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Runs apt-get as root, with sudo where that asks for no password. Fails where neither can be.
apt_get() {
    has apt-get || return 1
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2
    elif has sudo && sudo -n true 2>/dev/null; then
        sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2
    else
        return 1
    fi
}

install_packages() { apt_get update && apt_get install -y --no-install-recommends "$@"; }

# need_packages PACKAGE…: installs Debian packages, or says which.
need_packages() {
    say "setting up: $*"
    install_packages "$@" || fail "these packages are missing: $*" "sudo apt-get install $*"
}

# A C compiler for SQLite, zstd and the ciphers; curl to get Rust and for the tour.
setup_packages() {
    missing=''
    has cc || missing="$missing gcc libc6-dev"
    has curl || missing="$missing curl ca-certificates"
    # shellcheck disable=SC2086 # a list of names
    [ -z "$missing" ] || need_packages $missing
}

# The version of Rust that the repository is built with.
wanted_rust() { sed -n 's/^channel = "\(.*\)"$/\1/p' rust-toolchain.toml; }

# Prints the name of an installed toolchain of version $1.
installed_toolchain() {
    rustup toolchain list 2>/dev/null | while read -r name _; do
        case $(rustup run "$name" rustc --version 2>/dev/null) in
        "rustc $1 "*)
            printf '%s\n' "$name"
            break
            ;;
        esac
    done
}

setup_rust() {
    PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    export PATH
    version=$(wanted_rust)
    if ! has rustup && ! has cargo; then
        say "setting up: Rust $version, with rustup"
        curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
            sh -s -- -y -q --no-modify-path --profile minimal --default-toolchain none >&2 ||
            fail 'rustup cannot be installed' 'install Rust by hand: https://rustup.rs'
    fi
    if ! has rustup; then
        case $(rustc --version) in
        "rustc $version "*) return ;;
        *) fail "Rust $version is needed; this is $(rustc --version)" 'install rustup: https://rustup.rs' ;;
        esac
    fi
    toolchain=$(installed_toolchain "$version")
    if [ -z "$toolchain" ]; then
        say "setting up: Rust $version"
        rustup toolchain install "$version" --profile minimal -c rustfmt -c clippy >&2 ||
            fail "Rust $version cannot be installed" "rustup toolchain install $version"
        toolchain=$version
    fi
    RUSTUP_TOOLCHAIN=$toolchain
    export RUSTUP_TOOLCHAIN
}

# Built files lie in the user's cache, so that every clone shares them.
setup_target() {
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/ledgerline/target}"
    export CARGO_TARGET_DIR
}

setup_packages
setup_rust
setup_target
