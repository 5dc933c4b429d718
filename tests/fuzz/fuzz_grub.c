/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: /etc/default/grub. A word that has a place in the file is what stands there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/grub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A tree that has no /etc. */
static const struct sysroot *empty_tree(void)
{
	static struct sysroot root = { .fd = -1 };
	struct error err = { 0 };

	if (root.fd < 0 && sysroot_open("/proc/self/fdinfo", &root, &err) < 0)
		abort();
	return &root;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = strndup((const char *)data, size);
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_grub struct grub grub = { 0 };
	struct error err = { 0 };

	if (!text ||
	    boot_draft_set(&draft, empty_tree(), GRUB_FILE, text, BOOT_MODE_TEXT, &err) < 0 ||
	    grub_read(&draft, empty_tree(), &grub, &err) < 0)
		return 0;
	for (size_t i = 0; i < grub.words.count; i++) {
		const struct boot_word *word = &grub.words.items[i];

		if (word->size > 0 && (word->offset + word->size > strlen(text) ||
				       memcmp(text + word->offset, word->text, word->size) != 0))
			abort();
	}
	return 0;
}
