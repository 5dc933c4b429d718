/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: the paths of this machine that have not answered within their deadline (base/guard.h), and
 * what to say of one.
 */
#pragma once

#include "base/guard.h"
#include "base/text.h"

/* As often a verb that only looks is begun anew, each time without what was silent before. */
#define SILENCE_MOST 8

/*
 * Adds a path, or, where it is on a file system of the network or of a program (NFS, FUSE), the
 * place at which that is mounted: all of it is silent. False when one more attempt makes no sense:
 * the path has no name, was known, or is the last of SILENCE_MOST.
 */
bool silence_add(struct strings *silent, const char *path);

/*
 * "/sys/… has not answered within 30 s: …", with the reason that is most likely, and the process that
 * is left in the kernel with it. The caller frees it; NULL without memory.
 */
char *silence_words(const struct guard_silence *silence);
