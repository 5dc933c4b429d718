/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: what differs between two texts, line by line.
 * This room holds no domain word.
 */
#pragma once

#include "base/text.h"

/*
 * Adds a line "- LINE" for each that only `before` has and "+ LINE" for each that only `after` has,
 * in their order; lines that both have are left out. Of very long texts all lines between the first
 * and the last difference are listed as gone and come. Lack of memory is remembered in `text`.
 */
void diff_lines(struct text *text, const char *before, const char *after);
