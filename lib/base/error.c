/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: errors. Prints nothing; main does. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static void write_sentence(struct error *err, enum error_kind kind, const char *format,
			   va_list arguments) __attribute__((format(printf, 3, 0)));

static void write_sentence(struct error *err, enum error_kind kind, const char *format,
			   va_list arguments)
{
	if (!err)
		return;
	err->kind = kind;
	*err->remedy = '\0';
	vsnprintf(err->message, sizeof(err->message), format, arguments);
}

int error_set(struct error *err, int r, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_sentence(err, ERROR_FAILED, format, arguments);
	va_end(arguments);
	return r;
}

int error_refuse(struct error *err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_sentence(err, ERROR_REFUSED, format, arguments);
	va_end(arguments);
	return -EPERM;
}

int error_misuse(struct error *err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_sentence(err, ERROR_USAGE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int error_advise(struct error *err, int r, const char *format, ...)
{
	va_list arguments;

	if (!err)
		return r;
	va_start(arguments, format);
	vsnprintf(err->remedy, sizeof(err->remedy), format, arguments);
	va_end(arguments);
	return r;
}

int error_refuse_silently(struct error *err)
{
	if (err)
		*err = (struct error){ .kind = ERROR_REFUSED };
	return -EPERM;
}

int error_as_refusal(struct error *err, int r)
{
	if (err && r < 0 && r != -ENOMEM)
		err->kind = ERROR_REFUSED;
	return r;
}

int error_set_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}
