/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster: its nodes, as pmxcfs has them: /etc/pve/.members, made by cfs_create_memberlist_msg() in
 * pve-cluster's status.c; a node that is in no cluster has no list there, and is alone.
 */
#pragma once

#include "host/sysroot.h"

struct member {
	char *node;
	bool online;
};

/* Started as { 0 }. */
struct members {
	struct member *items; /* in order of name */
	size_t count;
	bool quorate; /* a node that is alone is */
};

/* `self` is this node, which is among them in any case. 0 or -errno. */
int members_read(const struct sysroot *root, const char *self, struct members *ret,
		 struct error *err) must_check;
int members_parse(const char *data, size_t size, const char *self, struct members *ret,
		  struct error *err) must_check;
void members_done(struct members *members);
#define cleanup_members cleanup(members_done)
