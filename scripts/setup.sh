#!/usr/bin/env bash
# Installs what building and testing need; does nothing where all is there.
set -euo pipefail

netavark_version=2.1.0
tools="${XDG_CACHE_HOME:-$HOME/.cache}/wasmvark/tools"
targets=("$(uname -m)-unknown-linux-musl" wasm32-unknown-unknown wasm32-wasip2)

say() { printf 'setup: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

is_installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# The package with clang's runtime for WebAssembly, of clang's own version.
clang_runtime() {
    local version
    version=$(apt-cache depends clang | sed -n 's/.*Depends: clang-\([0-9]*\)$/\1/p' | head -n 1)
    printf 'libclang-rt-%s-dev-wasm32' "$version"
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "run as root, or install by hand: ${missing[*]}"
    fi
}

install_packages() {
    local packages=(
        clang iproute2 iputils-ping lld musl-tools nftables protobuf-compiler strace wasi-libc
    )
    local package missing=()
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    # Its name is known only once the package lists are.
    is_installed "$(clang_runtime)" || missing+=(clang-runtime)
    ((${#missing[@]})) || return 0
    say "packages are missing: ${missing[*]}"
    as_root apt-get update --quiet=2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes \
        --no-install-recommends "${missing[@]/#clang-runtime/$(clang_runtime)}"
}

install_targets() {
    local target missing=()
    for target in "${targets[@]}"; do
        [[ -d $(rustc --print target-libdir --target "$target") ]] || missing+=("$target")
    done
    ((${#missing[@]})) || return 0
    say "Rust targets are missing: ${missing[*]}"
    command -v rustup >/dev/null || fail 'rustup is needed to add them: https://rustup.rs'
    rustup target add "${missing[@]}"
}

# The real netavark, and the native plugins that it ships as examples.
install_netavark() {
    local program complete=yes
    for program in netavark host-device-plugin stderr-plugin; do
        [[ -x $tools/bin/$program ]] || complete=no
    done
    if [[ $complete == yes && $("$tools/bin/netavark" --version) == *" $netavark_version" ]]; then
        return 0
    fi
    say "building netavark $netavark_version into $tools (some minutes)"
    # Outside the project, whose settings for cargo are not meant for it.
    (cd / && cargo install --locked --quiet --force --root "$tools" \
        netavark --version "$netavark_version" \
        --bin netavark --example host-device-plugin --example stderr-plugin)
}

command -v cargo >/dev/null || fail 'Rust is missing: https://rustup.rs'
command -v apt-get >/dev/null || fail 'this script knows only Debian and its kin'
install_packages
install_targets
install_netavark
