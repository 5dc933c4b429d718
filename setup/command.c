/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: reads the command line by the table of verbs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"
#include "base/text.h"
#include "setup/setup.h"

/* The longest name of a verb of two words. */
#define NAME_MAX_SIZE 64

/* Where the help of a verb is. */
static int refer_to_help(struct error *err, const struct verb *verb, const char *what,
			 const char *near)
{
	int r = error_misuse(err, "%s%s%s%s", what, near ? "; did you mean '" : "",
			     near ? near : "", near ? "'?" : "");

	return error_advise(err, r, "see 'pve-vfio %s%s--help'", verb ? verb->name : "",
			    verb ? " " : "");
}

int usage_error(struct error *err, const struct command *command, const char *format, ...)
{
	cleanup_free char *what = NULL;
	va_list arguments;

	va_start(arguments, format);
	what = text_format_list(format, arguments);
	va_end(arguments);
	return refer_to_help(err, command->verb, what ? what : "", NULL);
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
static int unknown_verb(const char *word, const struct verb *over, struct error *err)
{
	cleanup_free char *what = text_format("unknown verb '%s'", word);
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *verb = &verbs[i];

		if (verb->what && over && verb_is_below(verb, over))
			add_name(names, &count, verb->name + strlen(over->name) + 1);
		else if (verb->what && !over && !strchr(verb->name, ' '))
			add_name(names, &count, verb->name);
	}
	return refer_to_help(err, over, what ? what : "", text_near(word, names, count));
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

static int unknown_option(const struct command *command, const char *word, struct error *err)
{
	const struct verb_option *own = command->verb ? command->verb->options : NULL;
	cleanup_free char *name = strndup(word, strcspn(word, "=")), *what = NULL;
	const char *names[NAMES_MAX];
	size_t count = 0;

	for (; own && own->name; own++)
		add_name(names, &count, own->name);
	for (const struct verb_option *at = global_options; at->name; at++)
		add_name(names, &count, at->name);
	what = text_format("unknown option '%s'", name ? name : word);
	return refer_to_help(err, command->verb, what ? what : "",
			     text_near(name ? name : word, names, count));
}

/* A word that is not an option; "-" is standard input or output. */
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
static int take_option(struct reading *reading, const struct verb_option *option, const char **ret,
		       struct error *err)
{
	const char *word = reading->argv[reading->at];
	const char *equals = word[1] == '-' ? strchr(word, '=') : NULL;

	*ret = equals ? equals + 1 : NULL;
	if (option->form == OPTION_FLAG && equals)
		return usage_error(err, reading->command, "no value goes with '%s'", option->name);
	if (option->form == OPTION_FLAG || option->form == OPTION_OPTIONAL || equals)
		return 0;
	if (reading->at + 1 == reading->argc || !is_word(reading->argv[reading->at + 1]))
		return usage_error(err, reading->command, "'%s' needs a value: %s", option->name,
				   option->value);
	*ret = reading->argv[++reading->at];
	return 0;
}

static void give(struct command *command, const struct verb_option *option, const char *value)
{
	command->given[command->given_count++] = (struct given_option){ option, value };
}

static int take_verbs_option(struct reading *reading, const struct verb_option *option,
			     struct error *err)
{
	const char *value;
	int r = take_option(reading, option, &value, err);
	bool in_word = value && value != reading->argv[reading->at];

	if (r < 0)
		return r;
	give(reading->command, option, value);
	while (option->form == OPTION_VALUES && !in_word && reading->at + 1 < reading->argc &&
	       is_word(reading->argv[reading->at + 1]))
		give(reading->command, option, reading->argv[++reading->at]);
	return 0;
}

static int take_global_option(struct reading *reading, const struct verb_option *option,
			      struct error *err)
{
	struct command *command = reading->command;
	const char *value;
	int r = take_option(reading, option, &value, err);

	if (r < 0)
		return r;
	if (value)
		reading->root = value;
	else if (strcmp(option->name, "--json") == 0)
		command->json = true;
	else
		reading->wish = strcmp(option->name, "--help") == 0 ? WISH_HELP : WISH_VERSION;
	return 0;
}

static const struct verb_option *find_global_option(const char *word)
{
	if (strcmp(word, "-h") == 0)
		word = "--help";
	else if (strcmp(word, "-V") == 0)
		word = "--version";
	return find_option(global_options, word);
}

/* The verb is the first word that is not an option and no option's value. */
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
static int sort_words(struct reading *reading, int verb_at, int verb_words, struct error *err)
{
	struct command *command = reading->command;
	bool ended = false;

	for (reading->at = 1; reading->at < reading->argc; reading->at++) {
		char *word = reading->argv[reading->at];
		const struct verb_option *own, *global;
		int r = 0;

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
			r = take_verbs_option(reading, own, err);
		else if (global)
			r = take_global_option(reading, global, err);
		else
			r = unknown_option(command, word, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_words(const struct command *command, struct error *err)
{
	const struct verb *verb = command->verb;

	if (!verb->run && command->argc > 0)
		return unknown_verb(command->argv[0], verb, err);
	if (!verb->run)
		return usage_error(err, command, "a verb is needed");
	if (command->argc < verb->least)
		return usage_error(err, command, "it takes %s", verb->words);
	if (command->argc > verb->most)
		return usage_error(err, command, "one word too many: '%s'",
				   command->argv[verb->most]);
	if (command->json && !verb->json)
		return usage_error(err, command, "it does not print JSON");
	return 0;
}

int command_parse(int argc, char **argv, struct command *ret, const char **ret_root,
		  enum command_wish *ret_wish, struct error *err)
{
	struct reading reading = { ret, argc, argv, 1, "/", WISH_RUN };
	int at, words, r;

	ret->argv = argv + 1;
	ret->given = calloc((size_t)argc + 1, sizeof(*ret->given));
	if (!ret->given)
		return error_set_memory(err);
	/* so that what is wrong with the others is said in JSON, too */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		ret->json |= strcmp(argv[i], "--json") == 0;
	find_verb_words(&reading, &at, &words);
	if (words > 0 && !ret->verb)
		return unknown_verb(argv[at], NULL, err);
	r = sort_words(&reading, at, words, err);
	*ret_root = reading.root;
	*ret_wish = reading.wish;
	if (r < 0 || reading.wish != WISH_RUN)
		return r;
	if (!ret->verb && !ret->json && isatty(STDOUT_FILENO))
		ret->verb = named("next");
	return ret->verb ? check_words(ret, err) : usage_error(err, ret, "a verb is needed");
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

int command_parse_vmid(const struct command *command, int at, uint32_t *ret, struct error *err)
{
	if (parse_u32(command->argv[at], ret) == 0 && *ret > 0)
		return 0;
	return usage_error(err, command, "'%s' is not a VM id", command->argv[at]);
}
