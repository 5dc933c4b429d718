/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/grub.c. What sh(1) makes of the same text is what is wanted here. */
#include "test.h"
#include "tree.h"

#include <sys/wait.h>

#include "base/process.h"
#include "boot/grub.h"

/* The words, each behind the one before; what cannot be cut out is in brackets. */
static char *words_of(const struct grub *grub)
{
	struct text text = { 0 };

	for (size_t i = 0; i < grub->words.count; i++)
		text_add(&text, grub->words.items[i].size ? "%s%s" : "%s[%s]", i > 0 ? " " : "",
			 grub->words.items[i].text);
	return text_take(&text);
}

/* What grub-mkconfig gets of the file: the two variables, blanks made one. */
static char *words_of_shell(const struct tree *tree)
{
	char path[PATH_MAX];
	const char *const argv[] = {
		"sh", "-c",
		". \"$0\"; set -f; set -- $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT; printf %s \"$*\"",
		path, NULL
	};
	struct process_end end = { 0 };
	struct error err = { 0 };

	tree_path(tree, GRUB_FILE, path);
	assert_int_equal(process_run(argv, 20000, 4096, &end, &err), 0);
	return end.output;
}

static const struct {
	const char *text, *words;
	size_t doubts;
} rows[] = {
	{ "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet iommu=pt\"\n", "quiet iommu=pt", 0 },
	{ "GRUB_CMDLINE_LINUX_DEFAULT='quiet iommu=pt'", "quiet iommu=pt", 0 },
	{ "GRUB_CMDLINE_LINUX_DEFAULT=quiet", "quiet", 0 },
	{ "GRUB_CMDLINE_LINUX_DEFAULT=qui\\et\\ a", "[quiet] [a]", 0 },
	{ "GRUB_CMDLINE_LINUX_DEFAULT=quiet\"  a\"' b'", "quiet a b", 0 },
	{ "GRUB_CMDLINE_LINUX_DEFAULT=\"a\\\nb\"", "[ab]", 0 },
	{ "GRUB_CMDLINE_LINUX_DEFAULT=\"a \\\\\nb\"", "a [\\] b", 0 },
	{ "GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX_DEFAULT=b # c\n", "a b", 0 },
	{ "#GRUB_CMDLINE_LINUX=a\n  GRUB_CMDLINE_LINUX_DEFAULT=b;X=c", "b", 0 },
	{ "X='a b'\nGRUB_CMDLINE_LINUX=\"$X ${X}c d\"\n", "a b a [bc] d", 0 },
	{ "GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX b\"", "a b", 0 },
	{ "export GRUB_CMDLINE_LINUX=a\n", "a", 0 },
	{ "GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX=\n", "", 0 },
	{ "GRUB_DISTRIBUTOR=`echo x 2> /dev/null || echo Debian`\nGRUB_CMDLINE_LINUX=a", "a", 0 },
	{ "GRUB_CMDLINE_LINUX=\"a \\$b \\\"c\\\"\"", "a [$b] [\"c\"]", 0 },
	{ "if true; then\n\tGRUB_CMDLINE_LINUX=a\nfi\nGRUB_CMDLINE_LINUX_DEFAULT=b", "a b", 1 },
	{ "true && GRUB_CMDLINE_LINUX=a\nGRUB_CMDLINE_LINUX_DEFAULT=b", "a b", 1 },
	{ "true\nGRUB_CMDLINE_LINUX=a", "a", 0 },
};

static void test_as_the_shell(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_boot_draft struct boot_draft draft = { 0 };
		cleanup_grub struct grub grub = { 0 };
		cleanup_free char *words = NULL, *shell = NULL, *bare = NULL;
		struct error err = { 0 };
		char *to;

		tree_file(tree, GRUB_FILE, "%s", rows[i].text);
		assert_int_equal(grub_read(&draft, &tree->root, &grub, &err), 0);
		words = words_of(&grub);
		assert_string_equal(words, rows[i].words);
		assert_int_equal(grub.doubts.count, rows[i].doubts);
		/* without the brackets */
		bare = strdup(words);
		to = bare;
		for (const char *from = words; *from; from++)
			if (*from != '[' && *from != ']')
				*to++ = *from;
		*to = '\0';
		shell = words_of_shell(tree);
		assert_string_equal(bare, shell);
	}
}

/* What only running it can tell is a doubt. */
static void test_doubts(void **state)
{
	static const char *const texts[] = {
		"GRUB_CMDLINE_LINUX=\"a $(cat /x)\"",
		"GRUB_CMDLINE_LINUX=`cat /x`",
		"GRUB_CMDLINE_LINUX=${X:-b}",
		". /etc/other",
		"eval x",
		"GRUB_CMDLINE_LINUX=\"open",
		"GRUB_CMDLINE_LINUX+=a",
		"unset GRUB_CMDLINE_LINUX_DEFAULT",
		"for i in a b; do GRUB_CMDLINE_LINUX=$i; done",
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(texts); i++) {
		cleanup_boot_draft struct boot_draft draft = { 0 };
		cleanup_grub struct grub grub = { 0 };
		struct error err = { 0 };

		tree_file(tree, GRUB_FILE, "%s\n", texts[i]);
		assert_int_equal(grub_read(&draft, &tree->root, &grub, &err), 0);
		assert_row(texts[i], grub.doubts.count == 1);
		assert_string_equal(grub.doubts.items[0], "/etc/default/grub, line 1");
	}
}

/* Files of grub.d in order of name; each word knows its own file and line. */
static void test_folder(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_grub struct grub grub = { 0 };
	cleanup_free char *words = NULL;
	struct error err = { 0 };

	tree_file(tree, GRUB_FILE, "\nGRUB_CMDLINE_LINUX_DEFAULT=quiet\n");
	tree_file(tree, GRUB_FOLDER "/b.cfg",
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT b\"\n");
	tree_file(tree, GRUB_FOLDER "/a.cfg",
		  "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT a\"\n");
	tree_file(tree, GRUB_FOLDER "/c.cfg.bak", "GRUB_CMDLINE_LINUX_DEFAULT=no\n");
	tree_file(tree, GRUB_FOLDER "/.d.cfg", "GRUB_CMDLINE_LINUX_DEFAULT=no\n");
	/* a file that is not written yet */
	assert_int_equal(
		boot_draft_set(&draft, &tree->root, GRUB_FOLDER "/z.cfg",
			       "GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT z\"",
			       BOOT_MODE_TEXT, &err),
		0);
	assert_int_equal(grub_read(&draft, &tree->root, &grub, &err), 0);
	words = words_of(&grub);
	assert_string_equal(words, "quiet a b z");
	assert_string_equal(grub.words.items[0].path, GRUB_FILE);
	assert_int_equal(grub.words.items[0].line, 2);
	assert_string_equal(grub.words.items[2].path, GRUB_FOLDER "/b.cfg");
}

static void test_none(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_draft struct boot_draft draft = { 0 };
	cleanup_grub struct grub grub = { 0 };
	struct error err = { 0 };

	assert_int_equal(grub_read(&draft, &tree->root, &grub, &err), 0);
	assert_int_equal(grub.words.count, 0);
}

static void test_config(void **state)
{
	static const char config[] = "menuentry 'a' {\n\tlinux\t/vmlinuz root=x quiet iommu=pt\n}\n"
				     "menuentry 'b' {\n\tlinux /vmlinuz root=x single\n}\n"
				     "# linux a=1\n";
	static const struct {
		const char *first, *second;
		bool there;
	} rows_of_words[] = {
		{ "iommu=pt", NULL, true },	 { "iommu=pt", "quiet", true },
		{ "iommu=pt", "single", false }, { "a=1", NULL, false },
		{ "iommu=p", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows_of_words); i++) {
		cleanup_strings struct strings words = { 0 };

		assert_int_equal(strings_add(&words, rows_of_words[i].first), 0);
		if (rows_of_words[i].second)
			assert_int_equal(strings_add(&words, rows_of_words[i].second), 0);
		assert_row(rows_of_words[i].first,
			   grub_config_has(config, &words) == rows_of_words[i].there);
		assert_false(grub_config_has("", &words));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_as_the_shell), tree_test(test_doubts),	     tree_test(test_folder),
		tree_test(test_none),	      cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
