/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: what the administrator says about kernel modules: the lines of modprobe.d(5) and of
 * modules-load.d(5). Read for telling and for editing; loading goes through libkmod
 * (host/module.h), which reads modprobe.d itself.
 */
#pragma once

#include "host/sysroot.h"

enum modconf_kind {
	MODCONF_LOAD, /* a module to load at boot */
	MODCONF_OPTIONS,
	MODCONF_BLACKLIST, /* its aliases are not followed: no loading by itself */
	MODCONF_SOFTDEP,
	MODCONF_INSTALL, /* a command in place of loading */
	MODCONF_OTHER,	 /* alias, remove, and what modprobe does not know */
};

struct modconf_line {
	enum modconf_kind kind;
	char *module; /* as it is written; "" where it is missing */
	char *rest;   /* behind the module: options, a command */
	char *path;
	unsigned line;	     /* from 1 */
	size_t offset, size; /* the whole line in the file, its end included */
};

/* Started as { 0 }. */
struct modconf {
	struct modconf_line *items;
	size_t count;
};

void modconf_done(struct modconf *conf);
#define cleanup_modconf cleanup(modconf_done)

/* Adds the lines of a file of modprobe.d, or, with `load`, of modules-load.d. 0 or -ENOMEM. */
int modconf_parse(struct modconf *conf, const char *path, const char *text, bool load);

/*
 * Reads what modprobe does: /etc/modprobe.d, /run/modprobe.d, /usr/lib/modprobe.d and
 * /lib/modprobe.d; of files with one name the first of these folders counts. Only *.conf. Paths
 * begin with '/'. 0 or -ENOMEM; does not block.
 */
int modconf_read(const struct sysroot *root, struct modconf *ret);

/* The first line of that kind for a module ('-' and '_' are the same), or NULL. */
const struct modconf_line *modconf_find(const struct modconf *conf, enum modconf_kind kind,
					const char *module);

/* The names of one module: '-' and '_' are the same. */
bool modconf_same_module(const char *a, const char *b);

/* "ids=10de:2484" among the blank-separated words of `rest`: where the word is, and its size. */
const char *modconf_find_option(const char *rest, const char *name, size_t *ret_size);
