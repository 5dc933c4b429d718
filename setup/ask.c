/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: questions to a person. Never answers one itself. */
#include "setup/ask.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/number.h"

#define ANSWER_MAX 64

bool ask_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

int ask_line(char *answer, size_t size)
{
	size_t length;
	int c;

	if (!fgets(answer, (int)size, stdin)) {
		fputc('\n', stderr);
		return -ECANCELED;
	}
	length = strcspn(answer, "\r\n");
	/* what is left of a line is not the answer to the next question */
	if (length + 1 == size)
		while ((c = getchar()) != '\n' && c != EOF)
			;
	answer[length] = '\0';
	return 0;
}

int ask_yes_no(const char *question)
{
	char answer[ANSWER_MAX];

	for (;;) {
		int r;

		fprintf(stderr, "%s (y/N): ", question);
		r = ask_line(answer, sizeof(answer));
		if (r < 0)
			return r;
		if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0)
			return 1;
		if (!*answer || strcmp(answer, "n") == 0 || strcmp(answer, "no") == 0)
			return 0;
		fprintf(stderr, "Answer y or n.\n");
	}
}

/* The choice that the answer means, or its count. */
static size_t find_choice(const struct strings *choices, const char *answer)
{
	uint32_t number;

	for (size_t i = 0; i < choices->count; i++) {
		size_t size = strcspn(choices->items[i], " ");

		if (strlen(answer) == size && strncmp(choices->items[i], answer, size) == 0)
			return i;
	}
	return parse_u32(answer, &number) == 0 && number > 0 && number <= choices->count
		       ? number - 1
		       : choices->count;
}

int ask_choice(const char *question, const struct strings *choices, size_t usual, size_t *ret)
{
	char answer[ANSWER_MAX];

	fprintf(stderr, "%s\n", question);
	for (size_t i = 0; i < choices->count; i++)
		fprintf(stderr, "%3zu  %s\n", i + 1, choices->items[i]);
	for (;;) {
		int r;

		if (usual < choices->count)
			fprintf(stderr, "Number (%zu): ", usual + 1);
		else
			fputs("Number: ", stderr);
		r = ask_line(answer, sizeof(answer));
		if (r < 0)
			return r;
		*ret = *answer ? find_choice(choices, answer) : usual;
		if (*ret < choices->count)
			return 0;
		fprintf(stderr, "Answer with a number from 1 to %zu.\n", choices->count);
	}
}
