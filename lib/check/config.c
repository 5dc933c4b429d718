/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the VM's configuration says, against what Proxmox VE makes of it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "check/check.h"
#include "check/remedy.h"
#include "pci/facts.h"
#include "pve/reservation.h"
#include "use/sriov.h"

#define VENDOR_NVIDIA 0x10de
#define VENDOR_INTEL  0x8086

/* The line that counts in place of one that is dropped; 0: none. */
static unsigned line_instead(const struct vm_config *config, const struct vm_dropped_line *dropped)
{
	const struct vm_setting *setting;

	if (!dropped->key)
		return 0;
	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		char source[SOURCE_MAX];

		snprintf(source, sizeof(source), "hostpci%u", i);
		if (strcmp(source, dropped->key) == 0)
			return config->hostpci[i].present ? config->hostpci[i].line : 0;
	}
	setting = vm_config_find(config, dropped->key);
	return setting ? setting->line : 0;
}

/* What a dropped line leaves, in the words that come after "Proxmox VE ignores …". */
static const char *consequence(const struct vm_dropped_line *dropped)
{
	if (!dropped->key || text_starts_with(dropped->key, "hostpci"))
		return " and starts the VM without that device";
	if (strcmp(dropped->key, "hookscript") == 0)
		return " and never runs the hookscript";
	return ", as if it were not there";
}

/* Most often it is a comment after the value, which Proxmox VE takes for a part of it. */
static int advise_dropped(const struct start *start, const struct vm_dropped_line *dropped,
			  struct findings *findings)
{
	const char *value = dropped->key ? strchr(dropped->text, ':') : NULL;
	cleanup_free char *plain = NULL, *command = NULL;
	size_t size;

	if (!value)
		return 0;
	value += 1 + strspn(value + 1, " \t\"");
	size = strcspn(value, "#\"");
	while (size > 0 && strchr(" \t", value[size - 1]))
		size--;
	if (value[strcspn(value, "#\"")] == '\0' || size == 0)
		return finding_advise(findings, "Correct line %u of %s, or delete it.",
				      dropped->line, start->config.path);
	plain = text_format("%.*s", (int)size, value);
	command = plain ? hostpci_command(start->vmid, dropped->key, plain) : NULL;
	return command ? finding_advise(findings, "Correct it: '%s'.", command) : -ENOMEM;
}

static int check_dropped(const struct start *start, struct findings *findings)
{
	const struct vm_config *config = &start->config;
	int r = 0;

	for (size_t i = 0; i < config->dropped_count && r == 0; i++) {
		const struct vm_dropped_line *dropped = &config->dropped[i];
		unsigned instead = line_instead(config, dropped);
		cleanup_free char *subject =
			text_format("%s, line %u", config->path, dropped->line);
		cleanup_free char *counts = text_format(" (line %u counts)", instead);

		r = finding_add(findings, CHECK_CONFIG_LINE_DROPPED, subject ? subject : "",
				"Proxmox VE ignores '%.200s'%s: %s.", dropped->text,
				instead ? counts ? counts : "" : consequence(dropped),
				dropped->why);
		if (r == 0)
			r = advise_dropped(start, dropped, findings);
	}
	return r;
}

/* Only where it cannot be determined which keys the installed PVE knows, or it knows more than we do. */
static int check_unknown_keys(const struct vm_config *config, struct findings *findings)
{
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		const struct vm_hostpci *line = &config->hostpci[i];
		char subject[SOURCE_MAX];

		if (!line->present || line->hostpci.unknown_keys.count == 0)
			continue;
		snprintf(subject, sizeof(subject), "hostpci%u", i);
		r = finding_add(findings, CHECK_CONFIG_UNKNOWN_KEY, subject,
				"The key '%.64s' (%s, line %u) is not known to this version of "
				"pve-vfio. If Proxmox VE does not know it either, it starts the VM "
				"without this device.",
				line->hostpci.unknown_keys.items[0], config->path, line->line);
	}
	return r;
}

/* How the problems of resolving are worded: two pieces of a sentence around the detail. */
static const struct {
	enum check_id id;
	const char *before, *behind;
} problems[] = {
	[WANTED_ABSENT] = { CHECK_DEVICE_ABSENT, "There is no PCI device '", "'" },
	[WANTED_TWICE] = { CHECK_CONFIG_DEVICE_TWICE, "", " is assigned more than once" },
	[WANTED_NOTHING] = { CHECK_CONFIG_DEVICE_MISSING,
			     "The line has neither 'host' nor 'mapping', or both", "" },
	[WANTED_MAPPING_MISSING] = { CHECK_MAPPING_MISSING, "There is no resource mapping '",
				     "' with a device on this node" },
	[WANTED_MAPPING_WRONG] = { CHECK_MAPPING_WRONG, "The resource mapping does not fit: ", "" },
	[WANTED_MAPPING_MDEV] = { CHECK_MAPPING_MDEV,
				  "The resource mapping does not fit, which this version of Proxmox "
				  "VE does not look at: ",
				  "" },
	[WANTED_NONE_FREE] = { CHECK_MAPPING_BUSY, "No device of the resource mapping '",
			       "' is free" },
	[WANTED_MDEV_MANY] = { CHECK_CONFIG_MDEV_MANY, "mdev is asked of several functions", "" },
	[WANTED_ARGS_VANISH] = { CHECK_ARGS_VANISH,
				 "Proxmox VE cannot split it and passes nothing of it", "" },
	[WANTED_ARGS_UNCLEAR] = { CHECK_ARGS_UNCLEAR, "", "" },
};

/* The first address in a sentence, or an entry of a line: "81:00.4", "pci device '0000:81:00.4' …". */
static bool find_address(const char *words, struct pci_address *ret)
{
	for (const char *at = words; *at; at++) {
		size_t size = strspn(at, "0123456789abcdef:.");
		cleanup_free char *word = NULL;

		if (size < strlen("00:00.0"))
			continue;
		word = text_format("%s%.*s", size == strlen("00:00.0") ? "0000:" : "", (int)size,
				   at);
		if (word && pci_address_parse(word, ret) == 0)
			return true;
		at += size - 1;
	}
	return false;
}

/*
 * One of Intel's graphics in the processor, whose functions follow its own address. The drivers of most
 * kernels make none: then it has no sriov_totalvfs either.
 */
static int advise_graphics(const struct start *start, struct pci_address address,
			   struct findings *findings)
{
	cleanup_pci_device struct pci_device physical = { 0 };
	char path[SYSROOT_PATH_MAX];

	if (address.function == 0)
		return 0;
	address.function = 0;
	if (pci_device_read(start->root, address, &physical, NULL) < 0 ||
	    physical.vendor != VENDOR_INTEL || !pci_is_display(&physical))
		return 0;
	pci_attribute_path(path, physical.name, "sriov_totalvfs");
	if (sysroot_exists(start->root, path))
		return 0;
	return finding_advise(
		findings,
		"%s can have no virtual functions with its driver, %s. On most kernels "
		"it is i915-sriov-dkms that makes them: 'dkms status' shows whether it "
		"is built for the one that runs.",
		physical.name, physical.driver ? physical.driver : "none");
}

/* A virtual function that nobody has made yet since the node started. */
static int advise_functions(const struct start *start, const struct wanted_problem *problem,
			    struct findings *findings)
{
	cleanup_pci_device struct pci_device physical = { 0 };
	struct sriov_absent absent;
	struct pci_address address;
	int r;

	if (!find_address(problem->detail, &address) || pci_present_has(&start->present, address))
		return 0;
	if (!sriov_absent_find(start->root, address, &absent))
		return advise_graphics(start, address, findings);
	if (pci_address_parse(absent.physical, &address) < 0 ||
	    pci_device_read(start->root, address, &physical, NULL) < 0)
		return 0;
	r = physical.vendor == VENDOR_NVIDIA
		    ? finding_advise(
			      findings,
			      "%s has %u of %u virtual functions. Make the others: 'systemctl "
			      "enable --now pve-nvidia-sriov@ALL.service'.",
			      absent.physical, absent.now, absent.most)
		    : finding_advise(findings,
				     "%s has %u of %u virtual functions. Have them made at every "
				     "boot: 'pve-vfio setup --add --sriov %s=%u'.",
				     absent.physical, absent.now, absent.most, absent.physical,
				     absent.number);
	return r;
}

/* The command that ends the VM that has `name`, unless it is there already. */
static int add_shutdown(const struct start *start, const struct reservations *reservations,
			const char *name, struct strings *commands)
{
	const struct reservation *reserved =
		reservation_blocking(start->root, reservations, name, start->vmid, time(NULL));
	const struct journal *owner = NULL;
	cleanup_free char *command = NULL;

	(void)claims_find(&start->claims, name, &owner);
	if (!owner && !reserved)
		return 0;
	command = text_format("'qm shutdown %u'", owner ? owner->vmid : reserved->vmid);
	if (!command)
		return -ENOMEM;
	return strings_has(commands, command) ? 0 : strings_add(commands, command);
}

/* `path` of a mapping has the function, or all of its slot. */
static bool path_has(const char *path, const char *name)
{
	return text_starts_with(name, path) && strchr(".", name[strlen(path)]);
}

/* All devices of a mapping are in use: by whom. */
static int advise_none_free(const struct start *start, const char *name, struct findings *findings)
{
	const struct mapping *mapping = mappings_find(&start->mappings, name);
	cleanup_reservations struct reservations reservations = { 0 };
	cleanup_pci_addresses struct pci_addresses present = { 0 };
	cleanup_strings struct strings commands = { 0 };
	cleanup_text struct text list = { 0 };
	int r = 0;

	(void)reservations_read(start->root, &reservations, NULL);
	if (pci_devices_list(start->root, &present, NULL) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; mapping && i < mapping->count; i++) {
		const struct mapping_entry *entry = &mapping->entries[i];

		for (size_t k = 0; k < present.count && r == 0; k++) {
			char function[PCI_ADDRESS_TEXT];

			pci_address_format(present.items[k], function);
			for (size_t p = 0; p < entry->paths.count && r == 0; p++)
				if (text_equal(entry->node, start->node) &&
				    path_has(entry->paths.items[p], function))
					r = add_shutdown(start, &reservations, function, &commands);
		}
	}
	for (size_t i = 0; i < commands.count; i++)
		text_add(&list, "%s%s", i ? " or " : "", commands.items[i]);
	if (r < 0 || list.failed)
		return -ENOMEM;
	return finding_advise(findings,
			      "%s%s, or add a device of this node to the mapping '%s' (Datacenter, "
			      "Resource Mappings).",
			      list.size ? "Shut a VM down that has one: " : "See who has them: ",
			      list.size ? list.data : "'pve-vfio status'", name);
}

static int advise_mdev_many(const struct start *start, const struct wanted_problem *problem,
			    struct findings *findings)
{
	const struct hostpci *line = vm_config_line(&start->config, problem->source);
	cleanup_free char *first = NULL, *command = NULL;
	const char *host;

	if (!line || line->host.count == 0)
		return 0;
	host = line->host.items[0];
	first = text_format("%s%s", host, strchr(host, '.') ? "" : ".0");
	command = first ? remedy_line(start, problem->source, NULL, first, NULL) : NULL;
	return command ? finding_advise(findings, "Name one function: '%s'.", command) : -ENOMEM;
}

static int advise_problem(const struct start *start, const struct wanted_problem *problem,
			  struct findings *findings)
{
	const struct hostpci *line = vm_config_line(&start->config, problem->source);

	if (problem->kind == WANTED_ARGS_VANISH)
		return finding_advise(findings,
				      "Correct the quoting of the line 'args' of VM %u: 'qm config "
				      "%u' shows it, 'qm set %u --args' sets it.",
				      start->vmid, start->vmid, start->vmid);
	if (problem->kind == WANTED_ARGS_UNCLEAR)
		return finding_advise(
			findings,
			"In 'args' of VM %u name the device by host= with its address, "
			"or by sysfsdev= with its path; 'qm config %u' shows the line.",
			start->vmid, start->vmid);
	if (!line)
		return 0;
	switch (problem->kind) {
	case WANTED_ABSENT:
		return finding_advise(
			findings,
			"'pve-vfio devices' lists the devices (another card can renumber buses): "
			"correct the address of %s in VM %u, or take the line out: 'qm set %u "
			"--delete %s'.",
			problem->source, start->vmid, start->vmid, problem->source);
	case WANTED_TWICE:
		return finding_advise(findings,
				      "Name each device once; an address without a function means "
				      "all its functions. 'qm set %u --delete %s' takes this line "
				      "out.",
				      start->vmid, problem->source);
	case WANTED_NOTHING:
		return finding_advise(findings,
				      "Give %s of VM %u a device ('pve-vfio devices' lists them), "
				      "by an address or by a mapping, not both; or take the line "
				      "out: 'qm set %u --delete %s'.",
				      problem->source, start->vmid, start->vmid, problem->source);
	case WANTED_MAPPING_MISSING:
		return line->mapping
			       ? finding_advise(findings,
						"Add a device of this node to the mapping '%s' "
						"(Datacenter, Resource Mappings).",
						line->mapping)
			       : 0;
	case WANTED_MAPPING_WRONG:
		return line->mapping
			       ? finding_advise(
					 findings,
					 "Look whether a card was added or moved ('pve-vfio "
					 "devices'); then correct the mapping '%s' (Datacenter, "
					 "Resource Mappings).",
					 line->mapping)
			       : 0;
	case WANTED_MAPPING_MDEV:
		return line->mapping ? finding_advise(
					       findings,
					       "Correct 'Use with Mediated Devices' of the mapping "
					       "'%s' (Datacenter, Resource Mappings) before "
					       "qemu-server becomes 8.3.9 or later.",
					       line->mapping)
				     : 0;
	case WANTED_NONE_FREE:
		return line->mapping ? advise_none_free(start, line->mapping, findings) : 0;
	case WANTED_MDEV_MANY:
		return advise_mdev_many(start, problem, findings);
	case WANTED_ARGS_VANISH:
	case WANTED_ARGS_UNCLEAR:
		break;
	}
	return 0;
}

static int check_wanted(const struct start *start, struct findings *findings)
{
	int r = 0;

	for (size_t i = 0; i < start->wanted.problem_count && r == 0; i++) {
		const struct wanted_problem *problem = &start->wanted.problems[i];

		r = finding_add(findings, problems[problem->kind].id, problem->source,
				"%s%s%s (%s, line %u).", problems[problem->kind].before,
				problem->detail, problems[problem->kind].behind, start->config.path,
				problem->line);
		if (r == 0)
			r = advise_problem(start, problem, findings);
		if (r == 0 &&
		    (problem->kind == WANTED_ABSENT || problem->kind == WANTED_MAPPING_WRONG))
			r = advise_functions(start, problem, findings);
	}
	return r;
}

static int check_mapping_lines(const struct mappings *mappings, struct findings *findings)
{
	int r = 0;

	for (size_t i = 0; i < mappings->dropped_count && r == 0; i++) {
		char subject[64];

		snprintf(subject, sizeof(subject), "%s, line %u", MAPPING_PATH,
			 mappings->dropped[i].line);
		r = finding_add(findings, CHECK_MAPPING_LINE_DROPPED, subject,
				"Proxmox VE ignores '%.200s': %s.", mappings->dropped[i].text,
				mappings->dropped[i].why);
	}
	return r;
}

/* The first device a line asks for, and how many there are; NULL for none. */
static const struct wanted_device *first_of_line(const struct start *start, const char *source,
						 size_t *ret_count)
{
	const struct wanted_device *first = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < start->wanted.count; i++) {
		if (strcmp(start->wanted.devices[i].source, source) != 0)
			continue;
		if (!first)
			first = &start->wanted.devices[i];
		*ret_count += 1;
	}
	return first;
}

/* A rule of PVE that a legacy-igd line breaks, and what mends it. */
struct igd_fault {
	const char *what;
	const char *drop;    /* take this key out of the line */
	const char *setting; /* or set this of the VM */
};

/* The rule, or NULL for none: parse_hostpci_devices() in PCI.pm. */
static const struct igd_fault *find_igd_fault(const struct start *start,
					      const struct hostpci *hostpci, const char *source)
{
	static const struct igd_fault x_vga = { "it goes with x-vga on the same line", "x-vga",
						NULL },
				      mdev = { "it goes with mdev on the same line", "mdev", NULL },
				      rombar = { "it goes with rombar=0 on the same line", "rombar",
						 NULL },
				      q35 = { "the machine type is q35", NULL, "--delete machine" },
				      not_none = { "vga is not 'none'", NULL, "--vga none" },
				      many = { "the line means more than one device", "legacy-igd",
					       NULL },
				      other = { "the device's address does not end in 02.0",
						"legacy-igd", NULL };

	const char *vga = vm_config_get(&start->config, "vga");
	size_t count;
	const struct wanted_device *device = first_of_line(start, source, &count);

	if (hostpci->x_vga)
		return &x_vga;
	if (hostpci->mdev)
		return &mdev;
	if (!hostpci->rombar)
		return &rombar;
	if (vm_config_is_q35(&start->config))
		return &q35;
	if (!vga || strcmp(vga, "none") != 0)
		return &not_none;
	if (count > 1)
		return &many;
	if (device && (device->address.device != 2 || device->address.function != 0))
		return &other;
	return NULL;
}

static int check_legacy_igd(const struct start *start, const struct hostpci *hostpci,
			    const char *source, bool *seen, struct findings *findings)
{
	static const struct igd_fault again = { "another line has it too", "legacy-igd", NULL };
	const struct igd_fault *fault = *seen ? &again : find_igd_fault(start, hostpci, source);
	cleanup_free char *command = NULL;

	*seen = true;
	if (!fault)
		return 0;
	command = fault->setting ? text_format("qm set %u %s", start->vmid, fault->setting)
				 : remedy_line(start, source, fault->drop, NULL, NULL);
	if (!command || finding_add(findings, CHECK_CONFIG_LEGACY_IGD, source,
				    "legacy-igd=1 is not possible: %s.", fault->what) < 0)
		return -ENOMEM;
	return finding_advise(findings, "'%s'.", command);
}

static int add_needs_q35(const struct start *start, const char *source, struct findings *findings)
{
	const char *machine = vm_config_get(&start->config, "machine");
	cleanup_free char *command = remedy_line(start, source, "pcie", NULL, NULL);

	if (!command || finding_add(findings, CHECK_CONFIG_NEEDS_Q35, source,
				    "The line has pcie=1, and the machine type is '%s'.",
				    machine ? machine : "i440fx") < 0)
		return -ENOMEM;
	return finding_advise(findings,
			      "'qm set %u --machine q35' (Windows then finds new hardware), or "
			      "without pcie: '%s'.",
			      start->vmid, command);
}

static int add_args_timeout(const struct start *start, struct findings *findings)
{
	size_t count;
	const struct wanted_device *first = first_of_line(start, SOURCE_ARGS, &count);
	char name[PCI_ADDRESS_TEXT];

	if (finding_add(
		    findings, CHECK_ARGS_TIMEOUT, SOURCE_ARGS,
		    "All devices of VM %u are in 'args', where Proxmox VE does not see them: it "
		    "gives the start no extra time, which pinning the memory may need.",
		    start->vmid) < 0)
		return -ENOMEM;
	return finding_advise(
		findings,
		"Where it needs no option of QEMU's own, give a device by a line: 'qm set "
		"%u --hostpci0 %s', and take it out of 'args'.",
		start->vmid, pci_address_format(first->address, name));
}

static int check_lines(const struct start *start, struct findings *findings)
{
	bool seen_igd = false;
	size_t lines = 0, count;
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && !start->config.is_template && r == 0; i++) {
		const struct hostpci *hostpci = &start->config.hostpci[i].hostpci;
		char source[SOURCE_MAX];

		if (!start->config.hostpci[i].present)
			continue;
		lines++;
		snprintf(source, sizeof(source), "hostpci%u", i);
		if (hostpci->pcie && !vm_config_is_q35(&start->config))
			r = add_needs_q35(start, source, findings);
		if (r == 0 && hostpci->legacy_igd)
			r = check_legacy_igd(start, hostpci, source, &seen_igd, findings);
	}
	if (r == 0 && lines == 0 && first_of_line(start, SOURCE_ARGS, &count))
		r = add_args_timeout(start, findings);
	return r;
}

int check_config(const struct start *start, struct findings *findings, struct error *err)
{
	int r = check_dropped(start, findings);

	if (r == 0)
		r = check_unknown_keys(&start->config, findings);
	if (r == 0)
		r = check_mapping_lines(&start->mappings, findings);
	if (r == 0)
		r = check_wanted(start, findings);
	if (r == 0)
		r = check_lines(start, findings);
	return r < 0 ? error_set_memory(err) : 0;
}
