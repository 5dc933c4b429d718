/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz: a kernel command line, and grub.cfg. A word is what is at its place, but for its quotes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "boot/grub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = strndup((const char *)data, size);
	cleanup_boot_words struct boot_words words = { 0 };
	cleanup_strings struct strings wanted = { 0 };

	if (!text || boot_words_split(&words, "cmdline", text) < 0)
		return 0;
	for (size_t i = 0; i < words.count; i++) {
		const struct boot_word *word = &words.items[i];

		size_t length = strlen(word->text);

		if (word->offset + word->size > strlen(text) || length > word->size)
			abort();
		/* with quotes its text is shorter than its bytes, or some are within it */
		if (!memchr(text + word->offset, '"', word->size) &&
		    (length != word->size || memcmp(text + word->offset, word->text, length) != 0))
			abort();
		if (!boot_words_find(&words, word->text))
			abort();
	}
	if (words.count > 0 && strings_add(&wanted, words.items[0].text) == 0)
		(void)grub_config_has(text, &wanted);
	return 0;
}
