/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: GRUB's configuration. Runs nothing of it. */
#include "boot/grub.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/array.h"

/* One byte of a variable's value, and where in which file it stands. */
struct piece {
	char byte;
	bool escaped; /* behind a backslash, which would be left behind without it */
	size_t file, offset;
};

struct value {
	struct piece *items;
	size_t count;
};

struct variable {
	char *name;
	struct value value;
};

struct evaluation {
	struct variable *variables;
	size_t count;
	struct strings *doubts;
	bool failed; /* no memory */
};

/* What is being read. */
struct script {
	const char *path, *text;
	size_t file, at;
	unsigned depth;	  /* of if, for, while, case and braces */
	bool conditional; /* what comes runs only if something before it went well, or did not */
	bool doubtful;	  /* the value just read is not wholly known */
};

void grub_done(struct grub *grub)
{
	boot_words_done(&grub->words);
	strings_done(&grub->doubts);
}

static void evaluation_done(struct evaluation *evaluation)
{
	for (size_t i = 0; i < evaluation->count; i++) {
		free(evaluation->variables[i].name);
		free(evaluation->variables[i].value.items);
	}
	free(evaluation->variables);
}

static unsigned line_at(const char *text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static void doubt(struct evaluation *evaluation, const struct script *script, size_t offset)
{
	cleanup_free char *where =
		text_format("/%s, line %u", script->path, line_at(script->text, offset));

	if (!where ||
	    (!strings_has(evaluation->doubts, where) && strings_add(evaluation->doubts, where) < 0))
		evaluation->failed = true;
}

static void append(struct evaluation *evaluation, struct value *value, struct piece piece)
{
	if (array_reserve(&value->items, value->count, sizeof(*value->items)) < 0)
		evaluation->failed = true;
	else
		value->items[value->count++] = piece;
}

static struct variable *find(struct evaluation *evaluation, const char *name, size_t size)
{
	for (size_t i = 0; i < evaluation->count; i++) {
		struct variable *variable = &evaluation->variables[i];

		if (strlen(variable->name) == size && memcmp(variable->name, name, size) == 0)
			return variable;
	}
	return NULL;
}

/* A new one, or NULL without memory. */
static struct variable *add_variable(struct evaluation *evaluation, const char *name, size_t size)
{
	struct variable variable = { .name = strndup(name, size) };

	if (!variable.name ||
	    array_reserve(&evaluation->variables, evaluation->count, sizeof(variable)) < 0) {
		free(variable.name);
		return NULL;
	}
	evaluation->variables[evaluation->count] = variable;
	return &evaluation->variables[evaluation->count++];
}

static void assign(struct evaluation *evaluation, const char *name, size_t size,
		   struct value *value)
{
	struct variable *variable = find(evaluation, name, size);

	if (!variable)
		variable = add_variable(evaluation, name, size);
	if (!variable) {
		evaluation->failed = true;
		return;
	}
	free(variable->value.items);
	variable->value = *value;
	*value = (struct value){ 0 };
}

static size_t name_size(const char *text)
{
	size_t size = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[size]) || text[size] == '_')
		size++;
	return size;
}

/* Takes the byte that is read; an escaped line break joins lines and is none. */
static void take(struct evaluation *evaluation, struct script *script, struct value *value,
		 bool escaped)
{
	char byte = script->text[script->at];

	if (!escaped || byte != '\n')
		append(evaluation, value,
		       (struct piece){ byte, escaped, script->file, script->at });
	script->at++;
}

/* At a '$': puts the variable's value in, where it is a plain reference. */
static void expand(struct evaluation *evaluation, struct script *script, struct value *value)
{
	const char *at = script->text + script->at + 1;
	bool braces = *at == '{';
	size_t size = name_size(at + braces);
	const struct variable *variable;

	if (size == 0 && !braces && *at != '(') {
		/* a lone '$' is itself; $1, $$ and their like are nothing that is known here */
		if (*at && strchr("@*#?-$!0123456789", *at))
			script->doubtful = true;
		take(evaluation, script, value, false);
		return;
	}
	if (*at == '(' || size == 0 || (braces && at[1 + size] != '}')) {
		script->doubtful = true;
		script->at++;
		return;
	}
	variable = find(evaluation, at + braces, size);
	for (size_t i = 0; variable && i < variable->value.count; i++)
		append(evaluation, value, variable->value.items[i]);
	script->at += 1 + size + (braces ? 2 : 0);
}

/* Between double quotes, from behind the opening one to behind the closing one. */
static void read_double_quoted(struct evaluation *evaluation, struct script *script,
			       struct value *value)
{
	const char *text = script->text;

	while (text[script->at] && text[script->at] != '"') {
		bool escaped = text[script->at] == '\\' && text[script->at + 1] &&
			       strchr("$`\"\\\n", text[script->at + 1]);

		if (text[script->at] == '$') {
			expand(evaluation, script, value);
			continue;
		}
		if (text[script->at] == '`')
			script->doubtful = true;
		script->at += escaped;
		take(evaluation, script, value, escaped);
	}
	if (text[script->at])
		script->at++;
	else
		script->doubtful = true;
}

static void read_single_quoted(struct evaluation *evaluation, struct script *script,
			       struct value *value)
{
	while (script->text[script->at] && script->text[script->at] != '\'')
		take(evaluation, script, value, false);
	if (script->text[script->at])
		script->at++;
	else
		script->doubtful = true;
}

static bool ends_word(char c)
{
	return c == '\0' || strchr(" \t\r\n;&|<>()", c);
}

/* One word of the shell, as it comes to be. */
static void read_word(struct evaluation *evaluation, struct script *script, struct value *value)
{
	const char *text = script->text;

	while (!ends_word(text[script->at])) {
		char c = text[script->at];

		if (c == '$') {
			expand(evaluation, script, value);
			continue;
		}
		if (c == '"') {
			script->at++;
			read_double_quoted(evaluation, script, value);
		} else if (c == '\'') {
			script->at++;
			read_single_quoted(evaluation, script, value);
		} else if (c == '\\' && text[script->at + 1]) {
			script->at++;
			take(evaluation, script, value, true);
		} else {
			if (c == '`')
				script->doubtful = true;
			take(evaluation, script, value, false);
		}
	}
	if (text[script->at] == '(')
		script->doubtful = true;
}

static bool is_ours(const char *name, size_t size)
{
	static const char plain[] = "GRUB_CMDLINE_LINUX";

	return (size == strlen(plain) && memcmp(name, plain, size) == 0) ||
	       (size == strlen(GRUB_VARIABLE) && memcmp(name, GRUB_VARIABLE, size) == 0);
}

/* At NAME=: takes the value. */
static void read_assignment(struct evaluation *evaluation, struct script *script, size_t size)
{
	const char *name = script->text + script->at;
	size_t start = script->at;
	struct value value = { 0 };

	script->doubtful = false;
	script->at += size + 1;
	read_word(evaluation, script, &value);
	if (is_ours(name, size) && (script->doubtful || script->conditional || script->depth > 0))
		doubt(evaluation, script, start);
	assign(evaluation, name, size, &value);
	free(value.items);
}

/* To the end of a command that is not understood; a doubt if it speaks of one of the two. */
static void skip_command(struct evaluation *evaluation, struct script *script)
{
	size_t start = script->at;
	struct value value = { 0 };
	bool sources;

	sources = (script->text[start] == '.' && isspace((unsigned char)script->text[start + 1])) ||
		  text_starts_with(script->text + start, "source ") ||
		  text_starts_with(script->text + start, "eval ") ||
		  text_starts_with(script->text + start, "unset ") ||
		  text_starts_with(script->text + start, "read ");
	while (script->text[script->at] && !strchr("\n;&|", script->text[script->at])) {
		if (ends_word(script->text[script->at]))
			script->at++;
		else
			read_word(evaluation, script, &value);
	}
	free(value.items);
	if (sources || memmem(script->text + start, script->at - start, "GRUB_CMDLINE_LINUX",
			      strlen("GRUB_CMDLINE_LINUX")))
		doubt(evaluation, script, start);
}

/* A word that opens or closes a compound command, and is stepped over. */
static bool read_keyword(struct script *script)
{
	static const struct {
		const char *word;
		int depth;
	} keywords[] = {
		{ "if", 1 },   { "fi", -1 },   { "then", 0 },  { "else", 0 },
		{ "elif", 0 }, { "for", 1 },   { "while", 1 }, { "until", 1 },
		{ "do", 0 },   { "done", -1 }, { "case", 1 },  { "esac", -1 },
		{ "{", 1 },    { "}", -1 },    { "!", 0 },     { "export", 0 },
	};
	const char *text = script->text + script->at;

	for (size_t i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		size_t size = strlen(keywords[i].word);

		if (strncmp(text, keywords[i].word, size) != 0 || !ends_word(text[size]))
			continue;
		if (keywords[i].depth > 0)
			script->depth++;
		else if (keywords[i].depth < 0 && script->depth > 0)
			script->depth--;
		script->at += size;
		return true;
	}
	return false;
}

static void read_script(struct evaluation *evaluation, struct script *script)
{
	const char *text = script->text;

	while (text[script->at]) {
		char c = text[script->at];
		size_t size = name_size(text + script->at);

		if (c == '#') {
			script->at += strcspn(text + script->at, "\n");
		} else if (c == '&' || c == '|') {
			script->conditional = true;
			script->at++;
		} else if (c == '\n' || c == ';') {
			script->conditional = false;
			script->at++;
		} else if (ends_word(c) || (c == '\\' && text[script->at + 1] == '\n')) {
			script->at += c == '\\' ? 2 : 1;
		} else if (size > 0 && text[script->at + size] == '=') {
			read_assignment(evaluation, script, size);
		} else if (!read_keyword(script)) {
			skip_command(evaluation, script);
		}
	}
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
static int add_word(const struct sources *sources, const struct piece *pieces, size_t count,
		    bool alone, struct boot_words *words)
{
	const struct boot_file *file = sources->items[pieces[0].file];
	cleanup_free char *text = malloc(count + 1);
	struct boot_word word = { .text = text,
				  .path = file->path,
				  .line = line_at(file->after, pieces[0].offset),
				  .offset = pieces[0].offset,
				  .size = alone ? count : 0 };

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		text[i] = pieces[i].byte;
		if (pieces[i].escaped || pieces[i].file != pieces[0].file ||
		    pieces[i].offset != pieces[0].offset + i)
			word.size = 0;
	}
	text[count] = '\0';
	return boot_words_add(words, &word);
}

static int split(const struct sources *sources, const struct value *value, struct boot_words *words)
{
	size_t start = 0;
	bool quoted = false;
	int r = 0;

	for (size_t i = 0; i <= value->count && r == 0; i++) {
		bool ends = i == value->count ||
			    (!quoted && isspace((unsigned char)value->items[i].byte));

		if (i < value->count && value->items[i].byte == '"')
			quoted = !quoted;
		if (!ends)
			continue;
		if (i > start)
			r = add_word(sources, value->items + start, i - start,
				     !(start > 0 && value->items[start - 1].escaped) &&
					     !(i < value->count && value->items[i].escaped),
				     words);
		start = i + 1;
	}
	return r;
}

static int read_files(struct boot_draft *draft, const struct sysroot *root,
		      struct evaluation *evaluation, struct sources *sources, struct error *err)
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
		struct script script = { .file = i };
		struct boot_file *file;

		r = boot_draft_open(draft, root, paths.items[i], &file, err);
		if (r == 0)
			r = array_reserve(&sources->items, sources->count,
					  sizeof(struct boot_file *));
		if (r < 0)
			break;
		sources->items[sources->count++] = file;
		if (!file->after)
			continue;
		script.path = file->path;
		script.text = file->after;
		read_script(evaluation, &script);
	}
	return r;
}

int grub_read(struct boot_draft *draft, const struct sysroot *root, struct grub *ret,
	      struct error *err)
{
	static const char *const names[] = { "GRUB_CMDLINE_LINUX", GRUB_VARIABLE };
	cleanup_grub struct grub grub = { 0 };
	cleanup(evaluation_done) struct evaluation evaluation = { .doubts = &grub.doubts };
	cleanup(free_sources) struct sources sources = { 0 };
	int r = read_files(draft, root, &evaluation, &sources, err);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && r == 0; i++) {
		const struct variable *variable = find(&evaluation, names[i], strlen(names[i]));

		if (variable)
			r = split(&sources, &variable->value, &grub.words);
	}
	if (evaluation.failed || r == -ENOMEM)
		return error_set_memory(err);
	if (r < 0)
		return r;
	*ret = grub;
	grub = (struct grub){ 0 };
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
