#include <ctype.h>

#include "internal.h"

/* The time that a packet may wait in the queue, in milliseconds. With CNI's 25 ms, a TCP
 * connection reaches only four fifths of the rate, because it slows down at every lost packet. */
#define LATENCY 100
/* The smallest default burst in bytes, which is some of the largest usual packets. */
#define SMALLEST_BURST (32 * 1024)
/* The number of default bursts per second at the full rate. The kernel refills the bucket at least
 * 100 times per second. */
#define BURSTS_A_SECOND 50
/* The most subnets of an option. */
#define SUBNETS_MAX 100

/* The end of a packet's way that is elsewhere. */
enum remote { SOURCE, DESTINATION };

typedef wasmvark_driver_traffic_shape_t shape;

/* Parses a number that may end with k, m or g. step is the factor of k. */
static bool parse_size(const wv_options *options, const char *key, uint64_t step, bool *is_given,
		       uint64_t *size, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	*is_given = text != NULL;
	if (text == NULL)
		return true;
	wv_string digits = wv_trim(*text);
	uint64_t factor = 1;
	int unit = digits.len > 0 ? tolower(digits.ptr[digits.len - 1]) : 0;
	for (const char *units = "kmg"; *units != 0 && isalpha(unit); units++) {
		factor *= step;
		if (unit == *units) {
			digits.len--;
			break;
		}
	}
	int64_t number;
	if (wv_number(digits, 0, INT64_MAX, &number) &&
	    !__builtin_mul_overflow((uint64_t)number, factor, size))
		return true;
	return wv_refuse(key, *text, "a whole number, which may end with k, m or g", err);
}

static bool parse_limit(const wv_options *options, const char *rate_key, const char *burst_key,
			struct wv_rate_limit *limit, wv_error *err)
{
	uint64_t rate, burst;
	bool has_burst;
	if (!parse_size(options, burst_key, 1024, &has_burst, &burst, err) ||
	    !parse_size(options, rate_key, 1000, &limit->is_given, &rate, err))
		return false;
	if (!limit->is_given)
		return !has_burst || WV_FAIL(err, INVALID, "%s needs %s", burst_key, rate_key);
	if (rate < 8)
		return WV_FAIL(err, INVALID,
			       "%s is in bits per second, at least 8: %llu is too low", rate_key,
			       (unsigned long long)rate);
	if (!has_burst) {
		burst = rate / 8 / BURSTS_A_SECOND;
		burst = burst < SMALLEST_BURST ? SMALLEST_BURST : burst;
	}
	if (burst < 1 || burst > UINT32_MAX)
		return WV_FAIL(err, INVALID,
			       "%s is in bytes, from 1 to 4294967295: %llu is not possible; it takes %s "
			       "to go with a high %s",
			       burst_key, (unsigned long long)burst, burst_key, rate_key);
	limit->shape = (shape){.rate = rate, .burst = (uint32_t)burst};
	return true;
}

static bool is_subnet(wv_string text)
{
	wv_string address, length;
	uint8_t bytes[16];
	int64_t number;
	if (!wv_cut(text, '/', &address, &length))
		return false;
	size_t count = wv_address(address, bytes);
	return count > 0 && wv_number(length, 0, (int64_t)count * 8, &number);
}

/* Parses a list of subnets. An empty one counts as absent. */
static bool parse_subnets(const wv_options *options, const char *key, wv_string *subnets,
			  wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	*subnets = wv_view("");
	if (text == NULL)
		return true;
	wv_string rest = *text, word;
	for (size_t count = 1; wv_word(&rest, &word); count++)
		if (count > SUBNETS_MAX || !is_subnet(word))
			return wv_refuse(key, *text,
					 "a list of at most 100 subnets, with spaces between them",
					 err);
	*subnets = wv_trim(*text);
	return true;
}

bool parse_rates(const wv_options *options, struct wv_behaviours *behaviours, wv_error *err)
{
	if (!parse_limit(options, "ingress_rate", "ingress_burst", &behaviours->ingress, err) ||
	    !parse_limit(options, "egress_rate", "egress_burst", &behaviours->egress, err) ||
	    !parse_subnets(options, "shaped_subnets", &behaviours->shaped, err) ||
	    !parse_subnets(options, "unshaped_subnets", &behaviours->unshaped, err))
		return false;
	bool shaped = behaviours->shaped.len > 0, unshaped = behaviours->unshaped.len > 0;
	if (shaped && unshaped)
		return WV_FAIL(err, INVALID,
			       "shaped_subnets and unshaped_subnets can't be given together");
	if ((shaped || unshaped) && !behaviours->ingress.is_given && !behaviours->egress.is_given)
		return WV_FAIL(err, INVALID, "%s needs ingress_rate or egress_rate",
			       shaped ? "shaped_subnets" : "unshaped_subnets");
	return true;
}

/* Leads packets of subnets past a link's limit, or to it. */
static bool add_filters(wv_link link, wv_string subnets, enum remote remote, uint8_t flow,
			wv_error *err)
{
	wv_string subnet;
	while (wv_word(&subnets, &subnet)) {
		wv_string *source = remote == SOURCE ? &subnet : NULL;
		wv_string *destination = remote == SOURCE ? NULL : &subnet;
		if (!wasmvark_driver_traffic_add_htb_filter(link, source, destination, flow, err))
			return false;
	}
	return true;
}

/* Limits the packets that a link sends. A limit for some of them needs classes. */
static bool limit_sending(const struct wv_behaviours *behaviours, wv_link link, shape shape,
			  enum remote remote, wv_error *err)
{
	wv_string direct = behaviours->unshaped;
	if (behaviours->shaped.len > 0)
		direct = wv_view("0.0.0.0/0 ::/0");
	if (direct.len == 0) {
		wasmvark_driver_traffic_tbf_options_t options = {shape, LATENCY};
		return wasmvark_driver_traffic_set_tbf(link, &options, err);
	}
	return wasmvark_driver_traffic_set_htb(link, &shape, err) &&
	       add_filters(link, behaviours->shaped, remote, WASMVARK_DRIVER_TRAFFIC_HTB_FLOW_REST,
			   err) &&
	       add_filters(link, direct, remote, WASMVARK_DRIVER_TRAFFIC_HTB_FLOW_DIRECT, err);
}

/* Limits the packets that a link receives. They are redirected to an ifb link, which limits
 * them. */
static bool limit_receiving(const struct wv_behaviours *behaviours, wv_link link, uint8_t place,
			    shape shape, enum remote remote, wv_error *err)
{
	wasmvark_driver_links_plain_options_t plain = {0};
	wv_own_link own;
	if (!wasmvark_driver_links_create_ifb(place, NULL, &plain, &own, err))
		return false;
	wv_link ifb = wasmvark_driver_links_borrow_link(own);
	return limit_sending(behaviours, ifb, shape, remote, err) &&
	       wasmvark_driver_links_set_up(ifb, err) &&
	       wasmvark_driver_traffic_redirect_ingress(link, ifb, err);
}

/* As in CNI, ingress is the container's receiving direction. */
bool wv_limit(const struct wv_behaviours *behaviours, wv_link link, wv_error *err)
{
	if (behaviours->egress.is_given &&
	    !limit_sending(behaviours, link, behaviours->egress.shape, DESTINATION, err))
		return false;
	return !behaviours->ingress.is_given ||
	       limit_receiving(behaviours, link, WASMVARK_DRIVER_TYPES_PLACE_CONTAINER,
			       behaviours->ingress.shape, SOURCE, err);
}

/* At the peer on the host, the directions are reversed. */
bool wv_limit_port(const struct wv_behaviours *behaviours, wv_link port, wv_error *err)
{
	if (behaviours->ingress.is_given &&
	    !limit_sending(behaviours, port, behaviours->ingress.shape, SOURCE, err))
		return false;
	return !behaviours->egress.is_given ||
	       limit_receiving(behaviours, port, WASMVARK_DRIVER_TYPES_PLACE_HOST,
			       behaviours->egress.shape, DESTINATION, err);
}
