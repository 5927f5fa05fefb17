package main

import (
	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/kit"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/routes"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// configureHost gives the host's end the gateways' addresses and the routes to the container. The
// host's ends of all links have the same addresses.
func configureHost(link *links.Link, request types.Request, dad kit.Dad) error {
	if err := kit.IgnoreRouterAdvertisements(link); err != nil {
		return err
	}
	if err := dad.Set(link, request.Network); err != nil {
		return err
	}
	for _, subnet := range withGateways(request) {
		address := kit.Alone(subnet.Gateway.Some())
		if err := addresses.Add(link, address, dad.Address(true)); err != nil {
			return err
		}
	}
	// A route needs a link that is up.
	if err := links.SetUp(link); err != nil {
		return err
	}
	through := wit.Some(routes.RouteOptions{Link: wit.Some(link.Name())})
	for _, route := range request.HostRoutes {
		if err := routes.Add(types.NamespaceHost, route, through); err != nil {
			return err
		}
	}
	return nil
}

// configureContainer gives the container's end its addresses and routes.
func configureContainer(link *links.Link, request types.Request, own options) error {
	if err := own.dad.Set(link, request.Network); err != nil {
		return err
	}
	if err := own.behaviours.Tune(link, request); err != nil {
		return err
	}
	for _, address := range request.Addresses {
		if err := addresses.Add(link, address, own.dad.Address(true)); err != nil {
			return err
		}
	}
	// A route needs a link that is up.
	if err := links.SetUp(link); err != nil {
		return err
	}
	table, err := own.behaviours.SourceTable(request)
	if err != nil {
		return err
	}
	through := routes.RouteOptions{Table: kit.Optional(table)}
	direct := through
	direct.Link = wit.Some(request.InterfaceName)
	for _, subnet := range withGateways(request) {
		gateway := subnet.Gateway.Some()
		toGateway := routeTo(kit.Alone(gateway), wit.None[string]())
		if err := routes.Add(types.NamespaceContainer, toGateway, wit.Some(direct)); err != nil {
			return err
		}
		toOthers := routeTo(subnet.Subnet, wit.Some(kit.WithoutPrefix(gateway)))
		if err := routes.Add(types.NamespaceContainer, toOthers, wit.Some(through)); err != nil {
			return err
		}
	}
	return kit.AddRoutes(request, nil, &through)
}

// subnetsOf returns the subnets in which the container has addresses: all, or none.
func subnetsOf(network types.Network) []types.Subnet {
	if network.IpamDriver.SomeOr("") == "none" {
		return nil
	}
	return network.Subnets
}

// withGateways returns the subnets with a gateway, of the families in which the container has an
// address.
func withGateways(request types.Request) []types.Subnet {
	families := make(map[bool]bool)
	for _, address := range request.Addresses {
		families[kit.IsV6(address)] = true
	}
	var subnets []types.Subnet
	for _, subnet := range subnetsOf(request.Network) {
		if subnet.Gateway.IsSome() && families[kit.IsV6(subnet.Subnet)] {
			subnets = append(subnets, subnet)
		}
	}
	return subnets
}

// checkGateways checks that each subnet has a gateway, which is the address of the host's end.
func checkGateways(network types.Network) error {
	for _, subnet := range subnetsOf(network) {
		if subnet.Gateway.IsNone() {
			return driver.Errorf(driver.ErrInvalid,
				"subnet %s has no gateway, which the host's end of the link needs: give --gateway",
				subnet.Subnet)
		}
	}
	return nil
}

// routeTo returns a route to a network, through a gateway or directly.
func routeTo(destination string, gateway wit.Option[string]) types.Route {
	return types.Route{Destination: destination, Gateway: gateway, Kind: types.RouteKindUnicast}
}
