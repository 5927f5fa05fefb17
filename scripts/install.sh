#!/usr/bin/env bash
# Installs the program and its drivers, each with its grant, for the whole machine. Where they are already, they
# are replaced, and keep the grants that are there. Where no configuration of Podman's names a plugin directory, one is written that does.
#
# PREFIX   where the program goes: /usr/local, unless set
# DESTDIR  for packages: everything goes below it, and the drivers aren't registered, as that compiles them for
#          the machine that they run on
#
# usage: install.sh WASMVARK GUESTS
set -euo pipefail

program=$1
guests=$2
examples=$(dirname "$0")/../guest-examples
prefix=${PREFIX:-/usr/local}
destdir=${DESTDIR:-}

plugins=$prefix/libexec/netavark
share=$prefix/share/wasmvark/drivers
units=$prefix/lib/systemd/system
configuration=/etc/containers/containers.conf.d/50-wasmvark.conf

# A driver whose folder says what to grant it is installed, with `wasm-` before its name, as netavark keeps the plain
# names for its own drivers.
drivers=("$examples"/*/grant.toml)
drivers=("${drivers[@]%/grant.toml}")
drivers=("${drivers[@]##*/}")

say() { printf 'install: %s\n' "$*"; }

fail() {
    say "$*" >&2
    exit 1
}

# The grant in the project says all but which component it's for. Whoever runs this trusts the new component
# with what the old one may do.
grant() {
    local driver=$1 kept=/etc/wasmvark/grants/wasm-$1.toml digest
    digest=$(sha256sum <"$guests/$driver.wasm")
    digest="digest = \"sha256:${digest%% *}\""
    if [[ -z $destdir && -f $kept ]]; then
        sed "s/^digest *=.*/$digest/" "$kept"
    else
        printf 'driver = "wasm-%s"\n%s\n\n' "$driver" "$digest"
        cat "$examples/$driver/grant.toml"
    fi
}

# Podman's files, in which the last that names plugin directories wins.
plugin_dirs_of_others() {
    local files=("$destdir"/usr/share/containers/containers.conf "$destdir"/etc/containers/containers.conf
        "$destdir"/usr/share/containers/containers.conf.d/*.conf "$destdir"/etc/containers/containers.conf.d/*.conf)
    local file
    for file in "${files[@]}"; do
        [[ $file == "$destdir$configuration" || ! -f $file ]] || grep --with-filename '^ *netavark_plugin_dirs' "$file" || true
    done
}

# A unit for those who restart nftables.
unit() {
    cat <<-END
		[Unit]
		Description=Restore the firewall rules of containers on wasmvark's networks
		Documentation=man:wasmvark-reload(1)
		# nftables.service flushes all rules when it is started, stopped and reloaded.
		After=nftables.service
		PartOf=nftables.service
		ReloadPropagatedFrom=nftables.service

		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=$prefix/bin/wasmvark reload
		ExecReload=$prefix/bin/wasmvark reload

		[Install]
		WantedBy=nftables.service
	END
}

firewalld_unit() {
    cat <<-END
		[Unit]
		Description=Restore what reloads of firewalld remove of wasmvark's networks
		Documentation=man:wasmvark-reload(1)
		# firewalld forgets the subnets of containers at each reload and restart.
		After=firewalld.service
		PartOf=firewalld.service

		[Service]
		ExecStart=$prefix/bin/wasmvark reload --watch-firewalld
		Restart=on-failure

		[Install]
		WantedBy=firewalld.service
	END
}

configure() {
    local others
    others=$(plugin_dirs_of_others)
    if [[ -z $others ]]; then
        install -d "$destdir${configuration%/*}"
        printf '# Where wasmvark has its drivers, besides the directories that Podman knows by itself.\n[network]\nnetavark_plugin_dirs = ["%s", {append = true}]\n' \
            "$plugins" >"$destdir$configuration"
    elif [[ $others != *"\"$plugins\""* ]]; then
        say "Podman looks for plugins elsewhere; add \"$plugins\" to netavark_plugin_dirs in ${others%%:*}"
    fi
}

((EUID == 0)) || [[ -n $destdir ]] || fail 'run it as root, or set DESTDIR'
[[ -x $program ]] || fail "$program isn't there: run \`just build\` first"

install -D --mode 755 "$program" "$destdir$prefix/bin/wasmvark"
install -d "$destdir$units"
unit >"$destdir$units/wasmvark-reload.service"
firewalld_unit >"$destdir$units/wasmvark-firewalld.service"
install -d "$destdir$share"
for driver in "${drivers[@]}"; do
    install --mode 644 "$guests/$driver.wasm" "$destdir$share/"
    grant "$driver" >"$destdir$share/$driver.grant.toml"
    register=("$prefix/bin/wasmvark" install "$share/$driver.wasm" --name "wasm-$driver"
        --grant "$share/$driver.grant.toml" --plugin-dir "$plugins")
    if [[ -n $destdir ]]; then
        say "to be run where it is unpacked: ${register[*]}"
    else
        "${register[@]}" | sed -n 1p
    fi
done
configure
