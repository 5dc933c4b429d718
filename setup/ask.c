/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: questions to a person. Never answers one itself. */
#include "setup/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ANSWER_MAX 64

int ask_yes_no(const char *question)
{
	char answer[ANSWER_MAX];

	for (;;) {
		fprintf(stderr, "%s (y/n): ", question);
		if (!fgets(answer, sizeof(answer), stdin)) {
			fputc('\n', stderr);
			return -ECANCELED;
		}
		answer[strcspn(answer, "\r\n")] = '\0';
		if (strcmp(answer, "y") == 0 || strcmp(answer, "n") == 0)
			return *answer == 'y';
		fprintf(stderr, "Answer y or n.\n");
	}
}
