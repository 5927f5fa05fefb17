package kit

import (
	"github.com/wasmvark/wasmvark/sdk/go/dhcp"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
)

// UsesDhcp tells whether a DHCP server chooses the containers' addresses.
func UsesDhcp(network types.Network) bool { return network.IpamDriver.SomeOr("") == "dhcp" }

// CheckIpamOrDhcp checks the ipam driver at Setup, for a driver with DHCP.
func CheckIpamOrDhcp(network types.Network) error {
	if UsesDhcp(network) {
		return CheckDhcp(network)
	}
	return CheckIpam(network)
}

// Lease leases the address of a container's link, if a DHCP server chooses it. The link gets the
// MTU of the lease, if that is smaller and the user gave none.
func Lease(link, parent *links.Link, network types.Network) error {
	if !UsesDhcp(network) {
		return nil
	}
	leased, err := dhcp.Lease(link, parent)
	if err != nil || leased.Mtu.IsNone() || network.Mtu.SomeOr(0) != 0 {
		return err
	}
	info, err := links.Info(link)
	if err != nil || leased.Mtu.Some() >= info.Mtu {
		return err
	}
	return links.SetMtu(link, leased.Mtu.Some())
}
