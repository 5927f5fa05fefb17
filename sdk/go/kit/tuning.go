package kit

import (
	"slices"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/sysctl"
	"github.com/wasmvark/wasmvark/sdk/go/types"
)

const (
	// sysctlPrefix is that of options for kernel settings.
	sysctlPrefix = "sysctl."
	// interfaceName is the placeholder for the name of the container's interface, as in CNI.
	interfaceName = "IFNAME"
)

// tuning has the parsed options for properties of the container's link and for kernel settings of
// its namespace. This is like CNI's plugin tuning.
type tuning struct {
	// sysctls are keys in the form of sysctl(8), and values.
	sysctls      [][2]string
	queueLength  *uint32
	promiscuous  *bool
	allMulticast *bool
}

func parseTuning(options Options) (parsed tuning, err error) {
	for _, option := range options {
		key, isSetting := strings.CutPrefix(option.Key, sysctlPrefix)
		if !isSetting {
			continue
		}
		if err := checkKey(key); err != nil {
			return parsed, err
		}
		parsed.sysctls = append(parsed.sysctls, [2]string{key, option.Value})
	}
	if parsed.queueLength, err = options.Uint32("txqlen"); err != nil {
		return parsed, err
	}
	if parsed.promiscuous, err = options.Bool("promisc"); err != nil {
		return parsed, err
	}
	parsed.allMulticast, err = options.Bool("allmulti")
	return parsed, err
}

func (t tuning) apply(link *links.Link, name string) error {
	if t.queueLength != nil {
		if err := links.SetTxQueueLength(link, *t.queueLength); err != nil {
			return err
		}
	}
	if t.promiscuous != nil {
		if err := links.SetPromiscuous(link, *t.promiscuous); err != nil {
			return err
		}
	}
	if t.allMulticast != nil {
		if err := links.SetAllMulticast(link, *t.allMulticast); err != nil {
			return err
		}
	}
	for _, setting := range t.sysctls {
		key := withName(setting[0], name)
		if err := sysctl.Set(types.NamespaceContainer, key, setting[1]); err != nil {
			return err
		}
	}
	return nil
}

// checkKey refuses keys that don't belong to a network namespace, because they would apply to the
// whole machine.
func checkKey(key string) error {
	parts := strings.Split(key, ".")
	if parts[0] == "net" && len(parts) > 2 && !slices.Contains(parts, "") {
		return nil
	}
	return driver.Errorf(driver.ErrInvalid,
		"option %s%s: %s is no setting of a network namespace: those are called net.…, for example "+
			"net.ipv4.conf.%s.arp_filter", sysctlPrefix, key, quote(key), interfaceName)
}

// withName returns the key with the interface's name. A dot in the name becomes a slash, because
// dots separate the parts of a key.
func withName(key, name string) string {
	parts := strings.Split(key, ".")
	for i, part := range parts {
		if part == interfaceName {
			parts[i] = strings.ReplaceAll(name, ".", "/")
		}
	}
	return strings.Join(parts, ".")
}
