// Package export_wasmvark_driver_handler has what the component exports.
package export_wasmvark_driver_handler

import "@MODULE@/driver"

// These call the driver that is registered.
var (
	Create   = driver.Create
	Setup    = driver.Setup
	Teardown = driver.Teardown
)
