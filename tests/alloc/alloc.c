/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: an allocation of the library fails: the ALLOC_FAIL-th, by the environment, or where a test says.
 * With ALLOC_COUNT=FILE their number is written to FILE when the program ends.
 */
#include "alloc.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *alloc_malloc(size_t size);
void *alloc_calloc(size_t count, size_t size);
void *alloc_realloc(void *data, size_t size);
char *alloc_strdup(const char *text);
char *alloc_strndup(const char *text, size_t size);
int alloc_vasprintf(char **ret, const char *format, va_list arguments)
	__attribute__((format(printf, 2, 0)));
int alloc_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));

static unsigned long count, fails_at;
static pid_t first;

void alloc_fail_at(unsigned long number)
{
	count = 0;
	fails_at = number;
}

unsigned long alloc_count(void)
{
	return count;
}

static bool fails(void)
{
	if (++count != fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *alloc_malloc(size_t size)
{
	return fails() ? NULL : malloc(size);
}

void *alloc_calloc(size_t number, size_t size)
{
	return fails() ? NULL : calloc(number, size);
}

void *alloc_realloc(void *data, size_t size)
{
	return fails() ? NULL : realloc(data, size);
}

char *alloc_strdup(const char *text)
{
	return fails() ? NULL : strdup(text);
}

char *alloc_strndup(const char *text, size_t size)
{
	return fails() ? NULL : strndup(text, size);
}

int alloc_vasprintf(char **ret, const char *format, va_list arguments)
{
	return fails() ? -1 : vasprintf(ret, format, arguments);
}

int alloc_asprintf(char **ret, const char *format, ...)
{
	va_list arguments;
	int size;

	va_start(arguments, format);
	size = alloc_vasprintf(ret, format, arguments);
	va_end(arguments);
	return size;
}

static void tell(void)
{
	const char *path = getenv("ALLOC_COUNT");
	FILE *file = path && getpid() == first ? fopen(path, "we") : NULL;

	if (!file)
		return;
	fprintf(file, "%lu\n", count);
	fclose(file);
}

__attribute__((constructor)) static void begin(void)
{
	const char *number = getenv("ALLOC_FAIL");

	first = getpid();
	json_set_alloc_funcs(alloc_malloc, free);
	if (number)
		alloc_fail_at(strtoul(number, NULL, 10));
	atexit(tell);
}
