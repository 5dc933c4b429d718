/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: prints deeds. Does none. */
#include "setup/deeds.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "setup/print.h"

void deeds_begin(struct deeds *deeds, const struct command *command)
{
	deeds->json = command->json;
	deeds->dry_run = command_has(command, "--dry-run");
	deeds->commands = json_array();
	deeds->notes = json_array();
	deeds->more = json_object();
}

void deeds_open(const struct deeds *deeds)
{
	if (deeds->dry_run && !deeds->json)
		puts("# A dry run: this would be done, and nothing is.");
}

void deeds_done(struct deeds *deeds)
{
	json_decref(deeds->commands);
	json_decref(deeds->notes);
	json_decref(deeds->more);
	*deeds = (struct deeds){ 0 };
}

void deeds_command(struct deeds *deeds, const char *line)
{
	if (deeds->json) {
		json_array_append_new(deeds->commands, json_string(line));
		return;
	}
	puts(line);
	fflush(stdout);
}

void deeds_note(struct deeds *deeds, const char *format, ...)
{
	cleanup_free char *line = NULL;
	va_list arguments;

	va_start(arguments, format);
	line = text_format_list(format, arguments);
	va_end(arguments);
	if (deeds->json)
		json_array_append_new(deeds->notes, json_string(line ? line : ""));
	else
		print_sentence(STDOUT_FILENO, "", "", "%s", line ? line : "");
}

void deeds_add(struct deeds *deeds, const char *name, json_t *value)
{
	json_object_set_new(deeds->more, name, value);
}

int deeds_end(struct deeds *deeds, const char *now, struct error *err)
{
	json_t *document;

	if (!deeds->json) {
		if (deeds->dry_run)
			puts("# A dry run: nothing was changed.");
		else if (now)
			print_sentence(STDOUT_FILENO, "", "", "%s", now);
		return 0;
	}
	document = json_pack("{s:b, s:b, s:s?, s:O, s:O}", "dry_run", deeds->dry_run, "done",
			     !deeds->dry_run, "now", deeds->dry_run ? NULL : now, "commands",
			     deeds->commands, "notes", deeds->notes);
	if (document)
		json_object_update(document, deeds->more);
	return print_json(document, err);
}
