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
	return result(registered.Create(request))
}

// Setup calls the registered driver, for the component's export.
func Setup(request types.Request) wit.Result[types.SetupAnswer, types.Error] {
	return result(registered.Setup(request))
}

// Teardown calls the registered driver, for the component's export.
func Teardown(request types.Request) wit.Result[wit.Unit, types.Error] {
	return result(wit.Unit{}, registered.Teardown(request))
}

func result[T any](value T, err error) wit.Result[T, types.Error] {
	if err != nil {
		return wit.Err[T](toHost(err))
	}
	return wit.Ok[T, types.Error](value)
}
