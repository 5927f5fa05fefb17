#!/usr/bin/env bash
# Makes a Debian package of the program and its drivers out of what `just build` made, and prints where it lies.
# Installing it grants nothing and makes no links: docs/packages.md says what to do then. The same sources make
# the same package, byte for byte.
#
# usage: package.sh WASMVARK GUESTS FOLDER
set -euo pipefail
source "$(dirname "$0")/common.sh"

program=$(realpath "$1")
guests=$(realpath "$2")
mkdir -p "$3"
folder=$(realpath "$3")
cd "$(dirname "$0")/.."

maintainer='The wasmvark maintainers <maintainers@wasmvark.invalid>'
version=$("$program" --version)
version=${version#wasmvark }
architecture=$(dpkg --print-architecture)
package=$folder/wasmvark_${version}_$architecture.deb

# What the clock says must not be in the package.
if [[ -z ${SOURCE_DATE_EPOCH:-} ]]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat --format=%Y Cargo.lock)
fi
export SOURCE_DATE_EPOCH
umask 022

tree=$(mktemp --directory)
trap 'rm -rf "$tree"' EXIT
chmod 755 "$tree"
doc=$tree/usr/share/doc/wasmvark

files() {
    DESTDIR=$tree PREFIX=/usr scripts/install.sh "$program" "$guests" >/dev/null
    # `wasmvark install` puts links where Podman looks without being told.
    rm -r "$tree/etc/containers"
    install -d "$tree/etc/wasmvark/grants"
    install -d --mode 700 "$tree/etc/wasmvark/secrets"
}

pages() {
    "$program" man "$tree/usr/share/man/man1" >/dev/null
    gzip -9n "$tree"/usr/share/man/man1/*
}

completions() {
    local share=$tree/usr/share
    install -d "$share"/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
    "$program" completions bash >"$share/bash-completion/completions/wasmvark"
    "$program" completions zsh >"$share/zsh/vendor-completions/_wasmvark"
    "$program" completions fish >"$share/fish/vendor_completions.d/wasmvark.fish"
}

# The crates that are in the program and in the drivers: name, version, licence. Those of the project itself have a
# path behind their version, and aren't among them.
crates() {
    local options=(--frozen --edges 'normal,no-proc-macro' --prefix none --format '{p};{l}')
    local manifest
    {
        cargo tree "${options[@]}" --package wasmvark --target "$(uname -m)-unknown-linux-musl"
        for manifest in guest-examples/*/Cargo.toml; do
            cargo tree "${options[@]}" --manifest-path "$manifest" --target wasm32-unknown-unknown
        done
    } | sed -n 's/ (\*)$//; s/^\([^ ]*\) v\([^ ;]*\);\(.*\)$/\1 \2 \3/p' | sort -u
}

copyright() {
    sed "s/@YEAR@/$(date --utc --date="@$SOURCE_DATE_EPOCH" +%Y)/" scripts/debian/copyright
    crates | sed 's/^\([^ ]*\) \([^ ]*\) \(.*\)$/ \1 \2: \3/'
}

# The texts that come with those crates, each once.
licences() {
    local name version rest file sum text
    local -A seen=()
    while read -r name version rest; do
        for file in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$name-$version"/{LICEN[CS]E,COPY,NOTICE}*; do
            [[ -f $file ]] || continue
            sum=$(sha256sum <"$file")
            printf '== %s %s, %s' "$name" "$version" "${file##*/}"
            if [[ -n ${seen[$sum]:-} ]]; then
                printf ': as %s\n' "${seen[$sum]}"
                continue
            fi
            seen[$sum]="$name $version, ${file##*/}"
            printf '\n\n'
            cat "$file"
            printf '\n'
        done
    done < <(crates)
}

# What lintian would say, and is meant to be so.
overrides() {
    install -d "$tree/usr/share/lintian/overrides"
    printf 'wasmvark: %s\n' 'statically-linked-binary [usr/bin/wasmvark]' \
        'non-standard-dir-perm 0700 != 0755 [etc/wasmvark/secrets/]' >"$tree/usr/share/lintian/overrides/wasmvark"
}

documents() {
    install -d "$doc/docs/drivers"
    install --mode 644 {README,ARCHITECTURE,CHANGELOG,CONTRIBUTING,SECURITY,STYLE}.md "$doc/"
    install --mode 644 docs/*.md docs/audit.schema.json "$doc/docs/"
    install --mode 644 docs/drivers/*.md "$doc/docs/drivers/"
    copyright >"$doc/copyright"
    licences | gzip -9n >"$doc/licences.gz"
    gzip -9n >"$doc/changelog.gz" <<-END
		wasmvark ($version) unstable; urgency=medium

		  * Version $version.

		 -- $maintainer  $(LC_ALL=C date --utc --date="@$SOURCE_DATE_EPOCH" --rfc-email)
	END
}

control() {
    local control=$tree/DEBIAN
    local size
    size=$(du --summarize --apparent-size --block-size=1024 "$tree")
    install -d "$control"
    install --mode 755 scripts/debian/{prerm,postrm} "$control/"
    cat >"$control/control" <<-END
		Package: wasmvark
		Version: $version
		Architecture: $architecture
		Maintainer: $maintainer
		Installed-Size: ${size%%[!0-9]*}
		Recommends: podman (>= 5), netavark (>= 1.6)
		Section: admin
		Priority: optional
		Description: network drivers for Podman as sandboxed WebAssembly components
		 Podman's network stack, netavark, takes drivers as plugins: programs that run
		 as root. With wasmvark the one program is the plugin, and each driver is a
		 WebAssembly component that can do nothing but ask for network operations, call
		 by call, within what the operator's grant says.
		 .
		 The drivers are in /usr/share/wasmvark/drivers; none is installed, and nothing
		 is granted, before the operator says so.
	END
    (cd "$tree" && find etc usr -type f -print0 | sort --zero-terminated | xargs --null md5sum) >"$control/md5sums"
}

files
pages
completions
documents
overrides
control
rm -f "$folder"/*.deb
dpkg-deb --root-owner-group -Zxz -z1 --build "$tree" "$package" >/dev/null
printf '%s\n' "$package"
