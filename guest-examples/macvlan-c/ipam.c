#include "ipam.h"

#include <stddef.h>

#include "text.h"

bool choose_ipam(const wasmvark_driver_types_network_t *network, const char **chosen,
		 driver_error_t *err)
{
	driver_string_t driver = network->driver;
	bool subnets = network->subnets.len > 0;
	*chosen = NULL;
	if (!network->ipam_driver.is_some || network->ipam_driver.val.len == 0) {
		if (subnets) {
			*chosen = "host-local";
			return true;
		}
		/* A container without an address would be a surprise. */
		return FAIL(err, INVALID, driver,
			    view(" driver needs a subnet, because it has no dhcp: give --subnet, "
				 "or --ipam-driver none for a network without addresses"));
	}

	driver_string_t name = network->ipam_driver.val;
	if (equals(name, "none") || (equals(name, "host-local") && subnets))
		return true;
	if (equals(name, "host-local"))
		return FAIL(err, INVALID, driver,
			    view(" driver needs at least one subnet specified when the host-local "
				 "ipam driver is set"));
	if (equals(name, "dhcp"))
		return FAIL(err, UNSUPPORTED, view("ipam driver dhcp is not supported with "),
			    driver,
			    view(": give --subnet, or --ipam-driver none for a network without "
				 "addresses"));
	return FAIL(err, UNSUPPORTED, view("Unsupported ipam driver: "), name);
}

bool check_ipam(const wasmvark_driver_types_network_t *network, driver_error_t *err)
{
	if (!network->ipam_driver.is_some)
		return true;
	driver_string_t name = network->ipam_driver.val;
	if (name.len == 0 || equals(name, "host-local") || equals(name, "none"))
		return true;
	return FAIL(err, UNSUPPORTED, view("unsupported ipam driver "), name);
}
