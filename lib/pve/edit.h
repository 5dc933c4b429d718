/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: changes to a VM's configuration: what a key has now and what it will have. `qm set` makes
 * them; the text they come to is only for looking at, before anything is changed.
 */
#pragma once

#include "pve/config.h"

/* One key. NULL: the key is not there. */
struct vm_change {
	char *key;
	char *before;
	char *after;
	const char *why; /* a sentence without its full stop, or NULL; not owned */
};

/* Started as { 0 }. A key is in it once. */
struct vm_edit {
	struct vm_change *items; /* in the order in which they were asked for */
	size_t count;
};

/* The value of any key, hostpciN too, or NULL. */
const char *vm_config_value(const struct vm_config *config, const char *key);

/*
 * Asks for `after` (NULL: no such key). Of a key asked for before, the later wish counts and the
 * first `before` stays. What changes nothing is not taken up. 0 or -ENOMEM.
 */
int vm_edit_set(struct vm_edit *edit, const char *key, const char *before, const char *after,
		const char *why);
const struct vm_change *vm_edit_find(const struct vm_edit *edit, const char *key);

/* The value the key will have, or NULL. */
const char *vm_edit_value(const struct vm_edit *edit, const struct vm_config *config,
			  const char *key);

/* The number of the first hostpciN that is free, or HOSTPCI_COUNT. */
unsigned vm_edit_free_hostpci(const struct vm_edit *edit, const struct vm_config *config);

/* The configuration with the changes made; of the main section only. NULL without memory. */
char *vm_edit_text(const struct vm_edit *edit, const char *config);

/* The one `qm set` that makes the changes. 0 or -ENOMEM. */
int vm_edit_words(const struct vm_edit *edit, uint32_t vmid, struct strings *words);
void vm_edit_done(struct vm_edit *edit);
#define cleanup_vm_edit cleanup(vm_edit_done)
