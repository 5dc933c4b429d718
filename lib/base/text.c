/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: text and lists of strings. Writes to no stream. */
#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

#define LONG_BITS  (8 * (int)sizeof(long))
#define TEXT_ROOM  64  /* of a text at first */
#define PIECE_ROOM 256 /* of most pieces */

char *text_format_list(const char *format, va_list arguments)
{
	char *string;

	if (vasprintf(&string, format, arguments) < 0)
		return NULL;
	return string;
}

char *text_format(const char *format, ...)
{
	va_list arguments;
	char *string;

	va_start(arguments, format);
	string = text_format_list(format, arguments);
	va_end(arguments);
	return string;
}

/* What has room for `size` bytes and a NUL, a power of two: no capacity is kept, as in base/array.h. */
static size_t room_for(size_t size)
{
	return size < TEXT_ROOM ? TEXT_ROOM : (size_t)1 << (LONG_BITS - __builtin_clzl(size));
}

void text_append(struct text *text, const char *piece, size_t size)
{
	size_t room = room_for(text->size + size);

	if (!text->failed && (!text->data || room != room_for(text->size))) {
		char *grown = realloc(text->data, room);

		text->failed = !grown;
		text->data = grown ? grown : text->data;
	}
	if (text->failed)
		return;
	memcpy(text->data + text->size, piece, size);
	text->size += size;
	text->data[text->size] = '\0';
}

void text_add(struct text *text, const char *format, ...)
{
	cleanup_free char *large = NULL;
	char piece[PIECE_ROOM];
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	if (size >= PIECE_ROOM) {
		va_start(arguments, format);
		large = text_format_list(format, arguments);
		va_end(arguments);
	}
	if (size < 0 || (size >= PIECE_ROOM && !large))
		text->failed = true;
	else
		text_append(text, large ? large : piece, (size_t)size);
}

char *text_take(struct text *text)
{
	char *data = NULL;

	if (!text->failed)
		data = text->data ? TAKE_PTR(text->data) : strdup("");
	text_done(text);
	return data;
}

void text_done(struct text *text)
{
	free(text->data);
	*text = (struct text){ 0 };
}

void strings_words(const struct strings *strings, size_t first, size_t most, struct text *text)
{
	size_t count = strings->count;

	for (size_t i = first; i < count && i < first + most; i++)
		text_add(text, "%s%s",
			 i == first	  ? ""
			 : i + 1 == count ? " and "
					  : ", ",
			 strings->items[i]);
	if (count > first + most)
		text_add(text, " and %zu more", count - first - most);
}

int strings_add(struct strings *strings, const char *string)
{
	cleanup_free char *copy = strdup(string);

	if (!copy || array_reserve(&strings->items, strings->count, sizeof(char *)) < 0)
		return -ENOMEM;
	strings->items[strings->count++] = TAKE_PTR(copy);
	return 0;
}

bool strings_has(const struct strings *strings, const char *string)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], string) == 0)
			return true;
	return false;
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strings_sort_from(struct strings *strings, size_t first)
{
	if (strings->count > first + 1)
		qsort(strings->items + first, strings->count - first, sizeof(char *),
		      compare_strings);
}

void strings_sort(struct strings *strings)
{
	strings_sort_from(strings, 0);
}

void strings_done(struct strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct strings){ 0 };
}

static bool is_control(unsigned code)
{
	return code < ' ' || (code >= 0x7f && code <= 0x9f) || code == 0x061c || code == 0x200e ||
	       code == 0x200f || (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069);
}

/* How many bytes a first byte begins, and the least code that takes so many: RFC 3629, 4. */
static size_t utf8_size(unsigned char first, unsigned *ret_bits, unsigned *ret_least)
{
	static const struct {
		unsigned char mask, value;
		unsigned least;
	} rows[] = { { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if ((first & rows[i].mask) != rows[i].value)
			continue;
		*ret_bits = first & (unsigned char)~rows[i].mask;
		*ret_least = rows[i].least;
		return i + 2;
	}
	return 1;
}

struct text_character text_character(const char *at, size_t size)
{
	unsigned char first = (unsigned char)*at;
	struct text_character one = { .code = first, .size = 1, .control = is_control(first) };
	unsigned code = first, least = 0;
	size_t length = utf8_size(first, &code, &least);

	for (size_t i = 1; i < length; i++) {
		if (i == size)
			return (struct text_character){ .size = size, .cut = true };
		if (((unsigned char)at[i] & 0xc0) != 0x80)
			return one;
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	}
	if (code < least || code > 0x10ffff)
		return one;
	return (struct text_character){ .code = code, .size = length, .control = is_control(code) };
}

void text_clean(char *text, const char *kept)
{
	const char *end = text + strlen(text);
	char *to = text;

	for (const char *at = text; at < end;) {
		struct text_character character = text_character(at, (size_t)(end - at));

		if (character.control && !strchr(kept, *at)) {
			*to++ = '?';
		} else {
			memmove(to, at, character.size);
			to += character.size;
		}
		at += character.size;
	}
	*to = '\0';
}

bool text_equal(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a, b) == 0;
}

const char *text_field(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (strncmp(at, name, length) == 0 && at[length] && strchr("\t :", at[length]))
			return strchr(at, ':') ? strchr(at, ':') + 1 : NULL;
	return NULL;
}

bool text_starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

#define NEAREST_MAX 64

/* Levenshtein's distance, kept to one row; what is longer than NEAREST_MAX is cut. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NEAREST_MAX + 1];
	size_t width = strnlen(b, NEAREST_MAX), height = strnlen(a, NEAREST_MAX);

	for (size_t x = 0; x <= width; x++)
		row[x] = x;
	for (size_t y = 1; y <= height; y++) {
		size_t diagonal = row[0];

		row[0] = y;
		for (size_t x = 1; x <= width; x++) {
			size_t replaced = diagonal + (a[y - 1] != b[x - 1]);
			size_t least = row[x] < row[x - 1] ? row[x] + 1 : row[x - 1] + 1;

			diagonal = row[x];
			row[x] = replaced < least ? replaced : least;
		}
	}
	return row[width];
}

const char *text_nearest(const char *word, const char *const *words, size_t count)
{
	const char *nearest = NULL;
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < count; i++) {
		size_t this = distance(word, words[i]);

		if (this >= least)
			continue;
		least = this;
		nearest = words[i];
	}
	return nearest;
}

const char *text_near(const char *word, const char *const *words, size_t count)
{
	const char *near = text_nearest(word, words, count);
	size_t size = strlen(word);

	if (size > 2)
		for (size_t i = 0; i < count; i++)
			if (text_starts_with(words[i], word))
				return words[i];
	return near && distance(word, near) <= (size + 1) / 3 ? near : NULL;
}
