/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: settings/store.c. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "settings/settings.h"
#include "settings/store.h"

#define FILE_PATH "etc/pve/pve-vfio/101.json"
/* Pins of no node and of two, and whose they are; and what becomes of them. */
#define A		 "10de:2484"
#define B		 "8086:10d3"
#define PIN(address, id) "\"" address "\": {\"id\": \"" id "\", \"class\": \"030000\"}"
#define PINNED                                                                                     \
	"{\"vm\": {\"ctime\": 7}, \"pins\": {" PIN("0000:01:00.0", A) ", \"nodes/pve1\": {" PIN(   \
		"0000:01:00.0", B) ", " PIN("0000:02:00.0",                                        \
					    B) "}, \"nodes/pve2\": {" PIN("0000:03:00.0",          \
									  A) "}}, "

/* The pins, "ADDRESS ID" with commas between, and then the other members. */
static void assert_members(const struct tree *tree, const char *wanted)
{
	cleanup_json json_t *document = NULL;
	struct text text = { 0 };
	const char *name;
	json_t *member;

	assert_int_equal(store_read(&tree->root, "/" FILE_PATH, &document, NULL), 0);
	json_object_foreach(json_object_get(document, "pins"), name, member)
		text_add(&text, "%s %s, ", name, json_string_value(json_object_get(member, "id")));
	json_object_foreach(document, name, member)
		text_add(&text, "%s ", name);
	assert_text(text.data, wanted);
	text_done(&text);
}

static void assert_file(const struct tree *tree, const char *wanted)
{
	cleanup_free char *text = tree_has(tree, FILE_PATH) ? tree_read(tree, FILE_PATH) : NULL;

	assert_text(text, wanted);
}

/* Of the VM 101 that is there now. */
static struct vm_config config_of(const struct tree *tree, const char *text)
{
	struct vm_config config = { 0 };

	tree_config(tree, 101, text);
	assert_int_equal(vm_config_read(&tree->root, NULL, 101, &config, NULL), 0);
	return config;
}

static void test_chain(void **state)
{
	const struct tree *tree = *state;
	struct vm_config config = { 0 };
	cleanup_settings struct settings settings = { 0 };
	struct error err = { 0 };

	tree_folder(tree, "etc/pve");
	assert_int_equal(store_set(&tree->root, &config, 101, "chain", NULL, &err), 0);
	assert_file(tree, NULL);
	assert_int_equal(store_set(&tree->root, &config, 101, "chain",
				   json_string("local:snippets/x"), &err),
			 0);
	assert_file(tree, "{\n  \"chain\": \"local:snippets/x\"\n}\n");
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_text(settings.chain, "local:snippets/x");
	assert_int_equal(store_set(&tree->root, &config, 101, "chain", NULL, &err), 0);
	assert_file(tree, NULL);

	/* all else stays, and what cannot be understood too */
	tree_file(tree, FILE_PATH, "{\"trace\": true, \"chain\": \"a:b\"}");
	assert_int_equal(store_set(&tree->root, &config, 101, "chain", NULL, &err), 0);
	assert_file(tree, "{\n  \"trace\": true\n}\n");
	tree_file(tree, FILE_PATH, "garbage");
	assert_int_equal(store_set(&tree->root, &config, 101, "chain", json_string("a:b"), &err),
			 -EBADMSG);
	assert_file(tree, "garbage");
}

static void test_unpin(void **state)
{
	const struct tree *tree = *state;
	struct pci_address items[] = { { .bus = 1 }, { .bus = 1, .function = 1 } };
	struct pci_addresses addresses = { items, 2 };
	struct error err = { 0 };

	tree_file(tree, FILE_PATH,
		  "{\"pins\": {\"0000:01:00.0\": {}, \"0000:02:00.0\": {}}, \"trace\": true}");
	assert_int_equal(store_unpin(&tree->root, 101, &addresses, &err), 0);
	assert_file(tree,
		    "{\n  \"pins\": {\n    \"0000:02:00.0\": {}\n  },\n  \"trace\": true\n}\n");
	items[0].bus = 2;
	assert_int_equal(store_unpin(&tree->root, 101, &addresses, &err), 0);
	assert_file(tree, "{\n  \"trace\": true\n}\n");
	assert_int_equal(store_unpin(&tree->root, 101, &addresses, &err), 0);
}

/* A member that is an object; of an earlier VM of the number there is none. */
static void test_object(void **state)
{
	const struct tree *tree = *state;
	cleanup_vm_config struct vm_config config =
		config_of(tree, "smbios1: uuid=aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\n");
	cleanup_json json_t *there = NULL, *foreign = NULL;
	struct error err = { 0 };

	tree_file(tree, FILE_PATH, "{\"trace\": true, \"displace\": {\"guests\": [102]}}");
	assert_int_equal(store_get(&tree->root, 101, "displace", &there, &err), 0);
	assert_int_equal(json_array_size(json_object_get(there, "guests")), 1);
	assert_int_equal(store_set(&tree->root, &config, 101, "displace", json_incref(there), &err),
			 0);
	assert_file(tree, "{\"trace\": true, \"displace\": {\"guests\": [102]}}");
	assert_int_equal(store_set(&tree->root, &config, 101, "displace",
				   json_pack("{s:s}", "guests", "any"), &err),
			 0);
	assert_file(tree,
		    "{\n  \"trace\": true,\n  \"displace\": {\n    \"guests\": \"any\"\n  },\n  "
		    "\"vm\": {\n    \"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\"\n  }\n}\n");
	tree_config(tree, 101, "smbios1: uuid=bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\n");
	assert_int_equal(store_get(&tree->root, 101, "displace", &foreign, &err), 0);
	assert_null(foreign);
}

/* Of whichever node they are. */
static void test_unpin_nodes(void **state)
{
	const struct tree *tree = *state;
	struct pci_address items[] = { { .bus = 1 } };
	struct pci_addresses addresses = { items, 1 };
	struct error err = { 0 };

	tree_file(tree, FILE_PATH,
		  "{\"pins\": {\"0000:01:00.0\": {}, \"nodes/pve1\": {\"0000:01:00.0\": {}}, "
		  "\"nodes/pve2\": {\"0000:01:00.0\": {}, \"0000:02:00.0\": {}}}}");
	assert_int_equal(store_unpin(&tree->root, 101, &addresses, &err), 0);
	assert_file(tree,
		    "{\n  \"pins\": {\n    \"nodes/pve2\": {\n      \"0000:02:00.0\": {}\n    "
		    "}\n  }\n}\n");
}

static void assert_refused(const struct tree *tree, const char *settings, const char *wanted)
{
	cleanup_free char *refused = NULL;
	struct error err = { 0 };
	bool changed;

	tree_file(tree, FILE_PATH, "%s", settings);
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err), 0);
	assert_false(changed);
	assert_text(refused, wanted);
}

/* What 0.1 refuses goes, but what only the administrator can have written. */
static void test_for_0_1(void **state)
{
	const struct tree *tree = *state;
	struct error err = { 0 };
	cleanup_free char *refused = NULL;
	bool changed;

	tree_file(tree, FILE_PATH, PINNED "\"trace\": true}");
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err), 0);
	assert_true(changed);
	assert_null(refused);
	assert_members(tree, "0000:01:00.0 " B ", 0000:02:00.0 " B ", pins trace ");
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err), 0);
	assert_false(changed);

	tree_file(tree, FILE_PATH, PINNED "\"displace\": {\"guests\": [102]}}");
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve3", &changed, &refused, &err), 0);
	assert_true(changed);
	assert_text(refused, "displace");
	assert_members(tree, "0000:01:00.0 " A ", pins displace ");

	assert_refused(tree, "{\"devices\": {\"0000:01:00.0\": {\"rescan\": true}}}", NULL);
	assert_refused(tree, "{\"devices\": {\"0000:01:00.0\": {\"trust\": true}}}", "trust");
	assert_refused(tree, "{\"devices\": {\"hostpci0\": {\"rescan\": true}}}", "hostpci0");

	tree_file(tree, FILE_PATH, "garbage");
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err),
			 -EBADMSG);
	assert_file(tree, "garbage");
}

/* What is empty then goes, and so does what an earlier VM left: 0.1 would take it for this VM's. */
static void test_for_0_1_foreign(void **state)
{
	const struct tree *tree = *state;
	cleanup_vm_config struct vm_config config = { 0 };
	struct error err = { 0 };
	cleanup_free char *refused = NULL;
	bool changed;

	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err), 0);
	assert_false(changed);
	tree_file(tree, FILE_PATH, "{\"pins\": {\"nodes/pve2\": {}}}");
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err), 0);
	assert_true(changed);
	assert_file(tree, NULL);

	config = config_of(tree, "meta: creation-qemu=9.0,ctime=8\n");
	tree_file(tree, FILE_PATH, PINNED "\"trace\": true}");
	assert_int_equal(store_for_0_1(&tree->root, 101, "pve1", &changed, &refused, &err), 0);
	assert_true(changed);
	assert_file(tree, NULL);
}

static void test_no_cluster_file_system(void **state)
{
	const struct tree *tree = *state;
	struct vm_config config = { 0 };
	struct error err = { 0 };

	assert_int_equal(store_set(&tree->root, &config, 101, "chain", json_string("a:b"), &err),
			 -ENOENT);
	assert_text(err.message,
		    "cannot write /etc/pve/pve-vfio/101.json: No such file or directory");
}

/* Whose settings they are is noted with them; what an earlier VM of the number left is not built on. */
static void test_chain_notes_vm(void **state)
{
	const struct tree *tree = *state;
	cleanup_vm_config struct vm_config first = config_of(
		tree,
		"smbios1: uuid=aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa,serial=x\nmeta: creation-qemu=9.0,ctime=100\n");
	cleanup_vm_config struct vm_config second = { 0 };
	struct error err = { 0 };

	assert_int_equal(store_set(&tree->root, &first, 101, "chain", json_string("a:b"), &err), 0);
	assert_file(
		tree,
		"{\n  \"chain\": \"a:b\",\n  \"vm\": {\n    \"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\",\n    "
		"\"ctime\": 100\n  }\n}\n");
	assert_int_equal(store_set(&tree->root, &first, 101, "chain", NULL, &err), 0);
	assert_file(tree, NULL); /* whose nothing is, is not worth a file */

	tree_file(
		tree, FILE_PATH,
		"{\"allow\": [\"romfile\"], \"vm\": {\"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\"}}");
	second = config_of(tree, "smbios1: uuid=bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\n");
	assert_int_equal(store_set(&tree->root, &second, 101, "chain", NULL, &err), 0);
	assert_file(
		tree,
		"{\"allow\": [\"romfile\"], \"vm\": {\"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\"}}");
	assert_int_equal(store_set(&tree->root, &second, 101, "chain", json_string("c:d"), &err),
			 0);
	assert_file(
		tree,
		"{\n  \"chain\": \"c:d\",\n  \"vm\": {\n    \"uuid\": \"bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\"\n  }\n}\n");
}

/* The key itself, as the hook reads it. */
static void test_setting(void **state)
{
	static const struct {
		const char *value, *chain;
		int r;
	} rows[] = {
		{ "\"local:snippets/x\"", "local:snippets/x", 0 },
		{ "null", NULL, 0 },
		{ "\"x\"", NULL, -EBADMSG },
		{ "\"\"", NULL, -EBADMSG },
		{ "1", NULL, -EBADMSG },
		{ "[]", NULL, -EBADMSG },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_settings struct settings settings = { 0 };
		cleanup_free char *text = text_format("{\"chain\": %s}", rows[i].value);
		struct error err = { 0 };

		settings_init(&settings);
		assert_row(rows[i].value, settings_parse("FILE", text, strlen(text), &settings,
							 &err) == rows[i].r);
		assert_text(settings.chain, rows[i].chain);
	}
}

/* The VM's file can undo what the node's sets. */
static void test_null_over_node(void **state)
{
	const struct tree *tree = *state;
	cleanup_settings struct settings settings = { 0 };

	tree_file(tree, "etc/pve-vfio/config.json", "{\"chain\": \"a:b\"}");
	tree_file(tree, FILE_PATH, "{\"chain\": null}");
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, NULL), 0);
	assert_null(settings.chain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_chain),		 tree_test(test_chain_notes_vm),
		tree_test(test_object),		 tree_test(test_unpin),
		tree_test(test_unpin_nodes),	 tree_test(test_for_0_1),
		tree_test(test_for_0_1_foreign), tree_test(test_no_cluster_file_system),
		cmocka_unit_test(test_setting),	 tree_test(test_null_over_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
