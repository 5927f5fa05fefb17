#include <stdlib.h>

#include "wasmvark.h"

typedef wasmvark_driver_firewall_link_traffic_t traffic;

static bool parse_range(wv_string text, wasmvark_driver_firewall_port_range_t *range)
{
	wv_string first_text, last_text;
	int64_t first, last;
	if (!wv_cut(text, '-', &first_text, &last_text))
		last_text = first_text;
	if (!wv_number(first_text, 0, UINT16_MAX, &first) ||
	    !wv_number(last_text, 0, UINT16_MAX, &last) || first > last)
		return false;
	*range = (wasmvark_driver_firewall_port_range_t){(uint16_t)first, (uint16_t)last};
	return true;
}

/* Reads an address or a network, with its prefix length. */
static bool parse_network(wv_string text, wv_string *network)
{
	wv_string address, length_text;
	uint8_t bytes[16];
	bool has_length = wv_cut(text, '/', &address, &length_text);
	int64_t bits = (int64_t)wv_address(address, bytes) * 8;
	int64_t length = bits;
	if (bits == 0 || (has_length && !wv_number(length_text, 0, bits, &length)))
		return false;
	*network = wv_format("%.*s/%d", WV_ARG(address), (int)length);
	return true;
}

static bool parse_item(wv_string text, traffic *item)
{
	wv_string what, peer, name, ports;
	bool has_peer = wv_cut(text, '@', &what, &peer);
	bool has_ports = wv_cut(what, '/', &name, &ports);
	static const char *const PROTOCOLS[] = {"tcp", "udp", "sctp"};
	for (uint8_t protocol = 0; protocol < 3; protocol++) {
		if (!wv_equals(name, PROTOCOLS[protocol]))
			continue;
		item->protocol.is_some = true;
		item->protocol.val = WASMVARK_DRIVER_TYPES_PROTOCOL_TCP + protocol;
	}
	if (!item->protocol.is_some && (has_ports || !wv_equals(name, "any")))
		return false;
	if (has_ports) {
		item->ports.ptr = calloc(1, sizeof(*item->ports.ptr));
		item->ports.len = 1;
		if (item->ports.ptr == NULL || !parse_range(ports, item->ports.ptr))
			return false;
	}
	item->peer.is_some = has_peer;
	return !has_peer || parse_network(peer, &item->peer.val);
}

static bool parse_list(const wv_options *options, const char *key, uint8_t direction,
		       struct wv_filter_list *list, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	*list = (struct wv_filter_list){.is_given = text != NULL};
	if (text == NULL || wv_equals(*text, "none"))
		return true;
	/* Each item has a character and a space at least. */
	list->items = calloc(text->len / 2 + 1, sizeof(*list->items));
	if (list->items == NULL)
		abort();
	wv_string rest = *text, word;
	while (wv_word(&rest, &word)) {
		traffic *item = &list->items[list->count++];
		item->direction = direction;
		if (!parse_item(word, item))
			return wv_refuse(key, word,
					 "like tcp/443, udp/8000-8100, tcp, tcp/443@10.0.0.0/8 or "
					 "any@fd00::/8",
					 err);
	}
	if (list->count > 0)
		return true;
	return WV_FAIL(err, INVALID,
		       "unable to parse \"%s\": it names nothing; to let nothing through, give none",
		       key);
}

bool wv_parse_filter(const wv_options *options, struct wv_filter *filter, wv_error *err)
{
	return parse_list(options, "incoming", WASMVARK_DRIVER_FIREWALL_DIRECTION_INCOMING,
			  &filter->lists[WASMVARK_DRIVER_FIREWALL_DIRECTION_INCOMING], err) &&
	       parse_list(options, "outgoing", WASMVARK_DRIVER_FIREWALL_DIRECTION_OUTGOING,
			  &filter->lists[WASMVARK_DRIVER_FIREWALL_DIRECTION_OUTGOING], err);
}

static bool filter_address(const struct wv_filter_list *list, uint8_t direction, wv_string address,
			   wv_error *err)
{
	for (size_t i = 0; i < list->count; i++) {
		const traffic *item = &list->items[i];
		if (item->peer.is_some && wv_is_v6(item->peer.val) != wv_is_v6(address))
			continue;
		wasmvark_driver_firewall_traffic_t accepted = {
			.direction = direction,
			.address = address,
			.peer = item->peer,
			.protocol = item->protocol,
			.ports = item->ports,
		};
		if (!wasmvark_driver_firewall_accept(&accepted, err))
			return false;
	}
	wasmvark_driver_firewall_traffic_t all = {.direction = direction, .address = address};
	return wasmvark_driver_firewall_drop(&all, err);
}

bool wv_filter(const struct wv_filter *filter, wv_request *request, wv_error *err)
{
	bool is_given = filter->lists[0].is_given || filter->lists[1].is_given;
	if (is_given && request->addresses.len == 0)
		return WV_FAIL(err, INVALID,
			       "incoming and outgoing are for the container's addresses, and Podman "
			       "gave it none");
	for (uint8_t direction = 0; direction < 2; direction++) {
		const struct wv_filter_list *list = &filter->lists[direction];
		for (size_t i = 0; list->is_given && i < request->addresses.len; i++) {
			wv_string address = wv_without_prefix(request->addresses.ptr[i]);
			if (!filter_address(list, direction, address, err))
				return false;
		}
	}
	return true;
}

bool wv_filter_in_container(const struct wv_filter *filter, wv_link link, wv_error *err)
{
	for (uint8_t direction = 0; direction < 2; direction++) {
		const struct wv_filter_list *list = &filter->lists[direction];
		for (size_t i = 0; i < list->count; i++)
			if (!wasmvark_driver_firewall_accept_in_container(link, &list->items[i],
									  err))
				return false;
		traffic all = {.direction = direction};
		if (list->is_given &&
		    !wasmvark_driver_firewall_drop_in_container(link, &all, err))
			return false;
	}
	return true;
}
