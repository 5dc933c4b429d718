/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: the words of a kernel command line, each with the place in a file that it comes from.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct boot_word {
	char *text; /* "iommu=pt", as the kernel has it: without quotes around it, or its value */
	char *path; /* "etc/default/grub" */
	unsigned line; /* from 1 */
	size_t offset; /* its bytes in the file, quotes included; */
	size_t size;   /* 0 where it is there in another form, put together by a shell */
};

/* Started as { 0 }. */
struct boot_words {
	struct boot_word *items;
	size_t count;
	bool open; /* a quote in the last word is not closed: what is put behind it is a part of it */
	/* A word "--" ends them: it and all behind it are init's (parse_args() in kernel/params.c). */
	bool ended;
};

void boot_words_done(struct boot_words *words);
#define cleanup_boot_words cleanup(boot_words_done)

/* Adds a copy of what `word` holds. 0 or -ENOMEM. */
int boot_words_add(struct boot_words *words, const struct boot_word *word);

/*
 * Adds the words of `text`, what the file `path` begins with, as the kernel takes them apart
 * (host/kernel.h). Also a line break parts words.
 */
int boot_words_split(struct boot_words *words, const char *path, const char *text);

/* The word is the "--" that ends the kernel's own. */
bool boot_word_is_end(const char *text);

/* Both words have the same name, where '-' and '_' are the same (kernel/params.c, parameqn()). */
bool boot_word_same_name(const char *a, const char *b);

/* Both words say the same. */
bool boot_word_equal(const char *a, const char *b);

/* The last word that is equal to `text`, or NULL. */
const struct boot_word *boot_words_find(const struct boot_words *words, const char *text);

/* The last word of the same name as `text`, or NULL. */
const struct boot_word *boot_words_find_name(const struct boot_words *words, const char *text);

/*
 * Words that can be written in /etc/default/grub, in the script that GRUB reads, and on one line,
 * without any quoting: letters, digits and _.,:=/+@%~^- .
 */
bool boot_word_is_plain(const char *text);
