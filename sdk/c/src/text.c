#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wasmvark.h"

/* The longest text of an address, with a prefix length. */
#define ADDRESS_MAX 64

wv_string wv_view(const char *text)
{
	return (wv_string){.ptr = (uint8_t *)text, .len = strlen(text)};
}

static uint8_t *allocated(size_t size)
{
	uint8_t *bytes = malloc(size > 0 ? size : 1);
	if (bytes == NULL)
		abort();
	return bytes;
}

wv_string wv_copy(wv_string text)
{
	wv_string copy = {.ptr = allocated(text.len), .len = text.len};
	if (text.len > 0)
		memcpy(copy.ptr, text.ptr, text.len);
	return copy;
}

wv_string wv_format(const char *format, ...)
{
	va_list arguments, again;
	va_start(arguments, format);
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		abort();
	wv_string text = {.ptr = allocated((size_t)length + 1), .len = (size_t)length};
	vsnprintf((char *)text.ptr, text.len + 1, format, again);
	va_end(again);
	return text;
}

bool wv_equals(wv_string string, const char *text)
{
	return wv_same(string, wv_view(text));
}

bool wv_same(wv_string one, wv_string other)
{
	return one.len == other.len && (one.len == 0 || memcmp(one.ptr, other.ptr, one.len) == 0);
}

bool wv_cut(wv_string text, char at, wv_string *before, wv_string *behind)
{
	uint8_t *found = text.len > 0 ? memchr(text.ptr, at, text.len) : NULL;
	size_t length = found == NULL ? text.len : (size_t)(found - text.ptr);
	wv_string rest = {.ptr = text.ptr + length, .len = text.len - length};
	if (found != NULL) {
		rest.ptr++;
		rest.len--;
	}
	if (before != NULL)
		*before = (wv_string){.ptr = text.ptr, .len = length};
	if (behind != NULL)
		*behind = rest;
	return found != NULL;
}

wv_string wv_trim(wv_string text)
{
	while (text.len > 0 && isspace(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && isspace(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

bool wv_word(wv_string *text, wv_string *word)
{
	wv_string rest = wv_trim(*text);
	size_t length = 0;
	while (length < rest.len && !isspace(rest.ptr[length]))
		length++;
	*word = (wv_string){.ptr = rest.ptr, .len = length};
	*text = (wv_string){.ptr = rest.ptr + length, .len = rest.len - length};
	return length > 0;
}

bool wv_number(wv_string text, int64_t first, int64_t last, int64_t *number)
{
	if (text.len == 0)
		return false;
	bool negative = first < 0 && text.ptr[0] == '-';
	size_t at = negative || text.ptr[0] == '+' ? 1 : 0;
	if (at == text.len)
		return false;
	int64_t value = 0;
	for (; at < text.len; at++) {
		if (!isdigit(text.ptr[at]))
			return false;
		int64_t digit = text.ptr[at] - '0';
		bool is_too_long = __builtin_mul_overflow(value, (int64_t)10, &value) ||
				   __builtin_add_overflow(value, negative ? -digit : digit, &value);
		if (is_too_long)
			return false;
	}
	*number = value;
	return first <= value && value <= last;
}

bool wv_is_v6(wv_string address)
{
	return wv_cut(address, ':', NULL, NULL);
}

wv_string wv_without_prefix(wv_string address)
{
	wv_string plain;
	wv_cut(address, '/', &plain, NULL);
	return plain;
}

wv_string wv_alone(wv_string address)
{
	wv_string plain = wv_without_prefix(address);
	return wv_format("%.*s/%d", WV_ARG(plain), wv_is_v6(plain) ? 128 : 32);
}

size_t wv_address(wv_string text, uint8_t bytes[16])
{
	char terminated[ADDRESS_MAX];
	if (text.len >= sizeof(terminated))
		return 0;
	snprintf(terminated, sizeof(terminated), "%.*s", WV_ARG(text));
	/* A zero byte would end the text early. */
	if (strlen(terminated) != text.len)
		return 0;
	bool v6 = wv_is_v6(text);
	if (inet_pton(v6 ? AF_INET6 : AF_INET, terminated, bytes) != 1)
		return 0;
	return v6 ? 16 : 4;
}

wv_string wv_address_text(const uint8_t *bytes, size_t length)
{
	char text[ADDRESS_MAX];
	if (inet_ntop(length == 16 ? AF_INET6 : AF_INET, bytes, text, sizeof(text)) == NULL)
		abort();
	return wv_copy(wv_view(text));
}

bool wv_fail(wv_error *err, uint8_t tag, wv_string message)
{
	err->tag = tag;
	/* Every case has a message, in the same member of the union. */
	err->val.other = message;
	return false;
}

/* Returns a text with a backslash before quotation marks. */
static wv_string quoted(wv_string text)
{
	wv_string quoted = {.ptr = allocated(2 * text.len), .len = 0};
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '"' || text.ptr[i] == '\\')
			quoted.ptr[quoted.len++] = '\\';
		quoted.ptr[quoted.len++] = text.ptr[i];
	}
	return quoted;
}

bool wv_refuse(const char *key, wv_string text, const char *expected, wv_error *err)
{
	wv_string shown = quoted(text);
	return WV_FAIL(err, INVALID, "unable to parse \"%s\": \"%.*s\" is not %s", key,
		       WV_ARG(shown), expected);
}

bool wv_done_or_missing(bool done, bool read_only_too, const wv_error *err)
{
	return done || err->tag == WASMVARK_DRIVER_TYPES_ERROR_NOT_FOUND ||
	       (read_only_too && err->tag == WASMVARK_DRIVER_TYPES_ERROR_READ_ONLY);
}
