/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: tables, whose size is known, and growing arrays. Such an array is a pointer and a count; there
 * is no capacity to keep, because memory is doubled exactly when the count is a power of two.
 * This room holds no domain word.
 */
#pragma once

#include <stddef.h>

#include "base/attribute.h"

/* How many items a table has. A pointer in place of one does not compile. */
#define ARRAY_SIZE(table)                                                                          \
	(sizeof(table) / sizeof(*(table)) +                                                        \
	 sizeof(char[1 - 2 * !!__builtin_types_compatible_p(__typeof__(table),                     \
							    __typeof__(&*(table)))]) -             \
	 1)

/* A table has a row for each value of an enum whose last is before `count`. */
#define TABLE_FOLLOWS(table, count)                                                                \
	_Static_assert(ARRAY_SIZE(table) == (count), #table " has a row for each value")

/*
 * The place of the row that begins with this name, in a table whose rows are, or begin with, a
 * const char *; rows where that is NULL have no name. -EINVAL: there is none.
 */
#define TABLE_FIND(table, name) table_find(table, ARRAY_SIZE(table), sizeof(*(table)), name)
int table_find(const void *table, size_t count, size_t size, const char *name) nonnull_all;

/*
 * Makes room for one more item after `count` items of `size` bytes. `pointer` is the address of
 * the array's pointer. Returns 0, or -ENOMEM and leaves the array as it is. Does not touch the
 * count: the caller fills items[count] and then adds one.
 */
int array_reserve(void *pointer, size_t count, size_t size) must_check nonnull_all;
