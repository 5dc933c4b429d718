/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: what the program takes, for people and for the shells, from the table of verbs. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/print.h"
#include "setup/setup.h"
#include "wanted/layout.h"

/* What is wider has its words in the next line. */
#define NAME_MAX_WIDTH 28

/* The rows of a section: what is typed, and what it is. */
struct row {
	char *name;
	const char *what;
};

#define ROWS_MAX 32

struct rows {
	struct row items[ROWS_MAX];
	size_t count;
};

static void rows_done(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++)
		free(rows->items[i].name);
}

#define cleanup_rows cleanup(rows_done)

static void add_row(struct rows *rows, char *name, const char *what)
{
	if (name && rows->count < ROWS_MAX)
		rows->items[rows->count++] = (struct row){ name, what };
	else
		free(name);
}

static void print_rows(const char *title, const struct rows *rows)
{
	size_t width = 0;

	for (size_t i = 0; i < rows->count; i++) {
		size_t size = strlen(rows->items[i].name);

		if (size > width && size <= NAME_MAX_WIDTH)
			width = size;
	}
	if (rows->count > 0)
		printf("%s:\n", title);
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->items[i];
		bool wide = strlen(row->name) > width;
		cleanup_free char *start =
			text_format("  %-*s  ", (int)width, wide ? "" : row->name);

		if (wide)
			printf("  %s\n", row->name);
		print_wrapped(start ? start : "", (unsigned)width + 4, row->what);
	}
	if (rows->count > 0)
		putchar('\n');
}

/* "--layout LAYOUT", "--acs-override[=VALUE]" */
static char *option_words(const struct verb_option *option)
{
	if (option->form == OPTION_FLAG)
		return strdup(option->name);
	if (option->form == OPTION_OPTIONAL)
		return text_format("%s[=%s]", option->name, option->value);
	return text_format("%s %s", option->name, option->value);
}

static void print_options(const struct verb_option *options)
{
	cleanup_rows struct rows rows = { .count = 0 };

	for (; options && options->name; options++)
		add_row(&rows, option_words(options), options->what);
	print_rows("Options", &rows);
}

static void print_verbs_below(const struct verb *over)
{
	cleanup_rows struct rows rows = { .count = 0 };

	for (size_t i = 0; i < verb_count; i++) {
		const struct verb *verb = &verbs[i];
		const char *name = over ? verb->name + strlen(over->name) + 1 : verb->name;

		if (verb->what && (over ? verb_is_below(verb, over) : !strchr(verb->name, ' ')))
			add_row(&rows,
				text_format("%s%s%s", name, *verb->words ? " " : "", verb->words),
				verb->what);
	}
	print_rows("Verbs", &rows);
}

static void print_layouts(void)
{
	cleanup_rows struct rows rows = { .count = 0 };

	for (size_t i = 0; layout_at(i); i++)
		add_row(&rows, strdup(layout_name(layout_at(i))), layout_what(layout_at(i)));
	print_rows("Layouts", &rows);
}

static void print_program(void)
{
	puts("Usage: pve-vfio VERB [WORD...] [OPTION...]\n");
	print_wrapped("", 0,
		      "Passes PCI devices to Proxmox VE VMs: the companion of pve-vfio-hook.");
	putchar('\n');
	print_verbs_below(NULL);
	print_options(global_options);
	puts("'pve-vfio help VERB' says what a verb takes, with examples.");
	print_wrapped("Exit status: ", 13,
		      "0 done; 1 failed; 2 usage; 3 refused, or found wanting.");
	puts("See pve-vfio(8).");
}

/* "what a verb takes" as "What a verb takes." */
static void print_what(const char *what)
{
	cleanup_free char *sentence =
		text_format("%c%s.\n", toupper((unsigned char)*what), what + 1);

	print_wrapped("", 0, sentence ? sentence : what);
}

void help_print(const struct verb *verb)
{
	cleanup_free char *status = NULL;

	if (!verb) {
		print_program();
		return;
	}
	printf("Usage: pve-vfio %s%s%s%s\n\n", verb->name, *verb->words ? " " : "", verb->words,
	       verb->options ? " [OPTION...]" : "");
	print_what(verb->what ? verb->what : "for the package's own scripts");
	if (!verb->run)
		print_verbs_below(verb);
	print_options(verb->options);
	if (verb->run == verb_attach)
		print_layouts();
	for (size_t i = 0; i < VERB_EXAMPLES && verb->examples[i]; i++)
		printf("%s  %s\n", i == 0 ? "Examples:\n" : "", verb->examples[i]);
	printf("%s", verb->examples[0] ? "\n" : "");
	status = text_format("0 done; 1 failed; 2 usage%s%s.", verb->refused ? "; 3 " : "",
			     verb->refused ? verb->refused : "");
	print_wrapped("Exit status: ", 13, status ? status : "");
	if (verb->json)
		puts("With --json it prints JSON.");
	puts("See pve-vfio(8).");
}

int verb_help(struct command *command, struct error *err)
{
	int words = 0;
	const struct verb *verb = verb_find(command->argv, command->argc, &words);

	if (command->argc > 0 && (!verb || words < command->argc))
		return usage_error(err, command, "there is no verb '%s%s%s'", command->argv[0],
				   command->argc > 1 ? " " : "",
				   command->argc > 1 ? command->argv[1] : "");
	help_print(verb);
	return 0;
}

void help_list_verbs(void)
{
	for (size_t i = 0; i < verb_count; i++)
		if (verbs[i].what && !strchr(verbs[i].name, ' '))
			printf("%s\t%s\n", verbs[i].name, verbs[i].what);
}

static void list_option_rows(const char *verb, const struct verb_option *option)
{
	for (; option && option->name; option++)
		printf("%s\t%s\t%s\n", verb, option->name, option->offers ? option->offers : "-");
}

/* "*" is any verb, "-" the words behind it, or no value. */
void help_list_options(void)
{
	list_option_rows("*", global_options);
	for (size_t i = 0; i < verb_count; i++) {
		const char *at = verbs[i].offers;

		if (!verbs[i].what)
			continue;
		while (*at) {
			size_t size = strcspn(at, " ");

			printf("%s\t-\t%.*s\n", verbs[i].name, (int)size, at);
			at += size + strspn(at + size, " ");
		}
		list_option_rows(verbs[i].name, verbs[i].options);
	}
}
