/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: pve-vfio, the companion command. One verb a file, a row each in the table of main.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/guard.h"
#include "host/sysroot.h"

enum exit_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_REFUSED = 3,
};

/* The global options, and the words behind the verb. */
struct command {
	struct sysroot root;
	bool json;
	int argc;
	char **argv;
	const struct guard_link *link; /* to the process that waits for this one */
};

/* Each returns an exit status; with STATUS_FAILED the sentence in `err` is not printed yet. */
int verb_attach(struct command *command, struct error *err);
int verb_doctor(struct command *command, struct error *err);
int verb_report(struct command *command, struct error *err);
int verb_devices(struct command *command, struct error *err);
int verb_config(struct command *command, struct error *err);
int verb_detach(struct command *command, struct error *err);
int verb_plan(struct command *command, struct error *err);
int verb_status(struct command *command, struct error *err);
int verb_restore(struct command *command, struct error *err);
int verb_setup(struct command *command, struct error *err);
int verb_undo(struct command *command, struct error *err);
int verb_rom(struct command *command, struct error *err);
int verb_list(struct command *command, struct error *err);
int verb_package(struct command *command, struct error *err);

/*
 * What has been printed is shown now, before it is done. -EIO where it cannot be: then nothing may be
 * done.
 */
int setup_show(const struct guard_link *link, struct error *err);

/* "VERB<tab>WHAT IT DOES", a line each. */
void print_verbs(void);

/* What `pve-vfio setup --help` prints. */
int configure_help(void);

/*
 * Parses the VMID of `command->argv[at]`. Prints what is wrong and returns STATUS_USAGE, or
 * STATUS_DONE.
 */
int command_parse_vmid(const struct command *command, int at, uint32_t *ret);
