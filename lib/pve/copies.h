/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: where the hookscript lies in the snippets folders of the storages: links to the installed
 * program, which follow it, and copies of it, which get old.
 */
#pragma once

#include "host/sysroot.h"
#include "pve/snippets.h"

#define HOOK_PATH   "/usr/libexec/pve-vfio/pve-vfio-hook"
#define HOOK_NAME   "pve-vfio-hook"
#define HOOK_VOLUME ":snippets/" HOOK_NAME /* behind the storage's name */

/* Stands before the version in each program, so that a copy's can be read without running it. */
#define VERSION_MARK "pve-vfio-version="
#define VERSION_MAX  32

enum hook_copy_state {
	HOOK_COPY_ABSENT,
	HOOK_COPY_LINK, /* to HOOK_PATH */
	HOOK_COPY_SAME,
	HOOK_COPY_OLDER,   /* ours, and not newer than the installed one; one without a mark is */
	HOOK_COPY_NEWER,   /* ours: another node of the cluster has a newer package */
	HOOK_COPY_FOREIGN, /* not ours: a script of that name, a link to elsewhere */
};

/* Started as { 0 }. */
struct hook_copy {
	enum hook_copy_state state;
	char *path;		   /* "/var/lib/vz/snippets/pve-vfio-hook" */
	char version[VERSION_MAX]; /* of a copy of ours; "" where it has no mark */
};

/* Looks at one storage. Blocks as long as the storage does: call it in a lane. 0 or -errno. */
int hook_copy_look(const struct sysroot *root, const struct snippet_store *store,
		   struct hook_copy *ret, struct error *err) must_check;

/* Replaces the copy by the installed program, as a whole. Blocks likewise. */
int hook_copy_renew(const struct sysroot *root, const struct hook_copy *copy,
		    struct error *err) must_check;
void hook_copy_done(struct hook_copy *copy);
#define cleanup_hook_copy cleanup(hook_copy_done)

/* The version behind the mark in a program's bytes: true, or false where there is none. */
bool hook_version_find(const char *data, size_t size, char ret[VERSION_MAX]);
