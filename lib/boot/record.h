/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * boot: the record of what setup has made of this machine, /var/lib/pve-vfio/setup.json, and beside
 * it, in originals/, what the files were that it changed. It is written before a change that it
 * names, so that undo knows of it whatever happens in between.
 */
#pragma once

#include <stdint.h>

#include "boot/draft.h"
#include "boot/setting.h"

#define RECORD_FOLDER	 "var/lib/pve-vfio"
#define RECORD_NAME	 "setup.json"
#define RECORD_ORIGINALS "originals"
#define RECORD_KEPT	 "kept-"

/* A file that is not as it was before the first setup. */
struct record_file {
	char *path;
	bool existed; /* before; then its content is in originals/ */
	struct file_owner owner;
	uint64_t written; /* record_hash() of what was written last; 0: it was removed */
};

struct record {
	bool exists;		/* there was a setup that is not undone */
	bool pending;		/* files were written whose commands have not all run */
	struct strings options; /* what was asked, as on the command line: "--nested" */
	struct boot_settings settings;
	struct strings cmdline; /* the words that are ours in /etc/kernel/cmdline */
	char *pin_before;	/* the kernel that was pinned before ours; NULL: none */
	struct strings folders; /* that were made, in the order they were */
	struct record_file *files;
	size_t file_count;
};

void record_done(struct record *record);
#define cleanup_record cleanup(record_done)

/* Reads the record; an empty one when there is none. */
int record_read(const struct sysroot *root, struct record *ret, struct error *err) must_check;

/* Writes it; makes its folder. */
int record_write(const struct sysroot *root, const struct record *record, struct error *err);

struct record_file *record_find(const struct record *record, const char *path);

/*
 * Notes that `file` is going to be what its draft says. What it is now is kept as its original,
 * unless that was done before.
 */
int record_note(const struct sysroot *root, struct record *record, const struct boot_file *file,
		struct error *err) must_check;

/* The content that the file had before the first setup. The caller frees it. */
int record_original(const struct sysroot *root, const struct record_file *file, char **ret,
		    struct error *err) must_check;

/* Keeps the original of `path` when the record goes, as /var/lib/pve-vfio/kept-NAME. */
int record_keep_original(const struct sysroot *root, const char *path,
			 struct error *err) must_check;

/*
 * Removes the record, then the originals and, where nothing else is in it, the folder. Also sweeps up
 * what is left of a removal that was interrupted.
 */
int record_remove(const struct sysroot *root, struct error *err);

/* Notes the folder `path` and those above it that are not there yet: they are going to be made. */
int record_note_folders(const struct sysroot *root, struct record *record, const char *path,
			struct error *err) must_check;

/* Makes a folder and those above it. */
int record_make_folder(const struct sysroot *root, const char *path, struct error *err) must_check;

/* A number that tells two contents apart (FNV-1a, 64 bit); never 0. */
uint64_t record_hash(const char *text);
