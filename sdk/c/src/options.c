#include "wasmvark.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Go's words for truth values (strconv.ParseBool), which Podman takes for its own drivers. */
static const char *const YES[] = {"1", "t", "T", "TRUE", "true", "True"};
static const char *const NO[] = {"0", "f", "F", "FALSE", "false", "False"};

static const struct {
	const char *name;
	wasmvark_driver_links_macvlan_mode_t mode;
} MODES[] = {
	{"bridge", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_BRIDGE},
	{"private", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_PRIVATE},
	{"vepa", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_VEPA},
	{"passthru", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_PASSTHRU},
	{"source", WASMVARK_DRIVER_LINKS_MACVLAN_MODE_SOURCE},
};

const wv_string *wv_find(const wv_options *options, const char *key)
{
	for (size_t i = 0; i < options->len; i++)
		if (wv_equals(options->ptr[i].key, key))
			return &options->ptr[i].value;
	return NULL;
}

static bool is_one_of(wv_string text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (wv_equals(text, words[i]))
			return true;
	return false;
}

bool wv_parse_bool(const wv_options *options, const char *key, enum wv_choice *value, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	*value = WV_UNSET;
	if (text == NULL)
		return true;
	wv_string word = wv_trim(*text);
	if (is_one_of(word, YES, LENGTH(YES)))
		*value = WV_YES;
	else if (is_one_of(word, NO, LENGTH(NO)))
		*value = WV_NO;
	return *value != WV_UNSET || wv_refuse(key, *text, "true or false", err);
}

bool wv_parse_u32(const wv_options *options, const char *key, wv_option_u32 *value, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	int64_t number = 0;
	if (text != NULL && !wv_number(wv_trim(*text), 0, UINT32_MAX, &number))
		return wv_refuse(key, *text, "a whole number from 0 to 4294967295", err);
	*value = (wv_option_u32){.is_some = text != NULL, .val = (uint32_t)number};
	return true;
}

bool wv_parse_s32(const wv_options *options, const char *key, wv_option_s32 *value, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	int64_t number = 0;
	if (text != NULL && !wv_number(wv_trim(*text), INT32_MIN, INT32_MAX, &number))
		return wv_refuse(key, *text, "a whole number from -2147483648 to 2147483647", err);
	*value = (wv_option_s32){.is_some = text != NULL, .val = (int32_t)number};
	return true;
}

bool wv_parse_macvlan_mode(const wv_options *options, const char *key,
			   wasmvark_driver_links_macvlan_mode_t *mode, wv_error *err)
{
	const wv_string *text = wv_find(options, key);
	for (size_t i = 0; i < LENGTH(MODES); i++) {
		*mode = MODES[i].mode;
		if (text == NULL || text->len == 0 || wv_equals(*text, MODES[i].name))
			return true;
	}
	return wv_refuse(key, *text, "one of bridge, private, vepa, passthru, source", err);
}
