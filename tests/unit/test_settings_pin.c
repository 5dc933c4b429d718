/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/pin.c: a pin is written once, and what is there stays as it is. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "base/json.h"
#include "settings/settings.h"
#include "settings/store.h"

#define VM_FILE "etc/pve/pve-vfio/101.json"

static struct pci_address address(const char *text)
{
	struct pci_address parsed = { 0 };

	assert_int_equal(pci_address_parse(text, &parsed), 0);
	return parsed;
}

/* Each member by itself; what is refused changes nothing. */
static void test_members(void **state)
{
	static const struct {
		const char *key, *value; /* in JSON */
		int result;
	} rows[] = {
		{ "id", "\"10de:2484\"", 0 },
		{ "id", "\"10DE:2484\"", 0 },
		{ "id", "\"10de-2484\"", -EINVAL },
		{ "id", "\"10de:248\"", -EINVAL },
		{ "id", "\"10de:24844\"", -EINVAL },
		{ "id", "\"+0de:2484\"", -EINVAL },
		{ "id", "\"10de: 484\"", -EINVAL },
		{ "id", "7", -EINVAL },
		{ "id", "null", -EINVAL },
		{ "subsystem", "\"1462:3909\"", 0 },
		{ "subsystem", "\"1462:390g\"", -EINVAL },
		{ "class", "\"030000\"", 0 },
		{ "class", "\"30000\"", -EINVAL },
		{ "class", "\"0x0300\"", -EINVAL },
		{ "class", "196608", -EINVAL },
		{ "serial", "\"52-54-00-ff-ff-12-34-56\"", 0 },
		{ "serial", "\"\"", 0 },
		{ "serial", "\"012345678901234567890123\"", -EINVAL },
		{ "serial", "[]", -EINVAL },
		{ "vendor", "\"10de\"", -ENOENT },
		{ "ID", "\"10de:2484\"", -ENOENT },
		{ "", "\"10de:2484\"", -ENOENT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_json json_t *value = json_loads(rows[i].value, JSON_DECODE_ANY, NULL);
		struct pci_identity identity = { .vendor = 0xffff }, before = identity;

		assert_non_null(value);
		assert_row(rows[i].value,
			   pin_set_member(&identity, rows[i].key, value) == rows[i].result);
		assert_row(rows[i].value,
			   (memcmp(&identity, &before, sizeof(before)) == 0) ==
				   (rows[i].result < 0 || strcmp(rows[i].value, "\"\"") == 0));
	}
}

/* What is written is read again as the same. */
static void test_round_trip(void **state)
{
	static const struct {
		struct pci_identity identity;
		const char *text;
	} rows[] = {
		{ { 0x10de, 0x2484, 0x1462, 0x3909, 0x030000, "52-54-00-ff-ff-12-34-56", 0 },
		  "{\"id\": \"10de:2484\", \"subsystem\": \"1462:3909\", \"class\": "
		  "\"030000\", \"serial\": \"52-54-00-ff-ff-12-34-56\"}" },
		{ { 0x0001, 0x000a, 0, 0, 0x010802, "", 0 },
		  "{\"id\": \"0001:000a\", \"subsystem\": \"0000:0000\", \"class\": "
		  "\"010802\"}" },
		{ { 0xffff, 0xffff, 0xffff, 0xffff, 0xffffff, "", 0 },
		  "{\"id\": \"ffff:ffff\", \"subsystem\": \"ffff:ffff\", \"class\": "
		  "\"ffffff\"}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_json json_t *json = pin_json(&rows[i].identity);
		cleanup_free char *text = json_dumps(json, 0);
		struct pci_identity again = { 0 };
		const char *key;
		json_t *value;

		assert_string_equal(text, rows[i].text);
		json_object_foreach(json, key, value)
			assert_int_equal(pin_set_member(&again, key, value), 0);
		assert_int_equal(again.vendor, rows[i].identity.vendor);
		assert_int_equal(again.device, rows[i].identity.device);
		assert_int_equal(again.subsystem_vendor, rows[i].identity.subsystem_vendor);
		assert_int_equal(again.subsystem_device, rows[i].identity.subsystem_device);
		assert_int_equal(again.class_code, rows[i].identity.class_code);
		assert_string_equal(again.serial, rows[i].identity.serial);
	}
}

static const struct vm_identity nobody;

static void test_add(void **state)
{
	const struct tree *tree = *state;
	const struct vm_identity vm = { "aaaa", 100 };
	struct pin pins[] = {
		{ "pve1",
		  address("0000:01:00.0"),
		  { 0x10de, 0x2484, 0x1462, 0x3909, 0x030000, "", 0 } },
		{ "pve1", address("0000:02:00.0"), { 0x8086, 0x10d3, 0, 0, 0x020000, "52-54", 0 } },
	};
	cleanup_free char *first = NULL, *second = NULL;
	struct error err = { 0 };

	tree_folder(tree, "etc/pve");
	assert_int_equal(store_pins(&tree->root, 101, &vm, pins, 0, &err), 0);
	assert_false(tree_has(tree, VM_FILE)); /* for nothing there is no file */
	assert_int_equal(store_pins(&tree->root, 101, &nobody, pins, 1, &err), 0);
	first = tree_read(tree, VM_FILE);
	assert_string_equal(first, "{\n  \"pins\": {\n    \"nodes/pve1\": {\n      "
				   "\"0000:01:00.0\": {\n        \"id\": \"10de:2484\",\n        "
				   "\"subsystem\": \"1462:3909\",\n        \"class\": "
				   "\"030000\"\n      }\n    }\n  }\n}\n");

	/* one that is there stays, and so does all else; whose it is, is noted */
	tree_file(tree, VM_FILE,
		  "{\"allow\": [\"romfile\"], \"pins\": {\"0000:01:00.0\": {\"id\": "
		  "\"1002:73bf\", \"class\": \"030000\"}, \"nodes/pve1\": {\"0000:02:00.0\": "
		  "{\"id\": \"1:2\"}}}}");
	assert_int_equal(store_pins(&tree->root, 101, &vm, pins, 2, &err), 0);
	second = tree_read(tree, VM_FILE);
	assert_string_equal(
		second,
		"{\n  \"allow\": [\n    \"romfile\"\n  ],\n  \"pins\": {\n    "
		"\"0000:01:00.0\": {\n      \"id\": \"1002:73bf\",\n      \"class\": "
		"\"030000\"\n    },\n    \"nodes/pve1\": {\n      \"0000:02:00.0\": {\n        "
		"\"id\": \"1:2\"\n      },\n      \"0000:01:00.0\": {\n        \"id\": "
		"\"10de:2484\",\n        \"subsystem\": \"1462:3909\",\n        \"class\": "
		"\"030000\"\n      }\n    }\n  },\n  \"vm\": {\n    \"uuid\": \"aaaa\",\n    "
		"\"ctime\": 100\n  }\n}\n");

	/* a file that cannot be understood is not overwritten */
	tree_file(tree, VM_FILE, "garbage");
	assert_int_equal(store_pins(&tree->root, 101, &vm, pins, 1, &err), -EBADMSG);
	free(second);
	second = tree_read(tree, VM_FILE);
	assert_string_equal(second, "garbage");
}

/* A write is a message to the whole cluster: where nothing is new there is none. */
static void test_written_once(void **state)
{
	const struct tree *tree = *state;
	const struct vm_identity vm = { "aaaa", 100 };
	struct pin pin = { "pve1", address("0000:01:00.0"), { .vendor = 0x10de } };
	char path[PATH_MAX];
	struct stat before, after;
	struct error err = { 0 };

	tree_folder(tree, "etc/pve");
	assert_int_equal(store_pins(&tree->root, 101, &vm, &pin, 1, &err), 0);
	tree_path(tree, VM_FILE, path);
	assert_int_equal(stat(path, &before), 0);
	pin.identity.vendor = 0x8086;
	assert_int_equal(store_pins(&tree->root, 101, &vm, &pin, 1, &err), 0);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
}

/* Not a cluster node, or one without its file system. */
static void test_add_fails(void **state)
{
	const struct tree *tree = *state;
	struct pin pin = { "pve1", address("0000:01:00.0"), { .vendor = 0x10de } };
	struct error err = { 0 };

	assert_int_equal(store_pins(&tree->root, 101, &nobody, &pin, 1, &err), -ENOENT);
	assert_string_equal(err.message,
			    "cannot write /etc/pve/pve-vfio/101.json: No such file or directory");
	tree_file(tree, "etc/pve/pve-vfio", "no folder");
	assert_int_equal(store_pins(&tree->root, 101, &nobody, &pin, 1, &err), -ENOTDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_round_trip),
		tree_test(test_add),
		tree_test(test_written_once),
		tree_test(test_add_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
