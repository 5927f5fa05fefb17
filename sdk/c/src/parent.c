#include "wasmvark.h"

/* The highest number of a VLAN (IEEE 802.1Q). */
#define VLAN_MAX 4094

/* Reads the link and the number of the VLAN that the parent's name means. */
static bool vlan_of(const wv_network *network, wv_string *base, uint16_t *id)
{
	if (!network->parent.is_some)
		return false;
	wv_string name = network->parent.val;
	size_t at = name.len;
	while (at > 0 && name.ptr[at - 1] != '.')
		at--;
	wv_string text = {.ptr = name.ptr + at, .len = name.len - at};
	int64_t number;
	if (at < 2 || !wv_number(text, 1, VLAN_MAX, &number) || text.ptr[0] == '0' ||
	    text.ptr[0] == '+')
		return false;
	*base = (wv_string){.ptr = name.ptr, .len = at - 1};
	*id = (uint16_t)number;
	return true;
}

static bool find_parent(const wv_network *network, wv_own_link *parent, wv_error *err)
{
	if (!network->parent.is_some)
		return wasmvark_driver_links_get_default(parent, err);
	wv_string name = network->parent.val;
	return wasmvark_driver_links_get(WV_HOST, &name, parent, err);
}

bool wv_find_or_make_parent(const wv_network *network, wv_own_link *parent, wv_error *err)
{
	wv_string base_name;
	wasmvark_driver_links_vlan_options_t options = {
		.protocol = WASMVARK_DRIVER_LINKS_VLAN_PROTOCOL_DOT1Q,
	};
	if (!vlan_of(network, &base_name, &options.id))
		return find_parent(network, parent, err);
	wv_own_link base;
	if (!wasmvark_driver_links_get(WV_HOST, &base_name, &base, err))
		return err->tag == WASMVARK_DRIVER_TYPES_ERROR_NOT_FOUND &&
		       find_parent(network, parent, err);
	wv_string name = network->parent.val;
	if (wasmvark_driver_links_create_vlan(WASMVARK_DRIVER_TYPES_PLACE_SHARED, &name,
					      wasmvark_driver_links_borrow_link(base), &options,
					      parent, err))
		return wasmvark_driver_links_set_up(wasmvark_driver_links_borrow_link(*parent), err);
	/* Somebody else has made it, and it stays. */
	if (err->tag == WASMVARK_DRIVER_TYPES_ERROR_EXISTS)
		return find_parent(network, parent, err);
	/* It may be there, so that the call isn't needed. */
	wv_error missing;
	return err->tag == WASMVARK_DRIVER_TYPES_ERROR_DENIED &&
	       find_parent(network, parent, &missing);
}

bool wv_check_parent_or_base(const wv_network *network, wv_error *err)
{
	wv_own_link link;
	if (!network->parent.is_some)
		return true;
	wv_string name = network->parent.val;
	if (wasmvark_driver_links_get(WV_HOST, &name, &link, err))
		return true;
	if (err->tag != WASMVARK_DRIVER_TYPES_ERROR_NOT_FOUND)
		return false;
	wv_string base;
	uint16_t id;
	wv_error missing;
	if (vlan_of(network, &base, &id) && wasmvark_driver_links_get(WV_HOST, &base, &link, &missing))
		return true;
	return WV_FAIL(err, NOT_FOUND, "parent interface %.*s does not exist", WV_ARG(name));
}
