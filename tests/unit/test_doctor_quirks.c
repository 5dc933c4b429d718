/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/quirks.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "doctor/quirks.h"

#define ENTRY(more)                                                                                      \
	"{\"format\":1,\"quirks\":[{\"id\":\"x\",\"level\":\"warning\",\"what\":\"w\",\"remedy\":\"r\"," \
	"\"source\":\"s\"," more "}]}"
#define DEVICES                                                                                    \
	"\"devices\":[{\"vendor\":\"1002\",\"from\":\"67c0\",\"to\":\"67ff\",\"class\":\"03\"}]"

/* What is shipped has an id, a source and devices in each entry, and no id twice. */
static void test_built_in(void **state)
{
	const struct tree *tree = *state;
	struct quirks quirks = { 0 };
	struct error err = { 0 };

	if (quirks_read(&tree->root, &quirks, &err) != 0)
		fail_msg("%s", err.message);
	assert_false(quirks.replaced);
	assert_true(quirks.count >= 10);
	for (size_t i = 0; i < quirks.count; i++) {
		assert_row(quirks.items[i].id, *quirks.items[i].source);
		assert_row(quirks.items[i].id, *quirks.items[i].remedy);
		assert_row(quirks.items[i].id, quirks.items[i].device_count > 0);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(quirks.items[i].id, quirks.items[k].id);
	}
	quirks_done(&quirks);
}

static void test_file_replaces(void **state)
{
	const struct tree *tree = *state;
	struct quirks quirks = { 0 };
	struct error err = { 0 };

	tree_file(tree, "usr/share/pve-vfio/quirks.json", "%s", ENTRY(DEVICES));
	assert_int_equal(quirks_read(&tree->root, &quirks, &err), 0);
	assert_true(quirks.replaced);
	assert_int_equal(quirks.count, 1);
	quirks_done(&quirks);
	tree_file(tree, "usr/share/pve-vfio/quirks.json", "{");
	assert_int_equal(quirks_read(&tree->root, &quirks, &err), -EBADMSG);
	assert_non_null(strstr(err.message, "/usr/share/pve-vfio/quirks.json"));
}

static void test_faults(void **state)
{
	static const struct {
		const char *document, *words;
	} rows[] = {
		{ "{\"format\":2,\"quirks\":[]}", "format 2 is not known" },
		{ "{\"format\":1}", "quirks" },
		{ "{\"format\":1,\"quirks\":[1]}", "entry 1: it is no object" },
		{ ENTRY("\"devices\":[{}]"), "no vendor" },
		{ ENTRY("\"devices\":[{\"vendor\":\"10de\",\"from\":\"1\"}]"), "four digits" },
		{ ENTRY("\"devices\":[{\"vendor\":\"xyzw\"}]"), "four digits" },
		{ ENTRY(DEVICES ",\"kernels\":{}"), "did you mean 'kernel'" },
		{ ENTRY(DEVICES ",\"kernel\":{\"from\":6}"), "no version" },
		{ ENTRY(DEVICES ",\"kernel\":6"), "no object" },
		{ ENTRY(DEVICES ",\"modules\":\"x\""), "no array" },
		{ ENTRY(DEVICES ",\"modules\":[1]"), "no string" },
		{ "{\"format\":1,\"quirks\":[{\"id\":\"x\",\"level\":\"bad\",\"devices\":[]}]}",
		  "no level" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct quirks quirks = { 0 };
		struct error err = { 0 };

		assert_row(rows[i].document,
			   quirks_parse("f", rows[i].document, strlen(rows[i].document), &quirks,
					&err) == -EBADMSG);
		if (!strstr(err.message, rows[i].words))
			fail_msg("'%s' is not in '%s'", rows[i].words, err.message);
	}
}

static bool applies(const struct tree *tree, const char *document, struct kernel_version kernel,
		    const struct pci_device *device, bool virtual)
{
	struct quirk_target target = { &tree->root, kernel, device, virtual };
	struct quirks quirks = { 0 };
	struct error err = { 0 };
	bool does;

	if (quirks_parse("f", document, strlen(document), &quirks, &err) != 0)
		fail_msg("%s", err.message);
	does = quirk_applies(&quirks.items[0], &target);
	quirks_done(&quirks);
	return does;
}

static void test_matching(void **state)
{
	const struct tree *tree = *state;
	static char driver[] = "amdgpu";
	struct pci_device card = { .vendor = 0x1002, .device = 0x67df, .class_code = 0x030000 };
	struct pci_device sound = { .vendor = 0x1002, .device = 0x67df, .class_code = 0x040300 };
	struct pci_device newer = { .vendor = 0x1002, .device = 0x6800, .class_code = 0x030000 };
	struct kernel_version k68 = { 6, 8 }, k65 = { 6, 5 }, k611 = { 6, 11 };
	const char *kernels = ENTRY(DEVICES ",\"kernel\":{\"from\":\"6.8\",\"before\":\"6.11\"}");

	assert_true(applies(tree, ENTRY(DEVICES), k65, &card, false));
	assert_false(applies(tree, ENTRY(DEVICES), k65, &sound, false));
	assert_false(applies(tree, ENTRY(DEVICES), k65, &newer, false));
	assert_true(applies(tree, kernels, k68, &card, false));
	assert_false(applies(tree, kernels, k65, &card, false));
	assert_false(applies(tree, kernels, k611, &card, false));
	assert_false(applies(tree, ENTRY(DEVICES ",\"drivers\":[\"amdgpu\"]"), k68, &card, false));
	card.driver = driver;
	assert_true(applies(tree, ENTRY(DEVICES ",\"drivers\":[\"amdgpu\"]"), k68, &card, false));
	assert_false(applies(tree, ENTRY(DEVICES ",\"virtual\":true"), k68, &card, false));
	assert_true(applies(tree, ENTRY(DEVICES ",\"virtual\":true"), k68, &card, true));
	assert_false(
		applies(tree, ENTRY(DEVICES ",\"modules\":[\"vendor_reset\"]"), k68, &card, false));
	assert_true(applies(tree, ENTRY(DEVICES ",\"unless_module\":\"vendor_reset\""), k68, &card,
			    false));
	tree_file(tree, "sys/module/vendor_reset/initstate", "live\n");
	assert_true(
		applies(tree, ENTRY(DEVICES ",\"modules\":[\"vendor_reset\"]"), k68, &card, false));
	assert_false(applies(tree, ENTRY(DEVICES ",\"unless_module\":\"vendor_reset\""), k68, &card,
			     false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_built_in),
		tree_test(test_file_replaces),
		cmocka_unit_test(test_faults),
		tree_test(test_matching),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
