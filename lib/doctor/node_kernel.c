/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what the kernel was booted with, what it forbids, and whether VFIO can be loaded. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "doctor/doctor.h"
#include "host/modconf.h"
#include "host/module.h"

/* EFI variables have four bytes of attributes ahead of their value (efivarfs.rst). */
#define SECURE_BOOT "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define EFI_VALUE   4

#define MODULES_MAX ((size_t)16 << 20)

static int judge_secure_boot(const struct sysroot *root, struct verdicts *verdicts)
{
	cleanup_free char *data = NULL;
	size_t size;

	if (!sysroot_exists(root, "sys/firmware/efi"))
		return verdict_add(verdicts, VERDICT_OK, "secure-boot", NULL, NULL,
				   "Booted without UEFI: no Secure Boot.");
	if (sysroot_read(root, SECURE_BOOT, ATTRIBUTE_MAX, &data, &size) < 0 || size <= EFI_VALUE)
		return verdict_add(verdicts, VERDICT_INFO, "secure-boot", NULL, NULL,
				   "Booted with UEFI; its variable SecureBoot is not there.");
	if (data[EFI_VALUE] == 1)
		return verdict_add(verdicts, VERDICT_INFO, "secure-boot", NULL,
				   "Enrol a key of your own (mokutil) before you rely on a module "
				   "that is built here.",
				   "Secure Boot is on: modules that no known key has signed "
				   "(vendor-reset, other DKMS modules) do not load.");
	return verdict_add(verdicts, VERDICT_OK, "secure-boot", NULL, NULL, "Secure Boot is off.");
}

/* "none [integrity] confidentiality": kernel_lockdown(7). */
static int judge_lockdown(const struct sysroot *root, struct verdicts *verdicts)
{
	cleanup_free char *value = NULL;
	const char *chosen;

	if (sysroot_read_attribute(root, "sys/kernel/security/lockdown", &value) < 0)
		return 0;
	chosen = strchr(value, '[');
	if (!chosen || text_starts_with(chosen, "[none]"))
		return verdict_add(verdicts, VERDICT_OK, "lockdown", NULL, NULL,
				   "The kernel is not locked down.");
	return verdict_add(verdicts, VERDICT_INFO, "lockdown", NULL,
			   "VFIO works all the same. Tools that write to configuration space "
			   "(setpci) or map BARs do not.",
			   "The kernel is locked down: %.*s.", (int)strcspn(chosen + 1, "]"),
			   chosen + 1);
}

/* Parameters that guides name and that do nothing, or harm. */
static const struct {
	const char *name, *value; /* value NULL: any */
	enum verdict_level level;
	const char *what, *remedy;
} parameters[] = {
	{ "vfio_pci.disable_vga", "1", VERDICT_INFO,
	  "keeps VFIO from VGA regions: a GPU for SeaBIOS or legacy-igd needs them", NULL },
	{ "vfio-pci.ids", NULL, VERDICT_INFO,
	  "gives every device of these ids to vfio-pci at boot: the host cannot use them while no "
	  "VM runs, nor tell two same cards apart",
	  "With the hook it is not needed." },
	{ "nomodeset", NULL, VERDICT_INFO,
	  "keeps graphics drivers from their cards: the host has no picture but the firmware's",
	  NULL },
	{ "amd_iommu", "on", VERDICT_INFO,
	  "is no value the kernel knows: AMD's IOMMU is on without it", "It can go." },
	{ "ipcie_acs_override", NULL, VERDICT_WARNING,
	  "is a parameter that does not exist, from a guide with a misspelling",
	  "Take it off the command line; pcie_acs_override is the name." },
	{ "pci", "nocrs", VERDICT_WARNING, "lets the kernel guess where BARs may lie",
	  "Take it off unless the machine does not boot without." },
};

/* A part of the value, between commas. */
static bool has_part(const char *value, const char *part)
{
	size_t length = strlen(part);

	for (; *value; value += strcspn(value, ","), value += *value == ',')
		if (strncmp(value, part, length) == 0 &&
		    (value[length] == ',' || value[length] == '\0'))
			return true;
	return false;
}

/* To the kernel '-' and '_' are one in a name; a person looks for it as it is written there. */
static char *written_name(const char *command_line, const char *name)
{
	const char *written = name;

	for (const char *at = command_line; *at; at += strcspn(at, " \t")) {
		size_t i = 0;

		at += strspn(at, " \t");
		while (name[i] && (at[i] == name[i] || (at[i] == '_' && name[i] == '-') ||
				   (at[i] == '-' && name[i] == '_')))
			i++;
		if (!name[i] && (at[i] == '\0' || strchr("= \t", at[i])))
			written = at;
	}
	return text_format("%.*s", (int)strlen(name), written);
}

static int judge_parameters(const struct pve_node *node, struct verdicts *verdicts)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(parameters) && r == 0; i++) {
		cleanup_free char *value = kernel_parameter(node->command_line, parameters[i].name);
		cleanup_free char *name = written_name(node->command_line, parameters[i].name);

		if (!name)
			return -ENOMEM;
		if (value && (!parameters[i].value || has_part(value, parameters[i].value)))
			r = verdict_add(verdicts, parameters[i].level, "kernel-parameter",
					parameters[i].name, parameters[i].remedy,
					"The kernel was booted with '%s%s%s', which %s.", name,
					*value ? "=" : "", value, parameters[i].what);
	}
	return r;
}

int node_kernel(const struct doctor *doctor, struct verdicts *verdicts)
{
	const struct pve_node *node = doctor->node;
	int r;

	if (!*node->release)
		r = verdict_add(verdicts, VERDICT_UNKNOWN, "kernel", NULL, NULL,
				"/proc/sys/kernel/osrelease cannot be read.");
	else
		r = verdict_add(verdicts, VERDICT_OK, "kernel", NULL, NULL, "Kernel %s.",
				node->release);
	if (r == 0)
		r = judge_parameters(node, verdicts);
	if (r == 0)
		r = judge_secure_boot(node->root, verdicts);
	return r < 0 ? r : judge_lockdown(node->root, verdicts);
}

/* What VFIO is made of. */
static const char *const vfio_modules[] = { "vfio", "vfio_iommu_type1", "vfio_pci" };

struct module_lists {
	const struct pve_node *node;
	struct modconf modconf;
	char *dependencies; /* modules.dep, modules.builtin: what there is to load; or NULL */
	char *builtin;
};

/* A line of either list has ".../vfio_pci.ko", with '-' or '_' and perhaps ".xz:" behind. */
static bool list_has(const char *list, const char *module)
{
	size_t length = strlen(module);

	for (const char *at = list; at && (at = strchr(at, '/')); at++) {
		size_t i = 0;

		while (i < length &&
		       (at[1 + i] == module[i] || (at[1 + i] == '-' && module[i] == '_')))
			i++;
		if (i == length && strncmp(at + 1 + i, ".ko", 3) == 0)
			return true;
	}
	return false;
}

static bool is_listed(const char *list, const char *module)
{
	for (const char *at = list; at && *at;) {
		size_t size = strcspn(at, ","), i = 0;

		while (i < size && (at[i] == module[i] || (at[i] == '-' && module[i] == '_')))
			i++;
		if (i == size && module[i] == '\0')
			return true;
		at += size + (at[size] == ',');
	}
	return false;
}

/* A blacklist holds for aliases alone: the hook loads vfio-pci by its name, and may. */
static int judge_blocked(const struct module_lists *lists, const char *module,
			 struct verdicts *verdicts, bool *blocked)
{
	const struct modconf_line *install = modconf_find(&lists->modconf, MODCONF_INSTALL, module);
	const struct modconf_line *blacklist =
		modconf_find(&lists->modconf, MODCONF_BLACKLIST, module);
	cleanup_free char *denied = kernel_parameter(lists->node->command_line, "module_blacklist");
	int r = 0;

	*blocked = install || is_listed(denied, module);
	if (is_listed(denied, module))
		r = verdict_add(
			verdicts, VERDICT_ERROR, "vfio-blocked", module,
			"Take the module out of that parameter, and boot again.",
			"The kernel was booted with module_blacklist=%s: it refuses to load "
			"%s.",
			denied, module);
	if (r == 0 && install)
		r = verdict_add(verdicts, VERDICT_ERROR, "vfio-blocked", module,
				"Delete the line, then run 'update-initramfs -u -k all'.",
				"%s has 'install %s %s': that command runs in place of loading it.",
				install->path, module, install->rest);
	if (r == 0 && blacklist)
		r = verdict_add(verdicts, VERDICT_WARNING, "vfio-blacklisted", module,
				"Delete the line, then run 'update-initramfs -u -k all'.",
				"%s has 'blacklist %s'; the hook loads it by name all the same, "
				"others do not.",
				blacklist->path, module);
	return r;
}

static int judge_vfio(const struct module_lists *lists, struct verdicts *verdicts)
{
	cleanup_text struct text loaded = { 0 }, there = { 0 }, missing = { 0 };
	bool any_blocked = false;

	for (size_t i = 0; i < ARRAY_SIZE(vfio_modules); i++) {
		const char *module = vfio_modules[i];
		bool blocked;

		if (judge_blocked(lists, module, verdicts, &blocked) < 0)
			return -ENOMEM;
		any_blocked |= blocked;
		if (module_is_present(lists->node->root, module))
			text_add(&loaded, "%s%s", loaded.size ? ", " : "", module);
		else if (list_has(lists->dependencies, module) || list_has(lists->builtin, module))
			text_add(&there, "%s%s", there.size ? ", " : "", module);
		else
			text_add(&missing, "%s%s", missing.size ? ", " : "", module);
	}
	if (loaded.failed || there.failed || missing.failed)
		return -ENOMEM;
	if (missing.size && !lists->dependencies)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "vfio-modules", NULL, NULL,
				   "%s not loaded, and /lib/modules/%s/modules.dep cannot be read.",
				   missing.data, lists->node->release);
	if (missing.size)
		return verdict_add(verdicts, VERDICT_ERROR, "vfio-modules", NULL,
				   "Boot a kernel of Proxmox VE; if this is one, reinstall its "
				   "package.",
				   "The kernel %s has no module %s.", lists->node->release,
				   missing.data);
	if (any_blocked)
		return 0;
	return verdict_add(verdicts, VERDICT_OK, "vfio-modules", NULL, NULL, "%s%s%s%s%s.",
			   loaded.size ? "Loaded: " : "", loaded.size ? loaded.data : "",
			   loaded.size && there.size ? "; " : "",
			   there.size ? "the hook loads when needed: " : "",
			   there.size ? there.data : "");
}

static void read_list(const struct pve_node *node, const char *name, char **ret)
{
	char path[SYSROOT_PATH_MAX];
	size_t size;

	snprintf(path, sizeof(path), "lib/modules/%s/%s", node->release, name);
	(void)sysroot_read(node->root, path, MODULES_MAX, ret, &size);
}

int node_modules(const struct doctor *doctor, struct verdicts *verdicts)
{
	struct module_lists lists = { .node = doctor->node };
	int r = modconf_read(doctor->node->root, &lists.modconf);

	read_list(doctor->node, "modules.dep", &lists.dependencies);
	read_list(doctor->node, "modules.builtin", &lists.builtin);
	if (r == 0)
		r = judge_vfio(&lists, verdicts);
	modconf_done(&lists.modconf);
	free(lists.dependencies);
	free(lists.builtin);
	return r;
}
