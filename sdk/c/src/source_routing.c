#include "internal.h"

/* The first table that is chosen, as in CNI. */
#define FIRST_TABLE 100
/* The priority right before the main table's rule. */
#define BEFORE_MAIN 32765

typedef wasmvark_driver_rules_list_rule_info_t rules;

/* Whether the kernel gives a table a meaning. */
static bool is_kernels(uint32_t table)
{
	return table == 0 || (table >= 253 && table <= 255);
}

bool parse_source_routing(const wv_options *options, struct wv_behaviours *behaviours,
			  wv_error *err)
{
	enum wv_choice is_on;
	wv_option_u32 *table = &behaviours->source_table;
	if (!wv_parse_u32(options, "source_table", table, err) ||
	    !wv_parse_bool(options, "source_routing", &is_on, err))
		return false;
	behaviours->routes_by_source = is_on == WV_YES;
	if (is_on != WV_YES && table->is_some)
		return WV_FAIL(err, INVALID, "source_table needs source_routing=true");
	if (table->is_some && is_kernels(table->val))
		return WV_FAIL(err, INVALID,
			       "source_table %u is not possible: the kernel has it for all packets",
			       (unsigned)table->val);
	return true;
}

static bool has_rule(const rules *there, uint32_t table)
{
	for (size_t i = 0; i < there->len; i++)
		if (there->ptr[i].rule.table == table)
			return true;
	return false;
}

/* Finds the first table that no rule uses and that has no routes. */
static bool free_table(const rules *there, uint32_t *table, wv_error *err)
{
	for (*table = FIRST_TABLE;; ++*table) {
		if (has_rule(there, *table) || is_kernels(*table))
			continue;
		wasmvark_driver_routes_list_route_info_t routes;
		if (!wasmvark_driver_routes_list(WV_CONTAINER, table, &routes, err))
			return false;
		if (routes.len == 0)
			return true;
	}
}

/* Returns the priority that the kernel would give a rule without one. Such a rule comes second,
 * after the rule of the table "local". */
static uint32_t priority_before(const rules *there, uint8_t version)
{
	size_t count = 0;
	for (size_t i = 0; i < there->len; i++) {
		const wasmvark_driver_rules_rule_t *rule = &there->ptr[i].rule;
		if (rule->version.is_some && rule->version.val == version && ++count == 2)
			return rule->priority > 0 ? rule->priority - 1 : 0;
	}
	return BEFORE_MAIN;
}

bool wv_source_table(const struct wv_behaviours *behaviours, wv_request *request,
		     wv_option_u32 *table, wv_error *err)
{
	*table = (wv_option_u32){.is_some = behaviours->routes_by_source};
	if (!behaviours->routes_by_source)
		return true;
	rules there;
	if (!wasmvark_driver_rules_list(WV_CONTAINER, &there, err))
		return false;
	if (behaviours->source_table.is_some)
		table->val = behaviours->source_table.val;
	else if (!free_table(&there, &table->val, err))
		return false;
	uint32_t priorities[] = {
		priority_before(&there, WASMVARK_DRIVER_TYPES_IP_VERSION_IPV4),
		priority_before(&there, WASMVARK_DRIVER_TYPES_IP_VERSION_IPV6),
	};
	for (size_t i = 0; i < request->addresses.len; i++) {
		wv_string address = request->addresses.ptr[i];
		uint32_t *priority = &priorities[wv_is_v6(address) ? 1 : 0];
		wasmvark_driver_rules_rule_t rule = {
			.source = {true, wv_alone(address)},
			.priority = *priority,
			.table = table->val,
		};
		if (!wasmvark_driver_rules_add(WV_CONTAINER, &rule, err))
			return false;
		if (*priority > 0)
			--*priority;
	}
	return true;
}

/* Adds the route through the link to the network of an address. */
static bool add_direct_route(wv_string address, const wv_request *request,
			     wv_route_options options, wv_error *err)
{
	wv_string plain, text;
	uint8_t bytes[16];
	int64_t length;
	wv_cut(address, '/', &plain, &text);
	size_t count = wv_address(plain, bytes);
	/* A network that contains only the address needs no route. */
	if (count == 0 || !wv_number(text, 0, (int64_t)count * 8 - 1, &length))
		return true;
	for (size_t i = 0; i < count; i++) {
		int64_t bits = length - (int64_t)i * 8;
		bits = bits < 0 ? 0 : bits > 8 ? 8 : bits;
		bytes[i] &= (uint8_t)(0xff00 >> bits);
	}
	wv_string network = wv_address_text(bytes, count);
	wv_route route = {
		.destination = wv_format("%.*s/%d", WV_ARG(network), (int)length),
		/* These are the metrics of the kernel's own prefix routes. */
		.metric = {true, count == 16 ? 256 : 0},
		.kind = WASMVARK_DRIVER_TYPES_ROUTE_KIND_UNICAST,
	};
	options.link = (driver_option_string_t){true, request->interface_name};
	return wasmvark_driver_routes_add(WV_CONTAINER, &route, &options, err);
}

bool configure_by_source(const struct wv_behaviours *behaviours, wv_link link, wv_request *request,
			 const uint32_t *metric, bool dad, wv_error *err)
{
	wv_address_options how = wv_address_with(dad, true);
	for (size_t i = 0; i < request->addresses.len; i++)
		if (!wasmvark_driver_addresses_add(link, &request->addresses.ptr[i], &how, err))
			return false;
	wv_route_options options = {0};
	/* A route needs a link that is up. */
	if (!wasmvark_driver_links_set_up(link, err) ||
	    !wv_source_table(behaviours, request, &options.table, err))
		return false;
	for (size_t i = 0; i < request->addresses.len; i++)
		if (!add_direct_route(request->addresses.ptr[i], request, options, err))
			return false;
	return wv_add_routes(request, metric, &options, err);
}
