/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: cmocka with what it wants included before it, and what most tests need.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* For tables: says which row it was before the test ends. */
#define assert_row(row, condition)                                                                 \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fail_msg("row '%s': %s", row, #condition);                                 \
	} while (0)

/* Both may be NULL. */
#define assert_text(a, b)                                                                          \
	do {                                                                                       \
		const char *left_ = (a), *right_ = (b);                                            \
		if (!left_ || !right_)                                                             \
			assert_ptr_equal(left_, right_);                                           \
		else                                                                               \
			assert_string_equal(left_, right_);                                        \
	} while (0)

/* What is said to a person names this VM and this device, and has no word left to fill in. */
static inline void assert_filled_in(const char *words)
{
	static const char *const blanks[] = { "VMID", "ADDRESS", "VALUE", "STORAGE", "UUID" };

	for (size_t i = 0; i < COUNT(blanks); i++)
		if (strstr(words, blanks[i]))
			fail_msg("'%s' is left to fill in: %s", blanks[i], words);
}

/*
 * Marks a test that shows a fault of the program not mended yet: it is skipped, and fails with
 * PVE_VFIO_KNOWN_FAULTS=1. Whoever mends the fault takes the line out.
 */
#define KNOWN_FAULT(sentence)                                                                      \
	do {                                                                                       \
		if (!getenv("PVE_VFIO_KNOWN_FAULTS")) {                                            \
			print_message("known fault: %s\n", sentence);                              \
			skip();                                                                    \
		}                                                                                  \
	} while (0)
