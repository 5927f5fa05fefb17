/* The driver's options. The host has refused all that manifest.toml doesn't declare. */

#pragma once

#include <stdbool.h>

#include <driver.h>

#include "text.h"

typedef wasmvark_driver_types_list_request_option_t list_options_t;

/* The options that the host doesn't parse. */
struct options {
	wasmvark_driver_links_macvlan_mode_t mode;
	driver_option_s32_t broadcast_limit;
	driver_option_u32_t broadcast_queue_length;
	bool announce;
	bool wait_dad;
};

/* Returns the value of an option, or NULL if it isn't given. */
const driver_string_t *find_option(const list_options_t *given,
				   const char *key);

/* Parses the options. On failure err is filled in. */
bool parse_options(const list_options_t *given, struct options *options,
		   driver_error_t *err);
