package kit

import (
	"errors"

	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/sysctl"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Dad is the duplicate address detection of a link (RFC 4862, section 5.4): whether its IPv6
// addresses can be used only when no other machine is known to have them, after a second or
// two.
type Dad bool

// OrGiven returns what the option accept_dad says, or else this default: off where Podman alone
// gives addresses, as with netavark, and on where other machines may have them.
func (d Dad) OrGiven(options Options) (Dad, error) {
	given, err := options.Bool("accept_dad")
	if given == nil {
		return d, err
	}
	return Dad(*given), err
}

// Set turns the detection off for a link of a network with IPv6, also of its link-local
// address, from which the host asks for a container's MAC address. It is called before the link
// is up. A kernel without IPv6 has no detection. With a read-only /proc/sys the addresses of
// [Dad.Address] can be used at once all the same.
func (d Dad) Set(link *links.Link, network types.Network) error {
	if bool(d) || !hasV6(network) {
		return nil
	}
	return ignoring(sysctl.SetAcceptDad(link, false), driver.ErrNotFound, driver.ErrReadOnly)
}

// Address returns the options of an address.
func (d Dad) Address(noPrefixRoute bool) wit.Option[addresses.AddressOptions] {
	return wit.Some(addresses.AddressOptions{NoDad: !bool(d), NoPrefixRoute: noPrefixRoute})
}

func hasV6(network types.Network) bool {
	for _, subnet := range network.Subnets {
		if IsV6(subnet.Subnet) {
			return true
		}
	}
	return false
}

// ignoring returns an error, unless it is of one of these cases.
func ignoring(err error, cases ...error) error {
	for _, kind := range cases {
		if errors.Is(err, kind) {
			return nil
		}
	}
	return err
}
