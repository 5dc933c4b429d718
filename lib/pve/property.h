/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: property strings, "01:00,pcie=1": parse_property_string() in pve-common's JSONSchema.pm (read
 * at 9.2.1). What the keys mean is their format's business.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct property {
	const char *key, *value;
};

/* Started as { 0 }. */
struct properties {
	char *text; /* what the items point into */
	struct property *items;
	size_t count;
};

/*
 * Splits a property string. A part without '=' is the value of `default_key`; NULL: there is none.
 * -EINVAL where Proxmox VE rejects the string, with what is wrong in `err`, but for the keys, which
 * it does not know.
 */
int properties_parse(const char *value, const char *default_key, struct properties *ret,
		     struct error *err) must_check;
void properties_done(struct properties *properties);
#define cleanup_properties cleanup(properties_done)

/* What parse_boolean() of Proxmox VE takes: 1 on yes true, 0 off no false, in any case. */
int pve_boolean_parse(const char *text, bool *ret);
