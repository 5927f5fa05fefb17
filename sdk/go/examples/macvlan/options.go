package main

import (
	"fmt"
	"math"
	"net"
	"strconv"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/kit"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
)

// options are those that the host doesn't parse.
type options struct {
	mode                 links.MacvlanMode
	broadcastLimit       *int32
	broadcastQueueLength *uint32
	host                 hostLink
	behaviours           kit.Behaviours
	filter               kit.Filter
}

func parse(given kit.Options, network types.Network) (parsed options, err error) {
	if parsed.behaviours, err = kit.ParseBehaviours(given); err != nil {
		return parsed, err
	}
	if parsed.mode, err = kit.Choose(given, "mode", kit.MacvlanModes); err != nil {
		return parsed, err
	}
	if err := checkSenders(given, parsed.mode); err != nil {
		return parsed, err
	}
	if parsed.broadcastLimit, err = parseLimit(given); err != nil {
		return parsed, err
	}
	if parsed.broadcastQueueLength, err = given.Uint32("bcqueuelen"); err != nil {
		return parsed, err
	}
	if parsed.host, err = parseHostLink(given, parsed.mode, network); err != nil {
		return parsed, err
	}
	parsed.filter, err = kit.ParseFilter(given)
	return parsed, err
}

func parseLimit(given kit.Options) (*int32, error) {
	text, isGiven := given.Find("bclim")
	if !isGiven {
		return nil, nil
	}
	number, err := strconv.ParseInt(strings.TrimSpace(text), 10, 32)
	if err != nil {
		expected := fmt.Sprintf("a whole number from %d to %d", math.MinInt32, math.MaxInt32)
		return nil, kit.Refused("bclim", text, expected)
	}
	limit := int32(number)
	return &limit, nil
}

// checkSenders checks the MAC addresses whose frames a link of the mode "source" gets. The host
// lists them.
func checkSenders(given kit.Options, mode links.MacvlanMode) error {
	text, isGiven := given.Find("macaddr")
	if !isGiven {
		return nil
	}
	if mode != links.MacvlanModeSource {
		return driver.Errorf(driver.ErrInvalid,
			"macaddr needs mode source: with others, frames of all senders come in")
	}
	for _, word := range strings.Split(text, ",") {
		if !isSender(strings.TrimSpace(word)) {
			return kit.Refused("macaddr", text,
				"a list of MAC addresses that frames can come from, with commas between them")
		}
	}
	return nil
}

// isSender tells whether a text is a MAC address that a frame can come from: not that of a group,
// and not zero.
func isSender(text string) bool {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != 6 || strings.Contains(text, ".") {
		return false
	}
	return mac[0]&1 == 0 && mac.String() != "00:00:00:00:00:00"
}
