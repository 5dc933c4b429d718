/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: pve-vfio list: what the completion of a shell offers and what lists in the manuals are
 * made from, a word a line; behind a tab what it means. Changes nothing.
 */
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "check/quirks.h"
#include "doctor/verdict.h"
#include "pci/name.h"
#include "pve/version.h"
#include "settings/settings.h"
#include "setup/setup.h"
#include "wanted/layout.h"

static int list_options(struct command *command, struct error *err)
{
	(void)command;
	(void)err;
	help_list_options();
	return 0;
}

static int list_verbs(struct command *command, struct error *err)
{
	(void)command;
	(void)err;
	help_list_verbs();
	return 0;
}

/* "ID<tab>LEVEL<tab>MEANING<tab>REMEDY": pve-vfio-checks(7) is made from it. */
static int list_checks(struct command *command, struct error *err)
{
	(void)command;
	(void)err;
	for (size_t i = 0; i < CHECK_COUNT; i++) {
		const struct check_description *check = check_describe((enum check_id)i);

		printf("%s\t%s\t%s\t%s\n", check->id, check_level_name(check->level),
		       check->meaning, check->remedy);
	}
	return 0;
}

/* "ID<tab>WHAT IT IS ON", of doctor. */
static int list_verdicts(struct command *command, struct error *err)
{
	const struct verdict_id *verdict;

	(void)command;
	(void)err;
	for (size_t i = 0; (verdict = verdict_id_at(i)); i++)
		printf("%s\t%s\n", verdict->id, verdict->what);
	return 0;
}

/* "ID<tab>LEVEL<tab>WHAT<tab>REMEDY", as checks. */
static int list_troubles(struct command *command, struct error *err)
{
	cleanup_quirks struct quirks quirks = { 0 };
	int r = quirks_read(&command->root, NULL, 0, &quirks, err);

	for (size_t i = 0; r == 0 && i < quirks.count; i++) {
		const struct quirk *quirk = &quirks.items[i];

		printf("%s\t%s\t%s\t%s\n", quirk->id, check_level_name(quirk->level), quirk->what,
		       quirk->remedy);
	}
	return r;
}

static int list_settings(struct command *command, struct error *err)
{
	const char *name;

	(void)command;
	(void)err;
	for (size_t i = 0; (name = settings_key_name(i)); i++)
		puts(name);
	return 0;
}

static int list_layouts(struct command *command, struct error *err)
{
	const struct layout *layout;

	(void)command;
	(void)err;
	for (size_t i = 0; (layout = layout_at(i)); i++)
		printf("%s\t%s\n", layout_name(layout), layout_what(layout));
	return 0;
}

/* "NAME<tab>yes or no, of this node's Proxmox VE<tab>SINCE<tab>WHAT<tab>COMMIT" */
static int list_rules(struct command *command, struct error *err)
{
	cleanup_free char *version = pve_version_read(&command->root);

	(void)err;
	for (size_t i = 0; i < PVE_RULE_COUNT; i++) {
		const struct pve_rule_description *rule = pve_rule_describe((enum pve_rule)i);

		printf("%s\t%s\t%u.%u.%u", rule->name,
		       pve_rule_holds_in((enum pve_rule)i, version) ? "yes" : "no", rule->since[0],
		       rule->since[1], rule->since[2]);
		if (rule->also[0])
			printf(", %u.%u.%u", rule->also[0], rule->also[1], rule->also[2]);
		printf("\t%s\t%s\n", rule->meaning, rule->source);
	}
	return 0;
}

/* The names in a folder; what is not there is an empty list: a completion offers nothing then. */
static int each_name(struct command *command, const char *folder, void (*print)(const char *name))
{
	cleanup_strings struct strings names = { 0 };

	if (sysroot_list(&command->root, folder, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.count; i++)
		print(names.items[i]);
	return 0;
}

static bool ends_with(const char *name, const char *end)
{
	size_t size = strlen(name), tail = strlen(end);

	return size > tail && strcmp(name + size - tail, end) == 0;
}

static void print_vm(const char *name)
{
	if (ends_with(name, ".conf"))
		printf("%.*s\n", (int)(strlen(name) - strlen(".conf")), name);
}

/* Those of QEMU and its firmware are beside the administrator's. */
static void print_rom(const char *name)
{
	static const char *const others[] = { "efi-",	   "pxe-",     "vgabios",
					      "bios",	   "kvmvapic", "linuxboot",
					      "multiboot", "pvh",      "qboot" };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (text_starts_with(name, others[i]))
			return;
	if (ends_with(name, ".rom") || ends_with(name, ".bin"))
		puts(name);
}

static void print_kernel(const char *name)
{
	if (text_starts_with(name, "vmlinuz-"))
		puts(name + strlen("vmlinuz-"));
}

static int list_vms(struct command *command, struct error *err)
{
	(void)err;
	return each_name(command, "etc/pve/qemu-server", print_vm);
}

static int list_roms(struct command *command, struct error *err)
{
	(void)err;
	return each_name(command, "usr/share/kvm", print_rom);
}

static int list_kernels(struct command *command, struct error *err)
{
	(void)err;
	return each_name(command, "boot", print_kernel);
}

static int list_devices(struct command *command, struct error *err)
{
	cleanup_pci_addresses struct pci_addresses addresses = { 0 };
	cleanup_pci_names struct pci_names names = { 0 };
	int r = pci_devices_list(&command->root, &addresses, err);

	for (size_t i = 0; r == 0 && i < addresses.count; i++) {
		cleanup_pci_device struct pci_device device = { 0 };
		cleanup_free char *name = NULL;

		if (pci_device_read(&command->root, addresses.items[i], &device, NULL) < 0 ||
		    device.bridge)
			continue;
		name = pci_name(&names, &command->root, &device);
		printf("%s\t%s\n", device.name, name ? name : "");
	}
	return r;
}

static const struct {
	const char *name;
	int (*print)(struct command *command, struct error *err);
} lists[] = {
	{ "verbs", list_verbs },       { "options", list_options },   { "checks", list_checks },
	{ "verdicts", list_verdicts }, { "troubles", list_troubles }, { "layouts", list_layouts },
	{ "settings", list_settings }, { "rules", list_rules },	      { "vms", list_vms },
	{ "devices", list_devices },   { "roms", list_roms },	      { "kernels", list_kernels },
};

int verb_list(struct command *command, struct error *err)
{
	cleanup_text struct text names = { 0 };
	cleanup_free char *words = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		if (strcmp(command->argv[0], lists[i].name) == 0)
			return lists[i].print(command, err);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		text_add(&names, " %s", lists[i].name);
	words = text_take(&names);
	return error_misuse(err, "there is no list '%s'; there are:%s", command->argv[0],
			    words ? words : "");
}
