/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: host/silence.c, and what host/sysroot.c makes of it. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>

#include "base/blocked.h"
#include "host/netlink.h"
#include "host/silence.h"
#include "tree.h"
#include "use/route.h"

static void test_add(void **state)
{
	cleanup_strings struct strings silent = { 0 };

	(void)state;
	assert_false(silence_add(&silent, ""));
	assert_true(silence_add(&silent, "/sys/a"));
	assert_false(silence_add(&silent, "/sys/a"));
	while (silent.count < SILENCE_MOST - 1) {
		char path[32];

		snprintf(path, sizeof(path), "/sys/%zu", silent.count);
		assert_true(silence_add(&silent, path));
	}
	assert_false(silence_add(&silent, "/sys/b")); /* enough */
	assert_int_equal(silent.count, SILENCE_MOST);
	assert_string_equal(silent.items[0], "/sys/a");
}

static void test_words(void **state)
{
	static const struct guard_silence killed = { "/etc/x", 5000, 7, false };
	static const struct guard_silence stuck = { "/etc/pve/storage.cfg", 2000, 7, true };
	static const struct guard_silence kernel = { BLOCKED_NETLINK, 30000, 7, true };
	static const struct guard_silence nameless = { "", 1000, 7, false };
	cleanup_free char *words = silence_words(&killed);
	cleanup_free char *more = silence_words(&stuck);
	cleanup_free char *netlink = silence_words(&kernel);
	cleanup_free char *none = silence_words(&nameless);

	(void)state;
	assert_string_equal(words, "/etc/x has not answered within 5 s");
	assert_string_equal(more,
			    "/etc/pve/storage.cfg has not answered within 2 s: see 'systemctl "
			    "status pve-cluster'; process 7 stays in the kernel with it");
	assert_string_equal(
		netlink,
		"netlink has not answered within 30 s: a driver that hangs may have the "
		"kernel's lock on network interfaces; see 'journalctl -k'; process 7 stays in "
		"the kernel with it");
	assert_string_equal(none, "a file has not answered within 1 s");
}

static void expect(const struct sysroot *root, const char *path, int wanted)
{
	cleanup_close int fd = sysroot_openat(root, path, O_RDONLY);

	assert_int_equal(fd < 0 ? fd : 0, wanted);
}

/* By its name, below it, and through a link; its neighbours are asked. */
static void test_not_asked(void **state)
{
	struct tree *tree = *state;
	cleanup_strings struct strings silent = { 0 };
	cleanup_close int folder = -1;
	char path[PATH_MAX];

	tree_file(tree, "sys/devices/a/numvfs", "0\n");
	tree_file(tree, "sys/devices/a/numvfs2", "0\n");
	tree_file(tree, "mnt/nas/snippets/x", "\n");
	tree_link(tree, "sys/bus/a", "../devices/a");
	tree_path(tree, "sys/devices/a/numvfs", path);
	assert_int_equal(strings_add(&silent, path), 0);
	tree_path(tree, "mnt/nas", path);
	assert_int_equal(strings_add(&silent, path), 0);
	expect(&tree->root, "sys/bus/a/numvfs", 0);
	tree->root.silent = &silent;
	expect(&tree->root, "sys/devices/a/numvfs", -ETIMEDOUT);
	expect(&tree->root, "sys/bus/a/numvfs", -ETIMEDOUT);
	expect(&tree->root, "sys/bus/a/numvfs2", 0);
	expect(&tree->root, "mnt/nas", -ETIMEDOUT);
	expect(&tree->root, "mnt/nas/snippets/x", -ETIMEDOUT);
	expect(&tree->root, "mnt", 0);
	folder = sysroot_openat(&tree->root, "sys/bus/a", O_PATH | O_DIRECTORY);
	assert_int_equal(sysroot_openat_in(&tree->root, folder, "numvfs", O_RDONLY), -ETIMEDOUT);
	assert_false(sysroot_exists(&tree->root, "mnt/nas/snippets"));
	tree->root.silent = NULL;
}

/* Nor is the kernel, by netlink; also on the running machine, where IPv4 addresses come from it. */
static void test_netlink_not_asked(void **state)
{
	char *items[] = { (char[]){ BLOCKED_NETLINK } };
	const struct strings silent = { items, 1 };
	cleanup_sysroot struct sysroot live = { .fd = -1 };
	cleanup_netlink struct netlink_message request = { 0 };
	struct routing routing = { 0 };
	struct bytes answer;
	uint8_t *data = NULL;

	(void)state;
	assert_int_equal(sysroot_open("/", &live, NULL), 0);
	live.silent = &silent;
	netlink_begin(&request, 0, 0);
	assert_int_equal(netlink_ask(&live, 0, &request, &data, &answer), -ETIMEDOUT);
	assert_int_equal(routing_read(&live, &routing, NULL), -ETIMEDOUT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_words),
		tree_test(test_not_asked),
		cmocka_unit_test(test_netlink_not_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
