/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: how wide the terminal is, and whether it is one. */
#include "setup/terminal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/relay.h"
#include "base/text.h"
#include "setup/setup.h"

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST   60

int setup_show(const struct guard_link *link, struct error *err)
{
	if (fflush(stdout) == 0 && relay_settle(link->ask))
		return 0;
	return error_set(err, -EIO, "nothing is changed: what would be cannot be shown");
}

struct terminal terminal_of_output(void)
{
	struct terminal terminal = { .width = WIDTH_DEFAULT };
	const char *no_colour = getenv("NO_COLOR");
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return terminal;
	terminal.colour = (!no_colour || !*no_colour) && !text_equal(getenv("TERM"), "dumb");
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		terminal.width = size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
	return terminal;
}
