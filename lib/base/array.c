/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: growing arrays. Never shrinks one. */
#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int array_reserve(void *pointer, size_t count, size_t size)
{
	void *items, *grown;
	size_t wanted;

	/* Between two powers of two the last doubling still has room. */
	if (count & (count - 1))
		return 0;
	wanted = count ? count * 2 : 1;

	memcpy(&items, pointer, sizeof(items));
	grown = reallocarray(items, wanted, size);
	if (!grown)
		return -ENOMEM;
	memcpy(pointer, &grown, sizeof(grown));
	return 0;
}

int table_find(const void *table, size_t count, size_t size, const char *name)
{
	const char *row = table;

	for (size_t i = 0; i < count; i++, row += size) {
		const char *at;

		memcpy(&at, row, sizeof(at));
		if (at && strcmp(at, name) == 0)
			return (int)i;
	}
	return -EINVAL;
}
