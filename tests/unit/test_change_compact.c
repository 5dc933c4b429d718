/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Free memory put together: where it helps, and that nobody waits for it. */
#include "test.h"
#include "tree.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "change/compact.h"

#define COMPACT "proc/sys/vm/compact_memory"
#define ENABLED "sys/kernel/mm/transparent_hugepage/enabled"

/* 2 GiB in pages of 4 KiB, 1 GiB in blocks of 2 and 4 MiB. */
#define FREE                                                                                         \
	"Node 0, zone      DMA      0      0      0      0      0      0      0      0      1      " \
	"0      0 \n"                                                                                \
	"Node 0, zone   Normal 524032      0      0      0      0      0      0      0      0    "   \
	"256    128 \n"

static void it_helps_where_blocks_are_missing(void **state)
{
	static const struct {
		const char *blocks, *enabled;
		uint64_t wanted_mib;
		bool helps;
	} rows[] = {
		{ FREE, "always [madvise] never", 4096, true },
		{ FREE, "[always] madvise never", 1025, true },
		{ FREE, "always madvise [never]", 4096, false },
		{ FREE, "always [madvise] never", 1024, false },
		/* what is in small blocks is next to nothing of it */
		{ FREE, "always [madvise] never", 40000, false },
		{ "", "always [madvise] never", 4096, false },
		{ NULL, "always [madvise] never", 4096, false },
		{ FREE, NULL, 4096, false },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct memory_blocks blocks = { 0 };

		tree_remove(tree, "proc/buddyinfo");
		tree_remove(tree, ENABLED);
		if (rows[i].blocks)
			tree_file(tree, "proc/buddyinfo", "%s", rows[i].blocks);
		if (rows[i].enabled)
			tree_file(tree, ENABLED, "%s", rows[i].enabled);
		assert_row(rows[i].enabled ? rows[i].enabled : "no huge pages",
			   compact_helps(&tree->root, rows[i].wanted_mib, &blocks) ==
				   rows[i].helps);
		if (i == 0) {
			assert_int_equal(blocks.huge_mib, 1024);
			assert_int_equal(blocks.small_mib, 2048);
		}
	}
}

static void one_is_written(void **state)
{
	const struct tree *tree = *state;
	char *value = NULL;
	int go, status;

	tree_file(tree, COMPACT, "\n");
	go = compact_begin(&tree->root);
	assert_true(go >= 0);
	/* its end does not depend on ours */
	assert_true(waitpid(-1, &status, 0) > 0);
	assert_int_equal(sysroot_read_attribute(&tree->root, COMPACT, &value), 0);
	assert_string_equal(value, "1");
	free(value);
	compact_over(&go);

	/* a kernel without it */
	tree_remove(tree, COMPACT);
	go = compact_begin(&tree->root);
	assert_true(go >= 0);
	compact_over(&go);
	assert_true(waitpid(-1, &status, 0) > 0);
}

/* A pipe without a reader is opened for ever. */
static void nobody_waits_for_it(void **state)
{
	const struct tree *tree = *state;
	uint64_t began = clock_now_us(), took_us;
	struct pollfd reader = { .events = POLLIN };
	char byte;
	int go;

	tree_folder(tree, "proc/sys/vm");
	tree_remove(tree, COMPACT);
	assert_int_equal(mkfifoat(tree->root.fd, COMPACT, 0600), 0);
	go = compact_begin(&tree->root);
	assert_true(go >= 0);
	compact_over(&go);
	took_us = clock_now_us() - began;
	assert_true(took_us < COMPACT_GRACE_MS * 1000);
	assert_true(waitpid(-1, NULL, 0) > 0);
	took_us = clock_now_us() - began;
	assert_true(took_us >= COMPACT_GRACE_MS * 1000);
	assert_true(took_us < 10 * COMPACT_GRACE_MS * 1000);

	/* one that still waited would write now */
	reader.fd = openat(tree->root.fd, COMPACT, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(reader.fd >= 0);
	(void)poll(&reader, 1, 300);
	assert_int_equal(read(reader.fd, &byte, 1), 0);
	close(reader.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(it_helps_where_blocks_are_missing),
		tree_test(one_is_written),
		tree_test(nobody_waits_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
