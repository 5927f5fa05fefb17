#include <stdlib.h>

#include "wasmvark.h"

/* Makes room for a change. */
static wv_change *add(wv_changes *changes, uint8_t tag)
{
	if (changes->ptr == NULL)
		changes->ptr = calloc(WV_CHANGES_MAX, sizeof(*changes->ptr));
	if (changes->ptr == NULL || changes->len >= WV_CHANGES_MAX)
		abort();
	wv_change *change = &changes->ptr[changes->len++];
	change->tag = tag;
	return change;
}

void wv_change_text(wv_changes *changes, uint8_t tag, wv_string text)
{
	/* All cases with one string share this member of the union. */
	add(changes, tag)->val.network_interface = wv_copy(text);
}

void wv_no_names(wv_changes *changes)
{
	add(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_DNS_ENABLED)->val.dns_enabled = false;
}

static bool set_ipam(wv_changes *changes, const char *name)
{
	wv_change_text(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_IPAM_DRIVER, wv_view(name));
	return true;
}

/* Returns the ipam driver, or an empty name. */
static wv_string ipam_of(const wv_network *network)
{
	return network->ipam_driver.is_some ? network->ipam_driver.val : wv_view("");
}

static bool check_dhcp(const wv_network *network, wv_error *err)
{
	if (network->subnets.len > 0)
		return WV_FAIL(err, INVALID, "ipam driver dhcp set but subnets are set");
	const char *option = NULL;
	if (network->no_default_route)
		option = "no_default_route";
	else if (network->metric.is_some)
		option = "metric";
	if (option == NULL)
		return true;
	return WV_FAIL(err, INVALID,
		       "the option %s has no effect with ipam driver dhcp: netavark's DHCP proxy adds "
		       "the default route itself, with the metric 100",
		       option);
}

static bool choose_without_subnets(const wv_network *network, enum wv_without_subnets without,
				   wv_changes *changes, wv_error *err)
{
	switch (without) {
	case WV_NO_ADDRESSES:
		return set_ipam(changes, "none");
	case WV_DHCP:
		return check_dhcp(network, err) && set_ipam(changes, "dhcp");
	default:
		return WV_FAIL(err, INVALID,
			       "%.*s driver needs a subnet, because it has no dhcp: give --subnet, or "
			       "--ipam-driver none for a network without addresses",
			       WV_ARG(network->driver));
	}
}

bool wv_choose_ipam(const wv_network *network, enum wv_without_subnets without,
		    wv_changes *changes, wv_error *err)
{
	wv_string name = ipam_of(network);
	bool has_subnets = network->subnets.len > 0;
	if (wv_equals(name, "none") || (wv_equals(name, "host-local") && has_subnets))
		return true;
	if (wv_equals(name, "host-local"))
		return WV_FAIL(err, INVALID,
			       "%.*s driver needs at least one subnet specified when the host-local "
			       "ipam driver is set",
			       WV_ARG(network->driver));
	if (wv_equals(name, "dhcp") && without == WV_DHCP)
		return check_dhcp(network, err);
	if (wv_equals(name, "dhcp"))
		return WV_FAIL(err, UNSUPPORTED,
			       "ipam driver dhcp is not supported with %.*s: give --subnet, or "
			       "--ipam-driver none for a network without addresses",
			       WV_ARG(network->driver));
	if (name.len > 0)
		return WV_FAIL(err, UNSUPPORTED, "Unsupported ipam driver: %.*s", WV_ARG(name));
	if (has_subnets)
		return set_ipam(changes, "host-local");
	return choose_without_subnets(network, without, changes, err);
}

static bool lacks(const wv_network *network, bool v6)
{
	for (size_t i = 0; i < network->subnets.len; i++)
		if (wv_is_v6(network->subnets.ptr[i].subnet) == v6)
			return false;
	return network->ipv6 || (!v6 && network->subnets.len == 0);
}

bool wv_allocate_subnets(const wv_network *network, bool with_gateway, wv_changes *changes,
			 wv_error *err)
{
	wv_string name = ipam_of(network);
	if (name.len > 0 && !wv_equals(name, "host-local"))
		return wv_choose_ipam(network, WV_REFUSE, changes, err);
	wasmvark_driver_addresses_subnet_t subnet;
	if (lacks(network, false) &&
	    !wasmvark_driver_addresses_allocate_subnet(WASMVARK_DRIVER_TYPES_IP_VERSION_IPV4,
						       with_gateway, &subnet, err))
		return false;
	if (lacks(network, true) &&
	    !wasmvark_driver_addresses_allocate_subnet(WASMVARK_DRIVER_TYPES_IP_VERSION_IPV6,
						       with_gateway, &subnet, err))
		return false;
	return name.len > 0 || set_ipam(changes, "host-local");
}

bool wv_has_no_addresses(const wv_network *network, const wv_changes *changes)
{
	for (size_t i = 0; i < changes->len; i++)
		if (changes->ptr[i].tag == WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_IPAM_DRIVER)
			return wv_equals(changes->ptr[i].val.ipam_driver, "none");
	return wv_equals(ipam_of(network), "none");
}

bool wv_check_ipam(const wv_network *network, wv_error *err)
{
	wv_string name = ipam_of(network);
	if (name.len == 0 || wv_equals(name, "host-local") || wv_equals(name, "none"))
		return true;
	return WV_FAIL(err, UNSUPPORTED, "unsupported ipam driver %.*s", WV_ARG(name));
}

bool wv_check_ipam_or_dhcp(const wv_network *network, wv_error *err)
{
	if (wv_equals(ipam_of(network), "dhcp"))
		return check_dhcp(network, err);
	return wv_check_ipam(network, err);
}

bool wv_changes_on_parent(const wv_create_request *request, enum wv_without_subnets without,
			  wv_changes *changes, wv_error *err)
{
	/* Podman sets the interface only for its own drivers. */
	const wv_string *parent = wv_find(&request->options, "parent");
	if (parent != NULL && parent->len > 0)
		wv_change_text(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_NETWORK_INTERFACE,
			       *parent);
	if (parent != NULL)
		wv_change_text(changes, WASMVARK_DRIVER_TYPES_NETWORK_CHANGE_REMOVE_OPTION,
			       wv_view("parent"));
	if (!wv_choose_ipam(&request->network, without, changes, err))
		return false;
	/* The network has no gateway on the host on which a DNS server could listen. */
	wv_no_names(changes);
	return true;
}
