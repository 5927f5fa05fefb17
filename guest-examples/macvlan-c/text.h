/* Strings: views, comparison, and errors made of pieces. */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <driver.h>

typedef wasmvark_driver_types_error_t driver_error_t;

/* Returns a view of a C string. Nothing is copied. */
driver_string_t view(const char *text);

bool equals(driver_string_t string, const char *text);

bool same(driver_string_t one, driver_string_t other);

/* Fills in an error whose message is the pieces in a row, copied. Returns false,
 * as every failing function does. */
bool fail_with(driver_error_t *err, uint8_t tag, const driver_string_t *pieces, size_t count);

/* Calls fail_with with the pieces as arguments. */
#define FAIL(err, tag, ...)                                              \
	fail_with(err, WASMVARK_DRIVER_TYPES_ERROR_##tag,                \
		  (const driver_string_t[]){__VA_ARGS__},                \
		  sizeof((const driver_string_t[]){__VA_ARGS__}) /       \
			  sizeof(driver_string_t))
