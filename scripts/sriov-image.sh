#!/usr/bin/env bash
# Makes what `just test-sriov` boots, once, and prints where it lies: a folder with Debian's whole kernel (`kernel`),
# a small Debian system with those of its modules that the tests load (`initramfs`), and an emulator that knows a card
# with SR-IOV (`qemu`). The cloud kernel of vm-image.sh has no driver of such a card, and QEMU has one since 8.0.
#
# usage: sriov-image.sh
set -euo pipefail
source "$(dirname "$0")/common.sh"
source "$(dirname "$0")/vm-common.sh"

suite=trixie
image=$cache/vm/$suite-sriov

system=(
    base-files base-passwd bash coreutils findutils grep iproute2 iputils-ping kmod libc6 libgcc-s1 mount ncurses-base
    nftables procps sed strace util-linux
)
# Modules and folders of modules. Some are part of the kernel.
modules=(
    arch crypto drivers/block/virtio_blk drivers/dca drivers/i2c/algos drivers/i2c/i2c-core
    drivers/net/dummy drivers/net/ethernet/intel/igb drivers/net/ethernet/intel/igbvf drivers/net/ifb
    drivers/net/macvlan drivers/net/net_failover drivers/net/tun drivers/net/veth drivers/net/virtio_net drivers/net/vrf
    drivers/pps drivers/ptp fs/ext4 fs/jbd2 fs/mbcache lib net
)

take_modules() {
    local from=$1/usr/lib/modules/$version to=$2/usr/lib/modules/$version module
    mkdir -p "$to/kernel"
    cp "$from"/modules.{builtin,builtin.modinfo,order} "$to"
    for module in "${modules[@]}"; do
        [[ -d $from/kernel/$module ]] || module=$module.ko.xz
        [[ -e $from/kernel/$module ]] || continue
        mkdir -p "$(dirname "$to/kernel/$module")"
        cp -r "$from/kernel/$module" "$to/kernel/$module"
    done
    depmod --basedir "$2" "$version"
}

# The emulator with its own libraries.
make_qemu() {
    cat >"$image/qemu" <<-'END'
		#!/bin/bash
		emulator=$(dirname "$0")/emulator/usr
		exec "$emulator/lib64/ld-linux-x86-64.so.2" --library-path "$emulator/lib/x86_64-linux-gnu" \
		    "$emulator/bin/qemu-system-x86_64" -L "$emulator/share/seabios" -L "$emulator/share/qemu" "$@"
	END
    chmod 755 "$image/qemu"
}

build() {
    [[ $(uname -m) == x86_64 ]] || fail 'only the kernel for x86_64 is known here'
    need_packages cpio debian-archive-keyring kmod mmdebstrap
    say "making a machine of Debian $suite with SR-IOV in $image"
    rm -rf "$image"
    mkdir -p "$image"
    work=$(mktemp --directory)
    trap 'rm -rf "$work"' EXIT
    unpack "$suite" "$work/system" "${system[@]}"
    unpack "$suite" "$work/whole" base-files linux-image-amd64
    unpack "$suite" "$image/emulator" base-files qemu-system-x86 seabios
    version=$(ls "$work/whole/usr/lib/modules")
    cp "$work/whole/boot/vmlinuz-$version" "$image/kernel"
    take_modules "$work/whole" "$work/system"
    make_init "$work/system"
    (cd "$work/system" && find . -print0 | cpio --null --create --format newc --quiet) >"$image/initramfs"
    make_qemu
    say "its kernel is $version"
}

provide "$image"
