/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/journal.c: what is in the file that this program did not put there. */
#include "journal.h"

#define HEAD                                                                                       \
	"{\"format\": 1, \"vmid\": 101, \"run\": 7, \"boot_id\": \"" TREE_BOOT_ID                  \
	"\", \"phase\": \"ready\", \"since\": 1, \"deadline_s\": 30, "
#define BIND                                                                                       \
	"{\"type\": \"bind\", \"state\": \"done\", \"target\": \"0000:01:00.0\", \"source\": "     \
	"\"hostpci0\", \"before\": \"e1000e\", \"wanted\": \"vfio-pci\", \"override\": null, "     \
	"\"module\": null, \"group\": 14, \"keep\": false}"
#define WHOLE HEAD "\"actions\": [" BIND "]}"

/* Replaces `what` in the whole one; it must be there. */
static char *with(const char *what, const char *instead)
{
	const char *at = strstr(WHOLE, what);
	char *text;

	assert_non_null(at);
	assert_true(asprintf(&text, "%.*s%s%s", (int)(at - WHOLE), WHOLE, instead,
			     at + strlen(what)) > 0);
	return text;
}

static void test_refuses_members(void **state)
{
	static const struct {
		const char *what, *instead;
		const char *why;
	} rows[] = {
		{ "\"format\": 1", "\"format\": 2", "format 2; this version of pve-vfio reads 1" },
		{ "\"format\": 1", "\"format\": 0", "format 0; this version of pve-vfio reads 1" },
		{ "\"format\": 1, ", "",
		  "'format' is missing or not a number from 0 to 2147483647" },
		{ "\"format\": 1", "\"format\": \"1\"",
		  "'format' is missing or not a number from 0 to 2147483647" },
		{ "\"format\": 1", "\"format\": 1, \"format\": 1", NULL },
		{ "\"vmid\": 101", "\"vmid\": 102", "it is of VM 102" },
		{ "\"vmid\": 101", "\"vmid\": 0", "it is of VM 0" },
		{ "\"vmid\": 101", "\"vmid\": 4294967397",
		  "'vmid' is missing or not a number from 0 to 4294967295" },
		{ "\"vmid\": 101, ", "", "'vmid' is missing or not a number from 0 to 4294967295" },
		{ "\"boot_id\": \"" TREE_BOOT_ID "\"", "\"boot_id\": 7",
		  "'boot_id' is missing or not a string" },
		{ "\"boot_id\"", "\"bootid\"", "'boot_id' is missing or not a string" },
		{ "\"phase\": \"ready\"", "\"phase\": \"Ready\"", "'Ready' is not a phase" },
		{ "\"phase\": \"ready\", ", "", "'phase' is missing or not a string" },
		{ "\"since\": 1", "\"since\": -1",
		  "'since' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1.5",
		  "'since' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": 7",
		  "'pid' is missing or not a number from 0 to 2147483647" },
		{ "\"run\": 7", "\"run\": \"7\"",
		  "'run' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1, \"watch\": {\"pid\": -1}",
		  "'pid' is missing or not a number from 0 to 2147483647" },
		{ "\"since\": 1", "\"since\": 1, \"watch\": {\"pid\": 1}",
		  "'start_time' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": {\"pid\": 2147483648}",
		  "'pid' is missing or not a number from 0 to 2147483647" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": {\"pid\": 1}",
		  "'start_time' is missing or not a number from 0 to 9223372036854775807" },
		{ "\"actions\"", "\"action\"", "'actions' is missing or not an array" },
		{ "[" BIND "]", "{}", "'actions' is missing or not an array" },
		{ BIND, "7", "'type' is missing or not a string" },
		{ BIND, "null", "'type' is missing or not a string" },
		{ BIND, BIND ", {}", "'type' is missing or not a string" },
		{ "\"bind\"", "\"unbind\"", "'unbind' is not a type of action" },
		{ "\"done\"", "\"undone\"", "'undone' is not a state of an action" },
		{ "\"state\": \"done\", ", "", "'state' is missing or not a string" },
		{ "\"target\": \"0000:01:00.0\"", "\"target\": null",
		  "'target' is missing or not a string" },
		{ "\"0000:01:00.0\"", "\"01:00.0\"", "'01:00.0' is not a PCI address" },
		{ "\"0000:01:00.0\"", "\"../../../etc\"", "'../../../etc' is not a PCI address" },
		{ "\"source\": \"hostpci0\", ", "", "'source' is missing or not a string" },
		{ "\"wanted\": \"vfio-pci\", ", "", "'wanted' is missing or not a string" },
		{ "\"before\": \"e1000e\"", "\"before\": 7",
		  "'before' is missing or not a string" },
		{ "\"override\": null", "\"override\": []",
		  "'override' is missing or not a string" },
		{ "\"module\": null", "\"module\": false", "'module' is missing or not a string" },
		{ ", \"group\": 14", "",
		  "'group' is missing or not a number from 0 to 2147483647" },
		{ "\"group\": 14", "\"group\": -1",
		  "'group' is missing or not a number from 0 to 2147483647" },
		{ "\"group\": 14", "\"group\": \"14\"",
		  "'group' is missing or not a number from 0 to 2147483647" },
		{ ", \"keep\": false", "", "'keep' is missing or neither true nor false" },
		{ "\"keep\": false", "\"keep\": 0", "'keep' is missing or neither true nor false" },
		{ BIND,
		  "{\"type\": \"stop-unit\", \"state\": \"done\", \"target\": \"a.service\", "
		  "\"source\": \"settings\", \"before\": \"active\", \"wanted\": \"inactive\"}",
		  "'keep' is missing or neither true nor false" },
		{ "\"deadline_s\": 30", "\"deadline_s\": \"30\"",
		  "'deadline_s' is missing or not a number from 0 to 2147483647" },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *text = with(rows[i].what, rows[i].instead);
		struct journal journal;
		char message[ERROR_MAX];

		tree_file(&journals->tree, FILE_PATH, "%s", text);
		assert_row(text, read_it(journals, &journal) == -EBADMSG);
		assert_row(text, journal.actions.count == 0 && !journal.boot_id);
		snprintf(message, sizeof(message),
			 "/run/pve-vfio/101.json cannot be understood: %s",
			 rows[i].why ? rows[i].why : "");
		if (rows[i].why)
			assert_string_equal(journals->err.message, message);
		else
			assert_non_null(strstr(journals->err.message, "duplicate object key"));
	}
}

static void test_takes_members(void **state)
{
	static const struct {
		const char *what, *instead;
	} rows[] = {
		{ "\"since\": 1", "\"since\": 1, \"qemu\": null" },
		{ "\"since\": 1", "\"since\": 1, \"qemu\": {\"pid\": 1, \"start_time\": 0}" },
		{ "\"run\": 7, ", "" }, /* of an earlier version */
		{ "\"since\": 1", "\"since\": 1, \"watch\": null" },
		{ "\"since\": 1", "\"since\": 1, \"watch\": {\"pid\": 1, \"start_time\": 0}" },
		{ "\"since\": 1", "\"later\": {}, \"since\": 1" },
		{ "\"before\": \"e1000e\", ", "" },
		{ "\"override\": null, ", "" },
		{ BIND, BIND ", " BIND },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *text = with(rows[i].what, rows[i].instead);
		cleanup_journal struct journal journal = { 0 };

		tree_file(&journals->tree, FILE_PATH, "%s", text);
		if (read_it(journals, &journal) != 0)
			fail_msg("'%s': %s", text, journals->err.message);
		assert_true(journal.actions.count >= 1);
	}
}

static void test_garbage(void **state)
{
	static const struct {
		const char *data;
		size_t size;
	} rows[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ BYTES("") },
		{ BYTES("\n") },
		{ BYTES("null") },
		{ BYTES("[]") },
		{ BYTES("{}") },
		{ BYTES("\0\0\0\0") },
		{ BYTES("\xff\xfe{}") },
		{ BYTES(WHOLE "x") },
		{ BYTES(WHOLE WHOLE) },
		{ BYTES(WHOLE "\0") },
		{ BYTES("{\"format\": 1e0}") },
	};
	struct journals *journals = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct journal journal;

		tree_bytes(&journals->tree, FILE_PATH, rows[i].data, rows[i].size);
		assert_row(rows[i].data, read_it(journals, &journal) == -EBADMSG);
		assert_non_null(strstr(journals->err.message,
				       "/run/pve-vfio/101.json cannot be understood: "));
	}
}

static void test_truncated(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	cleanup_free char *text = NULL;

	build(journals, &journal);
	write_it(journals, &journal);
	text = tree_read(&journals->tree, FILE_PATH);
	/* the last byte is the newline, without which it is whole */
	for (size_t size = 0; size < strlen(text) - 1; size++) {
		struct journal again;

		tree_bytes(&journals->tree, FILE_PATH, text, size);
		assert_int_equal(read_it(journals, &again), -EBADMSG);
	}
}

static void test_too_large(void **state)
{
	struct journals *journals = *state;
	size_t size = 1024 * 1024 + 1;
	char *data = malloc(size);
	struct journal journal;

	memset(data, ' ', size);
	tree_bytes(&journals->tree, FILE_PATH, data, size);
	free(data);
	assert_int_equal(read_it(journals, &journal), -EBADMSG);
	assert_string_equal(journals->err.message,
			    "/run/pve-vfio/101.json cannot be understood: larger than 1 MiB");
}

/* In place of the file. */
static void test_symbolic_link(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct journals *journals = *state;
	cleanup_free char *content = NULL;
	struct journal again;

	tree_file(&journals->tree, "elsewhere", "%s", WHOLE);
	tree_link(&journals->tree, FILE_PATH, "../../elsewhere");
	assert_int_equal(read_it(journals, &again), -ELOOP);
	assert_string_equal(journals->err.message, "cannot read /run/pve-vfio/101.json: Too many "
						   "levels of symbolic links");
	/* written, it is a file of its own */
	build(journals, &journal);
	write_it(journals, &journal);
	content = tree_read(&journals->tree, "elsewhere");
	assert_string_equal(content, WHOLE);
	assert_int_equal(read_it(journals, &again), 0);
	assert_same(&journal, &again);
	journal_done(&again);

	tree_remove(&journals->tree, FILE_PATH);
	tree_folder(&journals->tree, FILE_PATH);
	assert_int_equal(read_it(journals, &again), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(test_refuses_members), journal_test(test_takes_members),
		journal_test(test_garbage),	    journal_test(test_truncated),
		journal_test(test_too_large),	    journal_test(test_symbolic_link),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
