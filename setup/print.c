/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: how every verb prints. Knows nothing of what. */
#include "setup/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup/setup.h"
#include "setup/terminal.h"

/* Longer lines are hard to read. */
#define COLUMNS_MAX  100
#define LABEL_INDENT 2
#define LABEL_WIDTH  12

/* Asked of the terminal once. */
static size_t columns(void)
{
	static size_t width;

	if (width == 0)
		width = terminal_of_output().width;
	return width < COLUMNS_MAX ? width : COLUMNS_MAX;
}

void print_wrapped(const char *start, unsigned indent, const char *text)
{
	size_t width = columns(), column = strlen(start);
	bool first = true;

	fputs(start, stdout);
	for (;;) {
		size_t size = strcspn(text, " ");

		if (!first && column + 1 + size > width) {
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

int print_json(json_t *document, struct error *err)
{
	cleanup_json json_t *owned = document;
	cleanup_free char *text = owned ? json_dumps(owned, JSON_INDENT(2)) : NULL;

	if (!text)
		return error_set_memory(err);
	puts(text);
	return 0;
}
