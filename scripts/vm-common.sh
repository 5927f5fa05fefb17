# What the scripts share that make machines for tests; they source it after common.sh.

PATH=$PATH:/usr/sbin:/sbin

# Process 1: the rest of it comes with the tests.
make_init() {
    mkdir "$1/tests"
    cat >"$1/sbin/init" <<-'END'
		#!/bin/bash
		mount -t proc proc /proc
		mount -t sysfs sysfs /sys
		mount -t devtmpfs devtmpfs /dev
		modprobe virtio_blk
		mount -t ext4 -o ro /dev/vda /tests
		exec /bin/bash /tests/init.sh "$@"
	END
    chmod 755 "$1/sbin/init"
}

# Unpacks packages of a Debian suite, with all that they depend on. The folder `work` is for what comes between.
unpack() {
    local suite=$1 into=$2
    shift 2
    mmdebstrap --quiet --variant=extract --format=tar --aptopt='Acquire::Check-Valid-Until "false"' \
        --include="$(IFS=,; printf '%s' "$*")" "$suite" "$work/unpacked.tar"
    mkdir "$into"
    tar --extract --file "$work/unpacked.tar" --directory "$into" --no-same-owner --exclude='./dev/*'
}

# Builds an image unless that of this script is there, and prints where it lies. One process builds at a time.
provide() {
    local image=$1 stamp=$1/stamp lock recipe
    mkdir -p "$(dirname "$image")"
    exec {lock}>"$image.lock"
    flock "$lock"
    recipe=$(cat "$0" "$(dirname "$0")/vm-common.sh" | sha256sum)
    if [[ ! -f $stamp || $(<"$stamp") != "$recipe" ]]; then
        build >&2
        printf '%s\n' "$recipe" >"$stamp"
    fi
    printf '%s\n' "$image"
}
