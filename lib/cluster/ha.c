/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cluster: commands for Proxmox VE's HA. Runs none. */
#include "cluster/ha.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "pve/section.h"

#define RULE_TYPE "node-affinity"

/* The first version of Proxmox VE with rules. */
#define RULES_SINCE 9

struct ha {
	const char *nodes;
	char resource[16]; /* "vm:101" */
	char name[24];	   /* of the rule or group that is ours: "pve-vfio-101" */
	struct strings *commands;
};

static int __attribute__((format(printf, 2, 3))) add(struct ha *ha, const char *format, ...)
{
	cleanup_free char *command = NULL;
	va_list arguments;

	va_start(arguments, format);
	command = text_format_list(format, arguments);
	va_end(arguments);
	return command ? strings_add(ha->commands, command) : -ENOMEM;
}

static void read_sections(const struct sysroot *root, const char *name, struct sections *ret)
{
	char path[64];

	snprintf(path, sizeof(path), "etc/pve/ha/%s.cfg", name);
	(void)!sections_read(root, path, ret);
}

/* One in which the VM is, or of the name that ours has. */
static const struct section *find_rule(const struct ha *ha, const struct sections *rules)
{
	for (size_t i = 0; i < rules->count; i++) {
		const char *resources = section_get(&rules->items[i], "resources");

		if (strcmp(rules->items[i].type, RULE_TYPE) == 0 && resources &&
		    !section_is_on(&rules->items[i], "disable", false) &&
		    list_has_word(resources, ha->resource, false))
			return &rules->items[i];
	}
	return sections_find(rules, RULE_TYPE, ha->name);
}

/* The list without the VM, with ',' between. */
static char *others_of(const char *list, const char *resource)
{
	static const char between[] = ",; \t";
	struct text text = { 0 };

	for (list += strspn(list, between); *list; list += strspn(list, between)) {
		size_t size = strcspn(list, between);

		if (size != strlen(resource) || strncmp(list, resource, size) != 0)
			text_add(&text, "%s%.*s", text.size > 0 ? "," : "", (int)size, list);
		list += size;
	}
	return text_take(&text);
}

static int add_rule(struct ha *ha, const struct sections *rules)
{
	const struct section *rule = find_rule(ha, rules);
	const char *resources = rule ? section_get(rule, "resources") : NULL;
	cleanup_free char *others = others_of(resources ? resources : "", ha->resource);
	int r = 0;

	if (!others)
		return -ENOMEM;
	if (rule && strcmp(rule->name, ha->name) == 0)
		return add(ha,
			   "ha-manager rules set " RULE_TYPE
			   " %s --resources %s --nodes %s --strict 1%s",
			   ha->name, ha->resource, ha->nodes,
			   section_get(rule, "disable") ? " --delete disable" : "");
	if (rule && !*others)
		return add(ha, "ha-manager rules set " RULE_TYPE " %s --nodes %s --strict 1",
			   rule->name, ha->nodes);
	if (rule)
		r = add(ha, "ha-manager rules set " RULE_TYPE " %s --resources %s", rule->name,
			others);
	if (r == 0)
		r = add(ha,
			"ha-manager rules add " RULE_TYPE
			" %s --resources %s --nodes %s --strict 1",
			ha->name, ha->resource, ha->nodes);
	return r;
}

static bool has_rules(const char *version, const struct sections *groups)
{
	uint32_t major = 0;
	char digits[8];

	snprintf(digits, sizeof(digits), "%.*s", (int)strspn(version, "0123456789"), version);
	if (*version && parse_u32(digits, &major) < 0)
		major = 0;
	return groups->count == 0 && (major == 0 || major >= RULES_SINCE);
}

int ha_commands(const struct sysroot *root, uint32_t vmid, const char *nodes, const char *version,
		struct strings *ret)
{
	cleanup_sections struct sections resources = { 0 }, rules = { 0 }, groups = { 0 };
	struct ha ha = { .nodes = nodes, .commands = ret };
	char number[12];
	bool there;
	int r = 0;

	snprintf(number, sizeof(number), "%" PRIu32, vmid);
	snprintf(ha.resource, sizeof(ha.resource), "vm:%s", number);
	snprintf(ha.name, sizeof(ha.name), "pve-vfio-%s", number);
	read_sections(root, "resources", &resources);
	read_sections(root, "rules", &rules);
	read_sections(root, "groups", &groups);
	there = sections_find(&resources, "vm", number);
	if (has_rules(version, &groups)) {
		if (!there)
			r = add(&ha, "ha-manager add %s", ha.resource);
		return r < 0 ? r : add_rule(&ha, &rules);
	}
	r = add(&ha, "ha-manager %s %s --nodes %s --restricted 1",
		sections_find(&groups, "group", ha.name) ? "groupset" : "groupadd", ha.name, nodes);
	if (r == 0)
		r = add(&ha, "ha-manager %s %s --group %s", there ? "set" : "add", ha.resource,
			ha.name);
	return r;
}
