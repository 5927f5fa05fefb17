package kit

import (
	"github.com/wasmvark/wasmvark/sdk/go/dns"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/firewall"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/neighbours"
	"github.com/wasmvark/wasmvark/sdk/go/sysctl"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

const (
	// These options name links of the host.
	ndpProxy         = "ndp_proxy"
	publishInterface = "publish_interface"

	// ipv6MinMtu is the smallest MTU of a link with IPv6 (RFC 8200, section 5).
	ipv6MinMtu uint32 = 1280
	// vethMaxMtu is the largest MTU of a veth link (ETH_MAX_MTU).
	vethMaxMtu uint32 = 65535
)

// Nat has the parsed options "masquerade", "outbound_addr4" and "outbound_addr6".
type Nat struct {
	masquerade           bool
	outbound4, outbound6 string
}

// ParseNat parses the options. The argument is the default of "masquerade".
func ParseNat(options Options, masquerade bool) (Nat, error) {
	var nat Nat
	var err error
	if nat.outbound4, err = outbound(options, "outbound_addr4", 32); err != nil {
		return Nat{}, err
	}
	if nat.outbound6, err = outbound(options, "outbound_addr6", 128); err != nil {
		return Nat{}, err
	}
	chosen, err := options.Bool("masquerade")
	if err != nil {
		return Nat{}, err
	}
	isGiven := nat.outbound4 != "" || nat.outbound6 != ""
	nat.masquerade = masquerade || isGiven
	if chosen != nil {
		nat.masquerade = *chosen
	}
	if isGiven && !nat.masquerade {
		return Nat{}, driver.Errorf(driver.ErrInvalid,
			"outbound_addr4 and outbound_addr6 can't be given with masquerade=false, which leaves "+
				"source addresses as they are")
	}
	return nat, nil
}

func outbound(options Options, key string, bits int) (string, error) {
	text, isGiven := options.Find(key)
	if !isGiven {
		return "", nil
	}
	address, isAddress := ParseAddress(text)
	if isAddress && address.BitLen() == bits {
		return address.String(), nil
	}
	if bits == 32 {
		return "", Refused(key, text, "an IPv4 address")
	}
	return "", Refused(key, text, "an IPv6 address")
}

// Translate masquerades the packets that leave the network's subnets, or gives them the outbound
// addresses. This is for networks whose subnets belong to the driver alone.
func (n Nat) Translate(network types.Network) error {
	return n.translate(subnetsOf(network), network)
}

// TranslateContainer does the same for the packets of one container.
func (n Nat) TranslateContainer(request types.Request) error {
	return n.translate(alone(request), request.Network)
}

func (n Nat) translate(sources []string, network types.Network) error {
	if !n.masquerade || network.Internal {
		return nil
	}
	for _, source := range sources {
		address := n.outbound4
		if IsV6(source) {
			address = n.outbound6
		}
		var err error
		if address == "" {
			err = firewall.Masquerade(source, subnetsOf(network))
		} else {
			err = firewall.SourceAddress(source, subnetsOf(network), address)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func subnetsOf(network types.Network) []string {
	var subnets []string
	for _, subnet := range network.Subnets {
		subnets = append(subnets, subnet.Subnet)
	}
	return subnets
}

func alone(request types.Request) []string {
	var addresses []string
	for _, address := range request.Addresses {
		addresses = append(addresses, Alone(address))
	}
	return addresses
}

// Trust has firewalld let the packets of the network's subnets pass, or with aloneOnly only those
// of the container. An internal network without name resolution reaches nothing that firewalld
// could keep from it.
func Trust(request types.Request, aloneOnly bool) error {
	network := request.Network
	if network.Internal && !network.Dns {
		return nil
	}
	sources := subnetsOf(network)
	if aloneOnly {
		sources = alone(request)
	}
	for _, source := range sources {
		if err := firewall.Trust(source); err != nil {
			return err
		}
	}
	return nil
}

// CheckOutsideLinks refuses the options ndp_proxy and publish_interface for an internal network,
// which nobody reaches.
func CheckOutsideLinks(request types.CreateRequest) error {
	for _, key := range []string{ndpProxy, publishInterface} {
		name, isGiven := Options(request.Options).Find(key)
		if isGiven && request.Network.Internal {
			return driver.Errorf(driver.ErrInvalid,
				"%s is not possible with --internal: no other machine reaches the containers of an "+
					"internal network", key)
		}
		if isGiven && name == "" {
			return driver.Errorf(driver.ErrInvalid, "%s needs the name of an interface of the host", key)
		}
	}
	return nil
}

// ProxyNdp has the link of the host that the option ndp_proxy names answer neighbour
// solicitations for the container's IPv6 addresses (RFC 4389). Machines on that link then reach
// the container without a route. The host must forward packets.
func ProxyNdp(request types.Request) error {
	name, isGiven := Options(request.Options).Find(ndpProxy)
	var answered []string
	for _, address := range request.Addresses {
		if IsV6(address) {
			answered = append(answered, WithoutPrefix(address))
		}
	}
	if !isGiven || len(answered) == 0 {
		return nil
	}
	link, err := links.Get(types.NamespaceHost, name)
	if err != nil {
		return err
	}
	if err := sysctl.SetProxyNdp(link, true); err != nil {
		return err
	}
	for _, address := range answered {
		if err := neighbours.AddProxy(link, address); err != nil {
			return err
		}
	}
	return nil
}

// Publish publishes the request's ports to the container's first address of each family. The
// container is behind a link of the host. Internal networks publish nothing, as in netavark.
// Another network of the container may publish the ports.
func Publish(link *links.Link, request types.Request) error {
	if len(request.Ports) == 0 || request.Network.Internal {
		return nil
	}
	for _, v6 := range []bool{false, true} {
		for _, address := range request.Addresses {
			if IsV6(address) != v6 {
				continue
			}
			if err := publishTo(link, request, address); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

func publishTo(link *links.Link, request types.Request, address string) error {
	if err := firewall.Publish(link, request.Ports, WithoutPrefix(address)); err != nil {
		return err
	}
	_, isNarrow := Options(request.Options).Find(publishInterface)
	if IsV6(address) || isNarrow || !hasLocalPort(request.Ports) {
		return nil
	}
	// This is for connections to 127.0.0.1. The firewall drops packets to it from elsewhere
	// already.
	return sysctl.SetRouteLocalnet(link, true)
}

func hasLocalPort(ports []types.Port) bool {
	for _, port := range ports {
		if !IsV6(port.HostAddress.SomeOr("")) {
			return true
		}
	}
	return false
}

// CloseInternal closes an internal network behind a link of the host. The host itself stays
// within reach where the network has a gateway, which is the host's address there.
func CloseInternal(link *links.Link, network types.Network) error {
	if !network.Internal {
		return nil
	}
	return firewall.Internal(link, hasGateway(network))
}

func hasGateway(network types.Network) bool {
	for _, subnet := range network.Subnets {
		if subnet.Gateway.IsSome() {
			return true
		}
	}
	return false
}

// Forward turns the host's forwarding on for the families of the container's addresses, unless
// the network is internal.
func Forward(request types.Request) error {
	if request.Network.Internal {
		return nil
	}
	for _, version := range []types.IpVersion{types.IpVersionIpv4, types.IpVersionIpv6} {
		for _, address := range request.Addresses {
			if IsV6(address) != (version == types.IpVersionIpv6) {
				continue
			}
			if err := sysctl.EnableIpForward(types.NamespaceHost, version); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// RoutedMtu returns the MTU of new links whose packets the host routes: the user's, or else that
// of the default route's link, in the table of a VRF if one is given. Without a default route it
// is the kernel's. A network with IPv6 addresses gets at least the MTU that IPv6 needs.
func RoutedMtu(network types.Network, vrf wit.Option[*links.Link]) (wit.Option[uint32], error) {
	// 0 means the default, as in netavark's drivers.
	if network.Mtu.SomeOr(0) != 0 {
		return network.Mtu, nil
	}
	found, err := links.DefaultMtu(vrf)
	if err != nil || found.IsNone() {
		return wit.None[uint32](), err
	}
	mtu := found.Some()
	if hasV6(network) {
		mtu = max(mtu, ipv6MinMtu)
	}
	return wit.Some(min(mtu, vethMaxMtu)), nil
}

// ServeNames has the container's names served on a link, if the user wants that. The DNS server
// listens on the network's gateways, so without one there are no names.
func ServeNames(link *links.Link, network types.Network) error {
	if !network.Dns || !hasGateway(network) {
		return nil
	}
	return dns.Register(link)
}
