/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/word.c. */
#include "test.h"

#include "boot/parameter.h"
#include "host/kernel.h"

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
		{ "dyndbg=\"file a.c +p\" x", { "dyndbg=file a.c +p", "x" } },
		{ "\"a b=c\" x", { "a b=c", "x" } },
		{ "a=b\"c d\"e f", { "a=b\"c d\"e", "f" } },
		{ "a\xa0"
		  "b",
		  { "a", "b" } },
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
			if (!memchr(rows[i].text + word->offset, '"', word->size))
				assert_memory_equal(rows[i].text + word->offset, word->text,
						    word->size);
		}
		assert_int_equal(words.count, count);
		assert_false(words.open);
	}
}

/* What comes behind a quote that is not closed is a part of the word. */
static void test_open(void **state)
{
	cleanup_boot_words struct boot_words words = { 0 };

	(void)state;
	assert_int_equal(boot_words_split(&words, "f", "a \"open b"), 0);
	assert_true(words.open);
	assert_int_equal(words.count, 2);
	assert_string_equal(words.items[1].text, "open b");
}

/*
 * A model of next_arg(), written from its description: a byte at a time, with a state. Puts the words
 * into `ret`, NAME and VALUE parted by '\1' where there is a value, each ended by '\2'.
 */
static void model(const char *line, char *ret)
{
	const unsigned char *at = (const unsigned char *)line;

	for (;;) {
		char word[256], *out = word, *value = NULL;
		bool led, quoted, space;

		while (*at == ' ' || (*at >= 9 && *at <= 13) || *at == 0xa0)
			at++;
		if (!*at)
			break;
		led = quoted = *at == '"';
		for (at += led; *at; at++) {
			space = *at == ' ' || (*at >= 9 && *at <= 13) || *at == 0xa0;
			if (space && !quoted)
				break;
			quoted ^= *at == '"';
			*out = (char)*at;
			if (*at == '=' && !value && out > word)
				value = out;
			out++;
		}
		*out = '\0';
		if (value) {
			*value++ = '\1';
			if (*value == '"') {
				if (out[-1] == '"')
					*--out = '\0';
				if (*value) {
					memmove(value, value + 1, strlen(value));
					out--;
				}
				led = false;
			}
		}
		if (led && out > word && out[-1] == '"')
			*--out = '\0';
		ret += sprintf(ret, "%s\2", word);
	}
	*ret = '\0';
}

/* Lines put together from pieces; the numbers are the same at every run. */
static void test_as_the_kernel(void **state)
{
	static const char *const pieces[] = { "a",    "=",    "\"",  " ", "quiet", "iommu=pt", "\t",
					      "b=\"", "\"\"", "c d", "=", "\xa0",  "\xc3\xa9", "-_",
					      "\r",   "\"x=", " \"" };
	unsigned number = 1;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		cleanup_boot_words struct boot_words words = { 0 };
		char line[256] = "", wanted[512], got[512] = "";
		bool open = false;

		for (int left = 1 + i % 12; left > 0; left--) {
			number = number * 1103515245 + 12345;
			strcat(line, pieces[(number >> 16) % COUNT(pieces)]);
		}
		model(line, wanted);
		assert_int_equal(boot_words_split(&words, "f", line), 0);
		for (size_t k = 0; k < words.count; k++) {
			char *text = words.items[k].text;
			size_t name = kernel_word_name_size(text);

			snprintf(got + strlen(got), sizeof(got) - strlen(got),
				 text[name] ? "%.*s\1%s\2" : "%.*s%s\2", (int)name, text,
				 text + name + (text[name] != '\0'));
		}
		assert_string_equal(got, wanted);
		for (const char *c = line; *c; c++)
			open ^= *c == '"';
		assert_int_equal(words.open, open);
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
/* setup_irqremap(), setup_nointremap() and parse_args() of Linux 6.8. */
static void test_remapping(void **state)
{
	static const struct {
		const char *line, *off;
	} rows[] = {
		{ "quiet", NULL },
		{ "intremap=off", "intremap=off" },
		{ "intremap=off intremap=on", NULL },
		{ "intremap=on intremap=nosid,off", "intremap=nosid,off" },
		{ "intremap=nosid", NULL },
		{ "intremap=off,on", NULL },
		{ "nointremap", "nointremap" },
		{ "nointremap intremap=on", NULL },
		{ "intremap", NULL },
		{ "intremap=OFF", NULL },
		{ "quiet -- intremap=off", NULL },
		{ "quiet --- intremap=off", "intremap=off" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_boot_words struct boot_words words = { 0 };
		const struct boot_word *off;

		assert_int_equal(boot_words_split(&words, "proc/cmdline", rows[i].line), 0);
		off = boot_remapping_off(&words);
		assert_row(rows[i].line, text_equal(off ? off->text : NULL, rows[i].off));
		assert_row(rows[i].line, words.ended == (strstr(rows[i].line, " -- ") != NULL));
	}
}

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
		cmocka_unit_test(test_split),	      cmocka_unit_test(test_lines),
		cmocka_unit_test(test_equal),	      cmocka_unit_test(test_find),
		cmocka_unit_test(test_plain),	      cmocka_unit_test(test_open),
		cmocka_unit_test(test_as_the_kernel), cmocka_unit_test(test_remapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
