/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: how the sub-verbs of pve-vfio rom print. Knows nothing of ROMs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pve/pve.h"
#include "setup/rom/rom.h"

#define COLUMNS	     80
#define LABEL_INDENT 2
#define LABEL_WIDTH  12

void print_wrapped(const char *start, unsigned indent, const char *text)
{
	size_t column = strlen(start);
	bool first = true;

	fputs(start, stdout);
	for (;;) {
		size_t size = strcspn(text, " ");

		if (!first && column + 1 + size > COLUMNS) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			putchar(' ');
			column++;
		}
		fwrite(text, 1, size, stdout);
		column += size;
		first = false;
		if (text[size] == '\0')
			break;
		text += size + 1;
	}
	putchar('\n');
}

void print_row(const char *label, const char *format, ...)
{
	char start[LABEL_INDENT + LABEL_WIDTH + 1];
	cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	snprintf(start, sizeof(start), "%*s%-*s", LABEL_INDENT, "", LABEL_WIDTH, label);
	print_wrapped(start, LABEL_INDENT + LABEL_WIDTH, text ? text : "");
}

void print_json_document(json_t *document)
{
	cleanup_json json_t *owned = document;
	cleanup_free char *text = json_dumps(owned, JSON_INDENT(2));

	puts(text ? text : "");
}

json_t *json_hex_id(uint16_t id)
{
	char digits[8];

	snprintf(digits, sizeof(digits), "%04x", id);
	return json_string(digits);
}

json_t *json_name(const char *name)
{
	json_t *string = json_string(name);

	return string ? string : json_null();
}

char *rom_shell_word(const char *path)
{
	cleanup_strings struct strings words = { 0 };

	return pve_words(&words, path) < 0 ? NULL : pve_command_line(&words);
}

char *rom_fix_command(const char *path, const struct rom_repair *repair)
{
	cleanup_free char *options = repair->steps ? rom_repair_options(repair) : NULL;
	cleanup_free char *output = text_format("%s.fixed", strcmp(path, "-") == 0 ? "rom" : path);
	cleanup_free char *line = NULL;
	cleanup_strings struct strings words = { 0 };

	if (!options || !output ||
	    pve_words(&words, "pve-vfio", "rom", "fix", path, "-o", output) < 0)
		return NULL;
	line = pve_command_line(&words);
	return line ? text_format("%s %s", line, options) : NULL;
}

json_t *json_repair(const char *path, const struct rom_repair *repair)
{
	cleanup_free char *command = rom_fix_command(path, repair);

	return command ? json_name(command) : json_null();
}
