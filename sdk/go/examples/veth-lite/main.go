// Command veth-lite is a small driver: each container gets a veth pair, one end in the container,
// the other one on the host.
package main

import (
	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/kit"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/routes"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	_ "github.com/wasmvark/wasmvark/sdk/go/wit_exports"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Nobody else is on the link, so no address waits for duplicate address detection.
var own = addresses.AddressOptions{NoDad: true}

// The host's routes are added one by one, so its addresses bring none.
var ofGateway = addresses.AddressOptions{NoDad: true, NoPrefixRoute: true}

type vethLite struct{}

func init() { driver.Register(vethLite{}) }

func main() {}

// Create checks a new network.
func (vethLite) Create(request types.CreateRequest) ([]types.NetworkChange, error) {
	if len(request.Network.Subnets) == 0 {
		return nil, driver.Errorf(driver.ErrInvalid, "the network has no subnet: give --subnet")
	}
	return nil, nil
}

// Setup connects a container.
func (vethLite) Setup(request types.Request) (types.SetupAnswer, error) {
	pair, err := links.CreateVeth(links.VethOptions{Mac: request.Mac, Mtu: request.Network.Mtu})
	if err != nil {
		return types.SetupAnswer{}, err
	}
	if err := configureHost(pair.Host, request); err != nil {
		return types.SetupAnswer{}, err
	}
	return types.SetupAnswer{}, configureContainer(pair.Container, request)
}

// Teardown does nothing: the host undoes what Setup did.
func (vethLite) Teardown(types.Request) error { return nil }

func configureHost(link *links.Link, request types.Request) error {
	for _, subnet := range request.Network.Subnets {
		if subnet.Gateway.IsNone() {
			continue
		}
		address := kit.Alone(subnet.Gateway.Some())
		if err := addresses.Add(link, address, wit.Some(ofGateway)); err != nil {
			return err
		}
	}
	if err := links.SetUp(link); err != nil {
		return err
	}
	through := wit.Some(routes.RouteOptions{Link: wit.Some(link.Name())})
	return add(types.NamespaceHost, request.HostRoutes, through)
}

func configureContainer(link *links.Link, request types.Request) error {
	for _, address := range request.Addresses {
		if err := addresses.Add(link, address, wit.Some(own)); err != nil {
			return err
		}
	}
	if err := links.SetUp(link); err != nil {
		return err
	}
	all := append(request.DefaultRoutes, request.Routes...)
	return add(types.NamespaceContainer, all, wit.None[routes.RouteOptions]())
}

func add(where types.Namespace, all []types.Route, how wit.Option[routes.RouteOptions]) error {
	for _, route := range all {
		if err := routes.Add(where, route, how); err != nil {
			return err
		}
	}
	return nil
}
