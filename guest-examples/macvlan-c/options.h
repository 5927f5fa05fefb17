/* The driver's options. */

#pragma once

#include <stdbool.h>

#include <driver.h>

/* The options that the host doesn't parse. */
struct options {
	wasmvark_driver_links_macvlan_mode_t mode;
	driver_option_s32_t broadcast_limit;
	driver_option_u32_t broadcast_queue_length;
	bool announce;
	bool wait_dad;
};

/* Returns the value of an option, or NULL if it isn't given. */
const driver_string_t *find_option(const wasmvark_driver_types_network_t *network,
				   const char *key);

/* Refuses unknown options. */
bool check_option_names(const wasmvark_driver_types_network_t *network, driver_error_t *err);

/* Parses the options. On failure err is filled in. */
bool parse_options(const wasmvark_driver_types_network_t *network, struct options *options,
		   driver_error_t *err);
