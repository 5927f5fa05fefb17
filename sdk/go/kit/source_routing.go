package kit

import (
	"slices"

	"github.com/wasmvark/wasmvark/sdk/go/addresses"
	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/routes"
	"github.com/wasmvark/wasmvark/sdk/go/rules"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

const (
	// firstTable is the first table that is chosen, as in CNI.
	firstTable = 100
	// beforeMain is the priority right before the main table's rule.
	beforeMain = 32765
)

// kernelTables are those to which the kernel gives a meaning.
var kernelTables = []uint32{0, 253, 254, 255}

// sourceRouting has the parsed options for containers on several networks: the network's routes
// apply only to packets from the container's addresses on it. This is like CNI's plugin sbr.
type sourceRouting struct {
	// table is nil for the first unused one.
	table *uint32
}

func parseSourceRouting(options Options) (*sourceRouting, error) {
	table, err := options.Uint32("source_table")
	if err != nil {
		return nil, err
	}
	isOn, err := options.IsSet("source_routing")
	if err != nil {
		return nil, err
	}
	switch {
	case !isOn && table != nil:
		return nil, driver.Errorf(driver.ErrInvalid, "source_table needs source_routing=true")
	case !isOn:
		return nil, nil
	case table != nil && slices.Contains(kernelTables, *table):
		return nil, driver.Errorf(driver.ErrInvalid,
			"source_table %d is not possible: the kernel has it for all packets", *table)
	default:
		return &sourceRouting{table}, nil
	}
}

// configure gives the link its addresses, sets it up, and adds its routes to a table of their
// own.
func (s sourceRouting) configure(link *links.Link, request types.Request, metric *uint32, dad Dad) error {
	for _, address := range request.Addresses {
		if err := addresses.Add(link, address, dad.Address(true)); err != nil {
			return err
		}
	}
	// A route needs a link that is up.
	if err := links.SetUp(link); err != nil {
		return err
	}
	table, err := s.addRules(request)
	if err != nil {
		return err
	}
	options := routes.RouteOptions{Table: wit.Some(table)}
	for _, address := range request.Addresses {
		if err := addDirectRoute(address, request, options); err != nil {
			return err
		}
	}
	return AddRoutes(request, metric, &options)
}

// addRules adds rules that route packets from the container's addresses by a table, and returns
// the table.
func (s sourceRouting) addRules(request types.Request) (uint32, error) {
	there, err := rules.List(types.NamespaceContainer)
	if err != nil {
		return 0, err
	}
	table, err := s.tableBeside(there)
	if err != nil {
		return 0, err
	}
	priorities := map[bool]uint32{
		false: priorityBefore(there, types.IpVersionIpv4),
		true:  priorityBefore(there, types.IpVersionIpv6),
	}
	for _, address := range request.Addresses {
		v6 := IsV6(address)
		rule := rules.Rule{Source: wit.Some(Alone(address)), Priority: priorities[v6], Table: table}
		if err := rules.Add(types.NamespaceContainer, rule); err != nil {
			return 0, err
		}
		if priorities[v6] > 0 {
			priorities[v6]--
		}
	}
	return table, nil
}

// tableBeside returns the table, or the first one that no rule uses and that has no routes.
func (s sourceRouting) tableBeside(there []rules.RuleInfo) (uint32, error) {
	if s.table != nil {
		return *s.table, nil
	}
	used := slices.Clone(kernelTables)
	for _, info := range there {
		used = append(used, info.Rule.Table)
	}
	for table := uint32(firstTable); ; table++ {
		if slices.Contains(used, table) {
			continue
		}
		found, err := routes.List(types.NamespaceContainer, wit.Some(table))
		if err != nil || len(found) == 0 {
			return table, err
		}
	}
}

// priorityBefore returns the priority that the kernel would give a rule without one. Such a rule
// comes second, after the rule of the table "local".
func priorityBefore(there []rules.RuleInfo, version types.IpVersion) uint32 {
	var priorities []uint32
	for _, info := range there {
		if info.Rule.Version == wit.Some(version) {
			priorities = append(priorities, info.Rule.Priority)
		}
	}
	switch {
	case len(priorities) < 2:
		return beforeMain
	case priorities[1] == 0:
		return 0
	default:
		return priorities[1] - 1
	}
}

// addDirectRoute adds the route through the link to the network of an address.
func addDirectRoute(address string, request types.Request, options routes.RouteOptions) error {
	network, isWide := networkOf(address)
	if !isWide {
		return nil
	}
	// These are the metrics of the kernel's own prefix routes.
	metric := uint32(0)
	if IsV6(network) {
		metric = 256
	}
	route := types.Route{Destination: network, Metric: wit.Some(metric), Kind: types.RouteKindUnicast}
	options.Link = wit.Some(request.InterfaceName)
	return routes.Add(types.NamespaceContainer, route, wit.Some(options))
}
