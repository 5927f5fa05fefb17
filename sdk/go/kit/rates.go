package kit

import (
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/traffic"
	"github.com/wasmvark/wasmvark/sdk/go/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

const (
	// latency is the time that a packet may wait in the queue, in milliseconds. With CNI's 25 ms,
	// a TCP connection reaches only four fifths of the rate, because it slows down at every lost
	// packet.
	latency = 100
	// smallestBurst is the smallest default burst in bytes, some of the largest usual packets.
	smallestBurst = 32 * 1024
	// burstsASecond is the number of default bursts per second at the full rate. The kernel
	// refills the bucket at least 100 times per second.
	burstsASecond = 50
	// subnetsMax is the most subnets of an option.
	subnetsMax = 100

	shapedSubnets   = "shaped_subnets"
	unshapedSubnets = "unshaped_subnets"
)

// rates has the parsed options of limits. As in CNI, ingress is the container's receiving
// direction. This is like CNI's plugin bandwidth.
type rates struct {
	ingress, egress *traffic.Shape
	// flows are subnets of the other end, and how their packets are treated. Without any, all
	// packets are limited.
	flows []flow
}

type flow struct {
	subnet string
	way    traffic.HtbFlow
}

// remote is the end of a packet's way that is elsewhere.
type remote int

const (
	source remote = iota
	destination
)

func parseRates(options Options) (parsed rates, err error) {
	if parsed.ingress, err = parseLimit(options, "ingress_rate", "ingress_burst"); err != nil {
		return parsed, err
	}
	if parsed.egress, err = parseLimit(options, "egress_rate", "egress_burst"); err != nil {
		return parsed, err
	}
	shaped, err := parseSubnets(options, shapedSubnets)
	if err != nil {
		return parsed, err
	}
	direct, err := parseSubnets(options, unshapedSubnets)
	if err != nil {
		return parsed, err
	}
	key := unshapedSubnets
	if len(shaped) > 0 {
		key = shapedSubnets
		if len(direct) > 0 {
			return parsed, driver.Errorf(driver.ErrInvalid, "%s and %s can't be given together",
				shapedSubnets, unshapedSubnets)
		}
		// All packets of both families.
		direct = []string{"0.0.0.0/0", "::/0"}
	}
	for _, subnet := range shaped {
		parsed.flows = append(parsed.flows, flow{subnet, traffic.HtbFlowRest})
	}
	for _, subnet := range direct {
		parsed.flows = append(parsed.flows, flow{subnet, traffic.HtbFlowDirect})
	}
	if len(parsed.flows) > 0 && parsed.ingress == nil && parsed.egress == nil {
		return parsed, driver.Errorf(driver.ErrInvalid, "%s needs ingress_rate or egress_rate", key)
	}
	return parsed, nil
}

// limit limits the rates at the container's own link.
func (r rates) limit(link *links.Link) error {
	if r.egress != nil {
		if err := r.limitSending(link, *r.egress, destination); err != nil {
			return err
		}
	}
	if r.ingress == nil {
		return nil
	}
	return r.limitReceiving(link, types.PlaceContainer, *r.ingress, source)
}

// limitPort limits the rates at the peer on the host, where the directions are reversed.
func (r rates) limitPort(port *links.Link) error {
	if r.ingress != nil {
		if err := r.limitSending(port, *r.ingress, source); err != nil {
			return err
		}
	}
	if r.egress == nil {
		return nil
	}
	return r.limitReceiving(port, types.PlaceHost, *r.egress, destination)
}

// limitSending limits the packets that a link sends. A limit for some of them needs classes.
func (r rates) limitSending(link *links.Link, shape traffic.Shape, at remote) error {
	if len(r.flows) == 0 {
		return traffic.SetTbf(link, traffic.TbfOptions{Shape: shape, Latency: latency})
	}
	if err := traffic.SetHtb(link, shape); err != nil {
		return err
	}
	for _, flow := range r.flows {
		from, to := wit.Some(flow.subnet), wit.None[string]()
		if at == destination {
			from, to = to, from
		}
		if err := traffic.AddHtbFilter(link, from, to, flow.way); err != nil {
			return err
		}
	}
	return nil
}

// limitReceiving limits the packets that a link receives. They are redirected to an ifb link,
// which limits them.
func (r rates) limitReceiving(link *links.Link, place types.Place, shape traffic.Shape, at remote) error {
	ifb, err := links.CreateIfb(place, wit.None[string](), links.PlainOptions{})
	if err != nil {
		return err
	}
	if err := r.limitSending(ifb, shape, at); err != nil {
		return err
	}
	if err := links.SetUp(ifb); err != nil {
		return err
	}
	return traffic.RedirectIngress(link, ifb)
}

func parseLimit(options Options, rateKey, burstKey string) (*traffic.Shape, error) {
	burst, err := parseSize(options, burstKey, 1024)
	if err != nil {
		return nil, err
	}
	rate, err := parseSize(options, rateKey, 1000)
	if err != nil {
		return nil, err
	}
	if rate == nil {
		if burst != nil {
			return nil, driver.Errorf(driver.ErrInvalid, "%s needs %s", burstKey, rateKey)
		}
		return nil, nil
	}
	if *rate < 8 {
		return nil, driver.Errorf(driver.ErrInvalid,
			"%s is in bits per second, at least 8: %d is too low", rateKey, *rate)
	}
	bytes := max(*rate/8/burstsASecond, smallestBurst)
	if burst != nil {
		bytes = *burst
	}
	if bytes < 1 || bytes > math.MaxUint32 {
		return nil, driver.Errorf(driver.ErrInvalid,
			"%s is in bytes, from 1 to %d: %d is not possible; it takes %s to go with a high %s",
			burstKey, uint32(math.MaxUint32), bytes, burstKey, rateKey)
	}
	return &traffic.Shape{Rate: *rate, Burst: uint32(bytes)}, nil
}

// parseSize parses a number that may end with k, m or g. The step is the factor of k.
func parseSize(options Options, key string, step uint64) (*uint64, error) {
	text, isGiven := options.Find(key)
	if !isGiven {
		return nil, nil
	}
	digits, factor := strings.ToLower(strings.TrimSpace(text)), uint64(1)
	for _, unit := range []string{"k", "m", "g"} {
		factor *= step
		if rest, hasUnit := strings.CutSuffix(digits, unit); hasUnit {
			digits = rest
			break
		}
		if unit == "g" {
			factor = 1
		}
	}
	number, isNumber := parseUint(digits, 64)
	over, size := bits.Mul64(number, factor)
	if !isNumber || over != 0 {
		return nil, Refused(key, text, "a whole number, which may end with k, m or g")
	}
	return &size, nil
}

// parseSubnets parses a list of subnets. An empty one counts as absent.
func parseSubnets(options Options, key string) ([]string, error) {
	text, _ := options.Find(key)
	words := strings.Fields(text)
	isList := len(words) <= subnetsMax
	for _, word := range words {
		_, err := netip.ParsePrefix(word)
		isList = isList && err == nil
	}
	if !isList {
		return nil, Refused(key, text,
			fmt.Sprintf("a list of at most %d subnets, with spaces between them", subnetsMax))
	}
	return words, nil
}
