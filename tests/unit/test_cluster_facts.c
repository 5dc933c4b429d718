/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a node publishes: read as it was written, and written only where it has changed. */
#include "test.h"
#include "tree.h"

#include "cluster/facts.h"

#define FILE_PATH "etc/pve/pve-vfio/nodes/pve1.json"
#define DEVICE                                                                                     \
	"{\"address\":\"0000:01:00.0\",\"id\":\"10de:2484\",\"subsystem_id\":\"1462:3909\","       \
	"\"class\":\"030000\",\"group\":14,\"name\":\"NVIDIA GeForce RTX 3070\",\"pass\":\"with "  \
	"its group\",\"why\":\"group-siblings\",\"mdev\":false}"
#define HEAD                                                                                       \
	"{\"format\":1,\"node\":\"pve1\",\"version\":\"0.2.0\",\"qemu_server\":\"9.2.6\","         \
	"\"kernel\":\"6.17\",\"written\":1764320000,"
#define WHOLE HEAD "\"hooks\":{\"local\":\"0.2.0\"},\"devices\":[" DEVICE "],\"left_out\":0}"

static int parse(const char *text, struct facts *facts, struct error *err)
{
	return facts_parse("it", text, strlen(text), facts, err);
}

static void test_parse(void **state)
{
	cleanup_facts struct facts facts = { 0 };
	const struct facts_device *device;

	(void)state;
	assert_int_equal(parse(WHOLE, &facts, NULL), 0);
	assert_string_equal(facts.node, "pve1");
	assert_string_equal(facts.pve, "9.2.6");
	assert_int_equal(facts.written, 1764320000);
	assert_string_equal(facts_hook_find(&facts, "local")->version, "0.2.0");
	assert_null(facts_hook_find(&facts, "nas"));
	device = facts_find(&facts, "0000:01:00.0");
	assert_int_equal(device->device.vendor, 0x10de);
	assert_int_equal(device->device.class_code, 0x030000);
	assert_int_equal(device->device.iommu_group, 14);
	assert_int_equal(device->pass, PASS_GROUP);
	assert_string_equal(device->why, "group-siblings");
	assert_null(facts_find(&facts, "0000:01:00.1"));
}

/* All are -EBADMSG, and nothing of them is taken. */
static void test_broken(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "[]", NULL },
		{ "{\"format\":1", NULL },
		{ "{\"format\":1,\"format\":1}", NULL },
		{ "{\"format\":2}", "it: it is of format 2, of a newer version" },
		{ HEAD "\"devices\":[]}", "it: 'hooks' is missing, or not an object" },
		{ HEAD "\"hooks\":{\"local\":1},\"devices\":[]}",
		  "it: a version in 'hooks' is not a string" },
		{ HEAD "\"hooks\":{},\"devices\":[{\"address\":\"01:00.0\"}]}",
		  "it: a device is not as pve-vfio-json(5) has it" },
		{ HEAD "\"hooks\":{},\"devices\":[7]}",
		  "it: a device is not as pve-vfio-json(5) has it" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct facts facts = { 0 };
		struct error err = { 0 };

		assert_int_equal(parse(rows[i].text, &facts, &err), -EBADMSG);
		if (rows[i].says)
			assert_string_equal(err.message, rows[i].says);
		assert_null(facts.node);
	}
}

static void test_read(void **state)
{
	const struct tree *tree = *state;
	struct facts facts = { 0 };
	struct error err = { 0 };

	assert_int_equal(facts_read(&tree->root, "pve1", &facts, &err), -ENOENT);
	tree_file(tree, FILE_PATH, "%s", WHOLE);
	assert_int_equal(facts_read(&tree->root, "pve1", &facts, &err), 0);
	facts_done(&facts);
	/* a name that leads elsewhere is of no node */
	assert_int_equal(facts_read(&tree->root, "../nodes/pve1", &facts, &err), -ENOENT);
	assert_int_equal(facts_read(&tree->root, "", &facts, &err), -ENOENT);
	tree_file(tree, "etc/pve/pve-vfio/nodes/pve2.json", "%s", WHOLE);
	assert_int_equal(facts_read(&tree->root, "pve2", &facts, &err), -EBADMSG);
	assert_string_equal(err.message, "/etc/pve/pve-vfio/nodes/pve2.json is of another node");
}

/* `later` seconds after it was parsed, with so many devices: is it written? */
static bool is_written(const struct tree *tree, struct facts *facts, time_t later, size_t left_out)
{
	bool written = false;

	facts->written += later;
	facts->left_out = left_out;
	assert_int_equal(facts_write(&tree->root, facts, &written, NULL), 0);
	return written;
}

static void test_write(void **state)
{
	const struct tree *tree = *state;
	cleanup_facts struct facts facts = { 0 }, again = { 0 };
	bool written;

	tree_folder(tree, "etc/pve");
	assert_int_equal(parse(WHOLE, &facts, NULL), 0);
	assert_true(is_written(tree, &facts, 0, 0));
	assert_false(is_written(tree, &facts, 1, 0));
	/* a day after it was written, and not before */
	assert_false(is_written(tree, &facts, FACTS_AGAIN_S - 1, 0));
	assert_true(is_written(tree, &facts, 1, 0));
	assert_false(is_written(tree, &facts, 1, 0));
	/* the clock was set back */
	assert_true(is_written(tree, &facts, -FACTS_AGAIN_S, 0));
	facts.devices[0].pass = PASS_NO;
	assert_true(is_written(tree, &facts, 1, 0));
	assert_int_equal(facts_read(&tree->root, "pve1", &again, NULL), 0);
	assert_int_equal(again.devices[0].pass, PASS_NO);
	facts_done(&facts);
	assert_int_equal(parse(WHOLE, &facts, NULL), 0);
	free(facts.node);
	facts.node = strdup("../../x");
	assert_int_equal(facts_write(&tree->root, &facts, &written, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_broken),
		tree_test(test_read),
		tree_test(test_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
