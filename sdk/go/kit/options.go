package kit

import (
	"fmt"
	"math"
	"strings"

	"github.com/wasmvark/wasmvark/sdk/go/driver"
	"github.com/wasmvark/wasmvark/sdk/go/links"
	"github.com/wasmvark/wasmvark/sdk/go/types"
)

// Options are those of a network or of a container. The host has checked that each value is
// one that the manifest declares.
type Options []types.RequestOption

// Choice is a value of an option, with what it stands for.
type Choice[T any] struct {
	Name  string
	Value T
}

// MacvlanModes are the values of an option for the mode of macvlan links. The first one is
// the default.
var MacvlanModes = []Choice[links.MacvlanMode]{
	{"bridge", links.MacvlanModeBridge},
	{"private", links.MacvlanModePrivate},
	{"vepa", links.MacvlanModeVepa},
	{"passthru", links.MacvlanModePassthru},
	{"source", links.MacvlanModeSource},
}

// Find returns the value of an option.
func (o Options) Find(key string) (string, bool) {
	for _, option := range o {
		if option.Key == key {
			return option.Value, true
		}
	}
	return "", false
}

// Refused returns the error for a value that an option can't have.
func Refused(key, text, expected string) error {
	return driver.Errorf(driver.ErrInvalid, "unable to parse \"%s\": %s is not %s", key, quote(text), expected)
}

func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// Bool returns the value of an option that is a truth value, or nil if it isn't given. It
// takes Go's words for them (strconv.ParseBool), which Podman takes for its own drivers.
func (o Options) Bool(key string) (*bool, error) {
	text, isGiven := o.Find(key)
	if !isGiven {
		return nil, nil
	}
	value := false
	switch strings.TrimSpace(text) {
	case "1", "t", "T", "TRUE", "true", "True":
		value = true
	case "0", "f", "F", "FALSE", "false", "False":
	default:
		return nil, Refused(key, text, "true or false")
	}
	return &value, nil
}

// IsSet tells whether an option that is a truth value is true.
func (o Options) IsSet(key string) (bool, error) {
	value, err := o.Bool(key)
	return value != nil && *value, err
}

// Uint32 returns the value of an option that is a whole number, or nil if it isn't given.
func (o Options) Uint32(key string) (*uint32, error) {
	text, isGiven := o.Find(key)
	if !isGiven {
		return nil, nil
	}
	number, isNumber := parseUint(strings.TrimSpace(text), 32)
	if !isNumber {
		return nil, Refused(key, text, fmt.Sprintf("a whole number from 0 to %d", uint32(math.MaxUint32)))
	}
	value := uint32(number)
	return &value, nil
}

// Choose returns the choice that an option names, or the first one if the option is missing
// or empty.
func Choose[T any](options Options, key string, choices []Choice[T]) (T, error) {
	word, _ := options.Find(key)
	names := make([]string, 0, len(choices))
	for _, choice := range choices {
		if word == "" || word == choice.Name {
			return choice.Value, nil
		}
		names = append(names, choice.Name)
	}
	var none T
	return none, Refused(key, word, "one of "+strings.Join(names, ", "))
}
