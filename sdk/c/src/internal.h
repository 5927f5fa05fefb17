/* The parts of behaviours. */

#pragma once

#include "wasmvark.h"

bool parse_rates(const wv_options *options, struct wv_behaviours *behaviours, wv_error *err);

bool parse_source_routing(const wv_options *options, struct wv_behaviours *behaviours,
			  wv_error *err);

/* Gives the link its addresses, sets it up, and adds its routes to a table of their own. */
bool configure_by_source(const struct wv_behaviours *behaviours, wv_link link, wv_request *request,
			 const uint32_t *metric, bool dad, wv_error *err);
