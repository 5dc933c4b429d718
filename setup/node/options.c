/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the command line of pve-vfio setup. Looks at no machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "boot/parameter.h"
#include "setup/node/configure.h"

/* Enough for any parameter; the kernel takes 2048 bytes for all. */
#define WORD_MAX 512

enum value { VALUE_NONE, VALUE_OPTIONAL, VALUE_ONE, VALUE_LIST };

/* The options that ask for something, each with its price. */
static const struct option {
	const char *name;
	enum value value;
	const char *argument, *what;
} options[] = {
	{ "--early", VALUE_LIST, " ADDRESS...",
	  "vfio-pci holds these from boot on; the host never has them" },
	{ "--early-by-address", VALUE_NONE, "",
	  "also a card that nothing tells from one the host uses; they may swap" },
	{ "--blacklist", VALUE_LIST, " DRIVER...", "no device of the host gets this driver" },
	{ "--sriov", VALUE_LIST, " ADDRESS=COUNT...", "virtual functions at every boot" },
	{ "--acs-override", VALUE_OPTIONAL, "[=VALUE]",
	  "split IOMMU groups; a VM may reach the memory of others" },
	{ "--unsafe-interrupts", VALUE_NONE, "",
	  "without interrupt remapping; a VM can send the host any interrupt" },
	{ "--ignore-msrs", VALUE_NONE, "", "unknown registers read 0; may hide faults of a guest" },
	{ "--no-boot-framebuffer", VALUE_NONE, "",
	  "no picture of the host until a graphics driver loads" },
	{ "--nested", VALUE_NONE, "", "VMs in VMs; such a one cannot be migrated running" },
	{ "--param", VALUE_ONE, " KEY[=VALUE]", "any kernel parameter" },
	{ "--module-option", VALUE_ONE, " 'MODULE KEY=VALUE'", "any option of a module" },
	{ "--pin-kernel", VALUE_ONE, " VERSION", "always this kernel; updates are not started" },
};

/* How it goes about it. */
static const struct {
	const char *name, *what;
} ways[] = {
	{ "--add", "what was asked for before, too; else it is taken out" },
	{ "--clean-up", "remove what forum guides have left" },
	{ "--dry-run", "show everything, change nothing" },
	{ "--yes", "do not ask" },
};

#define OPTION_COUNT (sizeof(options) / sizeof(*options))
#define WAY_COUNT    (sizeof(ways) / sizeof(*ways))

int configure_help(void)
{
	printf("Usage: pve-vfio setup [OPTION...]\n\n"
	       "Sets this node up for passthrough, once: shows what is missing, asks, applies.\n\n"
	       "Options:\n");
	for (size_t i = 0; i < WAY_COUNT; i++)
		printf("  %s\n      %s\n", ways[i].name, ways[i].what);
	printf("\nOn request, each with its price:\n");
	for (size_t i = 0; i < OPTION_COUNT; i++)
		printf("  %s%s\n      %s\n", options[i].name, options[i].argument, options[i].what);
	printf("\nSee pve-vfio(8).\n");
	return STATUS_DONE;
}

static int usage(const char *what, const char *word)
{
	fprintf(stderr, "pve-vfio setup: %s '%s'; see pve-vfio(8)\n", what, word);
	return STATUS_USAGE;
}

/* "--name" or "--name=value". */
static const struct option *find_option(const char *word)
{
	size_t size = strcspn(word, "=");

	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (strlen(options[i].name) == size && strncmp(options[i].name, word, size) == 0)
			return &options[i];
	return NULL;
}

static int unknown(const char *word)
{
	const char *names[OPTION_COUNT + WAY_COUNT];
	size_t count = 0;

	for (; count < OPTION_COUNT; count++)
		names[count] = options[count].name;
	for (size_t i = 0; i < WAY_COUNT; i++)
		names[count++] = ways[i].name;
	fprintf(stderr, "pve-vfio setup: unknown option '%s'; did you mean '%s'? See pve-vfio(8)\n",
		word, text_nearest(word, names, count));
	return STATUS_USAGE;
}

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
static bool is_good(const struct option *option, const char *value)
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

static const char *what_is_wrong(const struct option *option, const char *value)
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

static int ask_for(struct configure_options *own, const struct option *option, const char *value)
{
	cleanup_free char *asked =
		text_format("%s%s%s", option->name, value ? "=" : "", value ? value : "");

	if (value && !is_good(option, value))
		return usage(what_is_wrong(option, value), value);
	if (!asked || (!strings_has(&own->asked, asked) && strings_add(&own->asked, asked) < 0)) {
		fputs("pve-vfio setup: no memory left\n", stderr);
		return STATUS_FAILED;
	}
	return STATUS_DONE;
}

/* Commas part the members of a list, too. */
static int ask_for_each(struct configure_options *own, const struct option *option,
			const char *list)
{
	cleanup_free char *copy = strdup(list);
	char *rest = copy, *word;

	while (rest && (word = strsep(&rest, ","))) {
		int status = ask_for(own, option, word);

		if (status != STATUS_DONE)
			return status;
	}
	return STATUS_DONE;
}

/* Takes the option at argv[*at] with what belongs to it. */
static int take_option(struct configure_options *own, int argc, char **argv, int *at)
{
	const struct option *option = find_option(argv[*at]);
	const char *equals = strchr(argv[*at], '=');
	int status;

	if (!option)
		return unknown(argv[*at]);
	if (option->value == VALUE_NONE || (option->value == VALUE_OPTIONAL && !equals))
		return equals ? usage("no value goes with", option->name)
			      : ask_for(own, option, NULL);
	if (!equals && (*at + 1 == argc || text_starts_with(argv[*at + 1], "-")))
		return usage("a value is needed for", option->name);
	if (option->value != VALUE_LIST)
		return ask_for(own, option, equals ? equals + 1 : argv[++*at]);
	if (equals)
		return ask_for_each(own, option, equals + 1);
	do
		status = ask_for_each(own, option, argv[++*at]);
	while (status == STATUS_DONE && *at + 1 < argc && !text_starts_with(argv[*at + 1], "-"));
	return status;
}

int configure_parse(int argc, char **argv, struct configure_options *ret)
{
	int status = STATUS_DONE;

	for (int at = 0; at < argc && status == STATUS_DONE; at++) {
		if (strcmp(argv[at], "--dry-run") == 0)
			ret->dry_run = true;
		else if (strcmp(argv[at], "--yes") == 0)
			ret->yes = true;
		else if (strcmp(argv[at], "--clean-up") == 0)
			ret->clean_up = true;
		else if (strcmp(argv[at], "--add") == 0)
			ret->add = true;
		else if (!text_starts_with(argv[at], "-"))
			status = usage("no option takes the word", argv[at]);
		else
			status = take_option(ret, argc, argv, &at);
	}
	for (size_t i = 0; i < ret->asked.count && status == STATUS_DONE; i++)
		for (size_t k = 0; k < i && status == STATUS_DONE; k++)
			if (configure_is_against(ret->asked.items[i], ret->asked.items[k]))
				status = usage("two values for one thing:", ret->asked.items[i]);
	return status;
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

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
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
			return r == -EBUSY ? STATUS_REFUSED : STATUS_FAILED;
	}
	return check_devices(&ret->devices, err) < 0 ? STATUS_FAILED : STATUS_DONE;
}
