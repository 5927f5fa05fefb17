/* Each container has a link of its own to the host, which routes between containers and to other
 * networks.
 *
 * It's like CNI's plugin ptp. The host's end has the gateways' addresses without their networks,
 * and a route to each address of the container. The container reaches the gateways directly, and
 * its subnets through them. */

#include <wasmvark.h>

typedef wasmvark_driver_types_subnet_t subnet_t;

/* The options that the host doesn't parse. */
struct options {
	struct wv_behaviours behaviours;
	struct wv_filter filter;
	struct wv_nat nat;
	bool dad;
};

/* Without the option masquerade, addresses stay as they are, as in CNI. */
static bool parse(const wv_options *given, struct options *options, wv_error *err)
{
	options->dad = false;
	return wv_parse_behaviours(given, &options->behaviours, err) &&
	       wv_parse_nat(given, false, &options->nat, err) &&
	       wv_parse_filter(given, &options->filter, err) &&
	       wv_parse_dad(given, &options->dad, err);
}

/* Whether the container has addresses in the network's subnets: in all, or in none. */
static bool has_subnets(const wv_network *network)
{
	return !network->ipam_driver.is_some || !wv_equals(network->ipam_driver.val, "none");
}

/* Checks that each subnet has a gateway, which is the address of the host's end. */
static bool check_gateways(const wv_network *network, wv_error *err)
{
	for (size_t i = 0; has_subnets(network) && i < network->subnets.len; i++) {
		const subnet_t *subnet = &network->subnets.ptr[i];
		if (!subnet->gateway.is_some)
			return WV_FAIL(err, INVALID,
				       "subnet %.*s has no gateway, which the host's end of the link "
				       "needs: give --gateway",
				       WV_ARG(subnet->subnet));
	}
	return true;
}

/* Returns the next subnet with a gateway, of the families in which the container has an address,
 * or NULL. *next is where to look. */
static subnet_t *next_subnet(wv_request *request, size_t *next)
{
	while (has_subnets(&request->network) && *next < request->network.subnets.len) {
		subnet_t *subnet = &request->network.subnets.ptr[(*next)++];
		for (size_t i = 0; subnet->gateway.is_some && i < request->addresses.len; i++)
			if (wv_is_v6(request->addresses.ptr[i]) == wv_is_v6(subnet->subnet))
				return subnet;
	}
	return NULL;
}

static bool create(const wv_create_request *request, wv_changes *changes, wv_error *err)
{
	const wv_network *network = &request->network;
	struct options options;
	if (!parse(&request->options, &options, err) || !wv_check_outside_links(request, err))
		return false;
	/* Podman adds the gateways of other networks after create. */
	if (network->internal && !check_gateways(network, err))
		return false;
	/* The host's end needs the gateway in internal networks, too. */
	wv_changes ipam = {0};
	if (!wv_allocate_subnets(network, true, &ipam, err))
		return false;
	if (wv_has_no_addresses(network, &ipam))
		wv_no_names(changes);
	for (size_t i = 0; i < ipam.len; i++)
		wv_change_text(changes, ipam.ptr[i].tag, ipam.ptr[i].val.ipam_driver);
	return true;
}

/* Gives the host's end the gateways' addresses and the routes to the container. The host's ends of
 * all links have the same addresses. */
static bool configure_host(wv_link link, wv_request *request, bool dad, wv_error *err)
{
	if (!wv_ignore_router_advertisements(link, err) ||
	    !wv_set_dad(link, &request->network, dad, err))
		return false;
	wv_address_options options = wv_address_with(dad, true);
	size_t next = 0;
	for (subnet_t *subnet; (subnet = next_subnet(request, &next)) != NULL;) {
		wv_string gateway = wv_alone(subnet->gateway.val);
		if (!wasmvark_driver_addresses_add(link, &gateway, &options, err))
			return false;
	}
	/* A route needs a link that is up. */
	if (!wasmvark_driver_links_set_up(link, err))
		return false;
	wv_route_options through = {.link = {.is_some = true}};
	wasmvark_driver_links_method_link_name(link, &through.link.val);
	for (size_t i = 0; i < request->host_routes.len; i++)
		if (!wasmvark_driver_routes_add(WV_HOST, &request->host_routes.ptr[i], &through, err))
			return false;
	return true;
}

/* Adds the routes to a subnet: to its gateway directly, and to others through that. */
static bool add_subnet(const subnet_t *subnet, const wv_request *request,
		       wv_route_options *through, wv_error *err)
{
	wv_string gateway = subnet->gateway.val;
	wv_route_options direct = *through;
	direct.link = (driver_option_string_t){true, request->interface_name};
	wv_route to_gateway = {
		.destination = wv_alone(gateway),
		.kind = WASMVARK_DRIVER_TYPES_ROUTE_KIND_UNICAST,
	};
	wv_route to_others = {
		.destination = subnet->subnet,
		.gateway = {true, wv_without_prefix(gateway)},
		.kind = WASMVARK_DRIVER_TYPES_ROUTE_KIND_UNICAST,
	};
	return wasmvark_driver_routes_add(WV_CONTAINER, &to_gateway, &direct, err) &&
	       wasmvark_driver_routes_add(WV_CONTAINER, &to_others, through, err);
}

/* Gives the container's end its addresses and routes. */
static bool configure_container(wv_link link, wv_request *request, const struct options *options,
				wv_error *err)
{
	if (!wv_set_dad(link, &request->network, options->dad, err) ||
	    !wv_tune(&options->behaviours, link, request, err))
		return false;
	wv_address_options how = wv_address_with(options->dad, true);
	for (size_t i = 0; i < request->addresses.len; i++)
		if (!wasmvark_driver_addresses_add(link, &request->addresses.ptr[i], &how, err))
			return false;
	wv_route_options through = {0};
	/* A route needs a link that is up. */
	if (!wasmvark_driver_links_set_up(link, err) ||
	    !wv_source_table(&options->behaviours, request, &through.table, err))
		return false;
	size_t next = 0;
	for (subnet_t *subnet; (subnet = next_subnet(request, &next)) != NULL;)
		if (!add_subnet(subnet, request, &through, err))
			return false;
	return wv_add_routes(request, NULL, &through, err);
}

static bool connect(wv_request *request, wv_error *err)
{
	wv_network *network = &request->network;
	struct options options;
	wasmvark_driver_links_veth_options_t how = {.mac = {request->mac.is_some, request->mac.val}};
	wasmvark_driver_links_veth_pair_t pair;
	if (!wv_check_ipam(network, err) || !check_gateways(network, err) ||
	    !parse(&request->options, &options, err) || !wv_routed_mtu(network, &how.mtu, err) ||
	    !wasmvark_driver_links_create_veth(&how, &pair, err))
		return false;
	wv_link host = wasmvark_driver_links_borrow_link(pair.host);
	wv_link container = wasmvark_driver_links_borrow_link(pair.container);
	/* The first two are in place before anything can pass. */
	return wv_close_internal(host, network, err) &&
	       wv_filter(&options.filter, request, err) &&
	       wv_loosen_reverse_path(host, err) &&
	       wv_loosen_reverse_path(container, err) &&
	       configure_host(host, request, options.dad, err) &&
	       configure_container(container, request, &options, err) &&
	       wv_limit_port(&options.behaviours, host, err) &&
	       wv_wait_dad(&options.behaviours, container, err) &&
	       wv_forward(request, err) &&
	       wv_proxy_ndp(request, err) &&
	       wv_trust_container(request, err) &&
	       wv_translate_container(&options.nat, request, err) &&
	       wv_publish(host, request, err) &&
	       wv_serve_names(host, network, err);
}

bool exports_wasmvark_driver_handler_create(wv_create_request *request, wv_changes *changes,
					    wv_error *err)
{
	*changes = (wv_changes){0};
	return create(request, changes, err);
}

bool exports_wasmvark_driver_handler_setup(wv_request *request,
					   exports_wasmvark_driver_handler_setup_answer_t *answer,
					   wv_error *err)
{
	*answer = (exports_wasmvark_driver_handler_setup_answer_t){0};
	return connect(request, err);
}

/* Does nothing. The host removes the links with their routes and addresses, and the firewall
 * rules. */
bool exports_wasmvark_driver_handler_teardown(wv_request *request, wv_error *err)
{
	(void)request, (void)err;
	return true;
}
