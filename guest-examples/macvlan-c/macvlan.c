/* The macvlan driver in C. Each container gets a link of its own on a link of
 * the host, and is a neighbour in the network of that link.
 *
 * Memory and handles, with the bindings of wit-bindgen:
 * - The driver owns the argument of an exported function. Its `_free` function
 *   frees all of it.
 * - The bindings free the results of an exported function (ret, err) after the
 *   host has read them. So all parts of them must come from malloc.
 * - The driver owns an error that a call returns. It must return or free it.
 * - The driver owns the handle of a link that a call returns. It must call
 *   `link_drop_own` exactly once. That closes the handle; the link stays.
 * - `borrow_link` makes no new handle, only another view of an owned one. It's
 *   for the arguments of calls, and is never dropped. */

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <driver.h>

#include "ipam.h"
#include "options.h"
#include "text.h"

#define HOST WASMVARK_DRIVER_TYPES_NAMESPACE_HOST
#define CONTAINER WASMVARK_DRIVER_TYPES_NAMESPACE_CONTAINER
#define IN_CONTAINER WASMVARK_DRIVER_TYPES_PLACE_CONTAINER

typedef wasmvark_driver_types_create_request_t driver_create_request_t;
typedef wasmvark_driver_types_request_t driver_request_t;
typedef wasmvark_driver_types_setup_answer_t driver_setup_answer_t;
typedef wasmvark_driver_types_network_change_t driver_network_change_t;
typedef exports_wasmvark_driver_handler_list_network_change_t list_changes_t;
typedef wasmvark_driver_links_own_link_t own_link;
typedef wasmvark_driver_links_borrow_link_t borrow_link;

/* Below the usual 100, so that this network wins over a bridge network
 * (containers/podman#23984). */
static const uint32_t DEFAULT_METRIC = 99;

/* The metric of an IPv6 route that is added with 0 (IP6_RT_PRIO_USER). */
static const uint32_t IPV6_METRIC = 1024;

/* The longest wait for duplicate address detection, in milliseconds. It waits
 * at most one second before its probe (RFC 4862, section 5.4.2) and one second
 * for an answer (RFC 4861, section 10), after the link has a carrier. */
static const uint32_t DAD_MAX = 5000;

/* Adds a change whose value is a copy of a string. */
static void add_change(list_changes_t *changes, uint8_t tag, driver_string_t value)
{
	driver_network_change_t *change = &changes->ptr[changes->len++];
	change->tag = tag;
	/* All cases with one string share this member of the union. */
	driver_string_dup_n(&change->val.network_interface, (const char *)value.ptr, value.len);
}

static void list_changes(const list_options_t *given, const char *ipam,
			 list_changes_t *changes)
{
	/* At most: interface, option, ipam driver, dns. */
	changes->ptr = calloc(4, sizeof(*changes->ptr));
	if (changes->ptr == NULL)
		abort();
	changes->len = 0;

	/* Podman sets the interface only for its own drivers. */
	const driver_string_t *parent = find_option(given, "parent");
	if (parent != NULL && parent->len > 0)
		add_change(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_NETWORK_INTERFACE, *parent);
	if (parent != NULL)
		add_change(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_REMOVE_OPTION,
			   view("parent"));
	if (ipam != NULL)
		add_change(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_IPAM_DRIVER, view(ipam));

	/* The network has no gateway on the host on which a DNS server could
	 * listen. */
	driver_network_change_t *dns = &changes->ptr[changes->len++];
	dns->tag = WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_DNS_ENABLED;
	dns->val.dns_enabled = false;
}

/* Checks that the user's parent exists. */
static bool check_parent(const wasmvark_driver_types_network_t *network, driver_error_t *err)
{
	if (!network->parent.is_some)
		return true;
	driver_string_t name = network->parent.val;
	own_link parent;
	if (wasmvark_driver_links_get(HOST, &name, &parent, err)) {
		wasmvark_driver_links_link_drop_own(parent);
		return true;
	}
	if (err->tag != WASMVARK_DRIVER_TYPES_ERROR_NOT_FOUND)
		return false;
	wasmvark_driver_types_error_free(err);
	return FAIL(err, NOT_FOUND, view("parent interface "), name, view(" does not exist"));
}

static bool create(const driver_create_request_t *request, list_changes_t *changes,
		   driver_error_t *err)
{
	struct options options;
	const char *ipam;
	if (!check_parent(&request->network, err))
		return false;
	if (!choose_ipam(&request->network, &ipam, err))
		return false;
	if (!parse_options(&request->options, &options, err))
		return false;
	list_changes(&request->options, ipam, changes);
	return true;
}

/* Finds the user's parent, or else the default route's link. */
static bool find_parent(driver_request_t *request, own_link *parent, driver_error_t *err)
{
	driver_option_string_t *name = &request->network.parent;
	if (name->is_some)
		return wasmvark_driver_links_get(HOST, &name->val, parent, err);
	return wasmvark_driver_links_get_default(parent, err);
}

static bool create_link(driver_request_t *request, const struct options *options, own_link *link,
			driver_error_t *err)
{
	own_link parent;
	if (!find_parent(request, &parent, err))
		return false;

	wasmvark_driver_links_macvlan_options_t how = {
		.mode = options->mode,
		.mac = {request->mac.is_some, request->mac.val},
		.mtu = request->network.mtu,
		.broadcast_limit = options->broadcast_limit,
		.broadcast_queue_length = options->broadcast_queue_length,
	};
	bool done = wasmvark_driver_links_create_macvlan(IN_CONTAINER, NULL,
							 wasmvark_driver_links_borrow_link(parent),
							 &how, link, err);
	wasmvark_driver_links_link_drop_own(parent);
	return done;
}

/* Turns the autoconfiguration of IPv6 addresses off, because Podman chooses the
 * addresses. A kernel without IPv6 has no autoconfiguration. A read-only
 * /proc/sys is the operator's choice. */
static bool disable_autoconf(borrow_link link, driver_error_t *err)
{
	if (wasmvark_driver_sysctl_set_autoconf(link, false, err))
		return true;
	if (err->tag != WASMVARK_DRIVER_TYPES_ERROR_NOT_FOUND &&
	    err->tag != WASMVARK_DRIVER_TYPES_ERROR_READ_ONLY)
		return false;
	wasmvark_driver_types_error_free(err);
	return true;
}

/* Makes the kernel announce the addresses when the link is set up. A kernel
 * without IPv6 announces no IPv6 addresses. */
static bool announce_addresses(borrow_link link, driver_error_t *err)
{
	if (!wasmvark_driver_sysctl_set_arp_notify(link, true, err))
		return false;
	if (wasmvark_driver_sysctl_set_ndisc_notify(link, true, err))
		return true;
	if (err->tag != WASMVARK_DRIVER_TYPES_ERROR_NOT_FOUND)
		return false;
	wasmvark_driver_types_error_free(err);
	return true;
}

static bool has_metric(const wasmvark_driver_routes_list_route_info_t *there,
		       driver_string_t destination, uint32_t metric)
{
	for (size_t i = 0; i < there->len; i++) {
		const wasmvark_driver_types_route_t *route = &there->ptr[i].route;
		if (same(route->destination, destination) && route->metric.is_some &&
		    route->metric.val == metric)
			return true;
	}
	return false;
}

/* Gives default routes the next free metrics. Two routes with one metric would
 * compete: of IPv4 routes the kernel uses the later one, and of IPv6 routes it
 * makes one multipath route. */
static bool choose_metrics(wasmvark_driver_types_list_route_t *routes, driver_error_t *err)
{
	if (routes->len == 0)
		return true;
	wasmvark_driver_routes_list_route_info_t there;
	if (!wasmvark_driver_routes_list(CONTAINER, NULL, &there, err))
		return false;
	for (size_t i = 0; i < routes->len; i++) {
		driver_option_u32_t *metric = &routes->ptr[i].metric;
		if (!metric->is_some)
			*metric = (driver_option_u32_t){true, DEFAULT_METRIC};
		/* An IPv6 route with 0 gets IP6_RT_PRIO_USER (ipv6_route.h). */
		if (metric->val == 0 && equals(routes->ptr[i].destination, "::/0"))
			metric->val = IPV6_METRIC;
		while (has_metric(&there, routes->ptr[i].destination, metric->val) &&
		       metric->val < UINT32_MAX)
			metric->val++;
	}
	wasmvark_driver_routes_list_route_info_free(&there);
	return true;
}

/* Adds default routes, and then static ones. If Podman chose no addresses, no network
 * leads to the gateways of static routes yet. The routes then name the link. */
static bool add_routes(driver_request_t *request, driver_error_t *err)
{
	for (size_t i = 0; i < request->default_routes.len; i++) {
		if (!wasmvark_driver_routes_add(CONTAINER, &request->default_routes.ptr[i], NULL,
						err))
			return false;
	}
	wasmvark_driver_routes_route_options_t through_link = {
		.link = { .is_some = true, .val = request->interface_name },
		.on_link = true,
	};
	for (size_t i = 0; i < request->routes.len; i++) {
		wasmvark_driver_types_route_t *route = &request->routes.ptr[i];
		bool names_link = request->addresses.len == 0 && route->gateway.is_some;
		if (!wasmvark_driver_routes_add(CONTAINER, route,
						names_link ? &through_link : NULL, err))
			return false;
	}
	return true;
}

/* Gives the link its addresses, sets it up and adds the routes. */
static bool configure(borrow_link link, driver_request_t *request, const struct options *options,
		      driver_error_t *err)
{
	if (options->announce && !announce_addresses(link, err))
		return false;
	if (!disable_autoconf(link, err))
		return false;
	for (size_t i = 0; i < request->addresses.len; i++) {
		if (!wasmvark_driver_addresses_add(link, &request->addresses.ptr[i], NULL, err))
			return false;
	}
	/* A route needs a link that is up. */
	if (!wasmvark_driver_links_set_up(link, err))
		return false;
	if (!choose_metrics(&request->default_routes, err))
		return false;
	if (!add_routes(request, err))
		return false;
	return !options->wait_dad || wasmvark_driver_addresses_wait_dad(link, DAD_MAX, err);
}

static bool setup(driver_request_t *request, driver_error_t *err)
{
	struct options options;
	own_link link;
	if (!check_ipam(&request->network, err))
		return false;
	if (!parse_options(&request->options, &options, err))
		return false;
	if (!create_link(request, &options, &link, err))
		return false;
	bool done = configure(wasmvark_driver_links_borrow_link(link), request, &options, err);
	wasmvark_driver_links_link_drop_own(link);
	return done;
}

bool exports_wasmvark_driver_handler_create(driver_create_request_t *request, list_changes_t *ret,
					    driver_error_t *err)
{
	bool done = create(request, ret, err);
	wasmvark_driver_types_create_request_free(request);
	return done;
}

bool exports_wasmvark_driver_handler_setup(driver_request_t *request, driver_setup_answer_t *ret,
					   driver_error_t *err)
{
	bool done = setup(request, err);
	wasmvark_driver_types_request_free(request);
	*ret = (driver_setup_answer_t){0};
	return done;
}

/* Does nothing. The host removes the link. */
bool exports_wasmvark_driver_handler_teardown(driver_request_t *request, driver_error_t *err)
{
	(void)err;
	wasmvark_driver_types_request_free(request);
	return true;
}
