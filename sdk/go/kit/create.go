package kit

import (
	"errors"

	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
)

// WithoutSubnets is the treatment of a network without subnets and without an ipam driver.
type WithoutSubnets int

const (
	// Refuse it, because a container without an address would be a surprise.
	Refuse WithoutSubnets = iota
	// NoAddresses gives it the ipam driver "none".
	NoAddresses
	// DHCP has a server choose the addresses.
	DHCP
)

// ChooseIpam checks the ipam driver of a network, and returns the change that sets it if
// there is none.
func ChooseIpam(network types.Network, without WithoutSubnets) ([]types.NetworkChange, error) {
	name := network.IpamDriver.SomeOr("")
	switch {
	case name == "none":
		return nil, nil
	case name == "dhcp" && without == DHCP:
		return nil, CheckDhcp(network)
	case name == "dhcp":
		return nil, driver.Errorf(driver.ErrUnsupported,
			"ipam driver dhcp is not supported with %s: give --subnet, or --ipam-driver none for a "+
				"network without addresses", network.Driver)
	case name != "" && name != "host-local":
		return nil, driver.Errorf(driver.ErrUnsupported, "Unsupported ipam driver: %s", name)
	case len(network.Subnets) > 0 && name == "":
		return ipam("host-local"), nil
	case len(network.Subnets) > 0:
		return nil, nil
	case name != "":
		return nil, driver.Errorf(driver.ErrInvalid,
			"%s driver needs at least one subnet specified when the host-local ipam driver is set",
			network.Driver)
	}
	switch without {
	case NoAddresses:
		return ipam("none"), nil
	case DHCP:
		return ipam("dhcp"), CheckDhcp(network)
	default:
		return nil, driver.Errorf(driver.ErrInvalid,
			"%s driver needs a subnet, because it has no dhcp: give --subnet, or --ipam-driver none "+
				"for a network without addresses", network.Driver)
	}
}

func ipam(name string) []types.NetworkChange {
	return []types.NetworkChange{types.MakeNetworkChangeIpamDriver(name)}
}

// HasNoAddresses tells whether a network has no addresses, with the ipam driver that was
// chosen. netavark then turns name resolution off, and so must a driver.
func HasNoAddresses(network types.Network, chosen []types.NetworkChange) bool {
	for _, change := range chosen {
		if change.Tag() == types.NetworkChangeIpamDriver {
			return change.IpamDriver() == "none"
		}
	}
	return network.IpamDriver.SomeOr("") == "none"
}

// AllocateSubnets has the host allocate the subnets that a network lacks, as Podman does for
// its own bridge networks: an IPv4 one if the user gave none, and with --ipv6 one of each
// version. Otherwise it does the same as [ChooseIpam]. With withGateway these subnets have a
// gateway in internal networks, too.
func AllocateSubnets(network types.Network, withGateway bool) ([]types.NetworkChange, error) {
	name := network.IpamDriver.SomeOr("")
	if name != "" && name != "host-local" {
		return ChooseIpam(network, Refuse)
	}
	for _, version := range lacking(network) {
		if _, err := addresses.AllocateSubnet(version, withGateway); err != nil {
			return nil, err
		}
	}
	if name == "" {
		return ipam("host-local"), nil
	}
	return nil, nil
}

// lacking returns the versions of which a network lacks a subnet.
func lacking(network types.Network) []types.IpVersion {
	var hasV4, hasV6 bool
	for _, subnet := range network.Subnets {
		if IsV6(subnet.Subnet) {
			hasV6 = true
		} else {
			hasV4 = true
		}
	}
	var versions []types.IpVersion
	if (len(network.Subnets) == 0 || network.Ipv6) && !hasV4 {
		versions = append(versions, types.IpVersionIpv4)
	}
	if network.Ipv6 && !hasV6 {
		versions = append(versions, types.IpVersionIpv6)
	}
	return versions
}

// CheckDhcp checks the options of a network whose addresses a DHCP server chooses.
func CheckDhcp(network types.Network) error {
	if len(network.Subnets) > 0 {
		return driver.Errorf(driver.ErrInvalid, "ipam driver dhcp set but subnets are set")
	}
	option := ""
	switch {
	case network.NoDefaultRoute:
		option = "no_default_route"
	case network.Metric.IsSome():
		option = "metric"
	default:
		return nil
	}
	return driver.Errorf(driver.ErrInvalid,
		"the option %s has no effect with ipam driver dhcp: netavark's DHCP proxy adds the default "+
			"route itself, with the metric 100", option)
}

// CheckIpam checks the ipam driver at Setup. A network that was written by hand hasn't been
// through Create.
func CheckIpam(network types.Network) error {
	name := network.IpamDriver.SomeOr("")
	if name == "" || name == "host-local" || name == "none" {
		return nil
	}
	return driver.Errorf(driver.ErrUnsupported, "unsupported ipam driver %s", name)
}

// ChangesOnParent returns the changes of a network whose containers have links on a parent.
func ChangesOnParent(request types.CreateRequest, without WithoutSubnets) ([]types.NetworkChange, error) {
	chosen, err := ChooseIpam(request.Network, without)
	if err != nil {
		return nil, err
	}
	changes := append(MoveParentOption(request.Options), chosen...)
	return append(changes, NoNames()), nil
}

// NoNames returns the change that turns name resolution off. Such a network has no gateway on
// the host on which a DNS server could listen.
func NoNames() types.NetworkChange { return types.MakeNetworkChangeDnsEnabled(false) }

// CheckParent checks that the user's parent exists.
func CheckParent(network types.Network) error {
	if network.Parent.IsNone() {
		return nil
	}
	parent := network.Parent.Some()
	_, err := links.Get(types.NamespaceHost, parent)
	if errors.Is(err, driver.ErrNotFound) {
		return driver.Errorf(driver.ErrNotFound, "parent interface %s does not exist", parent)
	}
	return err
}

// MoveParentOption returns the changes that turn the option "parent" into the network's
// interface. Podman does this only for its own drivers.
func MoveParentOption(options Options) []types.NetworkChange {
	parent, isGiven := options.Find("parent")
	if !isGiven {
		return nil
	}
	var changes []types.NetworkChange
	if parent != "" {
		changes = append(changes, types.MakeNetworkChangeNetworkInterface(parent))
	}
	return append(changes, types.MakeNetworkChangeRemoveOption("parent"))
}
