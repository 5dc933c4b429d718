/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: files of settings. Decides about no setting. */
#include "boot/layout.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "boot/parameter.h"

#define HEAD "# Written by 'pve-vfio setup', which replaces it; 'pve-vfio undo' takes it away.\n"

static const char *const own_files[] = { LAYOUT_GRUB, LAYOUT_MODULES,	 LAYOUT_MODPROBE,
					 LAYOUT_UDEV, LAYOUT_EARLY_HOOK, LAYOUT_EARLY_SCRIPT };

char *layout_parameter_place(const struct boot_loader *loader)
{
	if (loader->other)
		return strdup(loader->other_place);
	return text_format("%s%s%s", loader->grub ? "/" LAYOUT_GRUB : "",
			   loader->grub && loader->systemd_boot ? " and " : "",
			   loader->systemd_boot ? "/" BOOT_CMDLINE : "");
}

/* ---- taking out */

/* Without the last word of the first line that is equal to `word`, and the blanks before it. */
static int cut_word(struct boot_file *file, const char *word)
{
	cleanup_free char *line = strndup(file->after, strcspn(file->after, "\n"));
	cleanup_boot_words struct boot_words words = { 0 };
	const struct boot_word *found;
	size_t start;

	if (!line || boot_words_split(&words, file->path, line) < 0)
		return -ENOMEM;
	found = boot_words_find(&words, word);
	if (!found)
		return 0;
	start = found->offset;
	while (start > 0 && (file->after[start - 1] == ' ' || file->after[start - 1] == '\t'))
		start--;
	boot_file_cut(file, start, found->offset + found->size - start);
	return 0;
}

int layout_clear(struct boot_draft *draft, const struct sysroot *root,
		 const struct strings *cmdline, struct error *err)
{
	struct boot_file *file = NULL;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(own_files) && r == 0; i++)
		r = boot_draft_set(draft, root, own_files[i], NULL, BOOT_MODE_TEXT, err);
	if (r == 0)
		r = boot_draft_open(draft, root, BOOT_CMDLINE, &file, err);
	if (r < 0 || !file->after)
		return r;
	for (size_t i = cmdline->count; i-- > 0;)
		if (cut_word(file, cmdline->items[i]) < 0)
			return error_set_memory(err);
	return 0;
}

/* ---- putting in */

static int set(struct boot_draft *draft, const struct sysroot *root, const char *path,
	       struct text *text, mode_t mode, struct error *err)
{
	cleanup_free char *content = text_take(text);

	if (!content)
		return error_set_memory(err);
	return boot_draft_set(draft, root, path, content, mode, err);
}

/* Ours, and not among what the loader's file says already. */
static bool is_wanted(const struct boot_setting *setting, const struct boot_words *words)
{
	const struct boot_word *other;

	return setting->kind == BOOT_PARAMETER && !setting->found &&
	       !boot_parameter_find(words, setting->name, &other);
}

static int write_grub(struct boot_draft *draft, const struct sysroot *root,
		      const struct boot_settings *settings, const struct boot_existing *existing,
		      struct error *err)
{
	cleanup_text struct text text = { 0 };
	cleanup_text struct text words = { 0 };

	text_add(&text, HEAD);
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (!is_wanted(setting, &existing->grub.words))
			continue;
		text_add(&text, "# %s: %s\n", setting->name, setting->reason);
		text_add(&words, " %s", setting->name);
	}
	if (!words.data && !words.failed)
		return 0;
	text_add(&text, "%s=\"$%s%s\"\n", GRUB_VARIABLE, GRUB_VARIABLE,
		 words.data ? words.data : "");
	text.failed |= words.failed;
	return set(draft, root, LAYOUT_GRUB, &text, BOOT_MODE_TEXT, err);
}

/* What the running kernel was started with, but for what the boot loader puts in. */
static char *running_cmdline(const struct sysroot *root)
{
	cleanup_boot_words struct boot_words words = { 0 };
	cleanup_text struct text text = { 0 };
	cleanup_free char *cmdline = NULL;

	if (sysroot_read_attribute(root, "proc/cmdline", &cmdline) < 0 ||
	    boot_words_split(&words, "proc/cmdline", cmdline) < 0)
		return NULL;
	for (size_t i = 0; i < words.count; i++) {
		const struct boot_word *word = &words.items[i];

		if (!text_starts_with(word->text, "initrd=") &&
		    !text_starts_with(word->text, "BOOT_IMAGE="))
			text_add(&text, "%s%.*s", text.data ? " " : "", (int)word->size,
				 cmdline + word->offset);
	}
	text_add(&text, "\n");
	return boot_words_find_name(&words, "root=") ? text_take(&text) : NULL;
}

static int open_cmdline(struct boot_draft *draft, const struct sysroot *root,
			struct boot_file **ret, struct error *err)
{
	cleanup_free char *running = NULL;
	int r = boot_draft_open(draft, root, BOOT_CMDLINE, ret, err);

	if (r < 0 || (*ret)->after)
		return r;
	running = running_cmdline(root);
	if (!running)
		return error_set(err, -ENOENT,
				 "there is no '/%s', and no running kernel to take its words from: "
				 "write one line with root=... and the other words into it",
				 BOOT_CMDLINE);
	return boot_draft_set(draft, root, BOOT_CMDLINE, running, BOOT_MODE_TEXT, err);
}

/* Behind the last word of the first line; what ends the file stays as it is. */
static char *append_words(const char *content, const char *words)
{
	size_t size = strcspn(content, "\n");

	while (size > 0 && isspace((unsigned char)content[size - 1]))
		size--;
	return text_format("%.*s%s%s", (int)size, content, size > 0 ? words : words + 1,
			   content + size);
}

static int write_cmdline(struct boot_draft *draft, const struct sysroot *root,
			 const struct boot_settings *settings, const struct boot_existing *existing,
			 struct strings *cmdline, struct error *err)
{
	cleanup_text struct text words = { 0 };
	cleanup_free char *content = NULL, *added = NULL;
	struct boot_file *file;
	int r;

	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (!is_wanted(setting, &existing->cmdline))
			continue;
		text_add(&words, " %s", setting->name);
		if (strings_add(cmdline, setting->name) < 0)
			return error_set_memory(err);
	}
	if (!words.data && !words.failed)
		return 0;
	r = open_cmdline(draft, root, &file, err);
	if (r < 0)
		return r;
	added = text_take(&words);
	content = added ? append_words(file->after, added) : NULL;
	if (!content)
		return error_set_memory(err);
	return boot_draft_set(draft, root, BOOT_CMDLINE, content, BOOT_MODE_TEXT, err);
}

static int write_modules(struct boot_draft *draft, const struct sysroot *root,
			 const struct boot_settings *settings, struct error *err)
{
	cleanup_text struct text text = { 0 };

	if (boot_settings_count(settings, BOOT_MODULE, true) == 0)
		return 0;
	text_add(&text, HEAD);
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (setting->kind == BOOT_MODULE && !setting->found)
			text_add(&text, "# %s\n%s\n", setting->reason, setting->name);
	}
	return set(draft, root, LAYOUT_MODULES, &text, BOOT_MODE_TEXT, err);
}

static int write_modprobe(struct boot_draft *draft, const struct sysroot *root,
			  const struct boot_settings *settings, struct error *err)
{
	cleanup_text struct text text = { 0 };

	if (boot_settings_count(settings, BOOT_OPTION, true) +
		    boot_settings_count(settings, BOOT_BLACKLIST, true) ==
	    0)
		return 0;
	text_add(&text, HEAD);
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (setting->found)
			continue;
		if (setting->kind == BOOT_OPTION)
			text_add(&text, "# %s\noptions %s %s\n", setting->reason, setting->name,
				 setting->value);
		else if (setting->kind == BOOT_BLACKLIST)
			text_add(&text, "# %s\nblacklist %s\n", setting->reason, setting->name);
	}
	return set(draft, root, LAYOUT_MODPROBE, &text, BOOT_MODE_TEXT, err);
}

/*
 * The physical function may get its driver before or after this rule is read; a rule that writes the
 * number that is set already does no harm (drivers/pci/iov.c, sriov_numvfs_store()).
 */
static int write_udev(struct boot_draft *draft, const struct sysroot *root,
		      const struct boot_settings *settings, struct error *err)
{
	cleanup_text struct text text = { 0 };

	if (boot_settings_count(settings, BOOT_SRIOV, true) == 0)
		return 0;
	text_add(&text, HEAD);
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (setting->kind != BOOT_SRIOV)
			continue;
		text_add(&text, "# %s\n", setting->reason);
		text_add(&text,
			 "ACTION==\"add|bind\", SUBSYSTEM==\"pci\", KERNEL==\"%s\", DRIVER==\"?*\"",
			 setting->name);
		if (setting->device)
			text_add(&text, ", ATTR{vendor}==\"0x%.4s\", ATTR{device}==\"0x%s\"",
				 setting->device, setting->device + 5);
		text_add(&text, ", ATTR{sriov_numvfs}=\"%s\"\n", setting->value);
	}
	return set(draft, root, LAYOUT_UDEV, &text, BOOT_MODE_TEXT, err);
}

/* initramfs-tools(7): a hook that puts into the initramfs what scripts/init-top/pve-vfio runs. */
static const char hook_script[] =
	"#!/bin/sh\n" HEAD
	"# Puts vfio-pci into the initramfs, and what scripts/init-top/pve-vfio\n"
	"# tells devices apart with.\n"
	"case $1 in\n"
	"prereqs)\n"
	"\texit 0\n"
	"\t;;\n"
	"esac\n"
	". /usr/share/initramfs-tools/hook-functions\n"
	"copy_exec /usr/bin/od\n"
	"manual_add_modules nvme vfio-pci\n";

/*
 * initramfs-tools(7): scripts of init-top run before the initramfs loads any driver of a PCI device;
 * those that ask for no order, in the order of their names, so this one comes before udev. An
 * address can be another card's at the next boot, so everything that is known of the card is
 * compared. The serial number in configuration space needs no driver; the one of an NVMe has only
 * its driver, which is loaded for that.
 */
static const char early_head[] =
	"#!/bin/sh\n" HEAD
	"# Runs in the initramfs, before udev loads any driver: these devices are for VMs alone.\n"
	"# 'pve_vfio.early=off' on the kernel command line leaves them to the host for once.\n"
	"case $1 in\n"
	"prereqs)\n"
	"\texit 0\n"
	"\t;;\n"
	"esac\n"
	"read -r words </proc/cmdline\n"
	"case \" $words \" in\n"
	"*' pve_vfio.early=off '*)\n"
	"\texit 0\n"
	"\t;;\n"
	"esac\n"
	"\n"
	"# serial OFFSET: of the 8 bytes in configuration space\n"
	"serial()\n"
	"{\n"
	"\tfound=\n"
	"\tfor byte in $(od -A n -v -t x1 -j \"$1\" -N 8 \"$device/config\" 2>/dev/null); do\n"
	"\t\tfound=$found$byte\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# nvme: as its controller names it, once it has its driver\n"
	"nvme()\n"
	"{\n"
	"\tfound=\n"
	"\tmodprobe -q nvme\n"
	"\tfor try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
	"\t\tfor file in \"$device\"/nvme/nvme*/serial; do\n"
	"\t\t\tif [ -e \"$file\" ] && read -r found <\"$file\" && [ \"$found\" ]; then\n"
	"\t\t\t\treturn\n"
	"\t\t\tfi\n"
	"\t\tdone\n"
	"\t\tsleep 0.1\n"
	"\tdone\n"
	"}\n"
	"\n"
	"# hold ADDRESS VENDOR DEVICE [WORD...]: not when something else is at the address now, as after\n"
	"# a card was added or removed\n"
	"hold()\n"
	"{\n"
	"\taddress=$1 device=/sys/bus/pci/devices/$1 wanted=$2:$3\n"
	"\tif ! [ -e \"$device\" ]; then\n"
	"\t\techo \"pve-vfio: there is no device $address to hold\" >/dev/kmsg\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tread -r vendor <\"$device/vendor\"\n"
	"\tread -r id <\"$device/device\"\n"
	"\tfound=$vendor:$id\n"
	"\tshift 3\n"
	"\tfor word in \"$@\"; do\n"
	"\t\tif [ \"$found\" != \"$wanted\" ]; then\n"
	"\t\t\tbreak\n"
	"\t\tfi\n"
	"\t\twanted=${word#*=}\n"
	"\t\tcase $word in\n"
	"\t\tsubsystem=*)\n"
	"\t\t\tread -r vendor <\"$device/subsystem_vendor\"\n"
	"\t\t\tread -r id <\"$device/subsystem_device\"\n"
	"\t\t\tfound=${vendor#0x}:${id#0x}\n"
	"\t\t\t;;\n"
	"\t\tserial=*)\n"
	"\t\t\tserial \"${wanted%:*}\"\n"
	"\t\t\twanted=${wanted#*:}\n"
	"\t\t\t;;\n"
	"\t\tnvme=*)\n"
	"\t\t\tnvme\n"
	"\t\t\t;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif [ \"$found\" != \"$wanted\" ]; then\n"
	"\t\techo \"pve-vfio: $address is '$found' and not '$wanted': not held\" >/dev/kmsg\n"
	"\t\treturn\n"
	"\tfi\n"
	"\techo vfio-pci >\"$device/driver_override\"\n"
	"\tif [ -e \"$device/driver\" ]; then\n"
	"\t\techo \"$address\" >\"$device/driver/unbind\"\n"
	"\tfi\n"
	"\theld=\"$held $address\"\n"
	"}\n"
	"\n"
	"held=\n";

static const char early_tail[] = "\n"
				 "if [ \"$held\" ]; then\n"
				 "\tmodprobe -q vfio-pci\n"
				 "\tfor address in $held; do\n"
				 "\t\techo \"$address\" >/sys/bus/pci/drivers_probe\n"
				 "\tdone\n"
				 "fi\n"
				 "exit 0\n";

static int write_early(struct boot_draft *draft, const struct sysroot *root,
		       const struct boot_settings *settings, struct error *err)
{
	cleanup_text struct text text = { 0 };
	int r;

	if (boot_settings_count(settings, BOOT_EARLY, true) == 0)
		return 0;
	text_add(&text, "%s", early_head);
	for (size_t i = 0; i < settings->count; i++) {
		const struct boot_setting *setting = &settings->items[i];

		if (setting->kind == BOOT_EARLY)
			text_add(&text, "# %s\nhold %s 0x%.4s 0x%s%s%s\n", setting->reason,
				 setting->name, setting->device, setting->device + 5,
				 setting->value && *setting->value ? " " : "",
				 setting->value ? setting->value : "");
	}
	text_add(&text, "%s", early_tail);
	r = set(draft, root, LAYOUT_EARLY_SCRIPT, &text, BOOT_MODE_SCRIPT, err);
	if (r < 0)
		return r;
	return boot_draft_set(draft, root, LAYOUT_EARLY_HOOK, hook_script, BOOT_MODE_SCRIPT, err);
}

int layout_write(struct boot_draft *draft, const struct sysroot *root,
		 const struct boot_settings *settings, const struct boot_existing *existing,
		 const struct boot_loader *loader, struct strings *cmdline, struct error *err)
{
	int r = 0;

	if (loader->grub)
		r = write_grub(draft, root, settings, existing, err);
	if (r == 0 && loader->systemd_boot)
		r = write_cmdline(draft, root, settings, existing, cmdline, err);
	if (r == 0)
		r = write_modules(draft, root, settings, err);
	if (r == 0)
		r = write_modprobe(draft, root, settings, err);
	if (r == 0)
		r = write_udev(draft, root, settings, err);
	if (r == 0)
		r = write_early(draft, root, settings, err);
	return r;
}

/* ---- what follows */

struct layout_refresh layout_refresh_for(const struct boot_draft *draft)
{
	struct layout_refresh refresh = { 0 };

	for (size_t i = 0; i < draft->count; i++) {
		const char *path = draft->items[i]->path;

		if (!boot_file_changes(draft->items[i]))
			continue;
		/* mkinitramfs copies all of modprobe.d; a change of udev's rules waits for the boot */
		if (text_starts_with(path, "etc/modprobe.d/") ||
		    text_starts_with(path, "etc/initramfs-tools/"))
			refresh.initramfs = true;
		else if (text_starts_with(path, "etc/default/grub") ||
			 strcmp(path, BOOT_CMDLINE) == 0)
			refresh.loader = true;
	}
	return refresh;
}
