/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: the kernel parameters that GRUB's configuration comes to. grub-mkconfig sources
 * /etc/default/grub and then, as Debian has it, /etc/default/grub.d/NAME.cfg in the order of their
 * names. These are shell scripts: read here is what people and packages write into them,
 * assignments with any quoting, comments, and references to other variables. What goes beyond it is
 * reported as a doubt, never guessed.
 */
#pragma once

#include "boot/draft.h"
#include "boot/word.h"

#define GRUB_FILE   "etc/default/grub"
#define GRUB_FOLDER "etc/default/grub.d"
#define GRUB_CONFIG "boot/grub/grub.cfg"

/* For the normal entries; GRUB_CMDLINE_LINUX is for these and the recovery ones. */
#define GRUB_VARIABLE "GRUB_CMDLINE_LINUX_DEFAULT"

/* Started as { 0 }. */
struct grub {
	/* GRUB_CMDLINE_LINUX and then GRUB_CMDLINE_LINUX_DEFAULT, as grub.d/10_linux has them */
	struct boot_words words;
	/* "/etc/default/grub, line 7": may say something else about the two */
	struct strings doubts;
};

void grub_done(struct grub *grub);
#define cleanup_grub cleanup(grub_done)

/* Reads what the draft's files come to. */
int grub_read(struct boot_draft *draft, const struct sysroot *root, struct grub *ret,
	      struct error *err) must_check;

/* Whether the script grub.cfg has all of `words` on a line that starts a kernel. */
bool grub_config_has(const char *config, const struct strings *words);
