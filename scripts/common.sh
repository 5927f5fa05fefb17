# What the scripts share; they source it.

cache="${XDG_CACHE_HOME:-$HOME/.cache}/wasmvark"
tools=$cache/tools

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

is_installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "run as root, or do by hand: $*"
    fi
}

# Installs those of the Debian packages in the arguments that are missing.
need_packages() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    say "packages are missing: ${missing[*]}"
    as_root apt-get update --quiet=2
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes \
        --no-install-recommends "${missing[@]}"
}
