package kit

import (
	"net/netip"
	"strconv"
	"strings"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// IsV6 tells whether an address or a network is IPv6.
func IsV6(address string) bool { return strings.Contains(address, ":") }

// WithoutPrefix returns an address without its prefix length.
func WithoutPrefix(address string) string {
	plain, _, _ := strings.Cut(address, "/")
	return plain
}

// Alone returns the network that contains only an address.
func Alone(address string) string {
	plain := WithoutPrefix(address)
	if IsV6(plain) {
		return plain + "/128"
	}
	return plain + "/32"
}

// ParseAddress returns an address without a zone.
func ParseAddress(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(text)
	return address, err == nil && address.Zone() == ""
}

// networkOf returns the network of an address with a prefix length. It returns false if the
// network contains only the address.
func networkOf(address string) (string, bool) {
	prefix, err := netip.ParsePrefix(address)
	if err != nil || prefix.IsSingleIP() {
		return "", false
	}
	return prefix.Masked().String(), true
}

// parseUint returns a whole number from 0 on. A sign may stand before it.
func parseUint(text string, bits int) (uint64, bool) {
	number, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, bits)
	return number, err == nil
}

// Optional returns a value, or none for nil, as the interface takes it.
func Optional[T any](value *T) wit.Option[T] {
	if value == nil {
		return wit.None[T]()
	}
	return wit.Some(*value)
}
