#!/usr/bin/env bash
# Applies the patches to the crates that they are for, as cargo fetches them from
# the registry, and runs each crate's tests after every patch.
#
# usage: check.sh [CRATE...]
set -euo pipefail
cd "$(dirname "$0")"

here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The folder is no part of any repository, and no crate is of our workspace.
export GIT_CEILING_DIRECTORIES=$work
export CARGO_TARGET_DIR=$work/target

# Fetches CRATE-VERSION, and says where cargo put it.
fetch() {
    local name=${1%-*} version=${1##*-}
    mkdir -p "$work/fetch/src"
    touch "$work/fetch/src/lib.rs"
    printf '[package]\nname = "fetch"\n[workspace]\n[dependencies]\n%s = "=%s"\n' "$name" "$version" \
        >"$work/fetch/Cargo.toml"
    (cd "$work/fetch" && cargo metadata --format-version 1 --quiet) |
        grep --only-matching "\"manifest_path\":\"[^\"]*/$1/Cargo.toml\"" |
        sed 's/^"manifest_path":"//; s/\/Cargo.toml"$//' | head -n 1
}

check() {
    local source patch
    source=$(fetch "$1")
    [[ -n $source ]] || { echo "check: cargo didn't fetch $1" >&2; exit 1; }
    cp -r "$source" "$work/$1"
    for patch in "$here/$1"/*.patch; do
        echo "== $1: $(basename "$patch")"
        (cd "$work/$1" && git apply --whitespace=error-all "$patch" && cargo test --quiet --lib)
    done
}

for folder in */; do
    folder=${folder%/}
    if (($# == 0)) || [[ " $* " == *" ${folder%-*} "* ]]; then
        check "$folder"
    fi
done
