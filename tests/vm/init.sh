#!/bin/bash
# Process 1 of the virtual machine: runs the tests named in its arguments, and reports on a line of its own what
# became of each. Should this script fail, the kernel panics, and the other side gets to know that too.
set -euo pipefail

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8

mkdir /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for link in fd:/proc/self/fd stdin:fd/0 stdout:fd/1 stderr:fd/2; do
    ln -s "${link#*:}" "/dev/${link%%:*}"
done
ip link set lo up

# The machine's two network cards, at both ends of one wire. Nobody else would load their driver.
modprobe virtio_net

# A card with SR-IOV, and the one at the other end of its wire. Its tests take turns.
export WASMVARK_TEST_SRIOV=0000:01:00.0 one_by_one=()
if modprobe igb 2>/dev/null && [[ -e /sys/bus/pci/devices/$WASMVARK_TEST_SRIOV/sriov_numvfs ]]; then
    modprobe igbvf
    peer=$(grep --files-with-matches 52:54:00:00:00:04 /sys/class/net/*/address)
    peer=$(readlink --canonicalize "$(dirname "$peer")/device/..")
    export WASMVARK_TEST_SRIOV_PEER=${peer##*/}
    one_by_one=(--test-threads 1)
fi

# On other systems udev makes its device file.
modprobe tun

# The port that the other side listens on.
port=$(grep --files-with-matches --line-regexp report /sys/class/virtio-ports/*/name)
exec </dev/null >"/dev/$(basename "$(dirname "$port")")" 2>&1

export WASMVARK_BIN=/tests/bin/wasmvark
export WASMVARK_FAULT_BIN=/tests/fault/wasmvark
export WASMVARK_GUESTS=/tests/guests
export WASMVARK_TOOLS=/tests/tools
export WASMVARK_WORKSPACE=/tests/workspace
export WASMVARK_TEST_NIC=eth0 WASMVARK_TEST_NIC_PEER=eth1
# Here all tests can run, so one that doesn't has failed.
export WASMVARK_TEST_SKIP=never
# Software emulation is slow, and that's no fault of what waits for it.
export WASMVARK_TEST_PATIENCE=4

# The suite `podman` needs a Debian system with Podman, which comes on a disk of a kind of its own.
export XDG_CACHE_HOME=/cache
mount_podman() {
    local tree=$XDG_CACHE_HOME/wasmvark/podman/trixie
    modprobe virtio_scsi
    modprobe sd_mod
    until [[ -b /dev/sda ]]; do sleep 0.1; done
    mkdir -p "$tree"
    mount -t ext4 -o ro /dev/sda "$tree"
}

# Without a filter: not what was tried on the kernel at hand and asks this one for nothing else. Emulated, all of it
# would take more than an hour. Nor taps, which perl reads: this system has none.
tests=(--skip macvlan-c/ --skip tap/ --skip built-in/ --skip leftovers/ --skip mistake: --skip create: --skip "as-netavark's-own:"
    --skip "as-CNI's:")
# Of single calls and of drivers, what only this kernel has.
need=only
# Of the faults, those at calls that only this kernel has.
faults=(links-of-a-full-kernel/)
# Of Podman the pages of drivers whose links only this kernel has.
podman=(of-a-full-kernel/)
if [[ -n ${WASMVARK_TEST_FILTER:-} ]]; then
    tests=("$WASMVARK_TEST_FILTER")
    need=
    faults=("${tests[@]}")
    podman=("${tests[@]}")
fi

cd /tmp
for program in "$@"; do
    echo "@vm start $program"
    status=0
    chosen=("${tests[@]}") within='' rare=''
    case $program in
        confined | gate | hostile | netavark) rare=$need ;;
        # They ask this kernel for nothing, and emulation takes its time.
        wasmvark-lib) export WASMVARK_TEST_SEQUENCES=1000 ;;
        # The same each time, so that emulation finds time for them.
        differential) export WASMVARK_TEST_DIFFERENTIAL=100 ;;
        fault) chosen=("${faults[@]}") ;;
        podman)
            mount_podman
            chosen=("${podman[@]}") within=podman-5.4/pages
            ;;
    esac
    WASMVARK_TEST_WITHIN=$within WASMVARK_TEST_RARE=$rare "/tests/programs/$program" "${chosen[@]}" "${one_by_one[@]}" || status=$?
    echo "@vm end $program $status"
done
echo '@vm done'

sync
echo o >/proc/sysrq-trigger
sleep 60
