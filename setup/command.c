/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: reads the command line by the table of verbs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "setup/setup.h"

/* The longest name of a verb of two words. */
#define NAME_MAX_SIZE 64

/* Prints the end of a sentence of what is wrong: what was meant, if that is near, and the help. */
static int end_usage_error(const char *near, const struct verb *verb)
{
	const char *name = verb ? verb->name : "";

	if (near)
		fprintf(stderr, "; did you mean '%s'? See", near);
	else
		fputs("; see", stderr);
	fprintf(stderr, " 'pve-vfio %s%s--help'\n", name, verb ? " " : "");
	return STATUS_USAGE;
}

static void begin_usage_error(const struct verb *verb)
{
	fprintf(stderr, "pve-vfio%s%s: ", verb ? " " : "", verb ? verb->name : "");
}

int usage_error(const struct command *command, const char *format, ...)
{
	va_list arguments;

	begin_usage_error(command->verb);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	return end_usage_error(NULL, command->verb);
}

static const struct verb *named(const char *name)
{
	for (size_t i = 0; i < verb_count; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const struct verb *verb_find(char *const *words, int count, int *ret_words)
{
	const struct verb *verb = count > 0 ? named(words[0]) : NULL;
	const struct verb *below = NULL;
	char name[NAME_MAX_SIZE];

	if (verb && !verb->run && count > 1) {
		snprintf(name, sizeof(name), "%s %s", words[0], words[1]);
		below = named(name);
	}
	*ret_words = below ? 2 : 1;
	return below ? below : verb;
}

bool verb_is_below(const struct verb *verb, const struct verb *over)
{
	size_t size = strlen(over->name);

	return strncmp(verb->name, over->name, size) == 0 && verb->name[size] == ' ';
}

/* More than there are verbs, or options of one. */
#define NAMES_MAX 64

static void add_name(const char *names[NAMES_MAX], size_t *count, const char *name)
{
	if (*count < NAMES_MAX)
		names[(*count)++] = name;
}

/* `over`: the verb that it would be below, or NULL. */
static int unknown_verb(const char *word, const struct verb *over)
{
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *verb = &verbs[i];

		if (verb->what && over && verb_is_below(verb, over))
			add_name(names, &count, verb->name + strlen(over->name) + 1);
		else if (verb->what && !over && !strchr(verb->name, ' '))
			add_name(names, &count, verb->name);
	}
	begin_usage_error(over);
	fprintf(stderr, "unknown verb '%s'", word);
	return end_usage_error(text_near(word, names, count), over);
}

/* Whether `word` is the option, alone or with "=VALUE". */
static bool is_option(const struct verb_option *option, const char *word)
{
	size_t size = strlen(option->name);

	return strncmp(word, option->name, size) == 0 &&
	       (word[size] == '\0' || (word[size] == '=' && word[1] == '-'));
}

static const struct verb_option *find_option(const struct verb_option *options, const char *word)
{
	for (; options && options->name; options++)
		if (is_option(options, word))
			return options;
	return NULL;
}

static int unknown_option(const struct command *command, const char *word)
{
	const struct verb_option *own = command->verb ? command->verb->options : NULL;
	cleanup_free char *name = strndup(word, strcspn(word, "="));
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (; own && own->name; own++)
		add_name(names, &count, own->name);
	for (const struct verb_option *at = global_options; at->name; at++)
		add_name(names, &count, at->name);
	begin_usage_error(command->verb);
	fprintf(stderr, "unknown option '%s'", name ? name : word);
	return end_usage_error(text_near(name ? name : word, names, count), command->verb);
}

/* A word that is no option; "-" is standard input or output. */
static bool is_word(const char *word)
{
	return *word != '-' || word[1] == '\0';
}

/* What is being read, and where. */
struct reading {
	struct command *command;
	int argc;
	char **argv;
	int at;
	const char *root;
	enum command_wish wish;
};

/* The option at `at`, with the value that is in its word or the next. */
static int take_option(struct reading *reading, const struct verb_option *option, const char **ret)
{
	const char *word = reading->argv[reading->at];
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;

	*ret = equals ? equals + 1 : NULL;
	if (option->form == OPTION_FLAG && equals)
		return usage_error(reading->command, "no value goes with '%s'", option->name);
	if (option->form == OPTION_FLAG || option->form == OPTION_OPTIONAL || equals)
		return STATUS_DONE;
	if (reading->at + 1 == reading->argc || !is_word(reading->argv[reading->at + 1]))
		return usage_error(reading->command, "'%s' needs a value: %s", option->name,
				   option->value);
	*ret = reading->argv[++reading->at];
	return STATUS_DONE;
}

static void give(struct command *command, const struct verb_option *option, const char *value)
{
	command->given[command->given_count++] = (struct given_option){ option, value };
}

static int take_verbs_option(struct reading *reading, const struct verb_option *option)
{
	const char *value;
	int status = take_option(reading, option, &value);
	bool in_word = value && value != reading->argv[reading->at];

	if (status != STATUS_DONE)
		return status;
	give(reading->command, option, value);
	while (option->form == OPTION_VALUES && !in_word && reading->at + 1 < reading->argc &&
	       is_word(reading->argv[reading->at + 1]))
		give(reading->command, option, reading->argv[++reading->at]);
	return STATUS_DONE;
}

static int take_global_option(struct reading *reading, const struct verb_option *option)
{
	struct command *command = reading->command;
	const char *value;
	int status = take_option(reading, option, &value);

	if (status != STATUS_DONE)
		return status;
	if (value)
		reading->root = value;
	else if (strcmp(option->name, "--json") == 0)
		command->json = true;
	else
		reading->wish = strcmp(option->name, "--help") == 0 ? WISH_HELP : WISH_VERSION;
	return STATUS_DONE;
}

static const struct verb_option *find_global_option(const char *word)
{
	if (strcmp(word, "-h") == 0)
		word = "--help";
	else if (strcmp(word, "-V") == 0)
		word = "--version";
	return find_option(global_options, word);
}

/* The verb is the first word that is no option and no option's value. */
static void find_verb_words(struct reading *reading, int *ret_at, int *ret_words)
{
	int at = 1;

	while (at < reading->argc && !is_word(reading->argv[at]))
		at += strcmp(reading->argv[at], "--root") == 0 ? 2 : 1;
	*ret_at = at < reading->argc ? at : reading->argc;
	*ret_words = 0;
	if (at < reading->argc)
		reading->command->verb =
			verb_find(reading->argv + at, reading->argc - at, ret_words);
}

/* Sorts the words into options and others, which end up at the start of argv. */
static int sort_words(struct reading *reading, int verb_at, int verb_words)
{
	struct command *command = reading->command;
	bool ended = false;

	for (reading->at = 1; reading->at < reading->argc; reading->at++) {
		char *word = reading->argv[reading->at];
		const struct verb_option *own, *global;
		int status = STATUS_DONE;

		if (reading->at >= verb_at && reading->at < verb_at + verb_words)
			continue;
		if (ended || is_word(word)) {
			command->argv[command->argc++] = word;
			continue;
		}
		own = command->verb ? find_option(command->verb->options, word) : NULL;
		global = own ? NULL : find_global_option(word);
		if (strcmp(word, "--") == 0)
			ended = true;
		else if (own)
			status = take_verbs_option(reading, own);
		else if (global)
			status = take_global_option(reading, global);
		else
			status = unknown_option(command, word);
		if (status != STATUS_DONE)
			return status;
	}
	return STATUS_DONE;
}

static int check_words(const struct command *command)
{
	const struct verb *verb = command->verb;

	if (!verb->run && command->argc > 0)
		return unknown_verb(command->argv[0], verb);
	if (!verb->run)
		return usage_error(command, "a verb is needed");
	if (command->argc < verb->least)
		return usage_error(command, "it takes %s", verb->words);
	if (command->argc > verb->most)
		return usage_error(command, "one word too many: '%s'", command->argv[verb->most]);
	if (command->json && !verb->json)
		return usage_error(command, "it does not print JSON");
	return STATUS_DONE;
}

int command_parse(int argc, char **argv, struct command *ret, const char **ret_root,
		  enum command_wish *ret_wish)
{
	struct reading reading = { ret, argc, argv, 1, "/", WISH_RUN };
	int at, words, status;

	ret->argv = argv + 1;
	ret->given = calloc((size_t)argc + 1, sizeof(*ret->given));
	if (!ret->given) {
		fputs("pve-vfio: no memory left\n", stderr);
		return STATUS_FAILED;
	}
	find_verb_words(&reading, &at, &words);
	if (words > 0 && !ret->verb)
		return unknown_verb(argv[at], NULL);
	status = sort_words(&reading, at, words);
	*ret_root = reading.root;
	*ret_wish = reading.wish;
	if (status != STATUS_DONE || reading.wish != WISH_RUN)
		return status;
	return ret->verb ? check_words(ret) : usage_error(ret, "a verb is needed");
}

void command_done(struct command *command)
{
	free(command->given);
	command->given = NULL;
}

static const struct given_option *find_given(const struct command *command, const char *option)
{
	for (size_t i = command->given_count; i-- > 0;)
		if (strcmp(command->given[i].option->name, option) == 0)
			return &command->given[i];
	return NULL;
}

bool command_has(const struct command *command, const char *option)
{
	return find_given(command, option);
}

const char *command_value(const struct command *command, const char *option)
{
	const struct given_option *given = find_given(command, option);

	return given ? given->value : NULL;
}

int command_parse_vmid(const struct command *command, int at, uint32_t *ret)
{
	if (parse_u32(command->argv[at], ret) == 0 && *ret > 0)
		return STATUS_DONE;
	return usage_error(command, "'%s' is not a VM id", command->argv[at]);
}
