#include <stdlib.h>

#include "wasmvark.h"

/* The options that name links of the host. */
#define NDP_PROXY "ndp_proxy"
#define PUBLISH_INTERFACE "publish_interface"

/* The smallest MTU of a link with IPv6 (RFC 8200, section 5), and the largest of a veth link
 * (ETH_MAX_MTU). */
#define IPV6_MIN_MTU 1280
#define VETH_MAX_MTU 65535

static bool parse_outbound(const wv_options *options, const char *key, size_t length,
			   wv_string *address, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	uint8_t bytes[16];
	*address = wv_view("");
	if (text == NULL)
		return true;
	if (wv_address(*text, bytes) != length)
		return wv_refuse(key, *text, length == 4 ? "an IPv4 address" : "an IPv6 address", err);
	*address = wv_address_text(bytes, length);
	return true;
}

bool wv_parse_nat(const wv_options *options, bool masquerade, struct wv_nat *nat, wv_error *err)
{
	enum wv_choice chosen;
	if (!parse_outbound(options, "outbound_addr4", 4, &nat->outbound4, err) ||
	    !parse_outbound(options, "outbound_addr6", 16, &nat->outbound6, err) ||
	    !wv_parse_bool(options, "masquerade", &chosen, err))
		return false;
	bool is_given = nat->outbound4.len > 0 || nat->outbound6.len > 0;
	nat->masquerade = masquerade || is_given;
	if (chosen != WV_UNSET)
		nat->masquerade = chosen == WV_YES;
	if (!is_given || nat->masquerade)
		return true;
	return WV_FAIL(err, INVALID,
		       "outbound_addr4 and outbound_addr6 can't be given with masquerade=false, which "
		       "leaves source addresses as they are");
}

/* Returns the network's subnets. */
static wasmvark_driver_firewall_list_cidr_t subnets_of(const wv_network *network)
{
	wasmvark_driver_firewall_list_cidr_t subnets = {
		.ptr = calloc(network->subnets.len + 1, sizeof(*subnets.ptr)),
		.len = network->subnets.len,
	};
	if (subnets.ptr == NULL)
		abort();
	for (size_t i = 0; i < subnets.len; i++)
		subnets.ptr[i] = network->subnets.ptr[i].subnet;
	return subnets;
}

bool wv_translate_container(const struct wv_nat *nat, wv_request *request, wv_error *err)
{
	if (!nat->masquerade || request->network.internal)
		return true;
	wasmvark_driver_firewall_list_cidr_t subnets = subnets_of(&request->network);
	for (size_t i = 0; i < request->addresses.len; i++) {
		wv_string source = wv_alone(request->addresses.ptr[i]);
		wv_string outbound = wv_is_v6(source) ? nat->outbound6 : nat->outbound4;
		bool done = outbound.len == 0
				    ? wasmvark_driver_firewall_masquerade(&source, &subnets, err)
				    : wasmvark_driver_firewall_source_address(&source, &subnets,
									      &outbound, err);
		if (!done)
			return false;
	}
	return true;
}

bool wv_trust_container(wv_request *request, wv_error *err)
{
	/* An internal network without name resolution reaches nothing that firewalld could keep
	 * from it. */
	if (request->network.internal && !request->network.dns)
		return true;
	for (size_t i = 0; i < request->addresses.len; i++) {
		wv_string source = wv_alone(request->addresses.ptr[i]);
		if (!wasmvark_driver_firewall_trust(&source, err))
			return false;
	}
	return true;
}

bool wv_check_outside_links(const wv_create_request *request, wv_error *err)
{
	static const char *const KEYS[] = {NDP_PROXY, PUBLISH_INTERFACE};
	for (size_t i = 0; i < 2; i++) {
		const wv_string *name = wv_find(&request->options, KEYS[i]);
		if (name != NULL && request->network.internal)
			return WV_FAIL(err, INVALID,
				       "%s is not possible with --internal: no other machine reaches "
				       "the containers of an internal network",
				       KEYS[i]);
		if (name != NULL && name->len == 0)
			return WV_FAIL(err, INVALID, "%s needs the name of an interface of the host",
				       KEYS[i]);
	}
	return true;
}

/* Returns the container's first address of a family, or NULL. */
static wv_string *first_of(wv_request *request, bool v6)
{
	for (size_t i = 0; i < request->addresses.len; i++)
		if (wv_is_v6(request->addresses.ptr[i]) == v6)
			return &request->addresses.ptr[i];
	return NULL;
}

bool wv_proxy_ndp(wv_request *request, wv_error *err)
{
	const wv_string *name = wv_find(&request->options, NDP_PROXY);
	if (name == NULL || first_of(request, true) == NULL)
		return true;
	wv_own_link own;
	wv_string named = *name;
	if (!wasmvark_driver_links_get(WV_HOST, &named, &own, err))
		return false;
	wv_link link = wasmvark_driver_links_borrow_link(own);
	if (!wasmvark_driver_sysctl_set_proxy_ndp(link, true, err))
		return false;
	for (size_t i = 0; i < request->addresses.len; i++) {
		wv_string address = wv_without_prefix(request->addresses.ptr[i]);
		if (wv_is_v6(address) &&
		    !wasmvark_driver_neighbours_add_proxy(link, &address, err))
			return false;
	}
	return true;
}

static bool has_local_port(const wv_request *request)
{
	for (size_t i = 0; i < request->ports.len; i++) {
		const wasmvark_driver_types_port_t *port = &request->ports.ptr[i];
		if (!port->host_address.is_some || !wv_is_v6(port->host_address.val))
			return true;
	}
	return false;
}

bool wv_publish(wv_link link, wv_request *request, wv_error *err)
{
	/* Internal networks publish nothing, as in netavark. Another network of the container may
	 * publish the ports. */
	if (request->ports.len == 0 || request->network.internal)
		return true;
	wasmvark_driver_firewall_list_port_t ports = {request->ports.ptr, request->ports.len};
	for (int v6 = 0; v6 < 2; v6++) {
		wv_string *first = first_of(request, v6);
		if (first == NULL)
			continue;
		wv_string address = wv_without_prefix(*first);
		if (!wasmvark_driver_firewall_publish(link, &ports, &address, err))
			return false;
		bool is_everywhere = wv_find(&request->options, PUBLISH_INTERFACE) == NULL;
		/* This is for connections to 127.0.0.1. The firewall drops packets to it from
		 * elsewhere already. */
		if (!v6 && is_everywhere && has_local_port(request) &&
		    !wasmvark_driver_sysctl_set_route_localnet(link, true, err))
			return false;
	}
	return true;
}

static bool has_gateway(const wv_network *network)
{
	for (size_t i = 0; i < network->subnets.len; i++)
		if (network->subnets.ptr[i].gateway.is_some)
			return true;
	return false;
}

bool wv_close_internal(wv_link link, const wv_network *network, wv_error *err)
{
	/* The host itself stays within reach where the network has a gateway, which is the host's
	 * address there. */
	return !network->internal ||
	       wasmvark_driver_firewall_internal(link, has_gateway(network), err);
}

bool wv_forward(const wv_request *request, wv_error *err)
{
	if (request->network.internal)
		return true;
	for (uint8_t version = 0; version < 2; version++) {
		bool v6 = version == WASMVARK_DRIVER_TYPES_IP_VERSION_IPV6;
		if (first_of((wv_request *)request, v6) != NULL &&
		    !wasmvark_driver_sysctl_enable_ip_forward(WV_HOST, version, err))
			return false;
	}
	return true;
}

bool wv_routed_mtu(const wv_network *network, wv_option_u32 *mtu, wv_error *err)
{
	*mtu = network->mtu;
	/* 0 means the default, as in netavark's drivers. */
	if (mtu->is_some && mtu->val != 0)
		return true;
	if (!wasmvark_driver_links_default_mtu(NULL, mtu, err))
		return false;
	for (size_t i = 0; i < network->subnets.len; i++)
		if (wv_is_v6(network->subnets.ptr[i].subnet) && mtu->val < IPV6_MIN_MTU)
			mtu->val = IPV6_MIN_MTU;
	if (mtu->val > VETH_MAX_MTU)
		mtu->val = VETH_MAX_MTU;
	return true;
}

bool wv_serve_names(wv_link link, const wv_network *network, wv_error *err)
{
	/* The DNS server listens on the network's gateways, so without one there are no names. */
	return !network->dns || !has_gateway(network) || wasmvark_driver_dns_register(link, err);
}
