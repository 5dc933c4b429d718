/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: the configuration file of a VM, read as Proxmox VE reads it: parse_vm_config() in
 * qemu-server's QemuServer.pm (read at 9.2.6). A start looks at the main section alone, the one
 * before the first [header]; pending changes have been merged into it before the hook runs.
 */
#pragma once

#include <stdint.h>

#include "host/sysroot.h"
#include "pve/hostpci.h"

/* No configuration file is larger: pmxcfs holds files of up to 1 MiB. */
#define VM_CONFIG_MAX ((size_t)1 << 20)

/* One hostpciN line that counts. */
struct vm_hostpci {
	bool present;
	unsigned line;
	char *value; /* as written */
	struct hostpci hostpci;
};

/* Any other setting, as PVE keeps it: setting_read(). */
struct vm_setting {
	unsigned line;
	char *key;
	char *value;
};

/* A line PVE drops with no more than a warning: of a setting, or where a device seems to be meant. */
struct vm_dropped_line {
	unsigned line;
	char *key;  /* NULL where the line has none as PVE reads it */
	char *text; /* the line */
	char *why;
};

/* A node is named like a host: RFC 1123, 2.1. */
#define NODE_NAME_MAX 63

struct vm_config {
	char *path;	  /* as a person knows it: "/etc/pve/qemu-server/101.conf" */
	bool is_template; /* "template: 1": PVE starts it, for backups, without its devices */
	struct vm_setting *settings; /* in order of file; of a key given twice the last counts */
	size_t setting_count;
	struct vm_hostpci hostpci[HOSTPCI_COUNT];
	struct vm_dropped_line *dropped;
	size_t dropped_count;
};

/*
 * Parses the content of a file as the Proxmox VE that is installed in `root` does, NULL: the newest;
 * that is asked for lines in doubt alone. `path` is only kept for messages. Fails without memory
 * only: what PVE drops is in `dropped`.
 */
int vm_config_parse(const struct sysroot *root, const char *path, const char *data, size_t size,
		    struct vm_config *ret, struct error *err);

/*
 * Always -ENOENT, with the sentence for a VM that is not on this node: where it is instead, that it is a
 * container, or that there is none. vm_look() is 0 for a VM that is here.
 */
int vm_refuse_absent(const struct sysroot *root, uint32_t vmid, struct error *err) must_check;
int vm_look(const struct sysroot *root, uint32_t vmid, struct error *err) must_check;

/*
 * Reads and parses the configuration of a VM: of this node, or with `node` of that one, where it
 * still lies while the VM migrates here. -ENOENT when there is none.
 */
int vm_config_read(const struct sysroot *root, const char *node, uint32_t vmid,
		   struct vm_config *ret, struct error *err) must_check;

/* The VM or container of a file of /etc/pve/qemu-server or lxc, "101.conf"; false for another file. */
bool vm_config_vmid(const char *file, uint32_t *ret);

/* A setting other than hostpciN, or NULL. `args` is here too. */
const struct vm_setting *vm_config_find(const struct vm_config *config, const char *key);
/* Its value, or NULL. */
const char *vm_config_get(const struct vm_config *config, const char *key);
/* The last line with that key that PVE drops, where no later one counts; or NULL. */
const struct vm_dropped_line *vm_config_find_dropped(const struct vm_config *config,
						     const char *key);

/* The line that a device's source names ("hostpci3"), or NULL; as written, and what it says. */
const struct vm_hostpci *vm_config_hostpci(const struct vm_config *config, const char *source);
const struct hostpci *vm_config_line(const struct vm_config *config, const char *source);

/*
 * It has a hostpci line, or a device in "args", or one there of which that cannot be determined. A
 * template gets none.
 */
bool vm_config_names_devices(const struct vm_config *config);

/* The machine type is a q35: Machine.pm asks no more than for these letters. */
bool vm_config_is_q35(const struct vm_config *config);

/* The storage of the VM's first disk, "local-lvm"; NULL where it has no disk. 0 or -ENOMEM. */
int vm_config_storage(const struct vm_config *config, char **ret);

void vm_config_done(struct vm_config *config);
#define cleanup_vm_config cleanup(vm_config_done)
