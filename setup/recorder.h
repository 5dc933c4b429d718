/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup: what record.c puts its archive together with. Each takes a path below the root; what is not
 * there is left out. Text, paths and targets of links go through anonymise().
 */
#pragma once

#include "report/anonymise.h"
#include "report/tar.h"

struct recorder {
	const struct sysroot *root;
	const struct anonymiser *anonymiser;
	struct tar tar;
	struct strings folders; /* that are in the archive */
};

void recorder_done(struct recorder *recorder);

/* A whole text file. */
void record_file(struct recorder *recorder, const char *path);

/* Its lines that `keep` wants; it may change a line, but not lengthen it. */
typedef bool record_keep(char *line);
void record_lines(struct recorder *recorder, const char *path, record_keep *keep);

/* A file with this text instead of its own; also where there is none. */
void record_text(struct recorder *recorder, const char *path, const char *text);

/* A file with these bytes, as they are. */
void record_bytes(struct recorder *recorder, const char *path, const void *data, size_t size,
		  unsigned mode);

/* An empty file where there is one. */
void record_presence(struct recorder *recorder, const char *path);

/* A symbolic link where there is one; its target without "../" in `ret_real`, to be freed, or NULL. */
void record_link(struct recorder *recorder, const char *path, char **ret_real);
void record_folder(struct recorder *recorder, const char *path, unsigned mode);

/* All files of a folder, by one of the above. */
void record_files(struct recorder *recorder, const char *folder, record_keep *keep);

/* All symbolic links of a folder. */
void record_links(struct recorder *recorder, const char *folder);
