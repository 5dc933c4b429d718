/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: what the administrator says about kernel modules: the lines of /etc/modules and
 * /etc/modules-load.d (modules-load.d(5)) and of /etc/modprobe.d (modprobe.d(5)).
 */
#pragma once

#include "boot/draft.h"

#define CONF_MODULES	  "etc/modules"
#define CONF_MODULES_LOAD "etc/modules-load.d"
#define CONF_MODPROBE	  "etc/modprobe.d"

enum conf_kind {
	CONF_LOAD, /* a module to load at boot */
	CONF_OPTIONS,
	CONF_BLACKLIST,
	CONF_SOFTDEP,
	CONF_INSTALL,
	CONF_OTHER, /* alias, remove, and what modprobe does not know */
};

struct conf_line {
	enum conf_kind kind;
	char *module; /* as it stands there */
	char *rest;   /* behind the module: options, a command */
	char *path;
	unsigned line;	     /* from 1 */
	size_t offset, size; /* the whole line in the file, its end included */
};

/* Started as { 0 }. */
struct conf_lines {
	struct conf_line *items;
	size_t count;
};

void conf_lines_done(struct conf_lines *lines);
#define cleanup_conf_lines cleanup(conf_lines_done)

/* Adds the lines of a file of modprobe.d, or, with `load`, of modules-load.d. 0 or -ENOMEM. */
int conf_parse(struct conf_lines *lines, const char *path, const char *text, bool load);

/* All lines of the draft's files, but for those that are called pve-vfio.conf: ours. */
int conf_read(struct boot_draft *draft, const struct sysroot *root, struct conf_lines *ret,
	      struct error *err);

/* The names of one module: '-' and '_' are the same. */
bool conf_same_module(const char *a, const char *b);

/* "ids=10de:2484" among the blank-separated words of `rest`: where the word is, and its size. */
const char *conf_find_option(const char *rest, const char *name, size_t *ret_size);
