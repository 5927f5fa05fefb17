#include <stdlib.h>

#include "wasmvark.h"

/* The metric of routes without one, as in netavark. */
#define DEFAULT_METRIC 100
/* The metric of an IPv6 route with 0 (IP6_RT_PRIO_USER, ipv6_route.h). */
#define V6_METRIC 1024

/* The start and the factor of the hash function FNV-1a with 64 bits. */
#define FNV_OFFSET 0xcbf29ce484222325ULL
#define FNV_PRIME 0x100000001b3ULL

wv_address_options wv_address_with(bool dad, bool no_prefix_route)
{
	return (wv_address_options){.no_dad = !dad, .no_prefix_route = no_prefix_route};
}

bool wv_parse_dad(const wv_options *options, bool *dad, wv_error *err)
{
	enum wv_choice given;
	if (!wv_parse_bool(options, "accept_dad", &given, err))
		return false;
	if (given != WV_UNSET)
		*dad = given == WV_YES;
	return true;
}

bool wv_set_dad(wv_link link, const wv_network *network, bool dad, wv_error *err)
{
	bool has_v6 = false;
	for (size_t i = 0; i < network->subnets.len; i++)
		has_v6 = has_v6 || wv_is_v6(network->subnets.ptr[i].subnet);
	if (dad || !has_v6)
		return true;
	/* A kernel without IPv6 has no detection. With a read-only /proc/sys the addresses that
	 * are marked can be used at once all the same. */
	bool done = wasmvark_driver_sysctl_set_accept_dad(link, false, err);
	return wv_done_or_missing(done, true, err);
}

bool wv_configure(wv_link link, wv_request *request, const uint32_t *metric, bool dad,
		  wv_error *err)
{
	wv_address_options options = wv_address_with(dad, false);
	for (size_t i = 0; i < request->addresses.len; i++)
		if (!wasmvark_driver_addresses_add(link, &request->addresses.ptr[i], &options, err))
			return false;
	/* A route needs a link that is up. */
	return wasmvark_driver_links_set_up(link, err) && wv_add_routes(request, metric, NULL, err);
}

static uint32_t in_kernel(wv_string destination, uint32_t metric)
{
	return metric == 0 && wv_is_v6(destination) ? V6_METRIC : metric;
}

static bool is_taken(const wasmvark_driver_routes_list_route_info_t *there, wv_string destination,
		     uint32_t metric)
{
	for (size_t i = 0; i < there->len; i++) {
		const wv_route *route = &there->ptr[i].route;
		if (wv_same(route->destination, destination) && route->metric.is_some &&
		    route->metric.val == in_kernel(destination, metric))
			return true;
	}
	return false;
}

/* Adds the default routes behind those of the container's other networks. Two routes with one
 * metric would compete: of IPv4 routes the kernel uses the later one, and of IPv6 routes it makes
 * one multipath route. So each gets the next free metric, and none is lost when a network is
 * disconnected. */
static bool add_default_routes(wv_request *request, const uint32_t *metric,
			       wv_route_options *options, wv_error *err)
{
	if (request->default_routes.len == 0)
		return true;
	uint32_t *table = options != NULL && options->table.is_some ? &options->table.val : NULL;
	wasmvark_driver_routes_list_route_info_t there;
	if (!wasmvark_driver_routes_list(WV_CONTAINER, table, &there, err))
		return false;
	for (size_t i = 0; i < request->default_routes.len; i++) {
		wv_route route = request->default_routes.ptr[i];
		if (!route.metric.is_some)
			route.metric.val = metric != NULL ? *metric : DEFAULT_METRIC;
		route.metric.is_some = true;
		while (route.metric.val < UINT32_MAX &&
		       is_taken(&there, route.destination, route.metric.val))
			route.metric.val = in_kernel(route.destination, route.metric.val) + 1;
		if (!wasmvark_driver_routes_add(WV_CONTAINER, &route, options, err))
			return false;
	}
	return true;
}

bool wv_add_routes(wv_request *request, const uint32_t *metric, wv_route_options *options,
		   wv_error *err)
{
	if (!add_default_routes(request, metric, options, err))
		return false;
	/* If Podman chose no addresses, the container gets its addresses in another way, and no
	 * network leads to the gateways of static routes yet. The routes then name the link. */
	wv_route_options through_link = {0};
	if (options != NULL)
		through_link = *options;
	through_link.link = (driver_option_string_t){true, request->interface_name};
	through_link.on_link = true;
	for (size_t i = 0; i < request->routes.len; i++) {
		wv_route *route = &request->routes.ptr[i];
		bool is_far = request->addresses.len == 0 && route->gateway.is_some;
		if (!wasmvark_driver_routes_add(WV_CONTAINER, route,
						is_far ? &through_link : options, err))
			return false;
	}
	return true;
}

bool wv_disable_autoconf(wv_link link, wv_error *err)
{
	/* A kernel without IPv6 has none. A read-only /proc/sys is the operator's choice. */
	bool done = wasmvark_driver_sysctl_set_autoconf(link, false, err);
	return wv_done_or_missing(done, true, err);
}

bool wv_ignore_router_advertisements(wv_link link, wv_error *err)
{
	/* A kernel without IPv6 ignores them anyway. */
	bool done = wasmvark_driver_sysctl_set_accept_ra(
		link, WASMVARK_DRIVER_SYSCTL_ROUTER_ADVERTISEMENTS_NONE, err);
	return wv_done_or_missing(done, false, err);
}

bool wv_loosen_reverse_path(wv_link link, wv_error *err)
{
	return wasmvark_driver_sysctl_set_rp_filter(link, WASMVARK_DRIVER_SYSCTL_REVERSE_PATH_LOOSE,
						    err);
}

bool wv_lease(wv_link link, wv_link parent, const wv_network *network, wv_error *err)
{
	if (!network->ipam_driver.is_some || !wv_equals(network->ipam_driver.val, "dhcp"))
		return true;
	wasmvark_driver_dhcp_leased_address_t leased;
	if (!wasmvark_driver_dhcp_lease(link, parent, &leased, err))
		return false;
	bool is_given = network->mtu.is_some && network->mtu.val != 0;
	if (!leased.mtu.is_some || is_given)
		return true;
	wasmvark_driver_links_link_info_t info;
	if (!wasmvark_driver_links_info(link, &info, err))
		return false;
	return leased.mtu.val >= info.mtu ||
	       wasmvark_driver_links_set_mtu(link, leased.mtu.val, err);
}

static uint64_t digest(uint64_t begun, wv_string text)
{
	for (size_t i = 0; i < text.len; i++)
		begun = (begun ^ text.ptr[i]) * FNV_PRIME;
	return begun;
}

wv_string wv_stable_mac(const wv_request *request)
{
	uint64_t number = digest(FNV_OFFSET, request->network.id);
	/* A zero byte is between the ids. */
	number = digest(number * FNV_PRIME, request->container_id);
	/* 02 marks a locally administered address. */
	return wv_format("02:%02x:%02x:%02x:%02x:%02x", (unsigned)(number >> 32 & 255),
			 (unsigned)(number >> 24 & 255), (unsigned)(number >> 16 & 255),
			 (unsigned)(number >> 8 & 255), (unsigned)(number & 255));
}
