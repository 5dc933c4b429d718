/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record: what record.c puts its archive together with. Each takes a path below the root; what is not
 * there is left out. Text, paths and targets of links go through anonymise().
 */
#pragma once

#include "record/tar.h"
#include "report/anonymise.h"

struct recorder {
	const struct sysroot *root;
	const struct anonymiser *anonymiser;
	struct tar tar;
	struct strings folders; /* that are in the archive */
};

void recorder_done(struct recorder *recorder);

/* A whole text file. */
void recorder_file(struct recorder *recorder, const char *path);

/* Its lines that `keep` wants; it may change a line, but not lengthen it. */
typedef bool recorder_keep(char *line);
void recorder_lines(struct recorder *recorder, const char *path, recorder_keep *keep);

/* A file with this text instead of its own; also where there is none. */
void recorder_text(struct recorder *recorder, const char *path, const char *text);

/* A file with these bytes, as they are. */
void recorder_bytes(struct recorder *recorder, const char *path, const void *data, size_t size,
		    unsigned mode);

/* An empty file where there is one. */
void recorder_presence(struct recorder *recorder, const char *path);

/* A symbolic link where there is one; its target without "../" in `ret_real`, to be freed, or NULL. */
void recorder_link(struct recorder *recorder, const char *path, char **ret_real);
void recorder_folder(struct recorder *recorder, const char *path, unsigned mode);

/* All files of a folder, by one of the above. */
void recorder_files(struct recorder *recorder, const char *folder, recorder_keep *keep);

/* All symbolic links of a folder. */
void recorder_links(struct recorder *recorder, const char *folder);
