/* Each container gets a veth pair: one end in the container, the other one on the host.
 *
 * Who frees what: a driver frees what it gets, the request and the errors of calls that
 * it doesn't return, and drops the links that it owns. What it returns comes from malloc,
 * and the bindings free it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasmvark/driver.h"

typedef wasmvark_driver_types_error_t error;
typedef wasmvark_driver_types_request_t request;
typedef wasmvark_driver_addresses_address_options_t address_options;
typedef wasmvark_driver_routes_route_options_t route_options;
typedef wasmvark_driver_links_borrow_link_t borrowed_link;

/* Nobody else is on the link, so no address waits for duplicate address detection. */
static address_options own = {.no_dad = true};
/* The host's routes are added one by one, so its addresses bring none. */
static address_options of_gateway = {.no_dad = true, .no_prefix_route = true};

/* Checks a new network. */
bool exports_wasmvark_driver_handler_create(
	exports_wasmvark_driver_handler_create_request_t *given,
	exports_wasmvark_driver_handler_list_network_change_t *changes, error *err)
{
	bool has_subnet = given->network.subnets.len > 0;
	wasmvark_driver_types_create_request_free(given);
	if (!has_subnet) {
		err->tag = WASMVARK_DRIVER_TYPES_ERROR_INVALID;
		driver_string_dup(&err->val.invalid, "the network has no subnet: give --subnet");
		return false;
	}
	changes->len = 0;
	return true;
}

/* Adds an address alone (/32, /128) to the host's end. */
static bool add_alone(borrowed_link link, driver_string_t address, error *err)
{
	char text[64];
	size_t length = 0;
	while (length < address.len && address.ptr[length] != '/')
		length++;
	bool is_v6 = memchr(address.ptr, ':', length) != NULL;
	snprintf(text, sizeof(text), "%.*s/%d", (int)length, (const char *)address.ptr,
		 is_v6 ? 128 : 32);
	driver_string_t alone;
	driver_string_set(&alone, text);
	return wasmvark_driver_addresses_add(link, &alone, &of_gateway, err);
}

static bool configure_host(borrowed_link link, request *given, error *err)
{
	for (size_t i = 0; i < given->network.subnets.len; i++) {
		wasmvark_driver_types_option_cidr_t *gateway = &given->network.subnets.ptr[i].gateway;
		if (gateway->is_some && !add_alone(link, gateway->val, err))
			return false;
	}
	if (!wasmvark_driver_links_set_up(link, err))
		return false;

	route_options through = {.link = {.is_some = true}};
	wasmvark_driver_links_method_link_name(link, &through.link.val);
	bool done = true;
	for (size_t i = 0; done && i < given->host_routes.len; i++)
		done = wasmvark_driver_routes_add(WASMVARK_DRIVER_TYPES_NAMESPACE_HOST,
						  &given->host_routes.ptr[i], &through, err);
	driver_string_free(&through.link.val);
	return done;
}

static bool add_routes(wasmvark_driver_types_list_route_t routes, error *err)
{
	for (size_t i = 0; i < routes.len; i++)
		if (!wasmvark_driver_routes_add(WASMVARK_DRIVER_TYPES_NAMESPACE_CONTAINER,
						&routes.ptr[i], NULL, err))
			return false;
	return true;
}

static bool configure_container(borrowed_link link, request *given, error *err)
{
	for (size_t i = 0; i < given->addresses.len; i++)
		if (!wasmvark_driver_addresses_add(link, &given->addresses.ptr[i], &own, err))
			return false;
	return wasmvark_driver_links_set_up(link, err) && add_routes(given->default_routes, err) &&
	       add_routes(given->routes, err);
}

static bool connect(request *given, error *err)
{
	wasmvark_driver_links_veth_options_t options = {
		.mac = {given->mac.is_some, given->mac.val},
		.mtu = {given->network.mtu.is_some, given->network.mtu.val},
	};
	wasmvark_driver_links_veth_pair_t pair;
	if (!wasmvark_driver_links_create_veth(&options, &pair, err))
		return false;
	bool done = configure_host(wasmvark_driver_links_borrow_link(pair.host), given, err) &&
		    configure_container(wasmvark_driver_links_borrow_link(pair.container), given,
					err);
	wasmvark_driver_links_link_drop_own(pair.host);
	wasmvark_driver_links_link_drop_own(pair.container);
	return done;
}

/* Connects a container. */
bool exports_wasmvark_driver_handler_setup(request *given,
					   exports_wasmvark_driver_handler_setup_answer_t *answer,
					   error *err)
{
	*answer = (exports_wasmvark_driver_handler_setup_answer_t){0};
	bool done = connect(given, err);
	wasmvark_driver_types_request_free(given);
	return done;
}

/* Does nothing: the host undoes what setup did. */
bool exports_wasmvark_driver_handler_teardown(request *given, error *err)
{
	(void)err;
	wasmvark_driver_types_request_free(given);
	return true;
}
