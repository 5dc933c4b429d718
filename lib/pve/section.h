/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: files of sections, such as /etc/pve/jobs.cfg and those below /etc/pve/ha:
 * PVE::SectionConfig in pve-common (read at 9.2.1), parse_config(). Knows no section's meaning.
 */
#pragma once

#include "host/sysroot.h"

struct section_item {
	const char *key, *value; /* "" where the line has the key alone */
};

/* "vzdump: backup-1", and the lines below it until an empty one. */
struct section {
	const char *type, *name;
	struct section_item *items;
	size_t count;
};

/* Started as { 0 }. */
struct sections {
	char *text; /* what the strings point into */
	struct section *items;
	size_t count;
};

/* Reads a file below the root; one that is not there has no section. 0 or -errno. */
int sections_read(const struct sysroot *root, const char *path, struct sections *ret);
void sections_done(struct sections *sections);
#define cleanup_sections cleanup(sections_done)

/* The first section of that type and name, or NULL. */
const struct section *sections_find(const struct sections *sections, const char *type,
				    const char *name);

/* The value of a key, or NULL. */
const char *section_get(const struct section *section, const char *key);

/* A key that is a boolean: what it says, or `otherwise` where it is not there. */
bool section_is_on(const struct section *section, const char *key, bool otherwise);

/*
 * Whether a list ("100,101", also with blanks or semicolons between) has the word. What comes after
 * a ':' in an item of a list of nodes ("pve1:2") is its priority and does not count with `nodes`.
 */
bool list_has_word(const char *list, const char *word, bool nodes);
