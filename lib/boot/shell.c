/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: the variables of shell scripts. Runs nothing of them. */
#include "boot/shell.h"

#include <ctype.h>
#include <string.h>

#include "base/array.h"

/* What is being read. */
struct script {
	const char *path, *text;
	size_t file, at;
	unsigned depth; /* of if, for, while, case and braces */
	bool conditional; /* what comes runs only if something before it went well, or in a subshell */
	bool joined;	  /* the command before ends in '&&', '||' or '|' */
	bool exported;	  /* behind export, where a value is split at blanks */
	bool doubtful;	  /* the value just read is not wholly known */
};

void shell_done(struct shell *shell)
{
	for (size_t i = 0; i < shell->count; i++) {
		free(shell->variables[i].name);
		free(shell->variables[i].value.items);
	}
	free(shell->variables);
}

unsigned shell_line_at(const char *text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += text[i] == '\n';
	return line;
}

static void doubt(struct shell *shell, const struct script *script, size_t offset)
{
	cleanup_free char *where =
		text_format("/%s, line %u", script->path, shell_line_at(script->text, offset));

	if (!where || (!strings_has(shell->doubts, where) && strings_add(shell->doubts, where) < 0))
		shell->failed = true;
}

void shell_append(struct shell *shell, struct shell_value *value, struct shell_piece piece)
{
	if (array_reserve(&value->items, value->count, sizeof(*value->items)) < 0)
		shell->failed = true;
	else
		value->items[value->count++] = piece;
}

static struct shell_variable *find(const struct shell *shell, const char *name, size_t size)
{
	for (size_t i = 0; i < shell->count; i++) {
		struct shell_variable *variable = &shell->variables[i];

		if (strlen(variable->name) == size && memcmp(variable->name, name, size) == 0)
			return variable;
	}
	return NULL;
}

/* A new one, or NULL without memory. */
static struct shell_variable *add_variable(struct shell *shell, const char *name, size_t size)
{
	struct shell_variable variable = { .name = strndup(name, size) };

	if (!variable.name ||
	    array_reserve(&shell->variables, shell->count, sizeof(variable)) < 0) {
		free(variable.name);
		return NULL;
	}
	shell->variables[shell->count] = variable;
	return &shell->variables[shell->count++];
}

const struct shell_value *shell_find(const struct shell *shell, const char *name)
{
	const struct shell_variable *variable = find(shell, name, strlen(name));

	return variable ? &variable->value : NULL;
}

static void assign(struct shell *shell, const char *name, size_t size, struct shell_value *value,
		   bool doubtful)
{
	struct shell_variable *variable = find(shell, name, size);

	if (!variable)
		variable = add_variable(shell, name, size);
	if (!variable) {
		shell->failed = true;
		return;
	}
	free(variable->value.items);
	variable->value = *value;
	variable->doubtful = doubtful;
	*value = (struct shell_value){ 0 };
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
static void take(struct shell *shell, struct script *script, struct shell_value *value,
		 bool escaped)
{
	char byte = script->text[script->at];

	if (!escaped || byte != '\n')
		shell_append(shell, value,
			     (struct shell_piece){ byte, escaped, script->file, script->at });
	script->at++;
}

/*
 * Past a command substitution, `...` or $(...), or what else is in parentheses: nothing is known of
 * what it comes to.
 */
static void skip_substitution(struct script *script)
{
	const char *text = script->text;
	bool back = text[script->at] == '`';
	unsigned depth = 0;
	char quote = '\0';

	script->doubtful = true;
	do {
		char c = text[script->at];

		if (c == '\\' && quote != '\'' && text[script->at + 1])
			script->at++;
		else if (quote && c == quote)
			quote = '\0';
		else if (quote)
			; /* between quotes nothing else counts */
		else if ((c == '"' || c == '\'') && !back)
			quote = c;
		else if (c == '(')
			depth += !back;
		else if (c == ')')
			depth -= !back;
		else if (c == '`' && back)
			depth = depth == 0;
		script->at++;
	} while (text[script->at - 1] && (depth > 0 || quote) && text[script->at]);
}

/* A name that the environment can have: grub-mkconfig's own variables begin with GRUB_. */
static bool is_known_unset(const char *name, size_t size)
{
	return size > strlen("GRUB_") && memcmp(name, "GRUB_", strlen("GRUB_")) == 0;
}

/* At a '$': puts the variable's value in, where it is a plain reference. */
static void expand(struct shell *shell, struct script *script, struct shell_value *value)
{
	const char *at = script->text + script->at + 1;
	bool braces = *at == '{';
	size_t size = name_size(at + braces);
	const struct shell_variable *variable;

	if (*at == '(') {
		script->at++;
		skip_substitution(script);
		return;
	}
	if (size == 0 && !braces) {
		/* a lone '$' is itself; $1, $$ and their like are nothing that is known here */
		if (*at && strchr("@*#?-$!0123456789", *at))
			script->doubtful = true;
		take(shell, script, value, false);
		return;
	}
	if (size == 0 || (braces && at[1 + size] != '}')) {
		script->doubtful = true;
		script->at++;
		return;
	}
	variable = find(shell, at + braces, size);
	script->doubtful |= variable ? variable->doubtful : !is_known_unset(at + braces, size);
	for (size_t i = 0; variable && i < variable->value.count; i++)
		shell_append(shell, value, variable->value.items[i]);
	script->at += 1 + size + (braces ? 2 : 0);
}

/* Between double quotes, from behind the opening one to behind the closing one. */
static void read_double_quoted(struct shell *shell, struct script *script,
			       struct shell_value *value)
{
	const char *text = script->text;

	while (text[script->at] && text[script->at] != '"') {
		bool escaped = text[script->at] == '\\' && text[script->at + 1] &&
			       strchr("$`\"\\\n", text[script->at + 1]);

		if (text[script->at] == '$') {
			expand(shell, script, value);
		} else if (text[script->at] == '`') {
			skip_substitution(script);
		} else {
			script->at += escaped;
			take(shell, script, value, escaped);
		}
	}
	if (text[script->at])
		script->at++;
	else
		script->doubtful = true;
}

static void read_single_quoted(struct shell *shell, struct script *script,
			       struct shell_value *value)
{
	while (script->text[script->at] && script->text[script->at] != '\'')
		take(shell, script, value, false);
	if (script->text[script->at])
		script->at++;
	else
		script->doubtful = true;
}

/* A carriage return is a letter like any other to the shell. */
static bool ends_word(char c)
{
	return c == '\0' || strchr(" \t\n;&|<>()", c);
}

/* One word of the shell, as it comes to be. */
static void read_word(struct shell *shell, struct script *script, struct shell_value *value)
{
	const char *text = script->text;
	size_t start = script->at;

	while (!ends_word(text[script->at])) {
		char c = text[script->at];

		if (c == '$') {
			/* export splits what is not quoted */
			script->doubtful |= script->exported;
			expand(shell, script, value);
		} else if (c == '`') {
			skip_substitution(script);
		} else if (c == '"') {
			script->at++;
			read_double_quoted(shell, script, value);
		} else if (c == '\'') {
			script->at++;
			read_single_quoted(shell, script, value);
		} else if (c == '\\' && text[script->at + 1]) {
			script->at++;
			take(shell, script, value, true);
		} else {
			/* a home folder */
			if (c == '~' && (script->at == start || text[script->at - 1] == ':'))
				script->doubtful = true;
			take(shell, script, value, false);
		}
	}
	if (text[script->at] == '(')
		script->doubtful = true;
}

static bool is_watched(const struct shell *shell, const char *name, size_t size)
{
	for (const char *const *at = shell->watched; *at; at++)
		if (strlen(*at) == size && memcmp(*at, name, size) == 0)
			return true;
	return false;
}

static bool is_assignment(const char *text)
{
	size_t size = name_size(text);

	return size > 0 && text[size] == '=';
}

static void skip_blanks(struct script *script)
{
	const char *text = script->text;

	while (text[script->at] == ' ' || text[script->at] == '\t' ||
	       (text[script->at] == '\\' && text[script->at + 1] == '\n'))
		script->at += text[script->at] == '\\' ? 2 : 1;
}

/*
 * Behind a value: the assignment is for a command alone that follows, or made in a subshell. `script`
 * is a copy.
 */
static bool is_passing(struct shell *shell, struct script script)
{
	const char *text = script.text;

	for (;;) {
		struct shell_value value = { 0 };

		skip_blanks(&script);
		if (!is_assignment(text + script.at))
			break;
		script.at += name_size(text + script.at) + 1;
		read_word(shell, &script, &value);
		free(value.items);
	}
	if (text[script.at] == '&' || text[script.at] == '|')
		return text[script.at + 1] != text[script.at];
	return !strchr("\n;#", text[script.at]);
}

/* At NAME=: takes the value. */
static void read_assignment(struct shell *shell, struct script *script, size_t size)
{
	const char *name = script->text + script->at;
	size_t start = script->at;
	struct shell_value value = { 0 };

	script->doubtful = false;
	script->at += size + 1;
	read_word(shell, script, &value);
	script->doubtful |= script->conditional || script->depth > 0 || shell->opaque ||
			    (!script->exported && is_passing(shell, *script));
	if (is_watched(shell, name, size) && script->doubtful)
		doubt(shell, script, start);
	assign(shell, name, size, &value, script->doubtful);
	free(value.items);
}

/* Commands of the shell itself that may set variables, or end the script. */
static bool is_builtin(const char *command)
{
	static const char *const names[] = { ".",     "source",	  "eval",    "unset", "read",
					     "exit",  "return",	  "set",     "alias", "exec",
					     "shift", "readonly", "getopts", "trap",  "local",
					     "break", "continue", "command", "wait",  "builtin" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t size = strlen(names[i]);

		if (strncmp(command, names[i], size) == 0 && ends_word(command[size]))
			return true;
	}
	return false;
}

/* To the end of a command that is not understood; a doubt if it may be about one of the two. */
static void skip_command(struct shell *shell, struct script *script)
{
	const char *text = script->text;
	size_t start = script->at;
	bool doubtful = is_builtin(text + start);
	struct shell_value value = { 0 };

	while (text[script->at] && !strchr("\n;&|", text[script->at])) {
		bool begins = script->at == start || ends_word(text[script->at - 1]);

		if (text[script->at] == '#' && begins) {
			script->at += strcspn(text + script->at, "\n");
		} else if (text[script->at] == '(' ||
			   (text[script->at] == '<' && text[script->at + 1] == '<')) {
			/* a function, or a document that is not read as one here */
			shell->opaque = doubtful = true;
			script->at++;
		} else if (text[script->at] == '>' && text[script->at + 1] == '&') {
			script->at += 2;
		} else if (ends_word(text[script->at])) {
			script->at++;
		} else {
			read_word(shell, script, &value);
		}
	}
	free(value.items);
	for (const char *const *at = shell->watched; *at && !doubtful; at++)
		doubtful = memmem(text + start, script->at - start, *at, strlen(*at));
	if (doubtful)
		doubt(shell, script, start);
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

	for (size_t i = 0; i < ARRAY_SIZE(keywords); i++) {
		size_t size = strlen(keywords[i].word);

		if (strncmp(text, keywords[i].word, size) != 0 || !ends_word(text[size]))
			continue;
		if (keywords[i].depth > 0)
			script->depth++;
		else if (keywords[i].depth < 0 && script->depth > 0)
			script->depth--;
		script->exported = strcmp(keywords[i].word, "export") == 0;
		script->at += size;
		return true;
	}
	return false;
}

/* What parts commands: "&&" and its like keep what follows conditional, also on the next line. */
static void read_separator(struct script *script)
{
	char c = script->text[script->at++];

	script->exported = false;
	if (c == '&' || c == '|') {
		script->conditional = script->joined = true;
	} else if (c == ';' || !script->joined) {
		script->conditional = script->joined = false;
	}
}

void shell_read(struct shell *shell, const char *path, const char *text, size_t file)
{
	struct script script_now = { .path = path, .text = text, .file = file };
	struct script *script = &script_now;

	while (text[script->at]) {
		char c = text[script->at];
		size_t size = name_size(text + script->at);

		if (c == '#') {
			script->at += strcspn(text + script->at, "\n");
			continue;
		}
		if (strchr("&|\n;", c)) {
			read_separator(script);
			continue;
		}
		if (c == ' ' || c == '\t' || (c == '\\' && text[script->at + 1] == '\n')) {
			skip_blanks(script);
			continue;
		}
		script->joined = false;
		if (c == '(')
			skip_substitution(script); /* a subshell, which changes nothing here */
		else if (ends_word(c))
			script->at++;
		else if (size > 0 && text[script->at + size] == '=')
			read_assignment(shell, script, size);
		else if (script->exported && size > 0 && ends_word(text[script->at + size]))
			script->at += size;
		else if (!read_keyword(script))
			skip_command(shell, script);
	}
}
