/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: remedies that several topics give. */
#include "check/remedy.h"

#include <errno.h>
#include <string.h>

#include "pci/facts.h"

/* AMD's processors and chipsets; its GPUs are of another vendor, 1002. */
#define VENDOR_AMD_CHIP 0x1022

char *remedy_line(const struct start *start, const char *source, const char *drop, const char *host,
		  const char *more)
{
	const struct vm_hostpci *line = vm_config_hostpci(&start->config, source);
	cleanup_free char *value = line ? hostpci_change(line->value, drop, host, more) : NULL;

	return value ? hostpci_command(start->vmid, source, value) : NULL;
}

int remedy_unknown(const struct start *start, struct findings *findings)
{
	const char *id = check_describe(findings->items[findings->count - 1].id)->id;

	return finding_advise(
		findings,
		"Mend what that names. If you know that nothing of the host needs it, "
		"allow the start: \"allow\": [\"%s\"] in /etc/pve/pve-vfio/%u.json.",
		id, start->vmid);
}

/* The device that the configuration names and that shares the group; NULL for none. */
static const struct plan_device *find_cause(const struct start *start,
					    const struct plan_device *sibling)
{
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *planned = &start->plan.devices[i];

		if (!planned->sibling && planned->device.iommu_group == sibling->device.iommu_group)
			return planned;
	}
	return NULL;
}

static bool is_function_of(const struct start *start, const char *address, const char *physical)
{
	cleanup_free char *link = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "physfn");
	return sysroot_link_name(start->root, path, &link) == 0 && strcmp(link, physical) == 0;
}

char *remedy_sibling(const struct start *start, const struct plan_device *sibling)
{
	const struct plan_device *cause = find_cause(start, sibling);
	const char *name = sibling->device.name;
	cleanup_free char *why = NULL;

	if (!cause)
		return strdup("");
	why = text_format("%s is not in the configuration of VM %u: %s brings it, for %s is in the "
			  "same IOMMU group (%d), and a start takes all of a group.",
			  name, start->vmid, cause->source, cause->device.name,
			  cause->device.iommu_group);
	if (!why)
		return NULL;
	if (is_function_of(start, cause->device.name, name))
		return text_format(
			"%s No line gives the VM a virtual function without its physical "
			"one while they share it: try another kernel ('proxmox-boot-tool "
			"kernel list'), or 'pve-vfio setup --add --acs-override'.",
			why);
	/* what is on the board's root bus, or is a part of its chipset, is in no slot */
	if (pci_same_slot(cause->device.address, sibling->device.address) ||
	    cause->device.address.bus == 0 || cause->device.vendor == VENDOR_AMD_CHIP)
		return TAKE_PTR(why);
	return text_format("%s Another slot for %s may have a group of its own: 'pve-vfio devices' "
			   "lists the groups.",
			   why, cause->device.name);
}

/* A line without a function in its address means all of them: one would do, without the others. */
static char *explain_slot(const struct start *start, const struct plan_device *planned)
{
	const struct vm_hostpci *line = vm_config_hostpci(&start->config, planned->source);
	const char *function = NULL;
	cleanup_free char *command = NULL;

	if (!line || line->hostpci.host.count != 1 || strchr(line->hostpci.host.items[0], '.'))
		return strdup("");
	for (size_t i = 0; i < start->plan.device_count && !function; i++)
		if (is_function_of(start, start->plan.devices[i].device.name, planned->device.name))
			function = start->plan.devices[i].device.name;
	if (!function)
		return strdup("");
	command = remedy_line(start, planned->source, NULL, function, NULL);
	return command ? text_format("%s names no function, and so all of %s: the physical one and "
				     "its virtual functions. Name one: '%s'.",
				     planned->source, line->hostpci.host.items[0], command)
		       : NULL;
}

/* The table's words are for a device that somebody has named. */
static bool is_of_named(enum check_id id)
{
	return id == CHECK_NETWORK_IN_USE || id == CHECK_STORAGE_IN_USE ||
	       id == CHECK_USB_STORAGE_IN_USE || id == CHECK_SRIOV_IN_USE;
}

int remedies_explain(const struct start *start, struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->items[i];
		const struct plan_device *planned =
			plan_find_device(&start->plan, finding->subject);
		cleanup_free char *more = NULL;
		bool own = finding->id == CHECK_SRIOV_IN_USE && planned && !planned->sibling;
		char *remedy;

		if (!planned || finding->level != LEVEL_ERROR || (!planned->sibling && !own))
			continue;
		more = own ? explain_slot(start, planned) : remedy_sibling(start, planned);
		if (!more)
			return -ENOMEM;
		if (!*more || (finding->remedy && strstr(finding->remedy, more)))
			continue;
		remedy = finding->remedy || !is_of_named(finding->id)
				 ? text_format("%s %s", finding_remedy(finding), more)
				 : TAKE_PTR(more);
		if (!remedy)
			return -ENOMEM;
		free(finding->remedy);
		finding->remedy = remedy;
	}
	return 0;
}
