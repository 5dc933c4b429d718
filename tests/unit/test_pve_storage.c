/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/storage.c, what pvesh answers. The commands are tested in tests/cli. */
#include <errno.h>

#include "test.h"

#include "pve/storage.h"

static const char answer[] =
	"[{\"active\":1,\"content\":\"iso,snippets\",\"enabled\":1,\"shared\":0,\"storage\":\"local\","
	"\"type\":\"dir\",\"used_fraction\":0.5},"
	"{\"active\":1,\"content\":\"images,rootdir\",\"enabled\":1,\"storage\":\"thin\","
	"\"type\":\"lvmthin\"},"
	"{\"active\":true,\"content\":\"snippetsx\",\"enabled\":true,\"shared\":true,"
	"\"storage\":\"nfs\",\"type\":\"nfs\"},"
	"{\"content\":\"snippets\",\"enabled\":1,\"active\":0,\"storage\":\"off\",\"type\":\"dir\"}]";

static void test_parse(void **state)
{
	cleanup_storages struct storages storages = { 0 };
	const struct storage *storage;

	(void)state;
	assert_int_equal(storages_parse(answer, strlen(answer), &storages, NULL), 0);
	assert_int_equal(storages.count, 4);
	storage = storages_find(&storages, "local");
	assert_text(storage->content, "iso,snippets");
	assert_true(storage->snippets && storage->files && storage->active && !storage->shared);
	storage = storages_find(&storages, "thin");
	assert_true(!storage->snippets && !storage->files && storage->active);
	storage = storages_find(&storages, "nfs");
	assert_true(!storage->snippets && storage->files && storage->active && storage->shared);
	storage = storages_find(&storages, "off");
	assert_true(storage->snippets && !storage->active);
	assert_null(storages_find(&storages, "nosuch"));
}

static void test_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"{}",
		"[{}]",
		"[1]",
		"[{\"storage\":\"a\",\"type\":\"dir\"}]",
		"[{\"storage\":1,\"type\":\"dir\",\"content\":\"x\"}]",
		"[{\"storage\":\"a\",\"type\":\"dir\",\"content\":\"x\"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct storages storages = { 0 };
		struct error err = { 0 };

		assert_row(rows[i],
			   storages_parse(rows[i], strlen(rows[i]), &storages, &err) == -EBADMSG);
		assert_row(rows[i], *err.message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
