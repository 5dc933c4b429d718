/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what the files of `pve-vfio setup` and `undo` share.
 */
#pragma once

#include "boot/effect.h"
#include "boot/plan.h"
#include "boot/transaction.h"
#include "pci/device.h"
#include "setup/setup.h"

/* The command line of setup. Started as { 0 }. */
struct configure_options {
	bool dry_run, yes, clean_up, add;
	/* What is asked of the machine, in the form it is recorded: "--early=0000:01:00.0" */
	struct strings asked;
};

/* Everything that setup has found out and is about to do. Started as { 0 }. */
struct configure {
	const struct sysroot *root;
	const struct guard_link *link; /* for setup_show() */
	bool json;
	struct configure_options options;
	struct record record;
	struct boot_request request;
	struct boot_plan plan;
	struct boot_commands commands;
	bool applied;
};

/* Reads the options. */
int configure_parse(const struct command *command, struct configure_options *ret,
		    struct error *err) must_check;

/* Two asked options give one thing two values: "--param=a=1" and "--param=a=2". */
bool configure_is_against(const char *asked, const char *other);

/*
 * Makes the request of what is asked; looks at the devices. Refused where the host would lose what it
 * cannot do without.
 */
int configure_request(const struct sysroot *root, const struct strings *asked,
		      struct boot_request *ret, struct error *err) must_check;

/*
 * The functions that an address means, "01:00" all of a slot; adds EARLY settings. Refused: what
 * the host needs, and a device that nothing tells from one that the host needs: an address may
 * be another card's at the next boot. "0000:01:00.0=10de:2484" is for an image; where the address
 * is there, the ids must be its own.
 */
int configure_early(const struct sysroot *root, const char *word, struct boot_request *request,
		    struct error *err) must_check;
int configure_sriov(const struct sysroot *root, const char *word, struct boot_request *request,
		    struct error *err) must_check;
/*
 * "05:00.0=4": a function that can have so many virtual ones; 0 is a number, too. -EINVAL, -ENODEV,
 * -ENOTSUP, -ERANGE
 */
int configure_parse_count(const struct sysroot *root, const char *word,
			  struct pci_device *ret_device, unsigned *ret_count,
			  struct error *err) must_check;
int configure_blacklist(const struct sysroot *root, const char *driver,
			struct boot_request *request, struct error *err) must_check;

/* "01:00.0", "0000:01:00.0", and without the function; *ret_all: all functions of it. */
int configure_parse_address(const char *word, struct pci_address *ret, bool *ret_all,
			    struct error *err) must_check;

/* One of the functions that there are, or may be: 1; 0: it is not there (any more); or -errno. */
int configure_read_device(const struct sysroot *root, struct pci_address address,
			  struct pci_device *ret, struct error *err) must_check;

/*
 * Refuses to take from the host what it cannot do without; `what` is what would be done.
 * Where nothing can be determined there is no host: an image.
 */
int configure_check_uses(const struct sysroot *root, const struct pci_device *device,
			 const char *what, struct error *err) must_check;

/* What people call the device, for a comment in a file. The caller frees it; may be NULL. */
char *configure_device_name(const struct sysroot *root, const struct pci_device *device);

/* Asks on the terminal; false without one, or for any answer but y. */
bool configure_ask(const char *question);

/* The commands of the transaction with their progress on standard error; none in an image. */
int configure_run(const struct sysroot *root, const struct boot_commands *commands,
		  const struct strings *words, struct error *err) must_check;

/* The first line of a run with --dry-run, and the last. */
#define CONFIGURE_DRY_RUN     "A dry run: this would be done, and nothing is.\n"
#define CONFIGURE_DRY_RUN_END "\nA dry run: nothing was changed."

/* Prints all there is to know before the question; the JSON document after it. */
void configure_print(const struct configure *configure);
void configure_print_draft(const struct boot_draft *draft, const struct boot_settings *settings);
void configure_print_commands(const struct sysroot *root, const struct boot_commands *commands);
int configure_print_json(const struct configure *configure, bool reboot,
			 struct error *err) must_check;
json_t *configure_json_files(const struct boot_draft *draft);
json_t *configure_json_commands(const struct boot_commands *commands);

/* The refusal where nobody has said yes. */
#define CONFIGURE_NOT_AGREED "nothing is changed: say y on a terminal, or give --yes"

/* Says what is left to do; true when a reboot is needed. */
bool configure_needs_reboot(const struct configure *configure);
