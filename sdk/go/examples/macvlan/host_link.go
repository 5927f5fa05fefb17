package main

import (
	"errors"
	"net/netip"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/kit"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/routes"
	"github.com/wasmvark/wasmvark/sdk/go/sysctl"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// hostAddress is the option that names the host's addresses.
const hostAddress = "host_address"

// hostLink is the host's link beside the containers, with at most one address of each version.
// The kernel passes nothing between macvlan links and their parent, so that the host needs a
// macvlan link of its own to reach them.
type hostLink []netip.Addr

func parseHostLink(given kit.Options, mode links.MacvlanMode, network types.Network) (hostLink, error) {
	text, isGiven := given.Find(hostAddress)
	if !isGiven {
		return nil, nil
	}
	var found hostLink
	for _, word := range strings.Fields(text) {
		address, isAddress := kit.ParseAddress(word)
		if !isAddress || found.hasVersion(address.Is6()) {
			return nil, refusedAddress(text)
		}
		found = append(found, address)
	}
	switch {
	case len(found) == 0:
		return nil, refusedAddress(text)
	case mode != links.MacvlanModeBridge:
		return nil, driver.Errorf(driver.ErrInvalid,
			"%s needs mode bridge: with others, macvlan links of a parent don't reach each other",
			hostAddress)
	case network.Parent.IsNone():
		// Only the networks of a parent that the user named may be shared with the host's link.
		return nil, driver.Errorf(driver.ErrInvalid,
			"%s needs a parent that you name: give -o parent=NAME", hostAddress)
	default:
		return found, nil
	}
}

func refusedAddress(text string) error {
	return kit.Refused(hostAddress, text,
		"an IP address, or one of each version with a space between them")
}

func (h hostLink) hasVersion(v6 bool) bool {
	for _, address := range h {
		if address.Is6() == v6 {
			return true
		}
	}
	return false
}

// configure gives the host its link, which the network's containers share, with its addresses and
// with routes to this container's.
func (h hostLink) configure(parent *links.Link, request types.Request) error {
	if len(h) == 0 {
		return nil
	}
	options := links.MacvlanOptions{
		Mode: links.MacvlanModeBridge,
		Mac:  wit.Some(kit.StableMac(request)),
		Mtu:  request.Network.Mtu,
	}
	link, err := links.CreateMacvlan(types.PlaceShared, wit.None[string](), parent, options)
	if err != nil {
		return err
	}
	if err := h.prepare(link); err != nil {
		return err
	}
	through := wit.Some(routes.RouteOptions{Link: wit.Some(link.Name())})
	for _, route := range request.HostRoutes {
		if !h.hasVersion(kit.IsV6(route.Destination)) {
			continue
		}
		if err := h.checkOther(kit.WithoutPrefix(route.Destination)); err != nil {
			return err
		}
		if err := routes.Add(types.NamespaceHost, route, through); err != nil {
			return err
		}
	}
	return nil
}

// prepare gives the link the addresses, and sets it up. An earlier container may have done so.
func (h hostLink) prepare(link *links.Link) error {
	// Otherwise others on the wire could take this link's MAC address for the host's.
	if err := sysctl.SetArpIgnore(link, true); err != nil {
		return err
	}
	for _, address := range h {
		err := addresses.Add(link, kit.Alone(address.String()), kit.Dad(false).Address(false))
		if err != nil && !errors.Is(err, driver.ErrExists) {
			return err
		}
	}
	return links.SetUp(link)
}

func (h hostLink) checkOther(address string) error {
	for _, own := range h {
		if other, isAddress := kit.ParseAddress(address); isAddress && other == own {
			return driver.Errorf(driver.ErrInvalid,
				"%s is the host's by the option %s: keep it out of the addresses for containers, by "+
					"--ip-range", address, hostAddress)
		}
	}
	return nil
}
