/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster: its nodes, as pmxcfs has them: /etc/pve/.members, made by cfs_create_memberlist_msg() in
 * pve-cluster's status.c (read at 9.1.6): "nodelist" has "online" 0 or 1 for each, "cluster" has "quorate". A
 * node that is in no cluster has neither there, and is alone; nor has one of a cluster whose corosync does not
 * run, which is without quorum: /etc/pve/corosync.conf tells them apart.
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
