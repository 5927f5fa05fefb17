/* Who chooses the addresses. */

#pragma once

#include <stdbool.h>

#include <driver.h>

/* Checks who chose the addresses, at setup: a network can be written by hand,
 * past create. */
bool check_ipam(const wasmvark_driver_types_network_t *network, driver_error_t *err);

/* Checks who chooses the addresses. *chosen is the name to set where the
 * request leaves it open, else NULL. */
bool choose_ipam(const wasmvark_driver_types_network_t *network, const char **chosen,
		 driver_error_t *err);
