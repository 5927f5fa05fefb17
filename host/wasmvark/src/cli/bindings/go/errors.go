// Package driver is what a driver consists of: its functions, and its errors.
package driver

import (
	"errors"
	"fmt"

	"@MODULE@/types"
	"@MODULE@/wasmvark_driver_types"
	wit "go.bytecodealliance.org/pkg/wit/types"
)

// The cases of errors, for [errors.Is].
var (
	// ErrDenied says that the grant doesn't list the call, or that the object is out of
	// its reach.
	ErrDenied = errors.New("denied")
	// ErrNotFound says that the object doesn't exist.
	ErrNotFound = errors.New("not found")
	// ErrExists says that the object exists already.
	ErrExists = errors.New("exists")
	// ErrInvalid says that an argument or an option is malformed, or that the kernel
	// refuses it.
	ErrInvalid = errors.New("invalid")
	// ErrBusy says that the object is in use.
	ErrBusy = errors.New("busy")
	// ErrUnsupported says that the kernel or the driver lacks the feature.
	ErrUnsupported = errors.New("unsupported")
	// ErrReadOnly says that the setting has another value and can't be written here.
	ErrReadOnly = errors.New("read-only")
	// ErrOther is anything else.
	ErrOther = errors.New("other")
)

// Error is an error of a call, or one that a driver gives the user.
type Error struct {
	// Case is one of the cases above.
	Case error
	// Message is the text for the user.
	Message string
}

// Error returns the text for the user.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the case.
func (e *Error) Unwrap() error { return e.Case }

// Errorf returns an error of a case, with a text for the user.
func Errorf(kind error, format string, arguments ...any) error {
	return &Error{Case: kind, Message: fmt.Sprintf(format, arguments...)}
}

// Value returns the value and the error of a result.
func Value[T any](result wit.Result[T, types.Error]) (T, error) {
	if result.IsErr() {
		var none T
		return none, fromHost(result.Err())
	}
	return result.Ok(), nil
}

// Check returns the error of a result without a value.
func Check(result wit.Result[wit.Unit, types.Error]) error {
	_, err := Value(result)
	return err
}

func fromHost(given types.Error) error {
	switch given.Tag() {
	case wasmvark_driver_types.ErrorDenied:
		return &Error{ErrDenied, given.Denied()}
	case wasmvark_driver_types.ErrorNotFound:
		return &Error{ErrNotFound, given.NotFound()}
	case wasmvark_driver_types.ErrorExists:
		return &Error{ErrExists, given.Exists()}
	case wasmvark_driver_types.ErrorInvalid:
		return &Error{ErrInvalid, given.Invalid()}
	case wasmvark_driver_types.ErrorBusy:
		return &Error{ErrBusy, given.Busy()}
	case wasmvark_driver_types.ErrorUnsupported:
		return &Error{ErrUnsupported, given.Unsupported()}
	case wasmvark_driver_types.ErrorReadOnly:
		return &Error{ErrReadOnly, given.ReadOnly()}
	default:
		return &Error{ErrOther, given.Other()}
	}
}

// toHost returns an error as the host takes it. It has the text of the whole chain, and
// the case of the [Error] in it.
func toHost(err error) types.Error {
	message := err.Error()
	switch {
	case errors.Is(err, ErrDenied):
		return wasmvark_driver_types.MakeErrorDenied(message)
	case errors.Is(err, ErrNotFound):
		return wasmvark_driver_types.MakeErrorNotFound(message)
	case errors.Is(err, ErrExists):
		return wasmvark_driver_types.MakeErrorExists(message)
	case errors.Is(err, ErrInvalid):
		return wasmvark_driver_types.MakeErrorInvalid(message)
	case errors.Is(err, ErrBusy):
		return wasmvark_driver_types.MakeErrorBusy(message)
	case errors.Is(err, ErrUnsupported):
		return wasmvark_driver_types.MakeErrorUnsupported(message)
	case errors.Is(err, ErrReadOnly):
		return wasmvark_driver_types.MakeErrorReadOnly(message)
	default:
		return wasmvark_driver_types.MakeErrorOther(message)
	}
}
