package kit

import (
	"math"

	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/routes"
	"github.com/wasmvark/wasmvark/sdk/go/sysctl"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

const (
	// defaultMetric is the metric of routes without one, as in netavark.
	defaultMetric = 100
	// v6Metric is that of an IPv6 route with 0 (IP6_RT_PRIO_USER, ipv6_route.h).
	v6Metric = 1024
)

// Configure gives the container's link its addresses, sets it up and adds the routes. The metric
// is for default routes for which the user gave none; nil stands for that of netavark.
func Configure(link *links.Link, request types.Request, metric *uint32, dad Dad) error {
	for _, address := range request.Addresses {
		if err := addresses.Add(link, address, dad.Address(false)); err != nil {
			return err
		}
	}
	// A route needs a link that is up.
	if err := links.SetUp(link); err != nil {
		return err
	}
	return AddRoutes(request, metric, nil)
}

// AddRoutes adds the request's default and static routes in the container. If Podman chose no
// addresses, the container gets its addresses in another way, and no network leads to the
// gateways of static routes yet. The routes then name the link.
func AddRoutes(request types.Request, metric *uint32, options *routes.RouteOptions) error {
	if err := addDefaultRoutes(request, metric, options); err != nil {
		return err
	}
	var throughLink routes.RouteOptions
	if options != nil {
		throughLink = *options
	}
	throughLink.Link, throughLink.OnLink = wit.Some(request.InterfaceName), true
	for _, route := range request.Routes {
		given := options
		if len(request.Addresses) == 0 && route.Gateway.IsSome() {
			given = &throughLink
		}
		if err := routes.Add(types.NamespaceContainer, route, Optional(given)); err != nil {
			return err
		}
	}
	return nil
}

// addDefaultRoutes adds the default routes behind those of the container's other networks. Two
// routes with one metric would compete: of IPv4 routes the kernel uses the later one, and of
// IPv6 routes it makes one multipath route. So each gets the next free metric, and none is lost
// when a network is disconnected.
func addDefaultRoutes(request types.Request, metric *uint32, options *routes.RouteOptions) error {
	if len(request.DefaultRoutes) == 0 {
		return nil
	}
	table := wit.None[uint32]()
	if options != nil {
		table = options.Table
	}
	there, err := routes.List(types.NamespaceContainer, table)
	if err != nil {
		return err
	}
	usual := uint32(defaultMetric)
	if metric != nil {
		usual = *metric
	}
	for _, route := range request.DefaultRoutes {
		wanted := route.Metric.SomeOr(usual)
		route.Metric = wit.Some(freeMetric(there, route.Destination, wanted))
		if err := routes.Add(types.NamespaceContainer, route, Optional(options)); err != nil {
			return err
		}
	}
	return nil
}

// freeMetric returns the first metric from the wanted one that no route to the destination has.
func freeMetric(there []routes.RouteInfo, destination string, wanted uint32) uint32 {
	taken := make(map[uint32]bool)
	for _, info := range there {
		if info.Route.Destination == destination && info.Route.Metric.IsSome() {
			taken[info.Route.Metric.Some()] = true
		}
	}
	metric := wanted
	for taken[inKernel(destination, metric)] && metric < math.MaxUint32 {
		metric = inKernel(destination, metric) + 1
	}
	return metric
}

func inKernel(destination string, metric uint32) uint32 {
	if metric == 0 && IsV6(destination) {
		return v6Metric
	}
	return metric
}

// DisableAutoconf turns the autoconfiguration of IPv6 addresses off, because Podman chooses the
// addresses. A kernel without IPv6 has none. A read-only /proc/sys is the operator's choice.
func DisableAutoconf(link *links.Link) error {
	return ignoring(sysctl.SetAutoconf(link, false), driver.ErrNotFound, driver.ErrReadOnly)
}

// LoosenReversePath makes the kernel take IPv4 packets whose replies would leave through another
// link, as those of a container's second network do. If the host's reverse path filter is strict,
// the kernel drops them otherwise.
func LoosenReversePath(link *links.Link) error {
	return sysctl.SetRpFilter(link, sysctl.ReversePathLoose)
}

// AnnounceAddresses makes the kernel announce the link's addresses when the link is set up.
// Neighbours that have another MAC address for them then use the new one
// (containers/netavark#1114). A kernel without IPv6 announces no IPv6 addresses.
func AnnounceAddresses(link *links.Link) error {
	if err := sysctl.SetArpNotify(link, true); err != nil {
		return err
	}
	return ignoring(sysctl.SetNdiscNotify(link, true), driver.ErrNotFound)
}

// AcceptRouterAdvertisements takes addresses and routes from router advertisements, also if the
// container forwards packets.
func AcceptRouterAdvertisements(link *links.Link) error {
	if err := sysctl.SetAcceptRa(link, sysctl.RouterAdvertisementsAll); err != nil {
		return err
	}
	return sysctl.SetAutoconf(link, true)
}

// IgnoreRouterAdvertisements ignores router advertisements on a link. At the host's end, a
// container could otherwise become the host's router and get its traffic (CVE-2020-10749). A
// kernel without IPv6 ignores them anyway.
func IgnoreRouterAdvertisements(link *links.Link) error {
	return ignoring(sysctl.SetAcceptRa(link, sysctl.RouterAdvertisementsNone), driver.ErrNotFound)
}
