#include "options.h"

#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* All options. The host parses metric, mtu and no_default_route. */
static const char *const NAMES[] = {
	"announce", "bclim", "bcqueuelen", "metric", "mode", "mtu", "no_default_route", "parent",
};

static const struct {
	const char *name;
	wasmvark_driver_links_macvlan_mode_t mode;
} MODES[] = {
	{"", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE},
	{"bridge", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE},
	{"private", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_PRIVATE},
	{"vepa", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_VEPA},
	{"passthru", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_PASSTHRU},
	{"source", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_SOURCE},
};

const driver_string_t *find_option(const wasmvark_driver_types_network_t *network, const char *key)
{
	for (size_t i = 0; i < network->options.len; i++) {
		if (equals(network->options.ptr[i].key, key))
			return &network->options.ptr[i].value;
	}
	return NULL;
}

static bool is_known(driver_string_t name)
{
	for (size_t i = 0; i < LENGTH(NAMES); i++) {
		if (equals(name, NAMES[i]))
			return true;
	}
	return false;
}

bool check_option_names(const wasmvark_driver_types_network_t *network, driver_error_t *err)
{
	for (size_t i = 0; i < network->options.len; i++) {
		driver_string_t name = network->options.ptr[i].key;
		/* netavark's errors call its macvlan and ipvlan driver "vlan". */
		if (!is_known(name))
			return FAIL(err, INVALID, view("unsupported vlan network option: "), name);
	}
	return true;
}

/* Parses a whole number from min to max like Rust's `str::parse`, whose error
 * texts netavark's errors contain. Returns NULL or such an error text. */
static const char *parse_number(driver_string_t text, int64_t min, int64_t max, int64_t *number)
{
	if (text.len == 0)
		return "cannot parse integer from empty string";
	bool negative = min < 0 && text.ptr[0] == '-';
	size_t at = negative || text.ptr[0] == '+' ? 1 : 0;
	if (at == text.len)
		return "invalid digit found in string";

	int64_t value = 0;
	for (; at < text.len; at++) {
		if (text.ptr[at] < '0' || text.ptr[at] > '9')
			return "invalid digit found in string";
		int64_t digit = text.ptr[at] - '0';
		value = value * 10 + (negative ? -digit : digit);
		if (value > max)
			return "number too large to fit in target type";
		if (value < min)
			return "number too small to fit in target type";
	}
	*number = value;
	return NULL;
}

/* Parses an option if it's given. *given says whether it is. */
static bool parse_option(const wasmvark_driver_types_network_t *network, const char *key,
			 int64_t min, int64_t max, bool *given, int64_t *number,
			 driver_error_t *err)
{
	const driver_string_t *text = find_option(network, key);
	*given = text != NULL;
	if (text == NULL)
		return true;
	const char *problem = parse_number(*text, min, max, number);
	if (problem == NULL)
		return true;
	return FAIL(err, INVALID, view("unable to parse \""), view(key), view("\": "),
		    view(problem));
}

/* Parses an option that is true or false. The default is false. */
static bool parse_bool(const wasmvark_driver_types_network_t *network, const char *key, bool *value,
		       driver_error_t *err)
{
	const driver_string_t *text = find_option(network, key);
	*value = text != NULL && equals(*text, "true");
	if (text == NULL || *value || equals(*text, "false"))
		return true;
	return FAIL(err, INVALID, view("unable to parse \""), view(key),
		    view("\": provided string was not `true` or `false`"));
}

static bool parse_mode(const driver_string_t *name, wasmvark_driver_links_macvlan_mode_t *mode,
		       driver_error_t *err)
{
	driver_string_t text = name == NULL ? view("") : *name;
	for (size_t i = 0; i < LENGTH(MODES); i++) {
		if (equals(text, MODES[i].name)) {
			*mode = MODES[i].mode;
			return true;
		}
	}
	return FAIL(err, INVALID, view("invalid macvlan mode \""), text, view("\""));
}

bool parse_options(const wasmvark_driver_types_network_t *network, struct options *options,
		   driver_error_t *err)
{
	int64_t limit = 0;
	int64_t length = 0;
	if (!parse_option(network, "bclim", INT32_MIN, INT32_MAX,
			  &options->broadcast_limit.is_some, &limit, err))
		return false;
	if (!parse_option(network, "bcqueuelen", 0, UINT32_MAX,
			  &options->broadcast_queue_length.is_some, &length, err))
		return false;
	options->broadcast_limit.val = (int32_t)limit;
	options->broadcast_queue_length.val = (uint32_t)length;
	if (!parse_bool(network, "announce", &options->announce, err))
		return false;
	return parse_mode(find_option(network, "mode"), &options->mode, err);
}
