/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: something that listens where QEMU's monitor does, for one client after another, and answers what
 * it is told to: nothing here asserts with cmocka, since it runs in a child.
 */
#pragma once

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "tree.h"

#define QMP_GREETING                                                                               \
	"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 2, \"minor\": 1, \"major\": 10}, "         \
	"\"package\": \"\"}, \"capabilities\": [\"oob\"]}}\r\n"

/* What a line from the client is answered with: the first whose words are in it. */
struct qmp_answer {
	const char *words;  /* NULL: the last; what nobody asks for closes the connection */
	const char *answer; /* "@" becomes the command's id; NULL: none, it is waited for ever */
	unsigned delay_ms;
	/* Only in this state, and the one after it; 0: in any, and as before. It begins with 1. */
	unsigned when, then;
};

static inline void qmp_server_answer(int fd, const char *line, const struct qmp_answer *answers,
				     unsigned *state)
{
	const char *id = strstr(line, "\"id\":");

	for (; answers->words; answers++)
		if (strstr(line, answers->words) && (answers->when == 0 || answers->when == *state))
			break;
	if (!answers->words)
		_exit(3);
	if (answers->then)
		*state = answers->then;
	if (answers->delay_ms)
		usleep(answers->delay_ms * 1000);
	for (const char *at = answers->answer; at && *at; at++) {
		const char *out = at;
		size_t size = 1;

		if (*at == '@' && id) {
			out = id + 5;
			size = strspn(out, "0123456789");
		}
		if (write(fd, out, size) != (ssize_t)size)
			_exit(4);
	}
}

static inline void qmp_server_talk(int fd, const char *greeting, const struct qmp_answer *answers,
				   unsigned *state)
{
	char line[4096];
	size_t size = 0;

	if (greeting && write(fd, greeting, strlen(greeting)) < 0)
		return;
	for (;;) {
		ssize_t got = read(fd, line + size, 1);

		if (got <= 0)
			return;
		if (line[size++] != '\n' && size + 1 < sizeof(line))
			continue;
		line[size] = '\0';
		size = 0;
		qmp_server_answer(fd, line, answers, state);
	}
}

/* Listens for VM 101; `backlog` as of listen(2). The child is the caller's to end. */
static inline pid_t qmp_server(const struct tree *tree, const char *greeting,
			       const struct qmp_answer *answers)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char path[PATH_MAX];
	pid_t pid;

	tree_folder(tree, "run/qemu-server");
	tree_path(tree, "run/qemu-server/101.qmp", path);
	if (strlen(path) >= sizeof(address.sun_path))
		tree_broken("bind", path);
	strcpy(address.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(fd, 0) < 0)
		tree_broken("listen", path);
	pid = fork();
	if (pid < 0)
		tree_broken("fork", path);
	if (pid == 0) {
		unsigned state = 1;

		signal(SIGPIPE, SIG_IGN);
		for (;;) {
			int client = accept(fd, NULL, NULL);

			if (client < 0)
				_exit(5);
			qmp_server_talk(client, greeting, answers, &state);
			close(client);
		}
	}
	close(fd);
	return pid;
}

static inline void qmp_server_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
