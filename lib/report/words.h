/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * report: sentences for people, for the task log and the terminal alike. Everything here returns
 * text; printing is main's.
 */
#pragma once

#include "change/run.h"
#include "check/finding.h"
#include "pci/name.h"
#include "wanted/wanted.h"

/* The width of a line of words: 80 columns, less what the hook puts in front. */
#define WORDS_WIDTH 70

/* What people call the device at an address: "NVIDIA GeForce RTX 3070". */
char *words_name(struct pci_names *names, const struct sysroot *root, const char *address);

/*
 * One line on what became of an action, or NULL where there is nothing to tell:
 * "0000:01:00.0 nouveau -> vfio-pci, 0.41 s, NVIDIA GeForce RTX 3070".
 */
char *words_result(struct pci_names *names, const struct sysroot *root,
		   enum run_direction direction, const struct action *action,
		   const struct run_result *result);

/* "VM 101", "container 200", of a guest's name: pve/guest.h. */
char *words_guest(const char *name);

/* What an action other than a binding would do: "nvidia-persistenced.service stopped"; or NULL. */
char *words_planned(const struct action *action);

/*
 * What Proxmox VE is going to do with a device that is left to it: "Proxmox VE makes a mediated
 * device of type 'nvidia-63' of it".
 */
char *words_left(const struct wanted_device *device, const struct vm_config *config);

/*
 * Findings, the errors first, as lines of `width` that words_wrap() breaks, each ended by '\n'. With `brief_for`,
 * the number of a VM that starts, a known trouble that does not refuse the start is one line that
 * names 'pve-vfio plan', and one that is only worth knowing is left out; 0: all of them in full.
 */
char *words_findings(const struct findings *findings, uint32_t brief_for, size_t width);

/* One of them; "" for one that is left out. */
char *words_finding(const struct finding *finding, uint32_t brief_for, size_t width);

/*
 * The size of what `words` begins with and no line is broken in, for somebody may copy it: a word, all
 * of '…' (a command, a message), or a member of JSON, "key": {…}; with the punctuation after it.
 */
size_t words_piece(const char *words);

/*
 * Adds `words` broken into lines of `line` columns at most, between such pieces; a longer one is not
 * cut. The first line begins with `first`, the others with `indent`. Ends with '\n'.
 */
void words_wrap(struct text *text, size_t line, const char *first, const char *indent,
		const char *words);
