/* The checks of the ipam driver, which chooses the addresses. */

#pragma once

#include <stdbool.h>

#include <driver.h>

#include "text.h"

/* Checks the ipam driver at setup. A network that was written by hand hasn't
 * been through create. */
bool check_ipam(const wasmvark_driver_types_network_t *network, driver_error_t *err);

/* Checks the ipam driver at create. *chosen is the one to set if the request has
 * none, or else NULL. */
bool choose_ipam(const wasmvark_driver_types_network_t *network, const char **chosen,
		 driver_error_t *err);
