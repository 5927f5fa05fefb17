package kit

import (
	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
)

// dadMax is the longest wait for duplicate address detection, in milliseconds. It waits at most
// one second before its probe (RFC 4862, section 5.4.2) and one second for an answer (RFC 4861,
// section 10), after the link has a carrier.
const dadMax = 5000

// Behaviours has the parsed options that every driver can offer, for a network or for one
// container. They are like CNI's plugins tuning, bandwidth and sbr. A manifest declares them
// under "behaviours". What it doesn't declare isn't given.
type Behaviours struct {
	tuning   tuning
	rates    rates
	routing  *sourceRouting
	announce bool
	waitDad  bool
	acceptRa *bool
}

// ParseBehaviours parses the options. It returns [driver.ErrInvalid] if they don't go together.
func ParseBehaviours(options Options) (Behaviours, error) {
	var parsed Behaviours
	var err error
	if parsed.tuning, err = parseTuning(options); err != nil {
		return parsed, err
	}
	if parsed.rates, err = parseRates(options); err != nil {
		return parsed, err
	}
	if parsed.routing, err = parseSourceRouting(options); err != nil {
		return parsed, err
	}
	if parsed.announce, err = options.IsSet("announce"); err != nil {
		return parsed, err
	}
	if parsed.waitDad, err = options.IsSet("wait_dad"); err != nil {
		return parsed, err
	}
	parsed.acceptRa, err = options.Bool("accept_ra")
	return parsed, err
}

// Tune sets the properties and the kernel settings that the options give the container's link. It
// must be called before the link has addresses. Router advertisements add no addresses, unless
// the option accept_ra says so, because Podman chooses the addresses.
func (b Behaviours) Tune(link *links.Link, request types.Request) error {
	if b.acceptRa == nil || !*b.acceptRa {
		if err := DisableAutoconf(link); err != nil {
			return err
		}
	}
	return b.tuning.apply(link, request.InterfaceName)
}

// AcceptRa takes or ignores router advertisements, if the option is given. It must be called
// before the link is up.
func (b Behaviours) AcceptRa(link *links.Link) error {
	switch {
	case b.acceptRa == nil:
		return nil
	case *b.acceptRa:
		return AcceptRouterAdvertisements(link)
	default:
		return IgnoreRouterAdvertisements(link)
	}
}

// Announce makes the kernel announce the addresses that the link will have, if the option is
// given.
func (b Behaviours) Announce(link *links.Link) error {
	if !b.announce {
		return nil
	}
	return AnnounceAddresses(link)
}

// WaitDad waits until the IPv6 addresses of the container's link can be used, if the option is
// given. It fails if another machine has one of them.
func (b Behaviours) WaitDad(link *links.Link) error {
	if !b.waitDad {
		return nil
	}
	return addresses.WaitDad(link, dadMax)
}

// Configure tunes the container's link, gives it its addresses, sets it up and adds the routes.
// With source routing, the routes apply only to packets from the link's addresses. The metric is
// for default routes for which the user gave none; nil stands for that of netavark.
func (b Behaviours) Configure(link *links.Link, request types.Request, metric *uint32, dad Dad) error {
	if err := b.Tune(link, request); err != nil {
		return err
	}
	if b.routing != nil {
		return b.routing.configure(link, request, metric, dad)
	}
	return Configure(link, request, metric, dad)
}

// SourceTable adds the rules of source routing, if the option is given. It returns the table for
// the container's routes, or nil.
func (b Behaviours) SourceTable(request types.Request) (*uint32, error) {
	if b.routing == nil {
		return nil, nil
	}
	table, err := b.routing.addRules(request)
	return &table, err
}

// Limit limits the rates of a link of the container.
func (b Behaviours) Limit(link *links.Link) error { return b.rates.limit(link) }

// LimitPort limits the rates of a link of the container, at its peer on the host.
func (b Behaviours) LimitPort(port *links.Link) error { return b.rates.limitPort(port) }
