/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: pve-vfio, the companion command. A verb a file; what each takes is a row of the one table in
 * verbs.c, which parsing (command.c), the help, completion and suggestions (help.c) are driven by.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/guard.h"
#include "host/sysroot.h"

struct command;
struct deeds;

enum option_form {
	OPTION_FLAG,	 /* "--yes" */
	OPTION_VALUE,	 /* "--layout nvidia" or "--layout=nvidia" */
	OPTION_OPTIONAL, /* "--acs-override" or "--acs-override=downstream" */
	OPTION_VALUES,	 /* "--early 01:00 02:00", or "--early=01:00" as often as wanted */
};

/*
 * `value` is what the help calls the value. `offers` is what a shell completes it with: a list of
 * `pve-vfio list` ("vms"), alternatives ("linux|windows"), "file", "folder", "text" (nothing to offer).
 */
struct verb_option {
	const char *name;
	enum option_form form;
	const char *value, *offers;
	const char *what;
};

#define VERB_EXAMPLES 5

struct verb {
	const char *name;   /* "rom check": of two words */
	const char *words;  /* what follows it, in the help */
	const char *offers; /* what a shell offers for each of them, with blanks between; "" */
	int least, most;    /* how many words follow it */
	bool json;	    /* prints JSON, too */
	bool looks; /* only looks, so that it can be begun anew without what does not answer */
	bool (*changes)(
		const struct command *command); /* with these words it does not; NULL: never */
	int (*run)(struct command *command, struct error *err); /* NULL: the verbs below it do */
	const char *what;					/* NULL: not for people */
	const char *refused;		   /* what status 3 means, where there is such a thing */
	const struct verb_option *options; /* ended by one without a name; NULL: none */
	const char *examples[VERB_EXAMPLES];
};

struct given_option {
	const struct verb_option *option;
	const char *value; /* NULL: none */
};

/* A command line, and what a verb works on. The strings are argv's. */
struct command {
	struct sysroot root;
	const struct verb *verb;
	bool json;
	int argc; /* the words behind the verb */
	char **argv;
	struct given_option *given; /* options, in their order */
	size_t given_count;
	const struct guard_link *link; /* to the process that waits for this one */
	struct deeds *deeds;	       /* what it says that it does, where it does something */
};

/* ---- verbs.c: the table; the verbs, each in a file of its own */

extern const struct verb verbs[];
extern const struct verb_option global_options[]; /* ended by one without a name */
extern const size_t verb_count;

/*
 * Each returns 0 or -errno, with the sentence in `err`; what that comes to for who has called the
 * program is its kind, of which main.c makes the exit status.
 */
int verb_attach(struct command *command, struct error *err) must_check;
int verb_doctor(struct command *command, struct error *err) must_check;
int verb_next(struct command *command, struct error *err);
int verb_report(struct command *command, struct error *err) must_check;
int verb_devices(struct command *command, struct error *err) must_check;
int verb_config(struct command *command, struct error *err) must_check;
int verb_detach(struct command *command, struct error *err) must_check;
int verb_plan(struct command *command, struct error *err) must_check;
int verb_where(struct command *command, struct error *err) must_check;
int verb_publish(struct command *command, struct error *err) must_check;
int verb_metrics(struct command *command, struct error *err) must_check;
int verb_log(struct command *command, struct error *err) must_check;
int verb_status(struct command *command, struct error *err) must_check;
int verb_restore(struct command *command, struct error *err) must_check;
int verb_setup(struct command *command, struct error *err) must_check;
int verb_undo(struct command *command, struct error *err) must_check;
int verb_rom_show(struct command *command, struct error *err) must_check;
int verb_rom_check(struct command *command, struct error *err) must_check;
int verb_rom_dump(struct command *command, struct error *err) must_check;
int verb_rom_vfct(struct command *command, struct error *err) must_check;
int verb_rom_fix(struct command *command, struct error *err) must_check;
int verb_rom_install(struct command *command, struct error *err) must_check;
int verb_rom_wrap(struct command *command, struct error *err) must_check;
int verb_sriov(struct command *command, struct error *err) must_check;
bool sriov_changes(const struct command *command);
int plan_live(struct command *command, struct error *err) must_check; /* plan --live */
int verb_help(struct command *command, struct error *err) must_check;
int verb_list(struct command *command, struct error *err) must_check;
int verb_package(struct command *command, struct error *err) must_check;

/* ---- command.c: the command line */

enum command_wish { WISH_RUN, WISH_HELP, WISH_VERSION };

/*
 * Reads the command line by the table; the words end up in order in `argv`. Options may be anywhere,
 * and after "--" there is none. For WISH_HELP the verb may be NULL.
 */
int command_parse(int argc, char **argv, struct command *ret, const char **ret_root,
		  enum command_wish *ret_wish, struct error *err) must_check;
void command_done(struct command *command);

/* Whether an option of the verb is given; its value, of several the last, or NULL. */
bool command_has(const struct command *command, const char *option);
const char *command_value(const struct command *command, const char *option);

/* Parses the VMID of `command->argv[at]`. */
int command_parse_vmid(const struct command *command, int at, uint32_t *ret,
		       struct error *err) must_check;

/* The command line is wrong: "...; see 'pve-vfio VERB --help'". -EINVAL. */
int usage_error(struct error *err, const struct command *command, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* The verb of one word or two at the start of `words`; the number of words it has. NULL: none. */
const struct verb *verb_find(char *const *words, int count, int *ret_words);

/* Whether the verb is one of those below `over`: "rom check" below "rom". */
bool verb_is_below(const struct verb *verb, const struct verb *over);

/* ---- help.c */

/* What the program is and takes, or one verb. */
void help_print(const struct verb *verb);

/* "VERB<tab>WHAT IT DOES", and "VERB<tab>OPTION<tab>TAKES", a line each: for the shells. */
void help_list_verbs(void);
void help_list_options(void);

/*
 * What has been printed is shown now, before it is done. -EIO where it cannot be: then nothing may be
 * done.
 */
int setup_show(const struct guard_link *link, struct error *err) must_check;
