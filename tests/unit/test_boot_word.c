/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/word.c. */
#include "test.h"

#include "boot/word.h"

static void test_split(void **state)
{
	static const struct {
		const char *text;
		const char *words[4];
	} rows[] = {
		{ "", { NULL } },
		{ " \t\n", { NULL } },
		{ "quiet", { "quiet" } },
		{ "  a=1\tb  c\n", { "a=1", "b", "c" } },
		{ "dyndbg=\"file a.c +p\" x", { "dyndbg=\"file a.c +p\"", "x" } },
		{ "a \"open b", { "a", "\"open b" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_boot_words struct boot_words words = { 0 };
		size_t count = 0;

		assert_int_equal(boot_words_split(&words, "file", rows[i].text), 0);
		for (; rows[i].words[count]; count++) {
			const struct boot_word *word = &words.items[count];

			assert_row(rows[i].text, count < words.count);
			assert_string_equal(word->text, rows[i].words[count]);
			assert_memory_equal(rows[i].text + word->offset, word->text, word->size);
			assert_int_equal(word->size, strlen(word->text));
		}
		assert_int_equal(words.count, count);
	}
}

static void test_lines(void **state)
{
	cleanup_boot_words struct boot_words words = { 0 };

	(void)state;
	assert_int_equal(boot_words_split(&words, "etc/kernel/cmdline", "a b\n\nc\n"), 0);
	assert_int_equal(words.items[1].line, 1);
	assert_int_equal(words.items[2].line, 3);
	assert_string_equal(words.items[2].path, "etc/kernel/cmdline");
}

/* The kernel takes '-' and '_' for one in names, and not in values. */
static void test_equal(void **state)
{
	(void)state;
	assert_true(boot_word_equal("vfio-pci.ids=1", "vfio_pci.ids=1"));
	assert_false(boot_word_equal("a=x-y", "a=x_y"));
	assert_false(boot_word_equal("a", "a=1"));
	assert_true(boot_word_same_name("a", "a=1"));
	assert_true(boot_word_same_name("a=2", "a=1"));
	assert_false(boot_word_same_name("ab=1", "a=1"));
}

static void test_find(void **state)
{
	cleanup_boot_words struct boot_words words = { 0 };

	(void)state;
	assert_int_equal(boot_words_split(&words, "f", "iommu=on iommu=pt quiet"), 0);
	assert_ptr_equal(boot_words_find(&words, "iommu=on"), &words.items[0]);
	assert_ptr_equal(boot_words_find_name(&words, "iommu=x"), &words.items[1]);
	assert_null(boot_words_find(&words, "iommu"));
	assert_null(boot_words_find_name(&words, "splash"));
}

static void test_plain(void **state)
{
	static const char *const good[] = { "quiet", "a=1",
					    "pcie_acs_override=downstream,multifunction",
					    "root=ZFS=rpool/ROOT/pve-1", "a=~b^c" };
	static const char *const bad[] = { "",	   "=1",   "a b",   "a=$b", "a=\"b\"", "a;b",
					   "a\nb", "a'b'", "a=`b`", "a\\b", "a|b",     "#a" };

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_row(good[i], boot_word_is_plain(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], !boot_word_is_plain(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_split), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_equal), cmocka_unit_test(test_find),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
