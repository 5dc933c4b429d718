/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: existing settings. Judges none. */
#include "boot/existing.h"

#include <string.h>

#include "host/package.h"

#define OURS "/pve-vfio.conf"

void boot_existing_done(struct boot_existing *existing)
{
	grub_done(&existing->grub);
	boot_words_done(&existing->cmdline);
	boot_words_done(&existing->unread);
	boot_words_done(&existing->running);
	modconf_done(&existing->conf);
	strings_done(&existing->packaged);
	*existing = (struct boot_existing){ 0 };
}

/* proxmox-boot-tool takes the first line; blanks begin the others, so that places are the file's. */
static int read_cmdline(struct boot_draft *draft, const struct sysroot *root,
			struct boot_existing *existing, struct error *err)
{
	cleanup_free char *first = NULL, *others = NULL;
	struct boot_file *file;
	size_t size;
	int r = boot_draft_open(draft, root, BOOT_CMDLINE, &file, err);

	if (r < 0 || !file->after)
		return r;
	size = strcspn(file->after, "\n");
	first = strndup(file->after, size);
	others = strdup(file->after);
	if (others)
		memset(others, ' ', size);
	if (!first || !others || boot_words_split(&existing->cmdline, BOOT_CMDLINE, first) < 0 ||
	    boot_words_split(&existing->unread, BOOT_CMDLINE, others) < 0)
		return error_set_memory(err);
	return 0;
}

static int read_file(struct boot_draft *draft, const struct sysroot *root, const char *path,
		     bool load, struct modconf *conf, struct error *err)
{
	struct boot_file *file;
	const char *slash = strrchr(path, '/');
	int r;

	if (slash && strcmp(slash, OURS) == 0)
		return 0;
	r = boot_draft_open(draft, root, path, &file, err);
	if (r < 0)
		return r;
	/* Debian's /etc/modules-load.d/modules.conf is a link to /etc/modules. */
	if (!file->after || file->link)
		return 0;
	r = modconf_parse(conf, path, file->after, load);
	return r < 0 ? error_set_memory(err) : 0;
}

static int read_folder(struct boot_draft *draft, const struct sysroot *root, const char *folder,
		       bool load, struct modconf *conf, struct error *err)
{
	cleanup_strings struct strings paths = { 0 };
	int r = boot_draft_list(draft, root, folder, ".conf", &paths, err);

	for (size_t i = 0; i < paths.count && r == 0; i++)
		r = read_file(draft, root, paths.items[i], load, conf, err);
	return r;
}

/* All lines of the draft's files, but for those that are called pve-vfio.conf: ours. */
static int read_modconf(struct boot_draft *draft, const struct sysroot *root, struct modconf *conf,
			struct error *err)
{
	int r = read_file(draft, root, "etc/modules", true, conf, err);

	if (r == 0)
		r = read_folder(draft, root, "etc/modules-load.d", true, conf, err);
	if (r == 0)
		r = read_folder(draft, root, "etc/modprobe.d", false, conf, err);
	return r;
}

static int read_running(const struct sysroot *root, struct boot_existing *existing,
			struct error *err)
{
	cleanup_free char *line = NULL;

	if (sysroot_read_attribute(root, "proc/cmdline", &line) < 0)
		return 0;
	return boot_words_split(&existing->running, "proc/cmdline", line) < 0
		       ? error_set_memory(err)
		       : 0;
}

int boot_existing_read(struct boot_draft *draft, const struct sysroot *root,
		       struct boot_existing *ret, struct error *err)
{
	cleanup_boot_existing struct boot_existing existing = { 0 };
	int r = grub_read(draft, root, &existing.grub, err);

	if (r == 0)
		r = read_cmdline(draft, root, &existing, err);
	if (r == 0)
		r = read_running(root, &existing, err);
	if (r == 0)
		r = read_modconf(draft, root, &existing.conf, err);
	if (r == 0 && package_conffiles(root, "/etc/modprobe.d", &existing.packaged) < 0)
		r = error_set_memory(err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(existing);
	return 0;
}
