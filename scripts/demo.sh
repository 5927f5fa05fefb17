#!/usr/bin/env bash
# Real netavark sets a container's network up through a WebAssembly driver.
# All of it happens in namespaces of this script's own.
#
# usage: demo.sh WASMVARK GUESTS
set -euo pipefail

wasmvark=$(realpath "$1")
guests=$(realpath "$2")
netavark="${XDG_CACHE_HOME:-$HOME/.cache}/wasmvark/tools/bin/netavark"
driver=wasm-macvlan

if [[ ${WASMVARK_DEMO:-} != inside ]]; then
    user=()
    ((EUID == 0)) || user=(--user --map-root-user)
    WASMVARK_DEMO=inside exec unshare "${user[@]}" --net --mount -- "$0" "$@"
fi

bold='' plain=''
[[ ! -t 1 ]] || bold=$'\033[1m' plain=$'\033[0m'
heading() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

work=$(mktemp --directory)
trap 'rm -rf "$work"' EXIT
export WASMVARK_ROOT=$work/root
mkdir "$WASMVARK_ROOT"

# `ip netns` keeps its names below /run; this /run goes with the script.
mount -t tmpfs none /run
ip link set lo up
for netns in container neighbour; do
    ip netns add "$netns"
    ip -n "$netns" link set lo up
done
ip link add uplink type veth peer name eth0 netns neighbour
ip link set uplink up
ip -n neighbour address add 10.88.0.1/16 dev eth0
ip -n neighbour address add fd88::1/64 dev eth0 nodad
ip -n neighbour link set eth0 up

cat >"$work/request.json" <<END
{
  "container_id": "c0ffee9a8e8f",
  "container_name": "demo",
  "networks": {
    "demonet": {"interface_name": "eth0", "static_ips": ["10.88.0.2", "fd88::2"]}
  },
  "network_info": {
    "demonet": {
      "name": "demonet",
      "id": "2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9",
      "driver": "$driver",
      "network_interface": "uplink",
      "internal": false,
      "ipv6_enabled": true,
      "dns_enabled": false,
      "subnets": [
        {"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"},
        {"subnet": "fd88::/64", "gateway": "fd88::1"}
      ]
    }
  }
}
END

run_netavark() {
    "$netavark" --config "$work" --rootless=false --firewall-driver none \
        --plugin-directory "$WASMVARK_ROOT/plugins" \
        "$1" /run/netns/container <"$work/request.json"
}

heading "Install the driver and grant the calls that it asks for"
"$wasmvark" install "$guests/macvlan.wasm" --name "$driver" --grant-requested | sed -n 1p

heading "What the driver can do at all, and what it may do here"
"$wasmvark" inspect "$driver"

heading "netavark setup: the answer for Podman, read back from the kernel"
run_netavark setup

heading "The container's links and addresses"
ip -n container -details link show dev eth0
ip -n container -brief address

heading "The container's routes"
ip -n container -4 route
ip -n container -6 route

heading "A neighbour on the wire answers"
# IPv6 addresses are in use once nobody else on the wire claims them.
while [[ -n $(ip -n container -6 address show tentative) ]]; do sleep 0.1; done
ip netns exec container ping -c 1 -W 5 10.88.0.1
ip netns exec container ping -c 1 -W 5 fd88::1

heading "The audit trail: every call that the driver made"
short_digests='s/"digest":"sha256:([0-9a-f]{12})[0-9a-f]*"/"digest":"sha256:\1…"/'
sed -E "$short_digests" "$WASMVARK_ROOT/log/audit.jsonl"

heading "netavark teardown: nothing is left"
run_netavark teardown
printf 'in the container:\n'
ip -n container -brief link
printf 'on the host:\n'
ip -brief link
printf 'in the journal:\n'
find "$WASMVARK_ROOT/run" -type f
