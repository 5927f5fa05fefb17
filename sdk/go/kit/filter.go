package kit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/firewall"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// nothing is the value that lets nothing pass.
const nothing = "none"

var protocols = map[string]types.Protocol{
	"tcp":  types.ProtocolTcp,
	"udp":  types.ProtocolUdp,
	"sctp": types.ProtocolSctp,
}

// Filter has the parsed options "incoming" and "outgoing": lists of connections that may pass.
// This is like CNI's plugin firewall.
type Filter struct{ lists []filterList }

type filterList struct {
	direction firewall.Direction
	items     []filterItem
}

// filterItem is one item of a list: connections that may pass.
type filterItem struct {
	protocol wit.Option[types.Protocol]
	ports    []firewall.PortRange
	peer     wit.Option[string]
}

// ParseFilter parses the options.
func ParseFilter(options Options) (Filter, error) {
	var filter Filter
	for _, list := range []struct {
		key       string
		direction firewall.Direction
	}{{"incoming", firewall.DirectionIncoming}, {"outgoing", firewall.DirectionOutgoing}} {
		items, isGiven, err := parseItems(options, list.key)
		if err != nil {
			return Filter{}, err
		}
		if isGiven {
			filter.lists = append(filter.lists, filterList{list.direction, items})
		}
	}
	return filter, nil
}

// Apply accepts the connections in the lists, for each of the container's addresses, and drops
// all others. The filter is on the host. It is for links whose packets the host sends, receives
// or forwards. It returns [driver.ErrInvalid] if the container has no address from Podman, so
// that no rule would be for it.
func (f Filter) Apply(request types.Request) error {
	if len(f.lists) > 0 && len(request.Addresses) == 0 {
		return driver.Errorf(driver.ErrInvalid,
			"incoming and outgoing are for the container's addresses, and Podman gave it none")
	}
	for _, list := range f.lists {
		for _, address := range request.Addresses {
			if err := list.apply(WithoutPrefix(address)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l filterList) apply(address string) error {
	for _, item := range l.items {
		if item.peer.IsSome() && IsV6(item.peer.Some()) != IsV6(address) {
			continue
		}
		err := firewall.Accept(firewall.Traffic{
			Direction: l.direction,
			Address:   address,
			Peer:      item.peer,
			Protocol:  item.protocol,
			Ports:     item.ports,
		})
		if err != nil {
			return err
		}
	}
	return firewall.Drop(firewall.Traffic{Direction: l.direction, Address: address})
}

// ApplyInContainer accepts the connections in the lists over a link of the container, and drops
// all others. The filter is in the container's namespace. It is for links whose packets don't
// pass the host's firewall, and must be called before the link is set up.
func (f Filter) ApplyInContainer(link *links.Link) error {
	for _, list := range f.lists {
		for _, item := range list.items {
			err := firewall.AcceptInContainer(link, firewall.LinkTraffic{
				Direction: list.direction,
				Peer:      item.peer,
				Protocol:  item.protocol,
				Ports:     item.ports,
			})
			if err != nil {
				return err
			}
		}
		all := firewall.LinkTraffic{Direction: list.direction}
		if err := firewall.DropInContainer(link, all); err != nil {
			return err
		}
	}
	return nil
}

func parseItems(options Options, key string) (items []filterItem, isGiven bool, err error) {
	text, isGiven := options.Find(key)
	if !isGiven || text == nothing {
		return nil, isGiven, nil
	}
	for _, word := range strings.Fields(text) {
		item, isItem := parseItem(word)
		if !isItem {
			return nil, true, Refused(key, word,
				"like tcp/443, udp/8000-8100, tcp, tcp/443@10.0.0.0/8 or any@fd00::/8")
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		return nil, true, driver.Errorf(driver.ErrInvalid,
			"unable to parse \"%s\": it names nothing; to let nothing through, give %s", key, nothing)
	}
	return items, true, nil
}

func parseItem(text string) (item filterItem, isItem bool) {
	what, peer, hasPeer := strings.Cut(text, "@")
	name, ports, hasPorts := strings.Cut(what, "/")
	protocol, isProtocol := protocols[name]
	if isProtocol {
		item.protocol = wit.Some(protocol)
	} else if name != "any" || hasPorts {
		return item, false
	}
	if hasPorts {
		span, isRange := parseRange(ports)
		if !isRange {
			return item, false
		}
		item.ports = []firewall.PortRange{span}
	}
	if hasPeer {
		network, isNetwork := parseNetwork(peer)
		if !isNetwork {
			return item, false
		}
		item.peer = wit.Some(network)
	}
	return item, true
}

// parseRange parses a port or a range of ports, as 443 or 8000-8100.
func parseRange(text string) (firewall.PortRange, bool) {
	firstText, lastText, isRange := strings.Cut(text, "-")
	if !isRange {
		lastText = firstText
	}
	first, isFirst := parseUint(firstText, 16)
	last, isLast := parseUint(lastText, 16)
	span := firewall.PortRange{First: uint16(first), Last: uint16(last)}
	return span, isFirst && isLast && first <= last
}

// parseNetwork parses an address or a network, and returns it with its prefix length.
func parseNetwork(text string) (string, bool) {
	plain, lengthText, hasLength := strings.Cut(text, "/")
	address, isAddress := ParseAddress(plain)
	if !isAddress {
		return "", false
	}
	if !hasLength {
		lengthText = strconv.Itoa(address.BitLen())
	}
	length, isNumber := parseUint(lengthText, 8)
	return fmt.Sprintf("%s/%d", plain, length), isNumber && int(length) <= address.BitLen()
}
