/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the forms in which every verb prints to standard output.
 */
#pragma once

#include "base/json.h"
#include "doctor/pve_node.h"

/*
 * Prints `text` behind `start` in lines as wide as the terminal, to 100 columns, or 80; the second and later ones indented by
 * `indent` columns; breaks at blanks only.
 */
void print_wrapped(const char *start, unsigned indent, const char *text);

/*
 * A sentence on standard output or standard error. On a terminal it is broken as above; `start` begins
 * the first line, and `indent` the others. Elsewhere it is one line.
 */
void print_sentence(int fd, const char *start, const char *indent, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* How wide words_findings() are there: as sentences on a terminal, elsewhere as in a task log. */
size_t print_findings_width(int fd);

/* A line of a table: a label, and the text wrapped beside it. */
void print_row(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Of every document, in its member "format": it grows only where a member changes its type or goes. */
#define JSON_FORMAT 2

/*
 * Prints a JSON object with its format, and a newline; takes the reference. -ENOMEM with the sentence,
 * also for NULL, which is one for which there was no memory.
 */
int print_json(json_t *document, struct error *err) must_check;

/* The same without a format: a file of ours, as it would be written. */
int print_json_file(json_t *document, struct error *err) must_check;

/* Whether a document has been printed: there is one to an output. */
bool printed_json(void);

/* Prints what `r` is as a document: {"error": {"id", "message", "remedy"}}. */
void print_json_error(int r, const struct error *err);

/* What of the node could not be read, to standard error. */
void print_node_faults(const struct pve_node *node);
