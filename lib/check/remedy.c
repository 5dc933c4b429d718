/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: remedies that several topics give. */
#include "check/remedy.h"

#include <errno.h>
#include <string.h>

#include "host/kernel.h"
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

/* Neither another slot nor a line: what is on the board's root bus, or in its chipset, is in no slot. */
static bool is_fixed(const struct plan_device *cause, const struct plan_device *sibling)
{
	return pci_same_slot(cause->device.address, sibling->device.address) ||
	       cause->device.address.bus == 0 || cause->device.vendor == VENDOR_AMD_CHIP;
}

/* "leave hostpci1 out: 'qm set 101 --delete hostpci1'" */
static char *leave_out(const struct start *start, const struct plan_device *cause)
{
	const struct vm_hostpci *line = vm_config_hostpci(&start->config, cause->source);

	/* attach asks: the line is not there yet */
	if (start->config_text)
		return text_format("give VM %u another device", start->vmid);
	if (line && line->hostpci.host.count == 1)
		return text_format("leave %s out: 'qm set %u --delete %s'", cause->source,
				   start->vmid, cause->source);
	return text_format("leave %s out", cause->device.name);
}

static bool has_acs_override(const struct sysroot *root)
{
	cleanup_free char *line = NULL, *value = NULL;

	if (sysroot_read_attribute(root, "proc/cmdline", &line) == 0)
		value = kernel_parameter(line, "pcie_acs_override");
	return value;
}

/* What would give the VM the one without the other. */
static char *separate(const struct start *start, const struct plan_device *cause,
		      const struct plan_device *sibling)
{
	cleanup_free char *without = leave_out(start, cause);
	bool split = has_acs_override(start->root);

	if (!without)
		return NULL;
	if (is_function_of(start, cause->device.name, sibling->device.name))
		return text_format("No line gives the VM a virtual function without its physical "
				   "one while they share a group: try another kernel "
				   "('proxmox-boot-tool kernel list')%s.",
				   split ? ""
					 : ", or 'pve-vfio setup --add --acs-override', which says "
					   "what that costs");
	if (!is_fixed(cause, sibling))
		return text_format("Another slot for %s may have a group of its own: 'pve-vfio "
				   "devices' lists the groups. Else %s.",
				   cause->device.name, without);
	if (split)
		return text_format("No slot separates them, nor does the pcie_acs_override that "
				   "the kernel was booted with: %s.",
				   without);
	return text_format(
		"No slot separates them: %s. Or split the group, which lets the VM reach "
		"more than its own memory: 'pve-vfio setup --add --acs-override'.",
		without);
}

/*
 * Why the VM gets a device that its configuration does not name, and what would not bring it; of the
 * second one that the same device brings, no more than that it is one. "": it is not known.
 */
static char *explain_sibling(const struct start *start, const struct findings *before, size_t count,
			     const struct plan_device *sibling)
{
	const struct plan_device *cause = find_cause(start, sibling);
	cleanup_free char *what = NULL;

	if (!cause)
		return strdup("");
	for (size_t i = 0; i < count; i++) {
		const struct plan_device *other =
			plan_find_device(&start->plan, before->items[i].subject);

		if (other && before->items[i].level == LEVEL_ERROR && other->sibling &&
		    find_cause(start, other) == cause)
			return other == sibling ? text_format("%s brings %s along.", cause->source,
							      sibling->device.name)
						: text_format("%s brings %s along, as it does %s.",
							      cause->source, sibling->device.name,
							      other->device.name);
	}
	what = separate(start, cause, sibling);
	return what ? text_format(
			      "%s is not in the configuration of VM %u: %s brings it along, since "
			      "%s is in the same IOMMU group (%d), and a VM gets all of a "
			      "group. %s",
			      sibling->device.name, start->vmid, cause->source, cause->device.name,
			      cause->device.iommu_group, what)
		    : NULL;
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

static bool has_error(const struct findings *findings, const char *subject)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].level == LEVEL_ERROR &&
		    strcmp(findings->items[i].subject, subject) == 0)
			return true;
	return false;
}

/* The same of a card of which the host uses one port: the others, where they have groups of their own. */
static char *explain_others(const struct start *start, const struct findings *findings,
			    const struct plan_device *planned)
{
	const struct vm_hostpci *line = vm_config_hostpci(&start->config, planned->source);
	cleanup_text struct text others = { 0 };
	cleanup_free char *command = NULL;

	if (!line || line->hostpci.host.count != 1 || strchr(line->hostpci.host.items[0], '.'))
		return strdup("");
	for (size_t i = 0; i < start->plan.device_count; i++) {
		const struct plan_device *other = &start->plan.devices[i];

		if (strcmp(other->source, planned->source) == 0 && !other->sibling &&
		    other->device.iommu_group != planned->device.iommu_group &&
		    other->device.class_code >> 16 == planned->device.class_code >> 16 &&
		    !is_function_of(start, other->device.name, planned->device.name) &&
		    !has_error(findings, other->device.name))
			text_add(&others, "%s%s", others.size ? ";" : "", other->device.name);
	}
	if (others.size == 0)
		return others.failed ? NULL : strdup("");
	command =
		others.failed ? NULL : remedy_line(start, planned->source, NULL, others.data, NULL);
	return command ? text_format(
				 "Or leave it to the host: %s names no function, and so all of %s. "
				 "Name the rest: '%s'.",
				 planned->source, line->hostpci.host.items[0], command)
		       : NULL;
}

/* The table's words are for a device that somebody has named. */
static bool is_of_named(enum check_id id)
{
	return id == CHECK_NETWORK_IN_USE || id == CHECK_STORAGE_IN_USE ||
	       id == CHECK_USB_STORAGE_IN_USE || id == CHECK_SRIOV_IN_USE;
}

/* What is to be added to the remedy of an error; "" for nothing, NULL without memory. */
static char *explain(const struct start *start, const struct findings *findings, size_t at)
{
	const struct finding *finding = &findings->items[at];
	const struct plan_device *planned = plan_find_device(&start->plan, finding->subject);

	if (!planned || finding->level != LEVEL_ERROR)
		return strdup("");
	if (planned->sibling)
		return explain_sibling(start, findings, at, planned);
	if (finding->id == CHECK_SRIOV_IN_USE)
		return explain_slot(start, planned);
	if (is_of_named(finding->id))
		return explain_others(start, findings, planned);
	return strdup("");
}

int remedies_explain(const struct start *start, struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->items[i];
		const struct plan_device *planned =
			plan_find_device(&start->plan, finding->subject);
		cleanup_free char *more = explain(start, findings, i);
		bool instead = planned && (planned->sibling || finding->id == CHECK_SRIOV_IN_USE) &&
			       is_of_named(finding->id) && !finding->remedy;
		char *remedy;

		if (!more)
			return -ENOMEM;
		if (!*more)
			continue;
		remedy = instead ? TAKE_PTR(more)
				 : text_format("%s %s", finding_remedy(finding), more);
		if (!remedy)
			return -ENOMEM;
		free(finding->remedy);
		finding->remedy = remedy;
	}
	return 0;
}
