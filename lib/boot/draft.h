/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: a draft: the text files that the machine boots with, each as it is and as it will be. A
 * draft changes nothing; boot/transaction.h writes one.
 */
#pragma once

#include "base/file.h"
#include "host/sysroot.h"

/* More than any file that is edited here has. */
#define BOOT_FILE_MAX ((size_t)1024 * 1024)

/* The permissions of files that are new. */
#define BOOT_MODE_TEXT	 0644
#define BOOT_MODE_SCRIPT 0755

struct boot_file {
	char *path;   /* "etc/default/grub" */
	char *before; /* its content; NULL: there is no such file */
	char *after;  /* what it will be; NULL: it will not be there */
	struct file_owner owner;
	bool link; /* it is a symbolic link, which writing it would replace */
};

/* Started as { 0 }. */
struct boot_draft {
	struct boot_file **items;
	size_t count;
};

void boot_draft_done(struct boot_draft *draft);
#define cleanup_boot_draft cleanup(boot_draft_done)

/*
 * The file `path` of the draft, read when it is asked for the first time; it stays the draft's.
 * An error when it is not text, or too large.
 */
int boot_draft_open(struct boot_draft *draft, const struct sysroot *root, const char *path,
		    struct boot_file **ret, struct error *err) must_check;

/* What the file will be (NULL: not there); `mode` is for a new one. */
int boot_draft_set(struct boot_draft *draft, const struct sysroot *root, const char *path,
		   const char *content, mode_t mode, struct error *err) must_check;

/* It will be changed. */
bool boot_file_changes(const struct boot_file *file);
bool boot_draft_changes(const struct boot_draft *draft);

/* -ELOOP when a file that is to change is a symbolic link. */
int boot_draft_check(const struct boot_draft *draft, struct error *err) must_check;

/* -ESTALE when a file is not any more as it was when the draft read it: somebody has edited it. */
int boot_draft_look_again(const struct boot_draft *draft, const struct sysroot *root,
			  struct error *err) must_check;

/*
 * Takes the bytes from `offset` on out of what the file will be. Of several, the last in the file
 * first. False where they are not there.
 */
bool boot_file_cut(struct boot_file *file, size_t offset, size_t size);

/*
 * Adds the names in `folder` that end in `suffix`, in the order a shell's glob has (LC_ALL=C), as
 * paths. A folder that is not there has none. Files that the draft makes in it are there, too.
 */
int boot_draft_list(const struct boot_draft *draft, const struct sysroot *root, const char *folder,
		    const char *suffix, struct strings *paths, struct error *err) must_check;
