/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cluster: what a node publishes about itself, /etc/pve/pve-vfio/nodes/NODE.json, since the other nodes
 * see its configuration but not its devices: functions that a VM could want, whether they could be
 * passed, where the hookscript lies, versions. pve-vfio-json(5), "publish", has the format.
 */
#pragma once

#include <time.h>

#include "base/json.h"
#include "doctor/safety.h"
#include "pve/copies.h"

#define FACTS_FOLDER "/etc/pve/pve-vfio/nodes"
#define FACTS_FORMAT 1

/* A file is never larger, whatever the node has: pmxcfs keeps it in the memory of each. */
#define FACTS_MAX	  ((size_t)96 << 10)
#define FACTS_DEVICES_MAX 320

/* What has not changed is written again after a day, so that older than two is who does it no more. */
#define FACTS_AGAIN_S ((time_t)24 * 3600)
#define FACTS_OLD_S   ((time_t)49 * 3600)

struct facts_device {
	struct pci_device device; /* without its driver */
	char *name;
	enum pass pass;
	char *why; /* the id of why not; NULL with PASS_YES */
	bool mdev; /* mediated devices of it can be made, or vGPUs */
};

/* A storage that does not answer may have it. */
#define FACTS_HOOK_UNSEEN "?"

/* The hookscript in the snippets folder of a storage. */
struct facts_hook {
	char *storage;
	char *version; /* "" where it is not one of ours, or has no mark */
};

/* Started as { 0 }. */
struct facts {
	char *node;
	char *version; /* of pve-vfio */
	char *pve;     /* of qemu-server; "" where it cannot be told */
	char *release; /* of the kernel */
	time_t written;
	struct facts_device *devices; /* in order of address */
	size_t device_count;
	struct facts_hook *hooks;
	size_t hook_count;
	size_t left_out; /* functions that there was no room for */
};

/*
 * What this node has just now: reads and judges all of it as 'devices' does; the copies of the hook in a
 * lane each. 0 or -errno.
 */
int facts_look(const struct sysroot *root, struct facts *ret, struct error *err) must_check;

json_t *facts_json(const struct facts *facts);
int facts_parse(const char *name, const char *data, size_t size, struct facts *ret,
		struct error *err) must_check;

/* Reads what a node has published. -ENOENT, silently, for nothing; -EBADMSG. */
int facts_read(const struct sysroot *root, const char *node, struct facts *ret,
	       struct error *err) must_check;

/*
 * Publishes them, if they are not what is there already, or that is a day old: a write is a message to the
 * whole cluster. Blocks as /etc/pve does. -EACCES or -EPERM without quorum, refused.
 */
int facts_write(const struct sysroot *root, const struct facts *facts, bool *ret_written,
		struct error *err) must_check;

const struct facts_device *facts_find(const struct facts *facts, const char *address);
const struct facts_hook *facts_hook_find(const struct facts *facts, const char *storage);
void facts_done(struct facts *facts);
#define cleanup_facts cleanup(facts_done)
