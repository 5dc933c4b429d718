/* SPDX-License-Identifier: GPL-2.0-or-later */
/* check: what the VM's configuration says, against what Proxmox VE makes of it. */
#include <stdio.h>

#include "check/check.h"

static int check_dropped(const struct vm_config *config, struct findings *findings)
{
	int r = 0;

	for (size_t i = 0; i < config->dropped_count && r == 0; i++) {
		const struct vm_dropped_line *dropped = &config->dropped[i];
		cleanup_free char *subject =
			text_format("%s, line %u", config->path, dropped->line);

		r = finding_add(
			findings, CHECK_CONFIG_LINE_DROPPED, subject ? subject : "",
			"Proxmox VE ignores '%.200s' and starts the VM without that device: "
			"%s.",
			dropped->text, dropped->why);
	}
	return r;
}

static int check_unknown_keys(const struct vm_config *config, struct findings *findings)
{
	int r = 0;

	for (unsigned i = 0; i < HOSTPCI_COUNT && r == 0; i++) {
		const struct vm_hostpci *line = &config->hostpci[i];
		char subject[SOURCE_MAX];

		if (!line->present || !line->hostpci.unknown_key)
			continue;
		snprintf(subject, sizeof(subject), "hostpci%u", i);
		r = finding_add(findings, CHECK_CONFIG_UNKNOWN_KEY, subject,
				"The key '%.64s' (%s, line %u) is not known to this version of "
				"pve-vfio. If Proxmox VE does not know it either, it starts the VM "
				"without this device.",
				line->hostpci.unknown_key, config->path, line->line);
	}
	return r;
}

static int add_problem(const struct wanted_problem *problem, const struct vm_config *config,
		       struct findings *findings)
{
	switch (problem->kind) {
	case WANTED_ABSENT:
		return finding_add(findings, CHECK_DEVICE_ABSENT, problem->source,
				   "There is no PCI device '%s' (%s, line %u).", problem->value,
				   config->path, problem->line);
	case WANTED_TWICE:
		return finding_add(findings, CHECK_CONFIG_DEVICE_TWICE, problem->source,
				   "%s is assigned more than once (%s, line %u).", problem->value,
				   config->path, problem->line);
	case WANTED_NOTHING:
		return finding_add(findings, CHECK_CONFIG_DEVICE_MISSING, problem->source,
				   "The line has neither 'host' nor 'mapping', or both (%s, line "
				   "%u).",
				   config->path, problem->line);
	}
	return 0;
}

int check_config(const struct check_start *start, struct findings *findings, struct error *err)
{
	int r = check_dropped(start->config, findings);

	if (r == 0)
		r = check_unknown_keys(start->config, findings);
	for (size_t i = 0; i < start->wanted->problem_count && r == 0; i++)
		r = add_problem(&start->wanted->problems[i], start->config, findings);
	return r < 0 ? error_set_memory(err) : 0;
}
