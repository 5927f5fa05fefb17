// Command macvlan is a driver by which each container gets a link of its own on a link of the
// host, and is a neighbour in the network of that link.
package main

import (
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/kit"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	_ "github.com/wasmvark/wasmvark/sdk/go/wit_exports"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

type macvlan struct{}

func init() { driver.Register(macvlan{}) }

func main() {}

// Create checks a new network.
func (macvlan) Create(request types.CreateRequest) ([]types.NetworkChange, error) {
	if err := kit.CheckParentOrBase(request.Network); err != nil {
		return nil, err
	}
	changes, err := kit.ChangesOnParent(request, kit.DHCP)
	if err != nil {
		return nil, err
	}
	_, err = parse(request.Options, request.Network)
	return changes, err
}

// Setup connects a container.
func (macvlan) Setup(request types.Request) (types.SetupAnswer, error) {
	return types.SetupAnswer{}, connect(request)
}

// Teardown does nothing. The host removes the link.
func (macvlan) Teardown(types.Request) error { return nil }

func connect(request types.Request) error {
	network := request.Network
	if err := kit.CheckIpamOrDhcp(network); err != nil {
		return err
	}
	own, err := parse(request.Options, network)
	if err != nil {
		return err
	}
	parent, err := kit.FindOrMakeParent(network)
	if err != nil {
		return err
	}
	link, err := links.CreateMacvlan(types.PlaceContainer, wit.None[string](), parent, links.MacvlanOptions{
		Mode:                 own.mode,
		Mac:                  request.Mac,
		Mtu:                  network.Mtu,
		BroadcastLimit:       kit.Optional(own.broadcastLimit),
		BroadcastQueueLength: kit.Optional(own.broadcastQueueLength),
	})
	if err != nil {
		return err
	}
	metric := kit.ParentMetric
	// The filter is in place before anything can pass.
	for _, step := range []func() error{
		func() error { return own.filter.ApplyInContainer(link) },
		func() error { return own.behaviours.AcceptRa(link) },
		func() error { return own.behaviours.Announce(link) },
		func() error { return own.behaviours.Configure(link, request, &metric, true) },
		func() error { return kit.Lease(link, parent, network) },
		func() error { return own.behaviours.Limit(link) },
		func() error { return own.host.configure(parent, request) },
		func() error { return own.behaviours.WaitDad(link) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
