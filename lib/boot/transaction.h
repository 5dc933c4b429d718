/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: writing a draft, and running what makes it count. Whatever happens in between, each file is
 * as it was or as it will be, and the record knows of it.
 */
#pragma once

#include "boot/layout.h"
#include "boot/loader.h"
#include "boot/record.h"

/* A command with its arguments; started as { 0 }. */
struct boot_commands {
	struct strings *items; /* "update-grub" */
	size_t count;
};

void boot_commands_done(struct boot_commands *commands);
#define cleanup_boot_commands cleanup(boot_commands_done)

/*
 * Adds what makes changes count: update-initramfs (or dracut) for all kernels, the pin, then proxmox-boot-tool
 * refresh where it keeps the boot partitions (without a terminal a pin does not reach them by
 * itself), else update-grub. Nothing for another boot loader.
 */
int boot_commands_for(struct boot_commands *commands, struct layout_refresh refresh,
		      const struct boot_loader *loader, struct error *err) must_check;

int boot_commands_add(struct boot_commands *commands, const char *const argv[]);

/* As one types it. The caller frees it; NULL without memory. */
char *boot_command_words(const struct strings *command);

struct transaction_callbacks {
	/* A command begins, or (took_ms not negative) has ended; may be NULL. */
	void (*progress)(const char *command, int64_t took_ms, void *context);
	/* Something went well but for this, in a sentence; may be NULL. */
	void (*warn)(const char *sentence, void *context);
	void *context;
};

/*
 * Writes the files of a draft that was checked: notes them in the record, keeps the originals, replaces one after
 * the other. When one cannot be written, those before it are put back.
 */
int transaction_write(const struct sysroot *root, struct record *record,
		      const struct boot_draft *draft, struct error *err) must_check;

/* Puts back what the files were before transaction_write(); goes on after a failure. */
int transaction_put_back(const struct sysroot *root, const struct boot_draft *draft,
			 struct error *err);

/* Writes the files of the draft without an entry in the record, as undo does. */
int transaction_restore(const struct sysroot *root, const struct boot_draft *draft,
			struct error *err) must_check;

/*
 * Runs the commands in order, to the first that fails; its output is in the sentence. Each runs to
 * its end also when this program is killed. What a command that went well has done is looked at:
 * proxmox-boot-tool skips boot partitions, and ends with 0. update-grub writes to a file beside grub.cfg, which
 * takes its place when `words` are in it: a reader, or a power loss, sees the old or the new one.
 */
int transaction_run(const struct sysroot *root, const struct boot_commands *commands,
		    const struct strings *words, const struct transaction_callbacks *callbacks,
		    struct error *err) must_check;

/* Removes the temporary files that a killed run has left beside the files of the record. */
void transaction_sweep(const struct sysroot *root, const struct record *record);

/* Removes folders that setup made, the last first, where nothing is in them. */
void transaction_remove_folders(const struct sysroot *root, const struct strings *folders);

/* Only one at a time: a lock, held until the descriptor is closed; -EAGAIN when another has it. */
int transaction_lock(const struct sysroot *root, struct error *err) must_check;
