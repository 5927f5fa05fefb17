/* Each container gets a link of its own on a link of the host, and is a neighbour in the network
 * of that link. */

#include <ctype.h>

#include <wasmvark.h>

#include "host_link.h"

/* The options that the host doesn't parse. */
struct options {
	wasmvark_driver_links_macvlan_mode_t mode;
	wv_option_s32 broadcast_limit;
	wv_option_u32 broadcast_queue_length;
	struct host_link host;
	struct wv_behaviours behaviours;
	struct wv_filter filter;
};

/* Whether a text is a MAC address that a frame can come from: not that of a group, and not
 * zero. */
static bool is_sender(wv_string text)
{
	unsigned bytes[6] = {0}, any = 0;
	if (text.len != 17)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int c = tolower(text.ptr[i]);
		if (i % 3 == 2) {
			if (c != ':' && c != '-')
				return false;
			continue;
		}
		if (!isxdigit(c))
			return false;
		bytes[i / 3] = bytes[i / 3] * 16 + (unsigned)(isdigit(c) ? c - '0' : c - 'a' + 10);
		any |= bytes[i / 3];
	}
	return any != 0 && (bytes[0] & 1) == 0;
}

/* Checks the MAC addresses whose frames a link of the mode source gets. The host lists them. */
static bool check_senders(const wv_options *given, wasmvark_driver_links_macvlan_mode_t mode,
			  wv_error *err)
{
	const wv_string *text = wv_find(given, "macaddr");
	if (text == NULL)
		return true;
	if (mode != WASMVARK_DRIVER_LINKS_MACVLAN_MODE_SOURCE)
		return WV_FAIL(err, INVALID,
			       "macaddr needs mode source: with others, frames of all senders come in");
	wv_string word, rest = *text;
	bool are_senders = true, is_more = true;
	while (is_more) {
		is_more = wv_cut(rest, ',', &word, &rest);
		are_senders = are_senders && is_sender(wv_trim(word));
	}
	return are_senders ||
	       wv_refuse("macaddr", *text,
			 "a list of MAC addresses that frames can come from, with commas between them",
			 err);
}

static bool parse(const wv_options *given, const wv_network *network, struct options *options,
		  wv_error *err)
{
	return wv_parse_behaviours(given, &options->behaviours, err) &&
	       wv_parse_macvlan_mode(given, "mode", &options->mode, err) &&
	       check_senders(given, options->mode, err) &&
	       wv_parse_s32(given, "bclim", &options->broadcast_limit, err) &&
	       wv_parse_u32(given, "bcqueuelen", &options->broadcast_queue_length, err) &&
	       parse_host_link(given, options->mode, network, &options->host, err) &&
	       wv_parse_filter(given, &options->filter, err);
}

bool exports_wasmvark_driver_handler_create(wv_create_request *request, wv_changes *changes,
					    wv_error *err)
{
	*changes = (wv_changes){0};
	struct options options;
	return wv_check_parent_or_base(&request->network, err) &&
	       wv_changes_on_parent(request, WV_DHCP, changes, err) &&
	       parse(&request->options, &request->network, &options, err);
}

static bool connect(wv_request *request, wv_error *err)
{
	wv_network *network = &request->network;
	struct options options;
	wv_own_link own_parent, own;
	if (!wv_check_ipam_or_dhcp(network, err) ||
	    !parse(&request->options, network, &options, err) ||
	    !wv_find_or_make_parent(network, &own_parent, err))
		return false;
	wasmvark_driver_links_macvlan_options_t how = {
		.mode = options.mode,
		.mac = {request->mac.is_some, request->mac.val},
		.mtu = network->mtu,
		.broadcast_limit = options.broadcast_limit,
		.broadcast_queue_length = options.broadcast_queue_length,
	};
	wv_link parent = wasmvark_driver_links_borrow_link(own_parent);
	if (!wasmvark_driver_links_create_macvlan(WASMVARK_DRIVER_TYPES_PLACE_CONTAINER, NULL, parent,
						  &how, &own, err))
		return false;
	wv_link link = wasmvark_driver_links_borrow_link(own);
	uint32_t metric = WV_PARENT_METRIC;
	/* The filter is in place before anything can pass. */
	return wv_filter_in_container(&options.filter, link, err) &&
	       wv_accept_ra(&options.behaviours, link, err) &&
	       wv_announce(&options.behaviours, link, err) &&
	       wv_configure_tuned(&options.behaviours, link, request, &metric, true, err) &&
	       wv_lease(link, parent, network, err) &&
	       wv_limit(&options.behaviours, link, err) &&
	       configure_host_link(&options.host, parent, request, err) &&
	       wv_wait_dad(&options.behaviours, link, err);
}

bool exports_wasmvark_driver_handler_setup(wv_request *request,
					   exports_wasmvark_driver_handler_setup_answer_t *answer,
					   wv_error *err)
{
	*answer = (exports_wasmvark_driver_handler_setup_answer_t){0};
	return connect(request, err);
}

/* Does nothing. The host removes the link. */
bool exports_wasmvark_driver_handler_teardown(wv_request *request, wv_error *err)
{
	(void)request, (void)err;
	return true;
}
