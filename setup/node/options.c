/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what the options of pve-vfio setup ask for. Looks at no machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "boot/parameter.h"
#include "setup/node/configure.h"

/* Enough for any parameter; the kernel takes 2048 bytes for all. */
#define WORD_MAX 512

static bool is_module_option(const char *text)
{
	size_t module = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_-");
	cleanup_free char *copy = strdup(text + module);
	char *rest = copy, *word;
	size_t count = 0;

	while (rest && (word = strsep(&rest, " "))) {
		if (*word == '\0')
			continue;
		if (!boot_word_is_plain(word))
			return false;
		count++;
	}
	return module > 0 && text[module] == ' ' && count > 0;
}

/* Proxmox VE's patch (pci_acs_override in its kernels) knows these parts. */
static bool is_acs_override(const char *value)
{
	static const char hex[] = "0123456789abcdefABCDEF";

	for (const char *at = value;; at++) {
		size_t size = strcspn(at, ",");

		if ((size != strlen("downstream") || memcmp(at, "downstream", size) != 0) &&
		    (size != strlen("multifunction") || memcmp(at, "multifunction", size) != 0) &&
		    (size != 12 || memcmp(at, "id:", 3) != 0 || strspn(at + 3, hex) != 4 ||
		     at[7] != ':' || strspn(at + 8, hex) != 4))
			return false;
		at += size;
		if (*at == '\0')
			return true;
	}
}

/* A word that switches the IOMMU off, which is the opposite of what setup is for. */
static bool is_off(const char *value)
{
	struct boot_word word = { .text = strdup(value) };
	bool off = word.text && boot_iommu_is_off_word(&word, BOOT_CPU_UNKNOWN);

	free(word.text);
	return off;
}

/* The forms of what ends up in files; addresses are looked at where the devices are. */
static bool is_good(const struct verb_option *option, const char *value)
{
	if (strlen(value) > WORD_MAX)
		return false;
	if (strcmp(option->name, "--module-option") == 0)
		return is_module_option(value);
	if (strcmp(option->name, "--acs-override") == 0)
		return is_acs_override(value);
	if (strcmp(option->name, "--param") == 0 && is_off(value))
		return false;
	if (strcmp(option->name, "--blacklist") == 0 &&
	    (text_starts_with(value, "vfio") || text_starts_with(value, "kvm")))
		return false;
	return boot_word_is_plain(value);
}

static const char *what_is_wrong(const struct verb_option *option, const char *value)
{
	if (strcmp(option->name, "--module-option") == 0)
		return "--module-option takes a module and options, as 'kvm ignore_msrs=1', and "
		       "not";
	if (!boot_word_is_plain(value) || strlen(value) > WORD_MAX)
		return "only letters, digits and _.,:=/+@%~^- can be in a word, not";
	if (strcmp(option->name, "--acs-override") == 0)
		return "--acs-override takes downstream, multifunction and id:VVVV:DDDD, with "
		       "commas between, and not";
	if (strcmp(option->name, "--blacklist") == 0)
		return "--blacklist would keep away what VMs need:";
	return "--param would switch the IOMMU off:";
}

/*
 * What an asked option is about, of which there can be one value: "--param=a", "--pin-kernel". The
 * caller frees it; NULL without memory.
 */
static char *subject_of(const char *asked)
{
	const char *value = asked + strcspn(asked, "=");
	size_t size = strlen(asked);

	if (text_starts_with(asked, "--pin-kernel=") || text_starts_with(asked, "--acs-override"))
		size = (size_t)(value - asked);
	else if ((text_starts_with(asked, "--param=") &&
		  !boot_parameter_is_repeatable(value + 1)) ||
		 text_starts_with(asked, "--module-option=") || text_starts_with(asked, "--sriov="))
		size = (size_t)(value - asked) + 1 + strcspn(value + 1, "=");
	return strndup(asked, size);
}

bool configure_is_against(const char *asked, const char *other)
{
	cleanup_free char *a = subject_of(asked), *b = subject_of(other);

	return a && b && strcmp(asked, other) != 0 && strcmp(a, b) == 0;
}

static int ask_for(const struct command *command, const struct verb_option *option,
		   const char *value, struct strings *asked, struct error *err)
{
	cleanup_free char *words =
		text_format("%s%s%s", option->name, value ? "=" : "", value ? value : "");

	if (value && !is_good(option, value))
		return usage_error(err, command, "%s '%s'", what_is_wrong(option, value), value);
	if (!words || (!strings_has(asked, words) && strings_add(asked, words) < 0))
		return error_set_memory(err);
	return 0;
}

/* Commas part the members of a list, too. */
static int ask_for_each(const struct command *command, const struct given_option *given,
			struct strings *asked, struct error *err)
{
	cleanup_free char *copy = strdup(given->value);
	char *rest = copy, *word;
	int r = copy ? 0 : error_set_memory(err);

	while (r == 0 && rest && (word = strsep(&rest, ",")))
		r = ask_for(command, given->option, word, asked, err);
	return r;
}

/* How setup goes about it, in place of what is set. */
static bool is_way(const char *option)
{
	static const char *const ways[] = { "--add", "--clean-up", "--dry-run", "--yes" };

	return TABLE_FIND(ways, option) >= 0;
}

int configure_parse(const struct command *command, struct configure_options *ret, struct error *err)
{
	int r = 0;

	ret->dry_run = command_has(command, "--dry-run");
	ret->yes = command_has(command, "--yes");
	ret->clean_up = command_has(command, "--clean-up");
	ret->add = command_has(command, "--add");
	for (size_t i = 0; i < command->given_count && r == 0; i++) {
		const struct given_option *given = &command->given[i];

		if (is_way(given->option->name))
			continue;
		r = given->option->form == OPTION_VALUES
			    ? ask_for_each(command, given, &ret->asked, err)
			    : ask_for(command, given->option, given->value, &ret->asked, err);
	}
	for (size_t i = 0; i < ret->asked.count && r == 0; i++)
		for (size_t k = 0; k < i; k++)
			if (configure_is_against(ret->asked.items[i], ret->asked.items[k]))
				return usage_error(err, command, "two values for one thing: '%s'",
						   ret->asked.items[i]);
	return r;
}

/* ---- from what is asked to a request */

static int check_kernel(const struct sysroot *root, const char *release, struct error *err)
{
	cleanup_free char *path = text_format("boot/vmlinuz-%s", release);

	if (!path)
		return error_set_memory(err);
	if (strchr(release, '/') || !sysroot_exists(root, path))
		return error_set(err, -ENOENT,
				 "there is no kernel '/%s' to pin; install it first: "
				 "apt install proxmox-kernel-%s-signed (pve-kernel-%s before "
				 "Proxmox VE 8)",
				 path, release, release);
	return 0;
}

static int add_asked(const struct sysroot *root, const char *asked, struct boot_request *request,
		     struct error *err)
{
	static const struct {
		const char *start;
		int (*add)(const struct sysroot *root, const char *word,
			   struct boot_request *request, struct error *err);
	} devices[] = {
		{ "--early=", configure_early },
		{ "--sriov=", configure_sriov },
		{ "--blacklist=", configure_blacklist },
	};
	const char *value = strchr(asked, '=');
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (text_starts_with(asked, devices[i].start))
			return devices[i].add(root, value + 1, request, err);
	r = boot_request_add(request, asked);
	if (r == -ENOENT)
		return error_set(err, -EBADMSG, "'%s' was asked for by another pve-vfio", asked);
	if (r < 0)
		return error_set_memory(err);
	if (text_starts_with(asked, "--pin-kernel="))
		return check_kernel(root, request->pin_kernel, err);
	return 0;
}

/* A device that vfio-pci holds has no driver that makes virtual functions. */
static int check_devices(const struct boot_settings *devices, struct error *err)
{
	for (size_t i = 0; i < devices->count; i++)
		for (size_t k = 0; k < devices->count; k++) {
			const struct boot_setting *a = &devices->items[i], *b = &devices->items[k];

			if (a->kind != BOOT_SRIOV || strcmp(a->name, b->name) != 0)
				continue;
			if (b->kind == BOOT_EARLY)
				return error_set(err, -EINVAL,
						 "--sriov %s needs the device's own driver, and "
						 "--early keeps it from it",
						 a->name);
			if (b->kind == BOOT_SRIOV && strcmp(a->value, b->value) != 0)
				return error_set(err, -EINVAL, "--sriov gives %s two counts",
						 a->name);
		}
	return 0;
}

int configure_request(const struct sysroot *root, const struct strings *asked,
		      struct boot_request *ret, struct error *err)
{
	/* whatever its place on the command line */
	ret->early_by_address = strings_has(asked, "--early-by-address");
	for (size_t i = 0; i < asked->count; i++) {
		int r = add_asked(root, asked->items[i], ret, err);

		if (r < 0)
			return r;
	}
	return check_devices(&ret->devices, err);
}
