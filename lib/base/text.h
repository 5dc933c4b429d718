/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: text that is put together piece by piece, and lists of strings.
 * This room holds no domain word.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

/*
 * Growing text, started as { 0 }. Lack of memory is remembered instead of returned by each call:
 * text_take() then gives NULL.
 */
struct text {
	char *data;
	size_t size;
	bool failed;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds `size` bytes. */
void text_append(struct text *text, const char *piece, size_t size);

/* The text as a string the caller frees (never NULL for lack of content), and `text` empty. */
char *text_take(struct text *text);

void text_done(struct text *text);
#define cleanup_text cleanup(text_done)

/* A list of strings, each owned by the list; started as { 0 }. */
struct strings {
	char **items;
	size_t count;
};

/* Adds "A, B and C" from the `first` on; where more than `most` are left "A, B, C and 4 more". */
void strings_words(const struct strings *strings, size_t first, size_t most, struct text *text);

/* Adds a copy of `string`; 0 or -ENOMEM. */
int strings_add(struct strings *strings, const char *string);
bool strings_has(const struct strings *strings, const char *string);
void strings_sort(struct strings *strings);

/* What comes before `first` stays where it is. */
void strings_sort_from(struct strings *strings, size_t first);
void strings_done(struct strings *strings);
#define cleanup_strings cleanup(strings_done)

/* What is at a place of a text. */
struct text_character {
	unsigned code;
	size_t size; /* in bytes; 1 for one that is not UTF-8 */
	/*
	 * A terminal would obey it: C0, DEL and C1, this one as a byte too; or it changes the direction
	 * or the lines of text (Unicode 15, table 23-2, and UAX 9, 2).
	 */
	bool control;
	bool cut; /* the bytes end within it */
};

/* Reads the character at the beginning of `size` bytes, at least one. */
struct text_character text_character(const char *at, size_t size);

/* Replaces control characters but those in `kept` by '?': for what must be one line. */
void text_clean(char *text, const char *kept);

/* Both equal, where either may be NULL. */
bool text_equal(const char *a, const char *b);
bool text_starts_with(const char *text, const char *start);

/* What is after the ':' of the first line "NAME\t: VALUE", as in /proc/cpuinfo; NULL: no such line. */
const char *text_field(const char *text, const char *name);

/*
 * Of `count` words the one that takes the fewest insertions, deletions and replacements of a byte to
 * become `word`: what somebody most likely meant.
 */
const char *text_nearest(const char *word, const char *const *words, size_t count);

/*
 * The one of `words` that somebody can have meant: it starts with `word`, or a byte in three is wrong
 * at most. NULL: none is near.
 */
const char *text_near(const char *word, const char *const *words, size_t count);

/* printf() into a string the caller frees; NULL without memory. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *text_format_list(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
