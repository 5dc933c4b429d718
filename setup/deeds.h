/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what a verb that changes something does, said while it does so: line by line to a person, and
 * with --json as one document at the end.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"
#include "setup/setup.h"

/* Started as { 0 }; deeds_begin() comes first. */
struct deeds {
	bool json, dry_run;
	json_t *commands; /* of Proxmox VE and of the shell, as one types them */
	json_t *notes;	  /* sentences */
	json_t *more;	  /* members of the document that are the verb's own */
};

void deeds_begin(struct deeds *deeds, const struct command *command);

/*
 * All is looked at, nothing has refused, and there is something to do: a dry run says that it is one.
 * deeds_end() says so last.
 */
void deeds_open(const struct deeds *deeds);
void deeds_done(struct deeds *deeds);
#define cleanup_deeds cleanup(deeds_done)

void deeds_command(struct deeds *deeds, const char *line);
void deeds_note(struct deeds *deeds, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A member of the document; takes the reference. Nothing for a person. */
void deeds_add(struct deeds *deeds, const char *name, json_t *value);

/*
 * The end of a run without an error. Says to a person `now`, what is true from now on, but for a dry
 * run; NULL: nothing to say.
 */
int deeds_end(struct deeds *deeds, const char *now, struct error *err) must_check;
