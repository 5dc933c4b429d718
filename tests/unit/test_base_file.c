/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: base/file.c. */
#include "test.h"
#include "tree.h"

#include <sys/inotify.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/file.h"

static int open_in(const struct tree *tree, const char *path, int flags)
{
	int fd = sysroot_openat(&tree->root, path, flags);

	assert_true(fd >= 0);
	return fd;
}

/* Sizes around the step in which it reads, from a file that tells its size. */
static void test_read_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 4094, 4095, 4096, 4097, 8191, 8192, 100000 };
	static char content[100000];
	const struct tree *tree = *state;

	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (char)(i * 7);
	for (size_t i = 0; i < COUNT(sizes); i++) {
		char *data = NULL;
		size_t size = 4711;
		int fd;

		tree_bytes(tree, "file", content, sizes[i]);
		fd = open_in(tree, "file", O_RDONLY);
		/* exactly as much as is allowed */
		assert_int_equal(file_read_fd(fd, sizes[i], &data, &size), 0);
		assert_int_equal(size, sizes[i]);
		assert_memory_equal(data, content, size);
		assert_int_equal(data[size], '\0');
		free(data);
		close(fd);
		if (sizes[i] == 0)
			continue;
		data = NULL;
		fd = open_in(tree, "file", O_RDONLY);
		assert_int_equal(file_read_fd(fd, sizes[i] - 1, &data, &size), -EFBIG);
		assert_null(data);
		close(fd);
	}
}

/* A pipe tells no size and gives what it has bit by bit. */
static void test_read_pipe(void **state)
{
	char *data = NULL;
	size_t size;
	int ends[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 1000; i++)
			if (write(ends[1], "0123456789", 10) != 10)
				_exit(1);
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(file_read_fd(ends[0], 10000, &data, &size), 0);
	assert_int_equal(size, 10000);
	assert_memory_equal(data + 9990, "0123456789", 11);
	free(data);
	close(ends[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_read_fails(void **state)
{
	const struct tree *tree = *state;
	char *data = NULL;
	size_t size;
	int fd;

	tree_file(tree, "file", "abc");
	fd = open_in(tree, "file", O_WRONLY);
	assert_int_equal(file_read_fd(fd, 100, &data, &size), -EBADF);
	close(fd);
	tree_folder(tree, "folder");
	fd = open_in(tree, "folder", O_RDONLY);
	assert_int_equal(file_read_fd(fd, 100, &data, &size), -EISDIR);
	close(fd);
	assert_null(data);
}

static void assert_content(const struct tree *tree, const char *path, const char *content)
{
	char *data = tree_read(tree, path);

	assert_non_null(data);
	assert_string_equal(data, content);
	free(data);
}

static unsigned mode_of(const struct tree *tree, const char *path)
{
	struct stat status;
	char full[PATH_MAX];

	tree_path(tree, path, full);
	assert_int_equal(lstat(full, &status), 0);
	return (unsigned)status.st_mode;
}

static void test_replace(void **state)
{
	const struct tree *tree = *state;
	int fd;

	tree_folder(tree, "folder");
	fd = open_in(tree, "folder", O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_replace_at(fd, "new", "abc", 3), 0);
	assert_content(tree, "folder/new", "abc");
	assert_int_equal(mode_of(tree, "folder/new"), S_IFREG | 0600);
	assert_int_equal(file_replace_at(fd, "new", "d", 1), 0);
	assert_content(tree, "folder/new", "d");
	assert_int_equal(file_replace_at(fd, "new", "", 0), 0);
	assert_content(tree, "folder/new", "");
	assert_false(tree_has(tree, "folder/new.tmp"));
	close(fd);
}

/* A file that can be run can be at every moment: once it is there, nothing of it is changed. */
static void test_replace_mode(void **state)
{
	const struct tree *tree = *state;
	char path[PATH_MAX], events[4096];
	bool there = false;
	int folder, watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	struct stat status;
	ssize_t size;

	tree_file(tree, "snippets/hook", "old");
	tree_path(tree, "snippets", path);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(folder >= 0);
	assert_true(inotify_add_watch(watch, path, IN_MOVED_TO | IN_ATTRIB | IN_MODIFY) >= 0);
	assert_int_equal(file_replace_mode_at(folder, "hook", "new", 3, 0755), 0);
	size = read(watch, events, sizeof(events));
	for (ssize_t at = 0; at < size;) {
		struct inotify_event event;

		memcpy(&event, events + at, sizeof(event));
		assert_false(there);
		there = event.mask & IN_MOVED_TO;
		at += (ssize_t)(sizeof(event) + event.len);
	}
	assert_true(there);
	assert_int_equal(fstatat(folder, "hook", &status, 0), 0);
	assert_int_equal(status.st_mode & 07777, 0755);
	close(folder);
	close(watch);
}

/* What a run that was killed has left is no hindrance. */
static void test_replace_over_leftovers(void **state)
{
	const struct tree *tree = *state;
	int fd;

	tree_file(tree, "folder/file.tmp", "a longer leftover");
	fd = open_in(tree, "folder", O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_replace_at(fd, "file", "abc", 3), 0);
	assert_content(tree, "folder/file", "abc");
	assert_false(tree_has(tree, "folder/file.tmp"));
	close(fd);
}

/* Never through a symbolic link: neither the temporary nor the name. */
static void test_replace_links(void **state)
{
	const struct tree *tree = *state;
	int fd;

	tree_file(tree, "precious", "precious");
	tree_link(tree, "folder/file", "../precious");
	fd = open_in(tree, "folder", O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_replace_at(fd, "file", "abc", 3), 0);
	assert_content(tree, "precious", "precious");
	assert_content(tree, "folder/file", "abc");
	assert_int_equal(mode_of(tree, "folder/file"), S_IFREG | 0600);

	tree_link(tree, "folder/file.tmp", "../precious");
	assert_int_equal(file_replace_at(fd, "file", "def", 3), -ELOOP);
	assert_content(tree, "precious", "precious");
	assert_content(tree, "folder/file", "abc");
	assert_false(tree_has(tree, "folder/file.tmp"));
	/* the link is out of the way now */
	assert_int_equal(file_replace_at(fd, "file", "def", 3), 0);
	assert_content(tree, "folder/file", "def");
	close(fd);
}

/* On failure the old one stands. */
static void test_replace_fails(void **state)
{
	const struct tree *tree = *state;
	int fd;

	tree_folder(tree, "folder/file/inner");
	fd = open_in(tree, "folder", O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_replace_at(fd, "file", "abc", 3), -EISDIR);
	assert_true(tree_has(tree, "folder/file/inner"));
	assert_false(tree_has(tree, "folder/file.tmp"));
	tree_remove(tree, "folder");
	assert_int_equal(file_replace_at(fd, "file", "abc", 3), -ENOENT);
	close(fd);

	tree_file(tree, "folder", "no folder");
	fd = open_in(tree, "folder", O_RDONLY);
	assert_int_equal(file_replace_at(fd, "file", "abc", 3), -ENOTDIR);
	close(fd);
}

/* A reader sees the old or the new, never a part, and never nothing. */
static void test_replace_is_whole(void **state)
{
	const struct tree *tree = *state;
	static char content[2][60000];
	struct deadline deadline = deadline_in_ms(300);
	int fd, status;
	pid_t pid;

	memset(content[0], 'a', sizeof(content[0]));
	memset(content[1], 'b', sizeof(content[1]) / 2);
	content[1][sizeof(content[1]) / 2] = '\0';
	tree_folder(tree, "folder");
	fd = open_in(tree, "folder", O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_replace_at(fd, "file", content[0], sizeof(content[0])), 0);
	pid = fork();
	if (pid == 0) {
		for (unsigned i = 0;; i++) {
			const char *data = content[i % 2];

			if (file_replace_at(fd, "file", data, i % 2 ? 30000 : 60000) != 0)
				_exit(1);
		}
	}
	while (!deadline_passed(deadline)) {
		int file = openat(fd, "file", O_RDONLY | O_CLOEXEC);
		char *data = NULL;
		size_t size;

		assert_true(file >= 0);
		assert_int_equal(file_read_fd(file, 100000, &data, &size), 0);
		assert_true(size == 30000 || size == 60000);
		assert_memory_equal(data, content[size == 30000], size);
		free(data);
		close(file);
	}
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_read_sizes),	  tree_test(test_read_pipe),
		tree_test(test_read_fails),	  tree_test(test_replace),
		tree_test(test_replace_mode),	  tree_test(test_replace_over_leftovers),
		tree_test(test_replace_links),	  tree_test(test_replace_fails),
		tree_test(test_replace_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
