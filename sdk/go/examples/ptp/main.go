// Command ptp is a driver by which each container has a link of its own to the host, which routes
// between containers and to other networks.
//
// It is like CNI's plugin ptp. The host's end has the gateways' addresses without their networks,
// and a route to each address of the container. The container reaches the gateways directly, and
// its subnets through them.
package main

import (
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/kit"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	_ "github.com/wasmvark/wasmvark/sdk/go/wit_exports"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// masquerade is the default of the option, as in CNI.
const masquerade = false

type ptp struct{}

func init() { driver.Register(ptp{}) }

func main() {}

// Create checks a new network, and gives it the subnets that it lacks.
func (ptp) Create(request types.CreateRequest) ([]types.NetworkChange, error) {
	network := request.Network
	if _, err := parse(request.Options); err != nil {
		return nil, err
	}
	if err := kit.CheckOutsideLinks(request); err != nil {
		return nil, err
	}
	// Podman adds the gateways of other networks after Create.
	if network.Internal {
		if err := checkGateways(network); err != nil {
			return nil, err
		}
	}
	// The host's end needs the gateway in internal networks, too.
	ipam, err := kit.AllocateSubnets(network, true)
	if err != nil {
		return nil, err
	}
	var changes []types.NetworkChange
	if kit.HasNoAddresses(network, ipam) {
		changes = append(changes, kit.NoNames())
	}
	return append(changes, ipam...), nil
}

// Setup connects a container.
func (ptp) Setup(request types.Request) (types.SetupAnswer, error) {
	return types.SetupAnswer{}, connect(request)
}

// Teardown does nothing. The host removes the links with their routes and addresses, and the
// firewall rules.
func (ptp) Teardown(types.Request) error { return nil }

// options are those that the host doesn't parse.
type options struct {
	behaviours kit.Behaviours
	dad        kit.Dad
	filter     kit.Filter
	nat        kit.Nat
}

func parse(given kit.Options) (parsed options, err error) {
	if parsed.behaviours, err = kit.ParseBehaviours(given); err != nil {
		return parsed, err
	}
	if parsed.nat, err = kit.ParseNat(given, masquerade); err != nil {
		return parsed, err
	}
	if parsed.filter, err = kit.ParseFilter(given); err != nil {
		return parsed, err
	}
	parsed.dad, err = kit.Dad(false).OrGiven(given)
	return parsed, err
}

func connect(request types.Request) error {
	network := request.Network
	if err := kit.CheckIpam(network); err != nil {
		return err
	}
	if err := checkGateways(network); err != nil {
		return err
	}
	own, err := parse(request.Options)
	if err != nil {
		return err
	}
	mtu, err := kit.RoutedMtu(network, wit.None[*links.Link]())
	if err != nil {
		return err
	}
	pair, err := links.CreateVeth(links.VethOptions{Mac: request.Mac, Mtu: mtu})
	if err != nil {
		return err
	}
	// Each step comes after those that it needs. Nothing can pass before the first two.
	for _, step := range []func() error{
		func() error { return kit.CloseInternal(pair.Host, network) },
		func() error { return own.filter.Apply(request) },
		func() error { return kit.LoosenReversePath(pair.Host) },
		func() error { return kit.LoosenReversePath(pair.Container) },
		func() error { return configureHost(pair.Host, request, own.dad) },
		func() error { return configureContainer(pair.Container, request, own) },
		func() error { return own.behaviours.LimitPort(pair.Host) },
		func() error { return own.behaviours.WaitDad(pair.Container) },
		func() error { return kit.Forward(request) },
		func() error { return kit.ProxyNdp(request) },
		func() error { return kit.Trust(request, true) },
		func() error { return own.nat.TranslateContainer(request) },
		func() error { return kit.Publish(pair.Host, request) },
		func() error { return kit.ServeNames(pair.Host, network) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
