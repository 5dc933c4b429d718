/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what the configuration of another VM, which runs, has of a device: a raw disk, or what is
 * plugged into a USB controller. Its QEMU need not have that open, and gets it when it is there.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "change/holding.h"
#include "check/check.h"
#include "pve/qemu.h"
#include "use/child.h"
#include "use/usb.h"

#define CONFIGS	    "etc/pve/qemu-server"
#define CONFIG_MAX  ((size_t)1 << 20)
#define USB_DEVICES "sys/bus/usb/devices"

/* PCI Code and ID Assignment, 1.2 */
#define CLASS_STORAGE 0x01

/* What other VMs' lines are compared with: one function. */
struct configured {
	const struct start *start;
	const struct pci_device *device;
	struct strings usb; /* its devices, ports and root hubs: "usb3", "3-1" */
	struct holdings helds;
	struct findings *findings;
};

static void configured_done(struct configured *configured)
{
	strings_done(&configured->usb);
	holdings_done(&configured->helds);
}

static bool is_attribute(const struct sysroot *root, const char *name, const char *attribute,
			 const char *value, size_t size)
{
	cleanup_free char *text = NULL;
	char path[SYSROOT_PATH_MAX];

	snprintf(path, sizeof(path), USB_DEVICES "/%s/%s", name, attribute);
	return sysroot_read_attribute(root, path, &text) == 0 && strlen(text) == size &&
	       strncasecmp(text, value, size) == 0;
}

/* "046d:c52b", by the ids of what is plugged in; "3-1.2", by the port, which is of bus 3. */
static bool names_usb(const struct configured *configured, const char *host)
{
	const struct sysroot *root = configured->start->root;
	const char *colon = strchr(host, ':');
	size_t size = strspn(host, "0123456789");
	char hub[32];

	if (host[size] == '-') {
		snprintf(hub, sizeof(hub), "usb%.*s", (int)size, host);
		return size < 8 && strings_has(&configured->usb, hub);
	}
	for (size_t i = 0; colon && i < configured->usb.count; i++) {
		const char *name = configured->usb.items[i];

		if (is_attribute(root, name, "idVendor", host, (size_t)(colon - host)) &&
		    is_attribute(root, name, "idProduct", colon + 1, strlen(colon + 1)))
			return true;
	}
	return false;
}

/* A path is of a node of the function. */
static bool names_disk(const struct configured *configured, const char *path)
{
	const struct device_nodes *nodes = &configured->start->plan.nodes;
	cleanup_free char *full = NULL;
	struct node_id id;

	if (!text_starts_with(path, "/dev/") ||
	    node_look(configured->start->root, path + 1, &id, &full) < 0)
		return false;
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->items[i].kind == NODE_OWN &&
		    strcmp(nodes->items[i].address, configured->device->name) == 0 &&
		    node_is(&nodes->items[i], &id, full))
			return true;
	return false;
}

/* "scsi1: /dev/sda,size=1T", "usb0: host=3-1,usb3=1": the value that has no key, or this one. */
static bool line_has(const struct configured *configured, char *line)
{
	bool usb = text_starts_with(line, "usb");
	char *rest = strchr(line, ':'), *part;

	if (!rest)
		return false;
	*rest++ = '\0';
	rest += strspn(rest, " \t");
	while ((part = strsep(&rest, ","))) {
		char *value = strchr(part, '=');

		if (value && strncmp(part, usb ? "host=" : "file=", strlen("host=")) != 0)
			continue;
		value = value ? value + 1 : part;
		if (usb ? names_usb(configured, value) : names_disk(configured, value))
			return true;
	}
	return false;
}

/* Lines from the first "[…]" on are of a snapshot, or to come. */
static int compare_config(const struct configured *configured, char *config, uint32_t vmid,
			  struct findings *findings)
{
	enum check_id id =
		usb_is_controller(configured->device) ? CHECK_NODE_IN_USE : CHECK_STORAGE_IN_USE;
	char *rest = config, *line;

	while ((line = strsep(&rest, "\r\n")) && *line != '[') {
		cleanup_free char *copy = strdup(line);

		if (!copy)
			return -ENOMEM;
		if (*line == '#' || !line_has(configured, copy))
			continue;
		if (finding_add(findings, id, configured->device->name,
				"VM %u, which runs, has the line '%.200s'.", vmid, line) < 0)
			return -ENOMEM;
		return finding_advise(findings,
				      "Shut VM %u down ('qm shutdown %u'), or take that out of it "
				      "('qm set %u --delete %s').",
				      vmid, vmid, vmid, copy);
	}
	return 0;
}

/* It has a node of the function open, which others tell. */
static bool is_told(const struct holdings *helds, const char *address, uint32_t vmid)
{
	for (size_t i = 0; i < helds->count; i++)
		if (helds->items[i].holder.kind == HOLDER_VM &&
		    helds->items[i].holder.vmid == vmid &&
		    strcmp(helds->items[i].node->address, address) == 0)
			return true;
	return false;
}

static int look_at_vm(const struct start *start, const char *file, check_look *look, void *context)
{
	cleanup_free char *config = NULL;
	char path[SYSROOT_PATH_MAX];
	struct task qemu;
	uint32_t vmid;
	size_t size;

	if (!vm_config_vmid(file, &vmid) || vmid == start->vmid ||
	    qemu_find(start->root, vmid, &qemu, NULL) < 0 || !qemu.pid)
		return 0;
	snprintf(path, sizeof(path), CONFIGS "/%s", file);
	if (sysroot_read(start->root, path, CONFIG_MAX, &config, &size) < 0)
		return 0;
	return look(vmid, config, context);
}

int check_running_vms(const struct start *start, check_look *look, void *context)
{
	cleanup_strings struct strings files = { 0 };
	int r = 0;

	(void)sysroot_list(start->root, CONFIGS, &files);
	for (size_t i = 0; i < files.count && r == 0; i++)
		r = look_at_vm(start, files.items[i], look, context);
	return r;
}

static int look_for_device(uint32_t vmid, char *config, void *context)
{
	const struct configured *configured = context;

	if (is_told(&configured->helds, configured->device->name, vmid))
		return 0;
	return compare_config(configured, config, vmid, configured->findings);
}

/* What nobody has open is no more than a sign, so that what cannot be read is not reported. */
int check_configured(const struct start *start, struct findings *findings, struct error *err)
{
	cleanup(configured_done) struct configured configured = { .start = start,
								  .findings = findings };

	(void)holdings_find(&start->plan, start->root, &configured.helds, NULL);
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];
		int r = 0;

		if (planned->foreseen || (planned->device.class_code >> 16 != CLASS_STORAGE &&
					  !usb_is_controller(&planned->device)))
			continue;
		configured.device = &planned->device;
		if (usb_is_controller(&planned->device))
			r = child_list(start->root, USB_DEVICES, planned->device.name,
				       &configured.usb);
		if (r != -ENOMEM)
			r = check_running_vms(start, look_for_device, &configured);
		strings_done(&configured.usb);
		if (r == -ENOMEM)
			return error_set_memory(err);
	}
	return 0;
}
