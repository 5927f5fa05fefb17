#include "text.h"

#include <stdlib.h>
#include <string.h>

driver_string_t view(const char *text)
{
	return (driver_string_t){.ptr = (uint8_t *)text, .len = strlen(text)};
}

bool equals(driver_string_t string, const char *text)
{
	return string.len == strlen(text) && memcmp(string.ptr, text, string.len) == 0;
}

bool same(driver_string_t one, driver_string_t other)
{
	return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

bool fail_with(driver_error_t *err, uint8_t tag, const driver_string_t *pieces, size_t count)
{
	driver_string_t message = {0};
	for (size_t i = 0; i < count; i++)
		message.len += pieces[i].len;
	message.ptr = malloc(message.len);
	if (message.ptr == NULL)
		abort();

	uint8_t *end = message.ptr;
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len > 0)
			memcpy(end, pieces[i].ptr, pieces[i].len);
		end += pieces[i].len;
	}
	err->tag = tag;
	/* Every case has a message, in the same member of the union. */
	err->val.other = message;
	return false;
}
