/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: how wide the terminal is, and whether it is one. */
#include "setup/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/relay.h"
#include "base/text.h"
#include "setup/setup.h"

#define WIDTH_DEFAULT 80
#define WIDTH_LEAST   60

/* From the cursor to the end of the line (ECMA-48, EL). */
#define CLEAR_LINE "\033[K"

/* How often a log says that a step goes on. */
#define LOG_PERIOD_S 30

int setup_show(const struct guard_link *link, struct error *err)
{
	if (fflush(stdout) == 0 && relay_settle(link->ask))
		return 0;
	return error_set(err, -EIO, "nothing is changed: what would be cannot be shown");
}

/* Not by the stream, through which no control character passes: what is written is ours. */
_Noreturn static void say_how_long(const char *what, pid_t parent)
{
	bool terminal = isatty(STDERR_FILENO);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned seconds = 0; getppid() == parent; seconds++) {
		if (terminal)
			dprintf(STDERR_FILENO, "\r%s ... %u s", what, seconds);
		else if (seconds > 0 && seconds % LOG_PERIOD_S == 0)
			dprintf(STDERR_FILENO, "%s: still running after %u s\n", what, seconds);
		sleep(1);
	}
	_exit(EXIT_SUCCESS);
}

void sign_of_life_begin(struct sign_of_life *sign, const char *what)
{
	pid_t parent = getpid();

	fflush(stderr);
	sign->pid = fork();
	if (sign->pid == 0)
		say_how_long(what, parent);
}

void sign_of_life_end(struct sign_of_life *sign)
{
	if (sign->pid <= 0)
		return;
	kill(sign->pid, SIGKILL);
	while (waitpid(sign->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	sign->pid = 0;
	if (isatty(STDERR_FILENO))
		dprintf(STDERR_FILENO, "\r" CLEAR_LINE);
}

size_t terminal_width(int fd)
{
	struct winsize size;

	if (!isatty(fd))
		return 0;
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

struct terminal terminal_of_output(void)
{
	struct terminal terminal = { .width = WIDTH_DEFAULT };
	const char *no_colour = getenv("NO_COLOR");
	size_t width = terminal_width(STDOUT_FILENO);

	if (width == 0)
		return terminal;
	terminal.width = width;
	terminal.colour = (!no_colour || !*no_colour) && !text_equal(getenv("TERM"), "dumb");
	return terminal;
}
