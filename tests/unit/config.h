/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: configurations that are parsed from text; for the tests of pve/config.c.
 */
#pragma once

#include "test.h"

#include "pve/config.h"

#define PATH "/etc/pve/qemu-server/101.conf"

static inline void parse_bytes(const char *data, size_t size, struct vm_config *config)
{
	struct error err = { 0 };

	*config = (struct vm_config){ 0 };
	if (vm_config_parse(NULL, PATH, data, size, config, &err) != 0)
		fail_msg("%s", err.message);
}

static inline void parse(const char *text, struct vm_config *config)
{
	parse_bytes(text, strlen(text), config);
}
