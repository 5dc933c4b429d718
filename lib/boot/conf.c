/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: configuration of kernel modules. Loads none. */
#include "boot/conf.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define OURS "/pve-vfio.conf"

static void line_done(struct conf_line *line)
{
	free(line->module);
	free(line->rest);
	free(line->path);
}

void conf_lines_done(struct conf_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		line_done(&lines->items[i]);
	free(lines->items);
	*lines = (struct conf_lines){ 0 };
}

static const char blanks[] = " \t\r";

/* Takes the next word from *rest, which is changed; "" when there is none. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, blanks);
	size_t size = strcspn(word, blanks);

	*rest = word + size;
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static enum conf_kind kind_of(const char *word)
{
	static const struct {
		const char *word;
		enum conf_kind kind;
	} words[] = {
		{ "options", CONF_OPTIONS },
		{ "blacklist", CONF_BLACKLIST },
		{ "softdep", CONF_SOFTDEP },
		{ "install", CONF_INSTALL },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].kind;
	return CONF_OTHER;
}

/* Without blanks at the end. */
static char *copy_rest(const char *rest)
{
	size_t size;

	rest += strspn(rest, blanks);
	size = strlen(rest);
	while (size > 0 && strchr(blanks, rest[size - 1]))
		size--;
	return strndup(rest, size);
}

/* One line without its end; `content` is changed. */
static int add_line(struct conf_lines *lines, char *content, bool load, struct conf_line line)
{
	char *word = next_word(&content);

	if (*word == '\0' || *word == '#' || (load && *word == ';'))
		return 0;
	line.kind = load ? CONF_LOAD : kind_of(word);
	if (!load)
		word = next_word(&content);
	if (array_reserve(&lines->items, lines->count, sizeof(line)) < 0)
		return -ENOMEM;
	line.module = strdup(word);
	line.path = strdup(line.path);
	line.rest = copy_rest(content);
	if (!line.module || !line.path || !line.rest) {
		line_done(&line);
		return -ENOMEM;
	}
	lines->items[lines->count++] = line;
	return 0;
}

/* The size of the line at `text`, its end included; modprobe.d joins lines that end in '\'. */
static size_t line_size(const char *text, bool joined)
{
	size_t size = 0;

	for (;;) {
		size += strcspn(text + size, "\n");
		if (text[size] == '\0')
			return size;
		size++;
		if (!joined || size < 2 || text[size - 2] != '\\')
			return size;
	}
}

/* A copy of the line in which blanks stand for its end and for where lines were joined. */
static char *copy_line(const char *text, size_t size)
{
	char *copy = strndup(text, size);

	for (size_t i = 0; copy && i < size; i++)
		if (copy[i] == '\n') {
			copy[i] = ' ';
			if (i > 0 && copy[i - 1] == '\\')
				copy[i - 1] = ' ';
		}
	return copy;
}

int conf_parse(struct conf_lines *lines, const char *path, const char *text, bool load)
{
	cleanup_free char *file = strdup(path);
	unsigned number = 1;
	size_t size;

	if (!file)
		return -ENOMEM;
	for (size_t at = 0; text[at]; at += size) {
		cleanup_free char *copy = NULL;

		size = line_size(text + at, !load);
		copy = copy_line(text + at, size);
		if (!copy ||
		    add_line(lines, copy, load,
			     (struct conf_line){
				     .path = file, .line = number, .offset = at, .size = size }) <
			    0)
			return -ENOMEM;
		for (size_t i = 0; i < size; i++)
			number += text[at + i] == '\n';
	}
	return 0;
}

static int read_file(struct boot_draft *draft, const struct sysroot *root, const char *path,
		     bool load, struct conf_lines *lines, struct error *err)
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
	r = conf_parse(lines, path, file->after, load);
	return r < 0 ? error_set_memory(err) : 0;
}

static int read_folder(struct boot_draft *draft, const struct sysroot *root, const char *folder,
		       bool load, struct conf_lines *lines, struct error *err)
{
	cleanup_strings struct strings paths = { 0 };
	int r = boot_draft_list(draft, root, folder, ".conf", &paths, err);

	for (size_t i = 0; i < paths.count && r == 0; i++)
		r = read_file(draft, root, paths.items[i], load, lines, err);
	return r;
}

int conf_read(struct boot_draft *draft, const struct sysroot *root, struct conf_lines *ret,
	      struct error *err)
{
	cleanup_conf_lines struct conf_lines lines = { 0 };
	int r = read_file(draft, root, CONF_MODULES, true, &lines, err);

	if (r == 0)
		r = read_folder(draft, root, CONF_MODULES_LOAD, true, &lines, err);
	if (r == 0)
		r = read_folder(draft, root, CONF_MODPROBE, false, &lines, err);
	if (r < 0)
		return r;
	*ret = lines;
	lines = (struct conf_lines){ 0 };
	return 0;
}

bool conf_same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

const char *conf_find_option(const char *rest, const char *name, size_t *ret_size)
{
	size_t length = strlen(name), size;

	for (; *rest; rest += size) {
		rest += strspn(rest, blanks);
		size = strcspn(rest, blanks);
		if (size >= length && strncmp(rest, name, length) == 0 &&
		    (rest[length] == '=' || size == length)) {
			*ret_size = size;
			return rest;
		}
	}
	return NULL;
}
