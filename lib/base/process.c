/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base: another program. Passes it nothing of this one but its arguments. */
#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/stream.h"
#include "base/text.h"

#define READ_STEP 4096

/* Descriptors from here on are in nobody's way. */
#define ABOVE_ALL 16

/* How long a killed program gets to be gone. */
#define KILL_GRACE_MS 500

/* The exit status of a child that could not start the program; the reason is in the pipe. */
#define STATUS_NO_START 127

/* A program that is to be run. */
struct run {
	const char *const *argv;
	const char *input; /* NULL: none */
	bool independent;
	unsigned deadline_ms;
	size_t output_max;
};

void process_end_done(struct process_end *end)
{
	free(end->output);
	*end = (struct process_end){ 0 };
}

/* Where SIGCHLD is ignored, as a parent may have left it, a child's status is lost: wait(2). */
static void keep_statuses(void)
{
	signal(SIGCHLD, SIG_DFL);
}

/* The first of that name in PROCESS_PATH; the caller frees it. NULL with errno. */
static char *find_program(const char *name)
{
	const char *folder = PROCESS_PATH;

	if (*name == '/')
		return strdup(name);
	for (;;) {
		size_t size = strcspn(folder, ":");
		char *path = text_format("%.*s/%s", (int)size, folder, name);

		if (!path || access(path, X_OK) == 0)
			return path;
		free(path);
		if (folder[size] == '\0')
			break;
		folder += size + 1;
	}
	errno = ENOENT;
	return NULL;
}

/*
 * The child's standard streams, and no other descriptor but `*status_fd`. All are moved out of the
 * way first: the caller's own standard streams may have been closed.
 */
static bool arrange_descriptors(int input_fd, int output_fd, int *status_fd)
{
	int input = input_fd >= 0 ? input_fd : open("/dev/null", O_RDONLY | O_CLOEXEC);

	input = fcntl(input, F_DUPFD_CLOEXEC, ABOVE_ALL);
	output_fd = fcntl(output_fd, F_DUPFD_CLOEXEC, ABOVE_ALL);
	*status_fd = fcntl(*status_fd, F_DUPFD_CLOEXEC, ABOVE_ALL);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 ||
	    dup2(output_fd, STDERR_FILENO) < 0 || *status_fd < 0)
		return false;
	streams_close_others(*status_fd, -1);
	return true;
}

/* execve(2) writes to neither of its vectors; its prototype is older than const. */
static char *const *without_const(const char *const vector[])
{
	union {
		const char *const *given;
		char *const *wanted;
	} same = { .given = vector };

	return same.wanted;
}

/* In the child. `status_fd` closes when the program starts, and takes errno when it does not. */
static _Noreturn void become(const char *path, const struct run *run, int input_fd, int output_fd,
			     int status_fd)
{
	static const char *const environment[] = { "PATH=" PROCESS_PATH, "LC_ALL=C", "HOME=/root",
						   NULL };
	/* what a caller ignores, a program would go on ignoring */
	static const int defaults[] = { SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGQUIT };
	sigset_t none;
	int failed;

	if (run->independent)
		setsid();
	else
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
		signal(defaults[i], SIG_DFL);
	if (arrange_descriptors(input_fd, output_fd, &status_fd))
		execve(path, without_const(run->argv), without_const(environment));
	failed = errno;
	while (write(status_fd, &failed, sizeof(failed)) < 0 && errno == EINTR)
		continue;
	_exit(STATUS_NO_START);
}

/* Reads once; false at the end of the output. Keeps no more than `max` bytes. */
static bool read_some(int fd, size_t max, struct process_end *end)
{
	char buffer[READ_STEP], *grown;
	ssize_t got = read(fd, buffer, sizeof(buffer));
	size_t kept;

	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got == 0)
		return false;
	kept = (size_t)got < max - end->size ? (size_t)got : max - end->size;
	grown = realloc(end->output, end->size + kept + 1);
	if (!grown)
		return true;
	memcpy(grown + end->size, buffer, kept);
	end->output = grown;
	end->size += kept;
	end->output[end->size] = '\0';
	return true;
}

static bool read_until(int fd, struct deadline deadline, size_t max, struct process_end *end)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	while (!deadline_passed(deadline))
		if (poll(&polled, 1, deadline_left_ms(deadline)) > 0 && !read_some(fd, max, end))
			return true;
	return false;
}

/* True when the child is gone. */
static bool wait_until(pid_t pid, struct deadline deadline, int *ret_status)
{
	unsigned step = 0;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0)
		if (!deadline_wait_step(deadline, &step))
			return false;
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

/* In the parent: what has been started is waited for, or killed. */
static int attend(pid_t pid, int output_fd, int status_fd, unsigned deadline_ms, size_t max,
		  struct process_end *end)
{
	struct deadline deadline = deadline_in_ms(deadline_ms);
	int failed = 0;

	if (!read_until(output_fd, deadline, max, end) ||
	    !wait_until(pid, deadline, &end->status)) {
		kill(pid, SIGKILL);
		wait_until(pid, deadline_in_ms(KILL_GRACE_MS), &end->status);
		return -ETIMEDOUT;
	}
	if (end->status == STATUS_NO_START &&
	    read(status_fd, &failed, sizeof(failed)) == (ssize_t)sizeof(failed))
		return -failed;
	return 0;
}

/*
 * The same for one whose output is in a file: whoever writes to a pipe would be ended with its
 * reader.
 */
static int attend_independent(pid_t pid, int output_fd, int status_fd, unsigned deadline_ms,
			      size_t max, struct process_end *end)
{
	struct deadline deadline = deadline_in_ms(deadline_ms);
	int failed = 0;

	if (!wait_until(pid, deadline, &end->status)) {
		kill(-pid, SIGKILL);
		wait_until(pid, deadline_in_ms(KILL_GRACE_MS), &end->status);
		return -ETIMEDOUT;
	}
	if (lseek(output_fd, 0, SEEK_SET) < 0)
		return -errno;
	while (read_some(output_fd, max, end))
		continue;
	if (end->status == STATUS_NO_START &&
	    read(status_fd, &failed, sizeof(failed)) == (ssize_t)sizeof(failed))
		return -failed;
	return 0;
}

static int open_output(bool independent, int output[2])
{
	if (!independent)
		return pipe2(output, O_CLOEXEC) < 0 ? -errno : 0;
	output[0] = memfd_create("output", MFD_CLOEXEC);
	output[1] = fcntl(output[0], F_DUPFD_CLOEXEC, 0);
	return output[1] < 0 ? -errno : 0;
}

/* All of it is in memory before the program begins, so that nobody waits for one that does not read. */
static int open_input(const char *input, int *ret)
{
	cleanup_close int fd = input ? memfd_create("input", MFD_CLOEXEC) : -1;
	int r;

	if (!input)
		return 0;
	if (fd < 0)
		return -errno;
	r = file_write_fd(fd, input, strlen(input));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return r < 0 ? r : -errno;
	*ret = TAKE_FD(fd);
	return 0;
}

static int start_and_attend(const char *path, const struct run *run, struct process_end *end)
{
	cleanup_close int input = -1;
	int output[2] = { -1, -1 }, status[2] = { -1, -1 };
	int r = open_input(run->input, &input);
	pid_t pid;

	if (r == 0)
		r = open_output(run->independent, output);
	if (r < 0)
		return r;
	if (pipe2(status, O_CLOEXEC) < 0) {
		r = -errno;
		goto close_output;
	}
	pid = fork();
	if (pid == 0)
		become(path, run, input, output[1], status[1]);
	if (pid < 0)
		r = -errno;
	close(output[1]);
	close(status[1]);
	if (pid > 0 && run->independent)
		r = attend_independent(pid, output[0], status[0], run->deadline_ms, run->output_max,
				       end);
	else if (pid > 0)
		r = attend(pid, output[0], status[0], run->deadline_ms, run->output_max, end);
	close(status[0]);
	close(output[0]);
	return r;

close_output:
	close(output[0]);
	close(output[1]);
	return r;
}

static int run(const struct run *run, struct process_end *ret, struct error *err)
{
	cleanup_process_end struct process_end end = { 0 };
	const char *name = run->argv[0];
	cleanup_free char *path = find_program(name);
	int r;

	if (!path)
		return error_set(err, -errno, "cannot run '%s': %s", name, strerror(errno));
	keep_statuses();
	end.output = strdup("");
	if (!end.output)
		return error_set_memory(err);
	r = start_and_attend(path, run, &end);
	if (r == -ETIMEDOUT)
		return error_set(err, r, "'%s' was killed: it had not ended after %u s", name,
				 run->deadline_ms / 1000);
	if (r < 0)
		return error_set(err, r, "cannot run '%s': %s", name, strerror(-r));
	*ret = TAKE_STRUCT(end);
	return 0;
}

/* The environment and one variable more; the strings stay where they are. NULL without memory. */
static const char **extend_environment(const char *variable)
{
	const char **environment;
	size_t count = 0;

	while (environ[count])
		count++;
	environment = calloc(count + 2, sizeof(*environment));
	if (!environment)
		return NULL;
	for (size_t i = 0; i < count; i++)
		environment[i] = environ[i];
	environment[count] = variable;
	return environment;
}

/* With the signals as they are by default: this program may ignore some. */
static int spawn(pid_t *ret, const char *const argv[], const char *const environment[])
{
	posix_spawnattr_t attributes;
	sigset_t all, none;
	int r;

	sigfillset(&all);
	sigemptyset(&none);
	r = posix_spawnattr_init(&attributes);
	if (r != 0)
		return -r;
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setsigmask(&attributes, &none);
	r = posix_spawn(ret, argv[0], NULL, &attributes, without_const(argv),
			without_const(environment));
	posix_spawnattr_destroy(&attributes);
	return -r;
}

int process_pass(const char *const argv[], const char *variable, int *ret_status, struct error *err)
{
	cleanup_free const char **environment = extend_environment(variable);
	int r, status = 0;
	pid_t pid;

	if (!environment)
		return error_set_memory(err);
	keep_statuses();
	r = spawn(&pid, argv, environment);
	while (r == 0 && waitpid(pid, &status, 0) < 0)
		r = errno == EINTR ? 0 : -errno;
	if (r < 0)
		return error_set(err, r, "cannot run '%s': %s", argv[0], strerror(-r));
	*ret_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return 0;
}

int process_run(const char *const argv[], unsigned deadline_ms, size_t output_max,
		struct process_end *ret, struct error *err)
{
	const struct run it = {
		.argv = argv,
		.deadline_ms = deadline_ms,
		.output_max = output_max,
	};

	return run(&it, ret, err);
}

int process_run_fed(const char *const argv[], const char *input, unsigned deadline_ms,
		    size_t output_max, struct process_end *ret, struct error *err)
{
	const struct run it = {
		.argv = argv,
		.input = input,
		.independent = true,
		.deadline_ms = deadline_ms,
		.output_max = output_max,
	};

	return run(&it, ret, err);
}

int process_run_to_end(const char *const argv[], unsigned deadline_ms, size_t output_max,
		       struct process_end *ret, struct error *err)
{
	const struct run it = {
		.argv = argv,
		.independent = true,
		.deadline_ms = deadline_ms,
		.output_max = output_max,
	};

	return run(&it, ret, err);
}
