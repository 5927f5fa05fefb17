#!/usr/bin/env bash
# Makes a disk for the virtual machine out of a Debian system with Podman (see podman-tree.sh), once, and prints
# where it lies. Without root, and without such a disk from before, it prints `none`.
#
# usage: podman-disk.sh trixie|forky
set -euo pipefail
source "$(dirname "$0")/common.sh"

PATH=$PATH:/usr/sbin:/sbin
tree=$cache/podman/$1
disk=$tree.img
stamp=$disk.stamp

if ((EUID != 0)) && [[ ! -f $stamp ]]; then
    say "unpacking Podman's system needs root; its tests are left out" >&2
    printf 'none\n'
    exit
fi
((EUID != 0)) || "$(dirname "$0")/podman-tree.sh" "$1" >/dev/null

exec {lock}>"$disk.lock"
flock "$lock"
# It's made anew when the tree has changed.
if [[ ! -f $stamp || $(<"$stamp") != "$(<"$tree.stamp")" ]]; then
    need_packages e2fsprogs >&2
    rm -f "$disk" "$stamp"
    mke2fs -q -t ext4 -O ^has_journal -d "$tree" "$disk" 512M >&2
    cp "$tree.stamp" "$stamp"
fi
printf '%s\n' "$disk"
