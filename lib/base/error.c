/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: errors. Prints nothing; main does. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *err, int r, const char *format, ...)
{
	va_list arguments;

	if (!err)
		return r;
	va_start(arguments, format);
	vsnprintf(err->message, sizeof(err->message), format, arguments);
	va_end(arguments);
	return r;
}

int error_set_memory(struct error *err)
{
	return error_set(err, -ENOMEM, "out of memory");
}
