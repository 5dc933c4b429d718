/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: the forms in which every verb prints to standard output.
 */
#pragma once

#include "base/json.h"

/*
 * Prints `text` behind `start` in lines as wide as the terminal, to 100 columns, or 80; the second and later ones indented by
 * `indent` columns; breaks at blanks only.
 */
void print_wrapped(const char *start, unsigned indent, const char *text);

/* A line of a table: a label, and the text wrapped beside it. */
void print_row(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Prints a JSON document and a newline; takes the reference. NULL is one for which there was no
 * memory: -ENOMEM.
 */
int print_json(json_t *document, struct error *err) must_check;
