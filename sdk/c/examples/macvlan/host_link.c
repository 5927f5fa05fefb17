#include "host_link.h"

/* The option that names the host's addresses. */
#define HOST_ADDRESS "host_address"

static bool has_version(const struct host_link *host, bool v6)
{
	for (size_t i = 0; i < host->count; i++)
		if (wv_is_v6(host->addresses[i]) == v6)
			return true;
	return false;
}

static bool refuse(wv_string text, wv_error *err)
{
	return wv_refuse(HOST_ADDRESS, text,
			 "an IP address, or one of each version with a space between them", err);
}

bool parse_host_link(const wv_options *options, wasmvark_driver_links_macvlan_mode_t mode,
		     const wv_network *network, struct host_link *host, wv_error *err)
{
	*host = (struct host_link){0};
	const wv_string *text = wv_find(options, HOST_ADDRESS);
	if (text == NULL)
		return true;
	wv_string rest = *text, word;
	while (wv_word(&rest, &word)) {
		uint8_t bytes[16];
		size_t length = wv_address(word, bytes);
		if (length == 0 || has_version(host, length == 16))
			return refuse(*text, err);
		host->addresses[host->count++] = wv_address_text(bytes, length);
	}
	if (host->count == 0)
		return refuse(*text, err);
	if (mode != WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE)
		return WV_FAIL(err, INVALID,
			       HOST_ADDRESS " needs mode bridge: with others, macvlan links of a parent "
					    "don't reach each other");
	/* Only the networks of such a parent may be shared with the host's link. */
	if (!network->parent.is_some)
		return WV_FAIL(err, INVALID,
			       HOST_ADDRESS " needs a parent that you name: give -o parent=NAME");
	return true;
}

/* Gives the link the addresses, and sets it up. An earlier container may have done so. */
static bool prepare(const struct host_link *host, wv_link link, wv_error *err)
{
	/* Otherwise others on the wire could take this link's MAC address for the host's. */
	if (!wasmvark_driver_sysctl_set_arp_ignore(link, true, err))
		return false;
	wv_address_options options = wv_address_with(false, false);
	for (size_t i = 0; i < host->count; i++) {
		wv_string address = wv_alone(host->addresses[i]);
		if (!wasmvark_driver_addresses_add(link, &address, &options, err) &&
		    err->tag != WASMVARK_DRIVER_TYPES_ERROR_EXISTS)
			return false;
	}
	return wasmvark_driver_links_set_up(link, err);
}

/* Checks that an address of the container isn't the host's. */
static bool check_other(const struct host_link *host, wv_string address, wv_error *err)
{
	uint8_t bytes[16];
	size_t length = wv_address(address, bytes);
	for (size_t i = 0; length > 0 && i < host->count; i++)
		if (wv_same(host->addresses[i], wv_address_text(bytes, length)))
			return WV_FAIL(err, INVALID,
				       "%.*s is the host's by the option " HOST_ADDRESS
				       ": keep it out of the addresses for containers, by --ip-range",
				       WV_ARG(address));
	return true;
}

bool configure_host_link(const struct host_link *host, wv_link parent, wv_request *request,
			 wv_error *err)
{
	if (host->count == 0)
		return true;
	wasmvark_driver_links_macvlan_options_t options = {
		.mode = WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE,
		.mac = {true, wv_stable_mac(request)},
		.mtu = request->network.mtu,
	};
	wv_own_link own;
	if (!wasmvark_driver_links_create_macvlan(WASMVARK_DRIVER_TYPES_PLACE_SHARED, NULL, parent,
						  &options, &own, err))
		return false;
	wv_link link = wasmvark_driver_links_borrow_link(own);
	if (!prepare(host, link, err))
		return false;
	wv_route_options through = {.link = {.is_some = true}};
	wasmvark_driver_links_method_link_name(link, &through.link.val);
	for (size_t i = 0; i < request->host_routes.len; i++) {
		wv_route *route = &request->host_routes.ptr[i];
		if (!has_version(host, wv_is_v6(route->destination)))
			continue;
		if (!check_other(host, wv_without_prefix(route->destination), err) ||
		    !wasmvark_driver_routes_add(WV_HOST, route, &through, err))
			return false;
	}
	return true;
}
