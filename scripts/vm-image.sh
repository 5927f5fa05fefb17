#!/usr/bin/env bash
# Makes what `just test-vm` boots, once, and prints where it lies: a folder with Debian's kernel (`kernel`) and a
# small Debian system with that kernel's modules as a disk (`root.img`). The tests come along on a disk of their
# own, so this one changes only when Debian's suite or this script does.
#
# Debian's cloud kernel has all of the network's modules, and drives the disk without an initramfs.
# WASMVARK_VM_SUITE chooses another suite, so another kernel: `forky`, for example.
#
# usage: vm-image.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/vm-common.sh"

suite=${WASMVARK_VM_SUITE:-trixie}
image=$cache/vm/$suite

packages=(
    base-files base-passwd bash containernetworking-plugins coreutils findutils grep iproute2 iputils-ping kmod
    libc6 libgcc-s1 linux-image-cloud-amd64 mount ncurses-base nftables procps sed strace util-linux
    wireguard-tools
)

build() {
    local version
    [[ $(uname -m) == x86_64 ]] || fail 'only the kernel for x86_64 is known here'
    need_packages debian-archive-keyring kmod mmdebstrap
    say "making a machine of Debian $suite in $image"
    rm -rf "$image"
    mkdir -p "$image"
    work=$(mktemp --directory)
    trap 'rm -rf "$work"' EXIT
    unpack "$suite" "$work/root" "${packages[@]}"
    version=$(ls "$work/root/usr/lib/modules")
    mv "$work/root/boot/vmlinuz-$version" "$image/kernel"
    rm -r "$work/root/boot"
    depmod --basedir "$work/root" "$version"
    make_init "$work/root"
    mke2fs -q -t ext4 -O ^has_journal -E root_owner=0:0 \
        -d "$work/root" "$image/root.img" 512M
    say "its kernel is $version"
}

# Booting needs the first one, making a disk of the tests the other.
need_packages qemu-system-x86 e2fsprogs >&2
provide "$image"
