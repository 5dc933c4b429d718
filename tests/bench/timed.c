/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench: runs a command and tells what it took. It must not be a shell, whose own fork costs more
 * than what is measured.
 *
 *   timed FILE ROUNDS COMMAND [ARGUMENT]... [-- COMMAND...]...
 *
 * Runs each of the commands in turn, ROUNDS times, and appends a line a run to FILE: number of the
 * command (from 1), microseconds, microseconds of the processor, KiB at most, exit status. With
 * TIMED_CPU=FILE (a control group's cpu.stat) the processor's time is what that says, else that of the
 * command and the children it has waited for.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* "usage_usec 123" is the first line of cpu.stat. */
static uint64_t group_us(const char *path)
{
	uint64_t us = 0;
	FILE *file = fopen(path, "re");

	if (!file || fscanf(file, "usage_usec %" SCNu64, &us) != 1)
		us = 0;
	if (file)
		fclose(file);
	return us;
}

static uint64_t time_us(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

static void run(FILE *to, int number, char **argv, const posix_spawn_file_actions_t *quiet)
{
	const char *group = getenv("TIMED_CPU");
	uint64_t cpu = group ? group_us(group) : 0, began = now_us(), took;
	struct rusage usage = { 0 };
	int status = 0;
	pid_t pid;

	if (posix_spawnp(&pid, *argv, quiet, NULL, argv, environ) != 0) {
		fprintf(to, "%d 0 0 0 127\n", number);
		return;
	}
	while (wait4(pid, &status, 0, &usage) != pid)
		continue;
	took = now_us() - began;
	cpu = group ? group_us(group) - cpu : time_us(usage.ru_utime) + time_us(usage.ru_stime);
	fprintf(to, "%d %" PRIu64 " %" PRIu64 " %ld %d\n", number, took, cpu, usage.ru_maxrss,
		WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/* Cuts the next command off at "--". */
static char **next_command(char ***rest)
{
	char **command = *rest;

	while (**rest && strcmp(**rest, "--") != 0)
		++*rest;
	if (**rest)
		*(*rest)++ = NULL;
	return command;
}

int main(int argc, char **argv)
{
	const char *log = getenv("TIMED_LOG");
	posix_spawn_file_actions_t quiet;
	char **commands[64];
	int count = 0;
	FILE *to;

	if (argc < 4 || !(to = fopen(argv[1], "ae"))) {
		fprintf(stderr, "Usage: timed FILE ROUNDS COMMAND [-- COMMAND]...\n");
		return 125;
	}
	for (char **rest = argv + 3; *rest && count < 64;)
		commands[count++] = next_command(&rest);
	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, log ? log : "/dev/null",
					 O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&quiet, 1, 2);
	for (int round = atoi(argv[2]); round > 0; round--)
		for (int i = 0; i < count; i++)
			run(to, i + 1, commands[i], &quiet);
	return fclose(to) == 0 ? 0 : 1;
}
