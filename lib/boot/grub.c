/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: GRUB's configuration. Runs nothing of it. */
#include "boot/grub.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/array.h"
#include "boot/shell.h"
#include "host/kernel.h"

void grub_done(struct grub *grub)
{
	boot_words_done(&grub->words);
	strings_done(&grub->doubts);
}

/* ---- the words of the two variables */

/* Where a piece comes from: the files in the order they were read. */
struct sources {
	const struct boot_file **items;
	size_t count;
};

static void free_sources(struct sources *sources)
{
	free(sources->items);
}

/* `alone`: neither blank beside it is escaped, so that it can be cut out. */
static int add_word(const struct sources *sources, const struct shell_piece *pieces, size_t count,
		    bool alone, struct boot_words *words)
{
	const struct boot_file *file = sources->items[pieces[0].file];
	cleanup_free char *raw = malloc(count + 1), *text = NULL;
	struct boot_word word = { .path = file->path,
				  .line = shell_line_at(file->after, pieces[0].offset),
				  .offset = pieces[0].offset,
				  .size = alone ? count : 0 };

	if (!raw)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		raw[i] = pieces[i].byte;
		if (pieces[i].escaped || pieces[i].file != pieces[0].file ||
		    pieces[i].offset != pieces[0].offset + i)
			word.size = 0;
	}
	raw[count] = '\0';
	word.text = text = kernel_word_text(raw, count);
	return text ? boot_words_add(words, &word) : -ENOMEM;
}

/* Parts the value as the kernel does: host/kernel.h. */
static int split(const struct sources *sources, const struct shell_value *value,
		 struct boot_words *words)
{
	cleanup_free char *text = malloc(value->count + 1);
	size_t size;
	int r = 0;

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < value->count; i++)
		text[i] = value->items[i].byte;
	text[value->count] = '\0';
	for (size_t at = 0; r == 0 && kernel_word_next(text, &at, &size, &words->open);
	     at += size) {
		cleanup_free char *word = kernel_word_text(text + at, size);

		if (!word)
			return -ENOMEM;
		words->ended = boot_word_is_end(word);
		if (words->ended)
			break;
		r = add_word(sources, value->items + at, size,
			     !(at > 0 && value->items[at - 1].escaped) &&
				     !(at + size < value->count && value->items[at + size].escaped),
			     words);
		if (words->open)
			break;
	}
	return r;
}

static int read_files(struct boot_draft *draft, const struct sysroot *root, struct shell *shell,
		      struct sources *sources, struct error *err)
{
	cleanup_strings struct strings paths = { 0 };
	int r = strings_add(&paths, GRUB_FILE);

	if (r < 0)
		return error_set_memory(err);
	{
		cleanup_strings struct strings more = { 0 };

		r = boot_draft_list(draft, root, GRUB_FOLDER, ".cfg", &more, err);
		for (size_t i = 0; i < more.count && r == 0; i++)
			r = strings_add(&paths, more.items[i]);
	}
	for (size_t i = 0; i < paths.count && r == 0; i++) {
		struct boot_file *file;

		r = boot_draft_open(draft, root, paths.items[i], &file, err);
		if (r == 0)
			r = array_reserve(&sources->items, sources->count,
					  sizeof(struct boot_file *));
		if (r < 0)
			break;
		sources->items[sources->count++] = file;
		if (file->after)
			shell_read(shell, file->path, file->after, i);
	}
	return r;
}

int grub_read(struct boot_draft *draft, const struct sysroot *root, struct grub *ret,
	      struct error *err)
{
	static const char *const names[] = { "GRUB_CMDLINE_LINUX", GRUB_VARIABLE, NULL };
	cleanup_grub struct grub grub = { 0 };
	cleanup_shell struct shell shell = { .watched = names, .doubts = &grub.doubts };
	cleanup(free_sources) struct sources sources = { 0 };
	struct shell_value line = { 0 };
	int r = read_files(draft, root, &shell, &sources, err);

	/* 10_linux puts both on one line, with a blank between them */
	for (size_t i = 0; names[i] && r == 0; i++) {
		const struct shell_value *value = shell_find(&shell, names[i]);

		if (i > 0)
			shell_append(&shell, &line,
				     (struct shell_piece){ .byte = ' ', .file = SIZE_MAX });
		for (size_t k = 0; value && k < value->count; k++)
			shell_append(&shell, &line, value->items[k]);
	}
	if (r == 0)
		r = split(&sources, &line, &grub.words);
	free(line.items);
	if (shell.failed || r == -ENOMEM)
		return error_set_memory(err);
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(grub);
	return 0;
}

/* ---- what became of it */

static bool line_has(const char *line, const char *word)
{
	cleanup_boot_words struct boot_words words = { 0 };

	return boot_words_split(&words, "", line) == 0 && boot_words_find(&words, word);
}

bool grub_config_has(const char *config, const struct strings *words)
{
	while (*config) {
		size_t size = strcspn(config, "\n"), blank = strspn(config, " \t");
		cleanup_free char *line = strndup(config, size);
		bool all = line && text_starts_with(line + (blank < size ? blank : size), "linux");

		for (size_t i = 0; i < words->count && all; i++)
			all = line_has(line, words->items[i]);
		if (all)
			return true;
		config += size + (config[size] == '\n');
	}
	return false;
}
