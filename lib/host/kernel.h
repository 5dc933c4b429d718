/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * host: the running kernel: which boot this is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "host/sysroot.h"

/* The boot id (random(4), /proc/sys/kernel/random/boot_id): another one after every boot. */
int kernel_boot_id(const struct sysroot *root, char **ret, struct error *err) must_check;

/*
 * A kernel's version: "6.8.12-4-pve" as 6, 8, 12 and 4. What a release does not say is 0. The last
 * number is the build's, which only compares within one distribution: kernel_is_flavour().
 */
struct kernel_version {
	unsigned major, minor, patch, build;
};

/* -EINVAL for what does not begin with two numbers. */
int kernel_version_parse(const char *release, struct kernel_version *ret);

/* The release ends with the flavour: "pve" of "6.14.8-1-bpo12-pve". */
bool kernel_is_flavour(const char *release, const char *flavour);
/* <0, 0, >0. */
int kernel_version_compare(struct kernel_version a, struct kernel_version b);

/*
 * The words of a kernel command line as the kernel takes them apart (next_arg() in lib/cmdline.c): at
 * white space that is not between double quotes. White space is what the kernel's own isspace() takes
 * for it, which is also the byte a0 of Latin-1 (lib/ctype.c).
 */
bool kernel_is_blank(char c);

/*
 * Finds the next word from *at on: *at is its first byte then, *ret_size how many it has, quotes
 * included. *ret_open: a quote in it is not closed, so it goes on to the end. False at the end.
 */
bool kernel_word_next(const char *line, size_t *at, size_t *ret_size, bool *ret_open);

/*
 * What a word of `size` bytes is to the kernel: without the quote it begins with, or that its value
 * begins with, and without the one that ends these. NULL without memory. The caller frees it.
 */
char *kernel_word_text(const char *word, size_t size);

/* How many bytes of a word are the parameter's name: all up to the '=', which is not the first. */
size_t kernel_word_name_size(const char *word);

/*
 * The value of a parameter on a kernel command line ("pt" for "iommu" in "quiet iommu=pt"): the
 * last counts. "" for a parameter without a value; NULL when it is not there. '-' and '_' are the
 * same in a name, as to the kernel (parameq() in kernel/params.c). The caller frees it.
 */
char *kernel_parameter(const char *command_line, const char *name);
