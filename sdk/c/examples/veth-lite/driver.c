/* Each container gets a veth pair: one end in the container, the other one on the host. */

#include <wasmvark.h>

bool exports_wasmvark_driver_handler_create(wv_create_request *request, wv_changes *changes,
					    wv_error *err)
{
	*changes = (wv_changes){0};
	if (request->network.subnets.len == 0)
		return WV_FAIL(err, INVALID, "the network has no subnet: give --subnet");
	return true;
}

static bool add_routes(uint8_t where, wasmvark_driver_types_list_route_t routes,
		       wv_route_options *options, wv_error *err)
{
	for (size_t i = 0; i < routes.len; i++)
		if (!wasmvark_driver_routes_add(where, &routes.ptr[i], options, err))
			return false;
	return true;
}

static bool configure_host(wv_link link, wv_request *request, wv_error *err)
{
	/* The host's routes are added one by one, so its addresses bring none. */
	wv_address_options options = wv_address_with(false, true);
	for (size_t i = 0; i < request->network.subnets.len; i++) {
		wasmvark_driver_types_subnet_t *subnet = &request->network.subnets.ptr[i];
		if (!subnet->gateway.is_some)
			continue;
		wv_string address = wv_alone(subnet->gateway.val);
		if (!wasmvark_driver_addresses_add(link, &address, &options, err))
			return false;
	}
	if (!wasmvark_driver_links_set_up(link, err))
		return false;
	wv_route_options through = {.link = {.is_some = true}};
	wasmvark_driver_links_method_link_name(link, &through.link.val);
	return add_routes(WV_HOST, request->host_routes, &through, err);
}

static bool configure_container(wv_link link, wv_request *request, wv_error *err)
{
	/* Nobody else is on the link, so no address waits for duplicate address detection. */
	wv_address_options options = wv_address_with(false, false);
	for (size_t i = 0; i < request->addresses.len; i++)
		if (!wasmvark_driver_addresses_add(link, &request->addresses.ptr[i], &options, err))
			return false;
	return wasmvark_driver_links_set_up(link, err) &&
	       add_routes(WV_CONTAINER, request->default_routes, NULL, err) &&
	       add_routes(WV_CONTAINER, request->routes, NULL, err);
}

bool exports_wasmvark_driver_handler_setup(wv_request *request,
					   exports_wasmvark_driver_handler_setup_answer_t *answer,
					   wv_error *err)
{
	*answer = (exports_wasmvark_driver_handler_setup_answer_t){0};
	wasmvark_driver_links_veth_options_t options = {
		.mac = {request->mac.is_some, request->mac.val},
		.mtu = request->network.mtu,
	};
	wasmvark_driver_links_veth_pair_t pair;
	return wasmvark_driver_links_create_veth(&options, &pair, err) &&
	       configure_host(wasmvark_driver_links_borrow_link(pair.host), request, err) &&
	       configure_container(wasmvark_driver_links_borrow_link(pair.container), request, err);
}

/* Does nothing: the host undoes what setup did. */
bool exports_wasmvark_driver_handler_teardown(wv_request *request, wv_error *err)
{
	(void)request, (void)err;
	return true;
}
