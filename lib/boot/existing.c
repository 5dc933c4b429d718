/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: existing settings. Judges none. */
#include "boot/existing.h"

#include <string.h>

void boot_existing_done(struct boot_existing *existing)
{
	grub_done(&existing->grub);
	boot_words_done(&existing->cmdline);
	conf_lines_done(&existing->conf);
	*existing = (struct boot_existing){ 0 };
}

static int read_cmdline(struct boot_draft *draft, const struct sysroot *root,
			struct boot_existing *existing, struct error *err)
{
	cleanup_free char *first = NULL;
	struct boot_file *file;
	size_t size;
	int r = boot_draft_open(draft, root, BOOT_CMDLINE, &file, err);

	if (r < 0 || !file->after)
		return r;
	size = strcspn(file->after, "\n");
	existing->more_lines = file->after[size + strspn(file->after + size, " \t\r\n")] != '\0';
	first = strndup(file->after, size);
	if (!first || boot_words_split(&existing->cmdline, BOOT_CMDLINE, first) < 0)
		return error_set_memory(err);
	return 0;
}

int boot_existing_read(struct boot_draft *draft, const struct sysroot *root,
		       struct boot_existing *ret, struct error *err)
{
	cleanup_boot_existing struct boot_existing existing = { 0 };
	int r = grub_read(draft, root, &existing.grub, err);

	if (r == 0)
		r = read_cmdline(draft, root, &existing, err);
	if (r == 0)
		r = conf_read(draft, root, &existing.conf, err);
	if (r < 0)
		return r;
	*ret = existing;
	existing = (struct boot_existing){ 0 };
	return 0;
}
