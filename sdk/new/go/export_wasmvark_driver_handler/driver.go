// Package export_wasmvark_driver_handler is the driver. Each container gets a veth pair:
// one end in the container, the other one on the host.
package export_wasmvark_driver_handler

import (
	"fmt"
	"strings"

	"go.bytecodealliance.org/pkg/wit/types"

	addresses "wit_component/wasmvark_driver_addresses"
	links "wit_component/wasmvark_driver_links"
	routes "wit_component/wasmvark_driver_routes"
	driver "wit_component/wasmvark_driver_types"
)

// Nobody else is on the link, so no address waits for duplicate address detection.
var own = addresses.AddressOptions{NoDad: true}

// The host's routes are added one by one, so its addresses bring none.
var ofGateway = addresses.AddressOptions{NoDad: true, NoPrefixRoute: true}

// Create checks a new network.
func Create(request driver.CreateRequest) wit_types.Result[[]driver.NetworkChange, driver.Error] {
	if len(request.Network.Subnets) == 0 {
		refusal := driver.MakeErrorInvalid("the network has no subnet: give --subnet")
		return wit_types.Err[[]driver.NetworkChange](refusal)
	}
	return wit_types.Ok[[]driver.NetworkChange, driver.Error](nil)
}

// Setup connects a container.
func Setup(request driver.Request) wit_types.Result[driver.SetupAnswer, driver.Error] {
	if err := connect(request); err != nil {
		return wit_types.Err[driver.SetupAnswer](toHost(err))
	}
	return wit_types.Ok[driver.SetupAnswer, driver.Error](driver.SetupAnswer{})
}

// Teardown does nothing: the host undoes what Setup did.
func Teardown(driver.Request) wit_types.Result[wit_types.Unit, driver.Error] {
	return wit_types.Ok[wit_types.Unit, driver.Error](wit_types.Unit{})
}

func connect(request driver.Request) error {
	pair, err := value(links.CreateVeth(links.VethOptions{
		Name:     wit_types.None[string](),
		HostName: wit_types.None[string](),
		Mac:      request.Mac,
		HostMac:  wit_types.None[string](),
		Mtu:      request.Network.Mtu,
	}))
	if err != nil {
		return err
	}
	if err := configureHost(pair.Host, request); err != nil {
		return err
	}
	return configureContainer(pair.Container, request)
}

func configureHost(link *links.Link, request driver.Request) error {
	options := wit_types.Some(ofGateway)
	for _, subnet := range request.Network.Subnets {
		if subnet.Gateway.IsNone() {
			continue
		}
		address := alone(subnet.Gateway.Some())
		if _, err := value(addresses.Add(link, address, options)); err != nil {
			return err
		}
	}
	if _, err := value(links.SetUp(link)); err != nil {
		return err
	}
	through := wit_types.Some(routes.RouteOptions{Link: wit_types.Some(link.Name())})
	return add(driver.NamespaceHost, request.HostRoutes, through)
}

func configureContainer(link *links.Link, request driver.Request) error {
	for _, address := range request.Addresses {
		if _, err := value(addresses.Add(link, address, wit_types.Some(own))); err != nil {
			return err
		}
	}
	if _, err := value(links.SetUp(link)); err != nil {
		return err
	}
	all := append(request.DefaultRoutes, request.Routes...)
	return add(driver.NamespaceContainer, all, wit_types.None[routes.RouteOptions]())
}

func add(where driver.Namespace, all []driver.Route, how wit_types.Option[routes.RouteOptions]) error {
	for _, route := range all {
		if _, err := value(routes.Add(where, route, how)); err != nil {
			return err
		}
	}
	return nil
}

// alone returns an address with the prefix length that means it alone.
func alone(address string) string {
	address, _, _ = strings.Cut(address, "/")
	if strings.Contains(address, ":") {
		return address + "/128"
	}
	return address + "/32"
}

// callError is the error of a call, as the host gave it.
type callError struct{ given driver.Error }

func (e callError) Error() string { return fmt.Sprintf("a call failed: %v", e.given) }

// value returns the result of a call, with its error as Go has it.
func value[T any](result wit_types.Result[T, driver.Error]) (T, error) {
	if result.IsErr() {
		var none T
		return none, callError{result.Err()}
	}
	return result.Ok(), nil
}

// toHost returns an error as the host takes it: that of a call as it came.
func toHost(err error) driver.Error {
	if call, ok := err.(callError); ok {
		return call.given
	}
	return driver.MakeErrorOther(err.Error())
}
