/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: words of a kernel command line. Knows no parameter's meaning. */
#include "boot/word.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "host/kernel.h"

static void word_done(struct boot_word *word)
{
	free(word->text);
	free(word->path);
	*word = (struct boot_word){ 0 };
}

void boot_words_done(struct boot_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		word_done(&words->items[i]);
	free(words->items);
	*words = (struct boot_words){ 0 };
}

int boot_words_add(struct boot_words *words, const struct boot_word *word)
{
	struct boot_word copy = *word;

	if (array_reserve(&words->items, words->count, sizeof(*words->items)) < 0)
		return -ENOMEM;
	copy.text = strdup(word->text);
	copy.path = strdup(word->path);
	if (!copy.text || !copy.path) {
		word_done(&copy);
		return -ENOMEM;
	}
	words->items[words->count++] = copy;
	return 0;
}

int boot_words_split(struct boot_words *words, const char *path, const char *text)
{
	cleanup_free char *file = strdup(path);
	unsigned line = 1;
	size_t size, counted = 0;

	if (!file)
		return -ENOMEM;
	for (size_t at = 0; kernel_word_next(text, &at, &size, &words->open); at += size) {
		cleanup_free char *word = kernel_word_text(text + at, size);

		for (; counted < at; counted++)
			line += text[counted] == '\n';
		words->ended = word && boot_word_is_end(word);
		if (words->ended)
			break;
		if (!word ||
		    boot_words_add(words, &(struct boot_word){ word, file, line, at, size }) < 0)
			return -ENOMEM;
		/* of the last word alone it is reported */
		if (words->open)
			break;
	}
	return 0;
}

bool boot_word_is_end(const char *text)
{
	return strcmp(text, "--") == 0;
}

bool boot_word_same_name(const char *a, const char *b)
{
	size_t size = kernel_word_name_size(a);

	if (kernel_word_name_size(b) != size)
		return false;
	for (size_t i = 0; i < size; i++)
		if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
			return false;
	return true;
}

bool boot_word_equal(const char *a, const char *b)
{
	return boot_word_same_name(a, b) &&
	       strcmp(a + kernel_word_name_size(a), b + kernel_word_name_size(b)) == 0;
}

static const struct boot_word *find(const struct boot_words *words, const char *text,
				    bool (*matches)(const char *a, const char *b))
{
	for (size_t i = words->count; i-- > 0;)
		if (matches(words->items[i].text, text))
			return &words->items[i];
	return NULL;
}

const struct boot_word *boot_words_find(const struct boot_words *words, const char *text)
{
	return find(words, text, boot_word_equal);
}

const struct boot_word *boot_words_find_name(const struct boot_words *words, const char *text)
{
	return find(words, text, boot_word_same_name);
}

bool boot_word_is_plain(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.,:=/+@%~^-";

	return *text != '\0' && *text != '=' && strspn(text, plain) == strlen(text);
}
