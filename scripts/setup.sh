#!/usr/bin/env bash
# Installs what building and testing need; does nothing where all is there.
set -euo pipefail

source "$(dirname "$0")/common.sh"

netavark_version=2.1.0
targets=("$(uname -m)-unknown-linux-musl" wasm32-unknown-unknown wasm32-wasip2)

# The package with clang's runtime for WebAssembly, of clang's own version.
clang_runtime() {
    local version
    version=$(dpkg-query --show --showformat='${Depends}' clang | grep --only-matching 'clang-[0-9]*' | head -n 1)
    printf 'libclang-rt-%s-dev-wasm32' "${version#clang-}"
}

install_packages() {
    local packages=(
        chromium clang containernetworking-plugins groff-base iproute2 iputils-ping lld musl-tools nftables
        protobuf-compiler python3-jsonschema strace wasi-libc
    )
    need_packages "${packages[@]}"
    # Its name is known once clang is there.
    need_packages "$(clang_runtime)"
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
