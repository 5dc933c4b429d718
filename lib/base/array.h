/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * base: growing arrays. An array is a pointer and a count; there is no capacity to keep, because
 * memory is doubled exactly when the count is a power of two.
 * This room holds no domain word.
 */
#pragma once

#include <stddef.h>

/*
 * Makes room for one more item behind `count` items of `size` bytes. `pointer` is the address of
 * the array's pointer. Returns 0, or -ENOMEM and leaves the array as it is. Does not touch the
 * count: the caller fills items[count] and then adds one.
 */
int array_reserve(void *pointer, size_t count, size_t size);
