/* The host's link beside the containers. The kernel passes nothing between macvlan links and their
 * parent, so that the host needs a macvlan link of its own to reach them. */

#pragma once

#include <wasmvark.h>

/* The host's addresses, at most one of each version. */
struct host_link {
	wv_string addresses[2];
	size_t count;
};

/* Parses the option host_address. It needs the mode bridge, and a parent that the user named. */
bool parse_host_link(const wv_options *options, wasmvark_driver_links_macvlan_mode_t mode,
		     const wv_network *network, struct host_link *host, wv_error *err);

/* Gives the host its link, which the network's containers share, with its addresses and with
 * routes to this container's. */
bool configure_host_link(const struct host_link *host, wv_link parent, wv_request *request,
			 wv_error *err);
