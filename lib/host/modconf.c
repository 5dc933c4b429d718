/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host: configuration of kernel modules. Loads none, and runs nothing of it. */
#include "host/modconf.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"

#define MODCONF_FILE_MAX ((size_t)1 << 20)

static void line_done(struct modconf_line *line)
{
	free(line->module);
	free(line->rest);
	free(line->path);
}

void modconf_done(struct modconf *conf)
{
	for (size_t i = 0; i < conf->count; i++)
		line_done(&conf->items[i]);
	free(conf->items);
	*conf = (struct modconf){ 0 };
}

/* Of a line that ends in "\r\n" systemd drops both, but modprobe takes '\r' for a part of the word. */
#define MODPROBE_BLANKS " \t"
#define LOAD_BLANKS	" \t\r"

/* Takes the next word from *rest, which is changed; "" when there is none. */
static char *next_word(char **rest, const char *blanks)
{
	char *word = *rest + strspn(*rest, blanks);
	size_t size = strcspn(word, blanks);

	*rest = word + size;
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

static enum modconf_kind kind_of(const char *word)
{
	static const struct {
		const char *word;
		enum modconf_kind kind;
	} words[] = {
		{ "options", MODCONF_OPTIONS },
		{ "blacklist", MODCONF_BLACKLIST },
		{ "softdep", MODCONF_SOFTDEP },
		{ "install", MODCONF_INSTALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].kind;
	return MODCONF_OTHER;
}

/* Without blanks at the end. */
static char *copy_rest(const char *rest, const char *blanks)
{
	size_t size;

	rest += strspn(rest, blanks);
	size = strlen(rest);
	while (size > 0 && strchr(blanks, rest[size - 1]))
		size--;
	return strndup(rest, size);
}

/* One line without its end; `content` is changed. */
static int add_line(struct modconf *conf, char *content, bool load, struct modconf_line line)
{
	const char *blanks = load ? LOAD_BLANKS : MODPROBE_BLANKS;
	char *word = next_word(&content, blanks);

	if (*word == '\0' || *word == '#' || (load && *word == ';'))
		return 0;
	line.kind = load ? MODCONF_LOAD : kind_of(word);
	if (!load)
		word = next_word(&content, blanks);
	if (array_reserve(&conf->items, conf->count, sizeof(line)) < 0)
		return -ENOMEM;
	line.module = strdup(word);
	line.path = strdup(line.path);
	line.rest = copy_rest(content, blanks);
	if (!line.module || !line.path || !line.rest) {
		line_done(&line);
		return -ENOMEM;
	}
	conf->items[conf->count++] = line;
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

/* A copy of the line in which blanks replace its end and the places where lines were joined. */
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

int modconf_parse(struct modconf *conf, const char *path, const char *text, bool load)
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
		    add_line(conf, copy, load,
			     (struct modconf_line){
				     .path = file, .line = number, .offset = at, .size = size }) <
			    0)
			return -ENOMEM;
		for (size_t i = 0; i < size; i++)
			number += text[at + i] == '\n';
	}
	return 0;
}

static int read_folder(const struct sysroot *root, const char *folder, struct strings *seen,
		       struct modconf *conf)
{
	cleanup_strings struct strings names = { 0 };
	int r = sysroot_list(root, folder, &names);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		const char *end = strrchr(names.items[i], '.');
		cleanup_free char *path = NULL, *data = NULL;
		size_t size;

		if (!end || strcmp(end, ".conf") != 0 || strings_has(seen, names.items[i]))
			continue;
		path = text_format("/%s/%s", folder, names.items[i]);
		if (!path || strings_add(seen, names.items[i]) < 0)
			return -ENOMEM;
		if (sysroot_read(root, path + 1, MODCONF_FILE_MAX, &data, &size) == 0)
			r = modconf_parse(conf, path, data, false);
	}
	return r;
}

int modconf_read(const struct sysroot *root, struct modconf *ret)
{
	static const char *const folders[] = { "etc/modprobe.d", "run/modprobe.d",
					       "usr/lib/modprobe.d", "lib/modprobe.d" };
	cleanup_strings struct strings seen = { 0 };
	cleanup_modconf struct modconf conf = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (read_folder(root, folders[i], &seen, &conf) < 0)
			return -ENOMEM;
	*ret = TAKE_STRUCT(conf);
	return 0;
}

const struct modconf_line *modconf_find(const struct modconf *conf, enum modconf_kind kind,
					const char *module)
{
	for (size_t i = 0; i < conf->count; i++)
		if (conf->items[i].kind == kind &&
		    modconf_same_module(conf->items[i].module, module))
			return &conf->items[i];
	return NULL;
}

bool modconf_same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

const char *modconf_find_option(const char *rest, const char *name, size_t *ret_size)
{
	size_t length = strlen(name), size;

	for (; *rest; rest += size) {
		rest += strspn(rest, MODPROBE_BLANKS);
		size = strcspn(rest, MODPROBE_BLANKS);
		if (size >= length && strncmp(rest, name, length) == 0 &&
		    (rest[length] == '=' || size == length)) {
			*ret_size = size;
			return rest;
		}
	}
	return NULL;
}
