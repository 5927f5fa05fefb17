#!/usr/bin/env bash
# Unpacks a Debian system with real Podman, netavark, crun and aardvark-dns, once, and prints where it lies.
# trixie has Podman 5.4 and netavark 1.14, forky Podman 5.8 and netavark 1.17. The tests never write to it.
#
# No maintainer script runs: what those would make and Podman needs is made here. Below that it's as Debian
# ships it; in particular there is no containers.conf of ours. /image.tar becomes an image by `podman import`.
#
# usage: podman-tree.sh trixie|forky
set -euo pipefail
source "$(dirname "$0")/common.sh"

suite=$1
tree=$cache/podman/$suite
stamp=$tree.stamp

packages=(
    aardvark-dns base-files base-passwd bash busybox ca-certificates catatonit coreutils crun dash dbus-bin
    dbus-daemon dbus-system-bus-common dnsmasq-base findutils grep iproute2 iputils-ping jq kmod mawk mount netavark
    netbase nftables passt podman procps python3-firewall python3-nftables sed tar uidmap util-linux
)
# firewalld's package would bring systemd, polkit and NetworkManager's library along. It runs without them, with its
# Python modules. mmdebstrap gives the hook the tree's folder and the settings of its apt.
extract_alone='set -e; cd "$1/tmp"
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get --quiet=2 --option APT::Sandbox::User=root download firewalld
dpkg-deb --extract firewalld_*.deb "$1"
rm firewalld_*.deb'

# What packages and an administrator would set up: root, nobody, the message bus's user, and one with subordinate ids.
make_users() {
    cat >"$1/etc/passwd" <<-END
		root:x:0:0:root:/root:/bin/bash
		messagebus:x:101:101::/nonexistent:/usr/sbin/nologin
		nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
		user:x:1000:1000::/home/user:/bin/bash
	END
    printf 'root:x:0:\nmessagebus:x:101:\nnogroup:x:65534:\nuser:x:1000:\n' >"$1/etc/group"
    printf 'user:100000:65536\n' | tee "$1/etc/subuid" >"$1/etc/subgid"
    install -d -o 1000 -g 1000 "$1/home/user"
}

# The containers' image: the tree's busybox with the libraries that it loads, and nothing else. The static one
# can't look names up.
make_image() {
    local image command
    image=$(mktemp --directory)
    mkdir -p "$image"/{dev,etc,proc,sys,tmp}
    chmod 755 "$image"
    (cd "$1" && cp --archive --parents bin lib* usr/bin/busybox usr/lib/*/{libc,libm,libresolv}.so.* \
        usr/lib/*/ld-*.so.* usr/lib*/ld-*.so.* "$image")
    for command in $(chroot "$1" /usr/bin/busybox --list); do
        [[ $command == busybox ]] || ln -s busybox "$image/usr/bin/$command"
    done
    tar --directory "$image" --create --file "$1/image.tar" .
    rm -r "$image"
}

build() {
    ((EUID == 0)) || fail 'it needs root'
    need_packages debian-archive-keyring mmdebstrap
    say "unpacking Debian $suite with Podman into $tree" >&2
    rm -rf "$tree" "$tree.new" "$stamp"
    mmdebstrap --quiet --variant=extract --aptopt='Acquire::Check-Valid-Until "false"' \
        --include="$(IFS=,; printf '%s' "${packages[*]}")" --extract-hook="$extract_alone" "$suite" "$tree.new"
    make_users "$tree.new"
    make_image "$tree.new"
    # What else maintainer scripts would make.
    ln -sf mawk "$tree.new/usr/bin/awk"
    rmdir "$tree.new/var/run"
    ln -s /run "$tree.new/var/run"
    mkdir -p "$tree.new"/usr/local/{bin,lib,sbin,share} "$tree.new/var/lib/dbus"
    mv "$tree.new" "$tree"
    printf '%s\n' "$recipe" >"$stamp"
}

[[ $suite == trixie || $suite == forky ]] || fail "no tree is known for Debian $suite"
mkdir -p "$cache/podman"
exec {lock}>"$cache/podman/$suite.lock"
flock "$lock"
# A tree is unpacked anew when this script has changed.
recipe=$(sha256sum <"${BASH_SOURCE[0]}")
[[ -f $stamp && $(<"$stamp") == "$recipe" ]] || build >&2
printf '%s\n' "$tree"
