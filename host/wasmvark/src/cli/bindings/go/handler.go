package driver

import (
	"@MODULE@/types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Handler is a driver.
type Handler interface {
	// Create checks a new network, and returns changes of it.
	Create(request types.CreateRequest) ([]types.NetworkChange, error)
	// Setup connects a container.
	Setup(request types.Request) (types.SetupAnswer, error)
	// Teardown disconnects a container. The host undoes what Setup did in any case.
	Teardown(request types.Request) error
}

var registered Handler

// Register makes a driver the component's. An init function calls it.
func Register(handler Handler) { registered = handler }

// Create calls the registered driver, for the component's export.
func Create(request types.CreateRequest) wit.Result[[]types.NetworkChange, types.Error] {
	return call(func() ([]types.NetworkChange, error) { return registered.Create(request) })
}

// Setup calls the registered driver, for the component's export.
func Setup(request types.Request) wit.Result[types.SetupAnswer, types.Error] {
	return call(func() (types.SetupAnswer, error) { return registered.Setup(request) })
}

// Teardown calls the registered driver, for the component's export.
func Teardown(request types.Request) wit.Result[wit.Unit, types.Error] {
	return call(func() (wit.Unit, error) { return wit.Unit{}, registered.Teardown(request) })
}

func call[T any](function func() (T, error)) wit.Result[T, types.Error] {
	if registered == nil {
		err := Errorf(ErrOther, "the component has no driver: an init function must call driver.Register")
		return wit.Err[T](toHost(err))
	}
	value, err := function()
	if err != nil {
		return wit.Err[T](toHost(err))
	}
	return wit.Ok[T, types.Error](value)
}
