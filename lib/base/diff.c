/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: differences. The longest common subsequence of lines, by the textbook. */
#include "base/diff.h"

#include <stdint.h>
#include <string.h>

#include "base/array.h"

/* Cells of the table; beyond it the answer is right and only not the shortest. */
#define CELLS_MAX ((size_t)1000000)

struct line {
	const char *text;
	size_t size;
};

struct lines {
	struct line *items;
	size_t count;
};

static void free_lines(struct lines *lines)
{
	free(lines->items);
}

static bool split(const char *text, struct lines *lines)
{
	while (*text) {
		size_t size = strcspn(text, "\n");

		if (array_reserve(&lines->items, lines->count, sizeof(*lines->items)) < 0)
			return false;
		lines->items[lines->count++] = (struct line){ text, size };
		text += size + (text[size] == '\n');
	}
	return true;
}

static bool is_equal(struct line a, struct line b)
{
	return a.size == b.size && memcmp(a.text, b.text, a.size) == 0;
}

static void tell(struct text *text, char mark, struct line line)
{
	text_add(text, "%c %.*s\n", mark, (int)line.size, line.text);
}

static void tell_all(struct text *text, char mark, const struct line *lines, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tell(text, mark, lines[i]);
}

/* table[a][b]: how many lines the rest of both, from a and from b on, have in common. */
static void fill(uint32_t *table, const struct line *a, size_t na, const struct line *b, size_t nb)
{
	size_t width = nb + 1;

	for (size_t i = na; i-- > 0;)
		for (size_t j = nb; j-- > 0;) {
			uint32_t down = table[(i + 1) * width + j];
			uint32_t right = table[i * width + j + 1];

			if (is_equal(a[i], b[j]))
				table[i * width + j] = table[(i + 1) * width + j + 1] + 1;
			else
				table[i * width + j] = down > right ? down : right;
		}
}

static void walk(struct text *text, const uint32_t *table, const struct line *a, size_t na,
		 const struct line *b, size_t nb)
{
	size_t width = nb + 1, i = 0, j = 0;

	while (i < na && j < nb) {
		if (is_equal(a[i], b[j])) {
			i++;
			j++;
		} else if (table[(i + 1) * width + j] >= table[i * width + j + 1]) {
			tell(text, '-', a[i++]);
		} else {
			tell(text, '+', b[j++]);
		}
	}
	tell_all(text, '-', a + i, na - i);
	tell_all(text, '+', b + j, nb - j);
}

static void compare(struct text *text, const struct line *a, size_t na, const struct line *b,
		    size_t nb)
{
	cleanup_free uint32_t *table = NULL;

	while (na > 0 && nb > 0 && is_equal(a[0], b[0])) {
		a++;
		b++;
		na--;
		nb--;
	}
	while (na > 0 && nb > 0 && is_equal(a[na - 1], b[nb - 1])) {
		na--;
		nb--;
	}
	if (na < CELLS_MAX && nb < CELLS_MAX && (na + 1) * (nb + 1) <= CELLS_MAX)
		table = calloc((na + 1) * (nb + 1), sizeof(*table));
	if (table) {
		fill(table, a, na, b, nb);
		walk(text, table, a, na, b, nb);
	} else {
		tell_all(text, '-', a, na);
		tell_all(text, '+', b, nb);
	}
}

void diff_lines(struct text *text, const char *before, const char *after)
{
	cleanup(free_lines) struct lines a = { 0 };
	cleanup(free_lines) struct lines b = { 0 };

	if (split(before, &a) && split(after, &b))
		compare(text, a.items, a.count, b.items, b.count);
	else
		text->failed = true;
}
