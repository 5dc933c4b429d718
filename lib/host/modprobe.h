/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: what modprobe.d says (modprobe.d(5)): blacklists, `install` lines, options. Read for
 * telling; loading goes through libkmod (host/module.h), which reads them itself.
 */
#pragma once

#include "host/sysroot.h"

enum modprobe_kind {
	MODPROBE_BLACKLIST, /* its aliases are not followed: no loading by itself */
	MODPROBE_INSTALL,   /* a command in place of loading */
	MODPROBE_OPTIONS,
	MODPROBE_SOFTDEP,
};

struct modprobe_line {
	enum modprobe_kind kind;
	char *file;   /* "/etc/modprobe.d/vfio.conf" */
	char *module; /* with '_' for '-' */
	char *rest;   /* what stands behind the module: "ids=10de:2484", "/bin/false" */
};

/* Started as { 0 }. */
struct modprobe {
	struct modprobe_line *items;
	size_t count;
};

/* Parses the content of one file, adding to `modprobe`. -ENOMEM only. */
int modprobe_parse(const char *file, const char *data, size_t size, struct modprobe *modprobe);

/*
 * Reads /etc/modprobe.d, /run/modprobe.d, /usr/lib/modprobe.d and /lib/modprobe.d: of files with
 * one name the first of these folders counts. Only *.conf. 0 or -ENOMEM; does not block.
 */
int modprobe_read(const struct sysroot *root, struct modprobe *ret);

/* The first line of that kind for a module ('-' and '_' are the same), or NULL. */
const struct modprobe_line *modprobe_find(const struct modprobe *modprobe, enum modprobe_kind kind,
					  const char *module);
void modprobe_done(struct modprobe *modprobe);
#define cleanup_modprobe cleanup(modprobe_done)
