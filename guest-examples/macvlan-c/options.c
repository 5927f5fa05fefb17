#include "options.h"

#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	wasmvark_driver_links_macvlan_mode_t mode;
} MODES[] = {
	{"", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE},
	{"bridge", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE},
	{"private", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_PRIVATE},
	{"vepa", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_VEPA},
	{"passthru", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_PASSTHRU},
	{"source", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_SOURCE},
};

const driver_string_t *find_option(const list_options_t *given, const char *key)
{
	for (size_t i = 0; i < given->len; i++) {
		if (equals(given->ptr[i].key, key))
			return &given->ptr[i].value;
	}
	return NULL;
}

static bool is_one_of(driver_string_t text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (equals(text, words[i]))
			return true;
	}
	return false;
}

/* What a number's option takes, for errors. */
static const char BCLIM[] = "a whole number from -2147483648 to 2147483647";
static const char BCQUEUELEN[] = "a whole number from 0 to 4294967295";

/* Go's words for truth values (strconv.ParseBool), which Podman takes for its
 * own drivers. */
static const char *const TRUE_WORDS[] = {"1", "t", "T", "TRUE", "true", "True"};
static const char *const FALSE_WORDS[] = {"0", "f", "F", "FALSE", "false", "False"};

static bool is_space(uint8_t byte)
{
	return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static driver_string_t trimmed(driver_string_t text)
{
	while (text.len > 0 && is_space(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* Parses a whole number from min to max. */
static bool parse_number(driver_string_t text, int64_t min, int64_t max, int64_t *number)
{
	text = trimmed(text);
	if (text.len == 0)
		return false;
	bool negative = min < 0 && text.ptr[0] == '-';
	size_t at = negative || text.ptr[0] == '+' ? 1 : 0;
	if (at == text.len)
		return false;

	int64_t value = 0;
	for (; at < text.len; at++) {
		if (text.ptr[at] < '0' || text.ptr[at] > '9')
			return false;
		int64_t digit = text.ptr[at] - '0';
		value = value * 10 + (negative ? -digit : digit);
		if (value > max || value < min)
			return false;
	}
	*number = value;
	return true;
}

/* Fills in the error for a value that an option can't have. */
static bool fail_value(const char *key, driver_string_t text, const char *expected,
		       driver_error_t *err)
{
	return FAIL(err, INVALID, view("unable to parse \""), view(key), view("\": \""), text,
		    view("\" is not "), view(expected));
}

/* Parses an option if it's given. *is_given says whether it is. */
static bool parse_option(const list_options_t *given, const char *key,
			 int64_t min, int64_t max, const char *expected, bool *is_given,
			 int64_t *number, driver_error_t *err)
{
	const driver_string_t *text = find_option(given, key);
	*is_given = text != NULL;
	if (text == NULL || parse_number(*text, min, max, number))
		return true;
	return fail_value(key, *text, expected, err);
}

/* Parses an option that is a truth value. The default is false. */
static bool parse_bool(const list_options_t *given, const char *key, bool *value,
		       driver_error_t *err)
{
	const driver_string_t *text = find_option(given, key);
	*value = false;
	if (text == NULL || is_one_of(trimmed(*text), FALSE_WORDS, LENGTH(FALSE_WORDS)))
		return true;
	*value = is_one_of(trimmed(*text), TRUE_WORDS, LENGTH(TRUE_WORDS));
	return *value || fail_value(key, *text, "true or false", err);
}

static bool parse_mode(const driver_string_t *name, wasmvark_driver_links_macvlan_mode_t *mode,
		       driver_error_t *err)
{
	driver_string_t text = name == NULL ? view("") : *name;
	for (size_t i = 0; i < LENGTH(MODES); i++) {
		if (equals(text, MODES[i].name)) {
			*mode = MODES[i].mode;
			return true;
		}
	}
	return FAIL(err, INVALID, view("invalid macvlan mode \""), text, view("\""));
}

bool parse_options(const list_options_t *given, struct options *options,
		   driver_error_t *err)
{
	int64_t limit = 0;
	int64_t length = 0;
	if (!parse_option(given, "bclim", INT32_MIN, INT32_MAX, BCLIM,
			  &options->broadcast_limit.is_some, &limit, err))
		return false;
	if (!parse_option(given, "bcqueuelen", 0, UINT32_MAX, BCQUEUELEN,
			  &options->broadcast_queue_length.is_some, &length, err))
		return false;
	options->broadcast_limit.val = (int32_t)limit;
	options->broadcast_queue_length.val = (uint32_t)length;
	if (!parse_bool(given, "announce", &options->announce, err))
		return false;
	if (!parse_bool(given, "wait_dad", &options->wait_dad, err))
		return false;
	return parse_mode(find_option(given, "mode"), &options->mode, err);
}
