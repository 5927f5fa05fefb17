#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "wasmvark.h"

/* The prefix of options for kernel settings, and the placeholder for the name of the container's
 * interface, as in CNI. */
#define SYSCTL "sysctl."
#define INTERFACE "IFNAME"

/* The longest wait for duplicate address detection, in milliseconds. It waits at most one second
 * before its probe (RFC 4862, section 5.4.2) and one second for an answer (RFC 4861, section 10),
 * after the link has a carrier. */
#define DAD_MAX 5000

/* Reads the key of a kernel setting in the form of sysctl(8). */
static bool is_sysctl(wv_string option, wv_string *key)
{
	size_t length = strlen(SYSCTL);
	if (option.len < length || memcmp(option.ptr, SYSCTL, length) != 0)
		return false;
	*key = (wv_string){.ptr = option.ptr + length, .len = option.len - length};
	return true;
}

/* Refuses keys that don't belong to a network namespace, because they would apply to the whole
 * machine. */
static bool check_key(wv_string key, wv_error *err)
{
	wv_string part, rest = key;
	size_t count = 0;
	bool is_key = true, is_more = true;
	for (; is_more; count++) {
		is_more = wv_cut(rest, '.', &part, &rest);
		is_key = is_key && part.len > 0 && (count > 0 || wv_equals(part, "net"));
	}
	if (is_key && count > 2)
		return true;
	return WV_FAIL(err, INVALID,
		       "option " SYSCTL "%.*s: \"%.*s\" is no setting of a network namespace: those are "
		       "called net.…, for example net.ipv4.conf." INTERFACE ".arp_filter",
		       WV_ARG(key), WV_ARG(key));
}

/* Returns the key with the interface's name. A dot in the name becomes a slash, because dots
 * separate the parts of a key. */
static wv_string with_name(wv_string key, wv_string name)
{
	name = wv_copy(name);
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] == '.')
			name.ptr[i] = '/';
	wv_string whole = wv_view(""), part, rest = key;
	bool is_more = true;
	while (is_more) {
		is_more = wv_cut(rest, '.', &part, &rest);
		if (wv_equals(part, INTERFACE))
			part = name;
		whole = wv_format("%.*s%s%.*s", WV_ARG(whole), whole.len > 0 ? "." : "",
				  WV_ARG(part));
	}
	return whole;
}

bool wv_parse_behaviours(const wv_options *options, struct wv_behaviours *behaviours, wv_error *err)
{
	*behaviours = (struct wv_behaviours){.options = options};
	wv_string key;
	for (size_t i = 0; i < options->len; i++)
		if (is_sysctl(options->ptr[i].key, &key) && !check_key(key, err))
			return false;
	return wv_parse_u32(options, "txqlen", &behaviours->queue_length, err) &&
	       wv_parse_bool(options, "promisc", &behaviours->promiscuous, err) &&
	       wv_parse_bool(options, "allmulti", &behaviours->all_multicast, err) &&
	       parse_rates(options, behaviours, err) &&
	       parse_source_routing(options, behaviours, err) &&
	       wv_parse_bool(options, "announce", &behaviours->announce, err) &&
	       wv_parse_bool(options, "wait_dad", &behaviours->wait_dad, err) &&
	       wv_parse_bool(options, "accept_ra", &behaviours->accept_ra, err);
}

bool wv_tune(const struct wv_behaviours *behaviours, wv_link link, const wv_request *request,
	     wv_error *err)
{
	if (behaviours->accept_ra != WV_YES && !wv_disable_autoconf(link, err))
		return false;
	if (behaviours->queue_length.is_some &&
	    !wasmvark_driver_links_set_tx_queue_length(link, behaviours->queue_length.val, err))
		return false;
	if (behaviours->promiscuous != WV_UNSET &&
	    !wasmvark_driver_links_set_promiscuous(link, behaviours->promiscuous == WV_YES, err))
		return false;
	if (behaviours->all_multicast != WV_UNSET &&
	    !wasmvark_driver_links_set_all_multicast(link, behaviours->all_multicast == WV_YES, err))
		return false;
	for (size_t i = 0; i < behaviours->options->len; i++) {
		wv_string key, value = behaviours->options->ptr[i].value;
		if (!is_sysctl(behaviours->options->ptr[i].key, &key))
			continue;
		key = with_name(key, request->interface_name);
		if (!wasmvark_driver_sysctl_set(WV_CONTAINER, &key, &value, err))
			return false;
	}
	return true;
}

bool wv_accept_ra(const struct wv_behaviours *behaviours, wv_link link, wv_error *err)
{
	if (behaviours->accept_ra == WV_UNSET)
		return true;
	if (behaviours->accept_ra == WV_NO)
		return wv_ignore_router_advertisements(link, err);
	return wasmvark_driver_sysctl_set_accept_ra(
		       link, WASMVARK_DRIVER_SYSCTL_ROUTER_ADVERTISEMENTS_ALL, err) &&
	       wasmvark_driver_sysctl_set_autoconf(link, true, err);
}

bool wv_announce(const struct wv_behaviours *behaviours, wv_link link, wv_error *err)
{
	if (behaviours->announce != WV_YES)
		return true;
	/* Neighbours that have another MAC address for the addresses then use the new one
	 * (containers/netavark#1114). */
	if (!wasmvark_driver_sysctl_set_arp_notify(link, true, err))
		return false;
	/* A kernel without IPv6 announces no IPv6 addresses. */
	bool done = wasmvark_driver_sysctl_set_ndisc_notify(link, true, err);
	return wv_done_or_missing(done, false, err);
}

bool wv_wait_dad(const struct wv_behaviours *behaviours, wv_link link, wv_error *err)
{
	return behaviours->wait_dad != WV_YES ||
	       wasmvark_driver_addresses_wait_dad(link, DAD_MAX, err);
}

bool wv_configure_tuned(const struct wv_behaviours *behaviours, wv_link link, wv_request *request,
			const uint32_t *metric, bool dad, wv_error *err)
{
	if (!wv_tune(behaviours, link, request, err))
		return false;
	if (behaviours->routes_by_source)
		return configure_by_source(behaviours, link, request, metric, dad, err);
	return wv_configure(link, request, metric, dad, err);
}
