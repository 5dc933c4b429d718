/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pve: Proxmox VE's own commands, qm, pvesm and pvesh, run from argument vectors. What changes a
 * configuration goes through them, so that permissions, locks and pending changes hold.
 */
#pragma once

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"

/* Adds words: pve_words(&words, "qm", "set", vmid). 0 or -ENOMEM. */
#define pve_words(words, ...) pve_words_add(words, (const char *const[]){ __VA_ARGS__, NULL })
int pve_words_add(struct strings *words, const char *const list[]);

/* The command as a person would type it in a shell; the caller frees it. NULL without memory. */
char *pve_command_line(const struct strings *words);

/*
 * Runs the command on the running node; blocks for a minute at most. -EIO, with what it said, when
 * it fails; -ENOENT when there is no such program. `ret_output`, which the caller frees, may be NULL.
 */
int pve_run(const struct strings *words, char **ret_output, struct error *err) must_check;

/*
 * The same for a command that answers in JSON (--output-format json, which this adds). What perl
 * warns of ahead of the answer is skipped. -EBADMSG when there is no JSON in it.
 */
int pve_query(struct strings *words, json_t **ret, struct error *err) must_check;
