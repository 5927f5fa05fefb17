package kit

import (
	"errors"
	"strconv"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// ParentMetric is the metric of default routes through a link on a parent. It is below the
// usual 100, so that the route wins over one of a bridge network (containers/podman#23984).
const ParentMetric uint32 = 99

// vlanMax is the highest number of a VLAN (IEEE 802.1Q).
const vlanMax = 4094

// FindParent returns the user's parent, or else the default route's link.
func FindParent(network types.Network) (*links.Link, error) {
	if network.Parent.IsNone() {
		return links.GetDefault()
	}
	return links.Get(types.NamespaceHost, network.Parent.Some())
}

// FindOrMakeParent returns the user's parent, or else the default route's link. A VLAN that is
// missing is made, and goes with the network's last container.
func FindOrMakeParent(network types.Network) (*links.Link, error) {
	name, baseName, id, isVlan := vlanOf(network)
	if !isVlan {
		return FindParent(network)
	}
	base, err := links.Get(types.NamespaceHost, baseName)
	if errors.Is(err, driver.ErrNotFound) {
		return FindParent(network)
	}
	if err != nil {
		return nil, err
	}
	options := links.VlanOptions{Id: id, Protocol: links.VlanProtocolDot1q}
	link, err := links.CreateVlan(types.PlaceShared, wit.Some(name), base, options)
	switch {
	case errors.Is(err, driver.ErrExists):
		// Somebody else has made it, and it stays.
		return FindParent(network)
	case errors.Is(err, driver.ErrDenied):
		// It may be there, so that the call isn't needed.
		if parent, missing := FindParent(network); missing == nil {
			return parent, nil
		}
		return nil, err
	case err != nil:
		return nil, err
	}
	return link, links.SetUp(link)
}

// CheckParentOrBase checks that the user's parent exists, or the link that it is to be a VLAN
// of.
func CheckParentOrBase(network types.Network) error {
	err := CheckParent(network)
	_, base, _, isVlan := vlanOf(network)
	if !isVlan || !errors.Is(err, driver.ErrNotFound) {
		return err
	}
	if _, missing := links.Get(types.NamespaceHost, base); missing != nil {
		return err
	}
	return nil
}

// vlanOf returns the parent's name with the link and the number of the VLAN that it means.
func vlanOf(network types.Network) (name, base string, id uint16, isVlan bool) {
	name = network.Parent.SomeOr("")
	at := strings.LastIndex(name, ".")
	if at < 1 {
		return "", "", 0, false
	}
	number, err := strconv.ParseUint(name[at+1:], 10, 16)
	isWhole := err == nil && strconv.FormatUint(number, 10) == name[at+1:]
	if !isWhole || number < 1 || number > vlanMax {
		return "", "", 0, false
	}
	return name, name[:at], uint16(number), true
}
