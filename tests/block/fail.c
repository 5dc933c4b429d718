/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program of which one system call fails: see fault.h.
 *
 *   fail list OUT PROGRAM ARG...        writes "POINT HOW,HOW… PATH" of each call to OUT
 *   fail POINT HOW OUT PROGRAM ARG...   writes what was hit to OUT, or nothing
 *
 * The calls that count are those of programs whose name begins with pve-vfio. The exit status is the
 * program's; 124: it was killed after FAIL_SECONDS (60); 125: this cannot.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

#define CANNOT 125

static int become(void *context)
{
	char **argv = context;

	execvp(argv[0], argv);
	return CANNOT;
}

int main(int argc, char **argv)
{
	bool list = argc > 3 && strcmp(argv[1], "list") == 0;
	int at = list ? 2 : 3, status;
	const char *seconds = getenv("FAIL_SECONDS");
	struct fault fault = { .program = "pve-vfio", .limit_s = 60 };
	FILE *out;

	if (argc < at + 2 || !(out = fopen(argv[at], "we")))
		return CANNOT;
	if (seconds)
		fault.limit_s = (unsigned)atoi(seconds);
	if (list) {
		fault.list = out;
	} else {
		fault.point = argv[1];
		fault.how = argv[2];
	}
	status = fault_run(&fault, become, argv + at + 1);
	if (*fault.hit)
		fprintf(out, "%s\n", fault.hit);
	return fclose(out) == 0 && status >= 0 ? status : CANNOT;
}
