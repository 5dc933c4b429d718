/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings: what the administrator set for a VM, in JSON: /etc/pve/pve-vfio/VMID.json, which travels
 * with the VM, over /etc/pve-vfio/config.json, of this node. None is needed. The keys are
 * described in pve-vfio.json(5).
 */
#pragma once

#include <time.h>

#include "pve/identity.h"
#include "settings/pin.h"
#include "use/vf.h"

#define SETTINGS_NODE_PATH "/etc/pve-vfio/config.json"
#define SETTINGS_VM_FOLDER "/etc/pve/pve-vfio"

/* The deadline where none is set: a driver's remove is a matter of a few seconds at most. */
#define SETTINGS_DEADLINE_S 30

/* pmxcfs holds files of up to 1 MiB. */
#define SETTINGS_MAX ((size_t)1 << 20)

/*
 * One member of "devices": for a device by its address, or for whichever one a line of the VM or a
 * resource mapping leads to.
 */
struct device_settings {
	struct pci_address address;
	char *name;    /* "hostpci0", or a mapping's, in place of the address; NULL */
	bool has_keep; /* after_stop is set for this device */
	bool keep;
	char *reset_method;	  /* for the time the VM has it; NULL: as it is */
	bool has_d3cold, d3cold;  /* whether it may enter D3cold */
	bool has_power, power_on; /* power/control: "on" keeps it out of runtime suspend */
	unsigned resize_bar[PCI_BAR_COUNT]; /* MiB; 0: as it is */
	bool rescan;  /* it is removed and found again before the host gets it back */
	struct vf vf; /* of a virtual function of a network card: what is set for it, of which */
	unsigned vf_parts; /* these (enum vf_part) */
};

/* "displace": guests that give way to the VM's start. None is named, and none goes, unless set. */
struct displace {
	bool any;
	uint32_t *guests; /* VMs and containers, whose numbers Proxmox VE gives once */
	size_t count;
	bool hard;	    /* how: "stop" in place of "shutdown" */
	bool leave_off;	    /* start_again: false */
	unsigned timeout_s; /* for each to shut down in */
};

struct settings {
	bool keep;	      /* after_stop: the VFIO driver keeps the devices */
	bool refuse_siblings; /* siblings: a start that would take more than it names is refused */
	bool leave_console;   /* console: the host's consoles stay on a display that goes */
	bool compact_memory;  /* the kernel puts free memory together while the devices are taken */
	bool trace;	      /* the hook tells each step with its time */
	bool notify;	      /* root gets a mail about a device that is lost, stuck or changed */
	unsigned deadline_s;  /* for what the kernel does with one device */
	char *driver; /* for `args` and driver=keep lines: "auto", or a driver; NULL: not set */
	struct strings stop_units;     /* services to stop while the VM has its devices */
	struct strings unload_modules; /* modules to unload while it has them */
	struct displace displace;
	struct strings allow; /* ids of checks whose findings refuse no start */
	char *chain;	      /* the volume of another hookscript, run in each phase; or NULL */
	struct device_settings *devices;
	size_t device_count;
	struct pin *pins;
	size_t pin_count;
	struct vm_identity vm; /* the VM they were written for, where that is noted */
	/*
	 * The VM's file, of which there is one. It is `foreign` when it was written for an earlier VM of
	 * this number: then nothing of it is in here but `vm`. `written` is when, where only that tells.
	 */
	bool has_file, foreign;
	time_t written;
};

/*
 * Reads both files; one that is missing or empty leaves the defaults. -EBADMSG for an unknown key, a
 * wrong type or value or a duplicate key, with file, line and the nearest valid key: nothing of a
 * broken file applies. Whose file it is goes by the VM's configuration: of this node, or with
 * `config_node` of that one; where there is none it is nobody else's.
 */
int settings_read(const struct sysroot *root, uint32_t vmid, const char *config_node,
		  struct settings *ret, struct error *err) must_check;

/*
 * Whether settings that were `written` then for `noted` are those of another VM than `now`. Where
 * nothing is noted those are, that are older than the VM itself.
 */
bool settings_are_foreign(const struct vm_identity *noted, time_t written,
			  const struct vm_identity *now);

/* Parses one document over what `settings` has; `name` is what messages call the file. */
int settings_parse(const char *name, const char *data, size_t size, struct settings *settings,
		   struct error *err) must_check;

/*
 * displace.c: the value of "displace", in place of what is there; -EINVAL for one that is not as
 * pve-vfio.json(5) has it. And back; NULL for none.
 */
int displace_parse(json_t *value, struct displace *ret) must_check;
json_t *displace_json(const struct displace *displace);
void displace_done(struct displace *displace);

/* settings_vf.c: the values of "mac", "vlan", … of a device. -EINVAL, as above; and back. */
int vf_set_mac(struct device_settings *device, json_t *value) must_check;
int vf_set_vlan(struct device_settings *device, json_t *value) must_check;
int vf_set_trust(struct device_settings *device, json_t *value) must_check;
int vf_set_spoof_check(struct device_settings *device, json_t *value) must_check;
int vf_set_link_state(struct device_settings *device, json_t *value) must_check;
int vf_set_rate(struct device_settings *device, json_t *value) must_check;
void vf_add_json(const struct device_settings *device, json_t *json);

/* Whether "displace" lets this guest give way. */
bool displace_allows(const struct settings *settings, uint32_t vmid);

/* The keys, then those of a device; NULL behind the last. */
const char *settings_key_name(size_t at);

void settings_init(struct settings *settings);
void settings_done(struct settings *settings);
#define cleanup_settings cleanup(settings_done)

/* All of it as the object that would give these settings; the caller frees it. NULL: no memory. */
json_t *settings_json(const struct settings *settings);

/*
 * A line of the VM ("hostpci0"), which may be of a mapping (or NULL), leads to this device: what is set for
 * the line, and after that for the mapping, is set for the device where its address does not say
 * otherwise. 0 or -ENOMEM.
 */
int settings_follow(struct settings *settings, struct pci_address address, const char *line,
		    const char *mapping) must_check;

/*
 * The member for "0000:01:00.0", "hostpci0" or a mapping's name, made where there is none. NULL without
 * memory.
 */
struct device_settings *settings_device_add(struct settings *settings, const char *name);

/* What is set for one device, or NULL. */
const struct device_settings *settings_device(const struct settings *settings,
					      struct pci_address address);

/* Whether the device stays with its VFIO driver when the VM stops. */
bool settings_keep(const struct settings *settings, struct pci_address address);

/* The pin of that node, or else one that names no node; or NULL. */
const struct pin *settings_pin(const struct settings *settings, const char *node,
			       struct pci_address address);

/* The member "vm": {"uuid": …, "ctime": …}; the caller frees it. NULL without memory. */
json_t *settings_vm_json(const struct vm_identity *vm);

/* Where the settings of a VM are: "/etc/pve/pve-vfio/101.json". */
void settings_vm_path(uint32_t vmid, char path[SYSROOT_PATH_MAX]);
