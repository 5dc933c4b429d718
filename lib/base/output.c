/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: a stream without control characters. Knows only that stream. */
#include "base/output.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/text.h"

/* "\u009b" of each byte is the most that comes of it. */
#define GROWTH 6

/* The length of "ESC [ digits m" at the beginning, or 0. */
static size_t colour_size(const char *at, size_t size)
{
	size_t end = 2;

	if (size < 3 || at[0] != '\033' || at[1] != '[')
		return 0;
	while (end < size && (at[end] == ';' || (at[end] >= '0' && at[end] <= '9')))
		end++;
	return end < size && at[end] == 'm' ? end + 1 : 0;
}

/* Cleans `size` bytes into `out`; what is the beginning of a character only stays in `held`. */
static size_t clean(struct output *output, const char *at, size_t size, char *out)
{
	const char *end = at + size;
	char *to = out;

	while (at < end) {
		struct text_character character;
		size_t colour;

		/* Most of it is this, in any form. */
		if ((*at >= ' ' && *at <= '~') || *at == '\n') {
			*to++ = *at++;
			continue;
		}
		character = text_character(at, (size_t)(end - at));
		colour = output->form == OUTPUT_COLOUR ? colour_size(at, (size_t)(end - at)) : 0;

		if (character.cut) {
			output->held_size = (size_t)(end - at);
			memcpy(output->held, at, output->held_size);
			break;
		}
		if (colour > 0) {
			character.size = colour;
		} else if (character.control && *at != '\n' && *at != '\t') {
			to += output->form == OUTPUT_JSON ? sprintf(to, "\\u%04x", character.code)
							  : sprintf(to, "?");
			at += character.size;
			continue;
		}
		memcpy(to, at, character.size);
		to += character.size;
		at += character.size;
	}
	return (size_t)(to - out);
}

/* For fopencookie(3), where 0 is the failure. What failed once is not tried again. */
static ssize_t write_cleaned(void *cookie, const char *data, size_t size)
{
	struct output *output = cookie;
	size_t whole = output->held_size + size;
	cleanup_free char *in = NULL, *out = NULL;

	if (output->fault < 0)
		return 0;
	in = malloc(whole + 1);
	out = malloc(whole * GROWTH + 1);
	if (!in || !out) {
		output->fault = -ENOMEM;
		return 0;
	}
	memcpy(in, output->held, output->held_size);
	memcpy(in + output->held_size, data, size);
	output->held_size = 0;
	output->fault = file_write_fd(output->fd, out, clean(output, in, whole, out));
	return output->fault < 0 ? 0 : (ssize_t)size;
}

int output_open(struct output *output, int fd, bool unbuffered)
{
	static const cookie_io_functions_t functions = { .write = write_cleaned };
	int mode = _IOFBF;

	*output = (struct output){ .fd = fd };
	output->stream = fopencookie(output, "w", functions);
	if (!output->stream)
		return -errno;
	if (unbuffered)
		mode = _IONBF;
	else if (isatty(fd))
		mode = _IOLBF;
	(void)setvbuf(output->stream, NULL, mode, BUFSIZ);
	return 0;
}

int output_close(struct output *output)
{
	(void)fclose(output->stream);
	if (output->fault == 0 && output->held_size > 0)
		output->fault = file_write_fd(output->fd, output->held, output->held_size);
	return output->fault;
}

int outputs_open(struct outputs *outputs)
{
	int r = output_open(&outputs->out, STDOUT_FILENO, false);

	if (r < 0)
		return r;
	r = output_open(&outputs->err, STDERR_FILENO, true);
	if (r < 0)
		return r;
	stdout = outputs->out.stream;
	stderr = outputs->err.stream;
	return 0;
}

bool outputs_close(struct outputs *outputs, const char *program)
{
	bool fine;

	if (outputs->err.fault < 0)
		fprintf(outputs->out.stream, "%s: cannot write to standard error: %s\n", program,
			strerror(-outputs->err.fault));
	fine = output_close(&outputs->out) == 0;
	if (!fine)
		fprintf(outputs->err.stream, "%s: cannot write to standard output: %s\n", program,
			strerror(-outputs->out.fault));
	return output_close(&outputs->err) == 0 && fine;
}
