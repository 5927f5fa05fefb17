/* What drivers for wasmvark share, in C: options, ipam drivers, parents, addresses and routes,
 * DHCP, duplicate address detection, NAT, filters, and behaviours as rates and tuning.
 *
 * It's used with the bindings that `wasmvark bindings --lang c` writes.
 *
 * Memory: an instance of a driver serves one call of the host, and all of its memory and its
 * handles of links go with it. So nothing needs to be freed or dropped, and this library frees
 * nothing. The bindings free what an exported function returns, so all parts of that must come
 * from malloc: wv_copy, wv_format and wv_fail see to it.
 *
 * Errors: a function that can fail returns false, and has filled in its last argument. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <driver.h>

#define WV_HOST WASMVARK_DRIVER_TYPES_NAMESPACE_HOST
#define WV_CONTAINER WASMVARK_DRIVER_TYPES_NAMESPACE_CONTAINER

typedef driver_string_t wv_string;
typedef wasmvark_driver_types_error_t wv_error;
typedef wasmvark_driver_types_request_t wv_request;
typedef wasmvark_driver_types_create_request_t wv_create_request;
typedef wasmvark_driver_types_network_t wv_network;
typedef wasmvark_driver_types_route_t wv_route;
typedef wasmvark_driver_types_list_request_option_t wv_options;
typedef wasmvark_driver_types_network_change_t wv_change;
typedef exports_wasmvark_driver_handler_list_network_change_t wv_changes;
typedef wasmvark_driver_links_own_link_t wv_own_link;
typedef wasmvark_driver_links_borrow_link_t wv_link;
typedef wasmvark_driver_routes_route_options_t wv_route_options;
typedef wasmvark_driver_addresses_address_options_t wv_address_options;
typedef driver_option_u32_t wv_option_u32;
typedef driver_option_s32_t wv_option_s32;

/* Text */

/* Returns a view of a C string. Nothing is copied. */
wv_string wv_view(const char *text);

/* Returns a copy of a string, from malloc. */
wv_string wv_copy(wv_string text);

/* Returns a new string, from malloc. A string is given as %.*s with WV_ARG(string). */
__attribute__((format(printf, 1, 2))) wv_string wv_format(const char *format, ...);

/* A string as two arguments for %.*s. */
#define WV_ARG(string) (int)(string).len, (const char *)(string).ptr

bool wv_equals(wv_string string, const char *text);
bool wv_same(wv_string one, wv_string other);

/* Cuts a string at the first of a character. Returns false if it's missing: then *before is
 * all. Each result may be NULL. */
bool wv_cut(wv_string text, char at, wv_string *before, wv_string *behind);

/* Returns a string without the white space around it. */
wv_string wv_trim(wv_string text);

/* Takes the next word off a string. Returns false if none is left. */
bool wv_word(wv_string *text, wv_string *word);

/* Parses a whole number from first to last. */
bool wv_number(wv_string text, int64_t first, int64_t last, int64_t *number);

/* Whether an address or a network is IPv6. */
bool wv_is_v6(wv_string address);

/* Returns an address without its prefix length. */
wv_string wv_without_prefix(wv_string address);

/* Returns the network that contains only an address. */
wv_string wv_alone(wv_string address);

/* Parses an address: 4 or 16 bytes. Returns their number, or 0 for what is no address. */
size_t wv_address(wv_string text, uint8_t bytes[16]);

/* Returns the text of an address. */
wv_string wv_address_text(const uint8_t *bytes, size_t length);

/* Errors */

/* Fills in an error of a case, as INVALID, with a text for the user. Returns false. */
#define WV_FAIL(err, tag, ...) wv_fail(err, WASMVARK_DRIVER_TYPES_ERROR_##tag, wv_format(__VA_ARGS__))
bool wv_fail(wv_error *err, uint8_t tag, wv_string message);

/* Fills in the error for a value that an option can't have. Returns false. */
bool wv_refuse(const char *key, wv_string text, const char *expected, wv_error *err);

/* Whether a call succeeded, or failed in a way that doesn't matter: the host has no such object
 * (NOT_FOUND), or with read_only_too a setting that can't be written. */
bool wv_done_or_missing(bool done, bool read_only_too, const wv_error *err);

/* Options. The host has checked that each value is one that the manifest declares. */

/* A truth value that may not be given. */
enum wv_choice { WV_UNSET, WV_NO, WV_YES };

/* Returns the value of an option, or NULL if it isn't given. */
const wv_string *wv_find(const wv_options *options, const char *key);

/* Parses a truth value. */
bool wv_parse_bool(const wv_options *options, const char *key, enum wv_choice *value, wv_error *err);

/* Parses a whole number from 0 to 4294967295, or for wv_parse_s32 of 32 bits with a sign. */
bool wv_parse_u32(const wv_options *options, const char *key, wv_option_u32 *value, wv_error *err);
bool wv_parse_s32(const wv_options *options, const char *key, wv_option_s32 *value, wv_error *err);

/* Parses the mode of macvlan links. Without the option, it's bridge. */
bool wv_parse_macvlan_mode(const wv_options *options, const char *key,
			   wasmvark_driver_links_macvlan_mode_t *mode, wv_error *err);

/* Create */

/* The treatment of a network without subnets and without an ipam driver. */
enum wv_without_subnets {
	/* It's refused, because a container without an address would be a surprise. */
	WV_REFUSE,
	/* It gets the ipam driver "none". */
	WV_NO_ADDRESSES,
	/* A DHCP server chooses the addresses. */
	WV_DHCP,
};

/* The most changes that this library makes of a network. */
#define WV_CHANGES_MAX 4

/* Adds a change. A text is copied. */
void wv_change_text(wv_changes *changes, uint8_t tag, wv_string text);
/* Adds the change that turns name resolution off. */
void wv_no_names(wv_changes *changes);

/* Checks the ipam driver, and adds the change that sets it if there is none. */
bool wv_choose_ipam(const wv_network *network, enum wv_without_subnets without,
		    wv_changes *changes, wv_error *err);

/* Has the host allocate the subnets that a network lacks, as Podman does for its own bridge
 * networks. Otherwise it does the same as wv_choose_ipam. With with_gateway these subnets have a
 * gateway in internal networks, too. */
bool wv_allocate_subnets(const wv_network *network, bool with_gateway, wv_changes *changes,
			 wv_error *err);

/* Whether a network has no addresses, with the ipam driver that was chosen. netavark then turns
 * name resolution off, and so must a driver. */
bool wv_has_no_addresses(const wv_network *network, const wv_changes *changes);

/* Checks the ipam driver at setup, without or with DHCP. A network that was written by hand
 * hasn't been through create. */
bool wv_check_ipam(const wv_network *network, wv_error *err);
bool wv_check_ipam_or_dhcp(const wv_network *network, wv_error *err);

/* Adds the changes of a network whose containers have links on a parent: the option parent
 * becomes the network's interface, the ipam driver is chosen, and there are no names. */
bool wv_changes_on_parent(const wv_create_request *request, enum wv_without_subnets without,
			  wv_changes *changes, wv_error *err);

/* Parents */

/* The metric of default routes through a link on a parent. It's below the usual 100, so that the
 * route wins over one of a bridge network (containers/podman#23984). */
#define WV_PARENT_METRIC 99

/* Finds the user's parent, or else the default route's link. A VLAN that is missing, as eth0.10,
 * is made, and goes with the network's last container. */
bool wv_find_or_make_parent(const wv_network *network, wv_own_link *parent, wv_error *err);

/* Checks that the user's parent exists, or the link that it's to be a VLAN of. */
bool wv_check_parent_or_base(const wv_network *network, wv_error *err);

/* Setup */

/* Returns the options of an address. dad says whether it waits for duplicate address detection
 * (RFC 4862, section 5.4). */
wv_address_options wv_address_with(bool dad, bool no_prefix_route);

/* Parses the option accept_dad. *dad is the default. */
bool wv_parse_dad(const wv_options *options, bool *dad, wv_error *err);

/* Turns duplicate address detection off for a link of a network with IPv6, also of its
 * link-local address, unless dad is set. It's called before the link is up. */
bool wv_set_dad(wv_link link, const wv_network *network, bool dad, wv_error *err);

/* Gives the container's link its addresses, sets it up and adds the routes. metric is for default
 * routes for which the user gave none; NULL stands for that of netavark. */
bool wv_configure(wv_link link, wv_request *request, const uint32_t *metric, bool dad,
		  wv_error *err);

/* Adds default routes, behind those of the container's other networks, and static routes.
 * options may be NULL. */
bool wv_add_routes(wv_request *request, const uint32_t *metric, wv_route_options *options,
		   wv_error *err);

/* Turns autoconfiguration of IPv6 addresses off, because Podman chooses the addresses. */
bool wv_disable_autoconf(wv_link link, wv_error *err);

/* Ignores router advertisements. At the host's end, a container could otherwise become the host's
 * router and get its traffic (CVE-2020-10749). */
bool wv_ignore_router_advertisements(wv_link link, wv_error *err);

/* Makes the kernel take IPv4 packets whose replies would leave through another link. */
bool wv_loosen_reverse_path(wv_link link, wv_error *err);

/* Leases the address of a container's link, if a DHCP server chooses it. The link gets the MTU of
 * the lease, if that is smaller and the user gave none. */
bool wv_lease(wv_link link, wv_link parent, const wv_network *network, wv_error *err);

/* Returns a fixed MAC address for a link of the host that the network's containers share, a
 * digest of the ids (containers/netavark#843). */
wv_string wv_stable_mac(const wv_request *request);

/* Filters: the options incoming and outgoing, lists of connections that may pass. This is like
 * CNI's plugin firewall. */

struct wv_filter {
	/* The lists for both directions (DIRECTION_INCOMING, DIRECTION_OUTGOING). */
	struct wv_filter_list {
		bool is_given;
		wasmvark_driver_firewall_link_traffic_t *items;
		size_t count;
	} lists[2];
};

bool wv_parse_filter(const wv_options *options, struct wv_filter *filter, wv_error *err);

/* Accepts the connections in the lists and drops all others, on the host, for each address of the
 * container. It's for links whose packets the host sends, receives or forwards. */
bool wv_filter(const struct wv_filter *filter, wv_request *request, wv_error *err);

/* Does so over a link of the container, in its namespace. It's for links whose packets don't pass
 * the host's firewall, and must be called before the link is set up. */
bool wv_filter_in_container(const struct wv_filter *filter, wv_link link, wv_error *err);

/* NAT: the connections between a network behind the host and other networks. */

struct wv_nat {
	bool masquerade;
	/* Empty if not given. */
	wv_string outbound4;
	wv_string outbound6;
};

/* Parses the options masquerade, outbound_addr4 and outbound_addr6. The argument masquerade is the
 * default of the first one. */
bool wv_parse_nat(const wv_options *options, bool masquerade, struct wv_nat *nat, wv_error *err);

/* Gives what one container sends to other networks an address of the host. */
bool wv_translate_container(const struct wv_nat *nat, wv_request *request, wv_error *err);

/* Has firewalld let the packets of the container pass. */
bool wv_trust_container(wv_request *request, wv_error *err);

/* Refuses ndp_proxy and publish_interface for an internal network, which nobody reaches. */
bool wv_check_outside_links(const wv_create_request *request, wv_error *err);

/* Has the link of the host that the option ndp_proxy names answer for the container's IPv6
 * addresses (RFC 4389). */
bool wv_proxy_ndp(wv_request *request, wv_error *err);

/* Publishes the request's ports to the container's first address of each family. */
bool wv_publish(wv_link link, wv_request *request, wv_error *err);

/* Closes an internal network behind a link of the host. */
bool wv_close_internal(wv_link link, const wv_network *network, wv_error *err);

/* Turns the host's forwarding on for the families of the container's addresses. */
bool wv_forward(const wv_request *request, wv_error *err);

/* Returns the MTU of new links whose packets the host routes. */
bool wv_routed_mtu(const wv_network *network, wv_option_u32 *mtu, wv_error *err);

/* Has the container's names served on a link, if the user wants that. */
bool wv_serve_names(wv_link link, const wv_network *network, wv_error *err);

/* Behaviours: options that every driver can offer, like CNI's plugins tuning, bandwidth and sbr. A
 * manifest declares them under `behaviours`. What it doesn't declare isn't given. */

struct wv_rate_limit {
	bool is_given;
	wasmvark_driver_traffic_shape_t shape;
};

struct wv_behaviours {
	const wv_options *options;
	wv_option_u32 queue_length;
	enum wv_choice promiscuous;
	enum wv_choice all_multicast;
	struct wv_rate_limit ingress;
	struct wv_rate_limit egress;
	/* The subnets whose packets alone are limited, or are not; either may be empty. */
	wv_string shaped;
	wv_string unshaped;
	bool routes_by_source;
	wv_option_u32 source_table;
	enum wv_choice announce;
	enum wv_choice wait_dad;
	enum wv_choice accept_ra;
};

/* Parses the options, which must stay where they are. */
bool wv_parse_behaviours(const wv_options *options, struct wv_behaviours *behaviours,
			 wv_error *err);

/* Sets the properties and kernel settings of the container's link, before it has addresses. */
bool wv_tune(const struct wv_behaviours *behaviours, wv_link link, const wv_request *request,
	     wv_error *err);

/* Takes or ignores router advertisements, if the option is given, before the link is up. */
bool wv_accept_ra(const struct wv_behaviours *behaviours, wv_link link, wv_error *err);

/* Makes the kernel announce the addresses that the link will have, if the option is given. */
bool wv_announce(const struct wv_behaviours *behaviours, wv_link link, wv_error *err);

/* Waits until the link's IPv6 addresses can be used, if the option is given. */
bool wv_wait_dad(const struct wv_behaviours *behaviours, wv_link link, wv_error *err);

/* Tunes the link, gives it its addresses, sets it up and adds the routes, with source routing if
 * the option is given. */
bool wv_configure_tuned(const struct wv_behaviours *behaviours, wv_link link, wv_request *request,
			const uint32_t *metric, bool dad, wv_error *err);

/* Adds the rules of source routing, if the option is given. *table is that of the routes. */
bool wv_source_table(const struct wv_behaviours *behaviours, wv_request *request,
		     wv_option_u32 *table, wv_error *err);

/* Limits the rates of a link of the container, there or at its peer on the host. */
bool wv_limit(const struct wv_behaviours *behaviours, wv_link link, wv_error *err);
bool wv_limit_port(const struct wv_behaviours *behaviours, wv_link port, wv_error *err);
