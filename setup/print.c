/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: how every verb prints. Knows nothing of what. */
#include "setup/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "report/words.h"
#include "setup/setup.h"
#include "setup/terminal.h"

/* Longer lines are hard to read. */
#define COLUMNS_MAX  100
#define LABEL_INDENT 2
#define LABEL_WIDTH  12

static size_t at_most(size_t width)
{
	return width < COLUMNS_MAX ? width : COLUMNS_MAX;
}

/* Asked of the terminal once. */
static size_t columns(void)
{
	static size_t width;

	if (width == 0)
		width = at_most(terminal_of_output().width);
	return width;
}

/* What is in one piece stays in one line, and in the first if it comes first. */
static void wrap(FILE *stream, size_t width, const char *start, const char *indent,
		 const char *text)
{
	size_t column = strlen(start);
	bool first = true;

	fputs(start, stream);
	for (;;) {
		size_t size = words_piece(text);

		if (!first && column + 1 + size > width) {
			fprintf(stream, "\n%s", indent);
			column = strlen(indent);
		} else if (!first) {
			fputc(' ', stream);
			column++;
		}
		fwrite(text, 1, size, stream);
		column += size;
		first = false;
		if (text[size] == '\0')
			break;
		text += size + 1;
	}
	fputc('\n', stream);
}

void print_wrapped(const char *start, unsigned indent, const char *text)
{
	cleanup_free char *blanks = text_format("%*s", (int)indent, "");

	wrap(stdout, columns(), start, blanks ? blanks : "", text);
}

void print_sentence(int fd, const char *start, const char *indent, const char *format, ...)
{
	FILE *stream = fd == STDERR_FILENO ? stderr : stdout;
	size_t width = at_most(terminal_width(fd));
	cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	if (width > 0)
		wrap(stream, width, start, indent, text ? text : "");
	else
		fprintf(stream, "%s%s\n", start, text ? text : "");
}

size_t print_findings_width(int fd)
{
	size_t width = at_most(terminal_width(fd));

	return width > 0 ? width : WORDS_WIDTH;
}

void print_row(const char *label, const char *format, ...)
{
	char start[LABEL_INDENT + LABEL_WIDTH + 1];
	cleanup_free char *text = NULL;
	va_list arguments;

	va_start(arguments, format);
	text = text_format_list(format, arguments);
	va_end(arguments);
	snprintf(start, sizeof(start), "%*s%-*s", LABEL_INDENT, "", LABEL_WIDTH, label);
	print_wrapped(start, LABEL_INDENT + LABEL_WIDTH, text ? text : "");
}

/* There is one document to an output. */
static bool document_is_out;

int print_json_file(json_t *document, struct error *err)
{
	cleanup_json json_t *owned = document;
	cleanup_free char *text = owned ? json_text(owned, JSON_INDENT(2)) : NULL;

	if (!text)
		return error_set_memory(err);
	puts(text);
	document_is_out = true;
	return 0;
}

int print_json(json_t *document, struct error *err)
{
	cleanup_json json_t *whole = json_pack("{s:i}", "format", JSON_FORMAT);
	cleanup_json json_t *owned = document;

	if (!whole || !owned || json_object_update(whole, owned) < 0)
		return error_set_memory(err);
	return print_json_file(json_incref(whole), err);
}

bool printed_json(void)
{
	return document_is_out;
}

/* What a program can tell errors apart by. */
static const char *error_id(int r, const struct error *err)
{
	if (err->kind == ERROR_USAGE)
		return "usage";
	if (err->kind == ERROR_REFUSED)
		return "refused";
	switch (-r) {
	case ENOENT:
	case ENODEV:
		return "absent";
	case EACCES:
	case EPERM:
		return "no-access";
	case EAGAIN:
	case EBUSY:
		return "busy";
	case ETIMEDOUT:
		return "no-answer";
	case ENOMEM:
		return "no-memory";
	default:
		return "failed";
	}
}

/* Of "WHAT IS WRONG; 'COMMAND' does this" the place of the "; "; NULL: it says not what to do. */
static const char *find_advice(const char *sentence)
{
	const char *found = NULL;
	bool quoted = false;

	for (const char *at = sentence; *at; at++) {
		if (*at == '\'' && (quoted || at == sentence || at[-1] == ' '))
			quoted = !quoted;
		else if (!quoted && text_starts_with(at, "; "))
			found = at;
	}
	return found && strchr(found, '\'') ? found : NULL;
}

void print_json_error(int r, const struct error *err)
{
	const char *advice = *err->remedy ? NULL : find_advice(err->message);
	size_t size = advice ? (size_t)(advice - err->message) : strlen(err->message);
	const char *remedy = advice ? advice + strlen("; ") : err->remedy;
	struct error lost = { 0 };

	if (print_json(json_pack("{s:{s:s, s:s%, s:s?}}", "error", "id", error_id(r, err),
				 "message", err->message, size, "remedy", *remedy ? remedy : NULL),
		       &lost) < 0)
		fprintf(stderr, "pve-vfio: %s\n", lost.message);
}

void print_node_faults(const struct pve_node *node)
{
	for (size_t i = 0; i < node->faults.count; i++)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "%s", node->faults.items[i]);
	if (node->journals_hidden)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ",
			       "without root it is not seen what VMs hold");
}
