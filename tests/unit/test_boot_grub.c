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

/*
 * What grub-mkconfig gets of the files, and the kernel of that: with dash, sourced in order, and an
 * end at the first command that fails. NULL when one does.
 */
static char *words_of_shell(const struct tree *tree)
{
	static const char script[] =
		"set -e; for f in \"$0/etc/default/grub\" \"$0/etc/default/grub.d\"/*.cfg; do\n"
		"if [ -e \"$f\" ]; then . \"$f\"; fi; done\n"
		"printf '%s %s\\nwell' \"$GRUB_CMDLINE_LINUX\" \"$GRUB_CMDLINE_LINUX_DEFAULT\"";
	const char *const argv[] = { "dash", "-c", script, tree->path, NULL };
	cleanup_boot_words struct boot_words words = { 0 };
	cleanup_process_end struct process_end end = { 0 };
	struct text text = { 0 };
	struct error err = { 0 };

	assert_int_equal(process_run(argv, 20000, 8192, &end, &err), 0);
	if (end.status != 0 || end.size < 5 || strcmp(end.output + end.size - 5, "\nwell") != 0)
		return NULL;
	end.output[end.size - 5] = '\0';
	/* what a command of the script has printed is no part of it */
	assert_int_equal(boot_words_split(&words, "f", end.output), 0);
	text_add(&text, "%s", "");
	for (size_t i = 0; i < words.count; i++)
		text_add(&text, "%s%s", i > 0 ? " " : "", words.items[i].text);
	return text_take(&text);
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
	{ "GRUB_CMDLINE_LINUX=\"a \\$b \\\"c\\\"\"", "a [$b] [c]", 0 },
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

/* The words alone, without the brackets. */
static char *texts_of(const struct grub *grub)
{
	struct text text = { 0 };

	text_add(&text, "%s", "");
	for (size_t i = 0; i < grub->words.count; i++)
		text_add(&text, "%s%s", i > 0 ? " " : "", grub->words.items[i].text);
	return text_take(&text);
}

static unsigned random_below(unsigned *number, size_t limit)
{
	*number = *number * 1103515245 + 12345;
	return (unsigned)((*number >> 16) % limit);
}

/* What people and packages write. */
static const char *const plain_pieces[] = {
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet intel_iommu=on iommu=pt\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT='quiet splash'\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=quiet\n",
	"GRUB_CMDLINE_LINUX=\"\"\n",
	"GRUB_CMDLINE_LINUX=\n",
	"GRUB_CMDLINE_LINUX=\"root=ZFS=rpool/ROOT/pve-1 boot=zfs\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT amd_iommu=off\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"${GRUB_CMDLINE_LINUX_DEFAULT} console=ttyS0,115200\"\n",
	"GRUB_CMDLINE_LINUX=$GRUB_CMDLINE_LINUX\" net.ifnames=0\"\n",
	"export GRUB_CMDLINE_LINUX=a\n",
	"export GRUB_CMDLINE_LINUX_DEFAULT\n",
	"GRUB_TIMEOUT=5; GRUB_CMDLINE_LINUX_DEFAULT=\"b c\" # d\n",
	"# GRUB_CMDLINE_LINUX_DEFAULT=\"never\"\n",
	"#GRUB_CMDLINE_LINUX=\"it's\n",
	"echo hello >/dev/null # it's GRUB\n",
	"GRUB_DISTRIBUTOR=`lsb_release -i -s 2> /dev/null || echo Debian`\n",
	"GRUB_DISTRIBUTOR=`( . /etc/os-release; echo ${NAME:-Debian} ) 2>/dev/null || echo Debian`\n",
	"GRUB_DISTRIBUTOR=\"$(echo \"Proxmox VE)\" || true)\"\n",
	"MORE='video=efifb:off nofb'\nGRUB_CMDLINE_LINUX_DEFAULT=\"$MORE ${MORE}x\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"one \\\n two\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"one\n two\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=quiet\\ splash\\ a=\\$b\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"dyndbg=\\\"file a.c +p\\\" quiet\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\r\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"a\tb  c\"' d'e\n",
	"\tGRUB_CMDLINE_LINUX_DEFAULT=x\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"a\" GRUB_CMDLINE_LINUX=\"b\"\n",
	"if [ -x /bin/true ]; then GRUB_TIMEOUT=3; fi\n",
	"(GRUB_CMDLINE_LINUX=subshell)\n",
	"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet video=efifb:off,vesafb:off\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet#no comment\"#none\n",
	"GRUB_TERMINAL=\"console serial\"\nGRUB_SERIAL_COMMAND=\"serial --unit=0\"\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"a\xc2\xa0"
	"b \xe2\x80\x9cquoted\xe2\x80\x9d\"\n",
};

/* What only a shell can tell, or hardly anybody writes. */
static const char *const hard_pieces[] = {
	"GRUB_CMDLINE_LINUX_DEFAULT=\"quiet $(echo x)\"\n",
	"GRUB_CMDLINE_LINUX=`echo y`\n",
	"X=$(echo z)\nGRUB_CMDLINE_LINUX_DEFAULT=\"$X\"\n",
	"if true; then\n GRUB_CMDLINE_LINUX_DEFAULT=if\nfi\n",
	"if false; then\n GRUB_CMDLINE_LINUX_DEFAULT=if\nelse X=1; fi\n",
	"false || GRUB_CMDLINE_LINUX=or\n",
	"true ||\nGRUB_CMDLINE_LINUX=or\n",
	"true && true &&\n\n GRUB_CMDLINE_LINUX=and\n",
	"false && true || X=a\nGRUB_CMDLINE_LINUX=\"$X\"\n",
	"GRUB_CMDLINE_LINUX=pipe | cat\n",
	"GRUB_CMDLINE_LINUX=background & wait\n",
	"GRUB_CMDLINE_LINUX=passing true\n",
	"A=1 GRUB_CMDLINE_LINUX=passing env >/dev/null\n",
	"f() {\n GRUB_CMDLINE_LINUX=function\n}\n",
	"f() { GRUB_CMDLINE_LINUX=function; }; f\n",
	"cat >/dev/null <<EOF\nGRUB_CMDLINE_LINUX=document\nEOF\n",
	"unset GRUB_CMDLINE_LINUX_DEFAULT\n",
	"eval GRUB_CMDLINE_LINUX=e\n",
	"for i in a b; do GRUB_CMDLINE_LINUX_DEFAULT=\"$GRUB_CMDLINE_LINUX_DEFAULT $i\"; done\n",
	"case x in x) GRUB_CMDLINE_LINUX=case;; esac\n",
	"case x in\ny) X=1;;\nesac\nGRUB_CMDLINE_LINUX=behind\n",
	"return 0\n",
	"GRUB_CMDLINE_LINUX=${GRUB_CMDLINE_LINUX:-default}\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"${GRUB_CMDLINE_LINUX_DEFAULT#quiet}\"\n",
	"GRUB_CMDLINE_LINUX=$PATH\n",
	"GRUB_CMDLINE_LINUX=~\n",
	"GRUB_CMDLINE_LINUX=a:~:b\n",
	"Y=\"a b\"\nexport GRUB_CMDLINE_LINUX=$Y\n",
	"{ GRUB_CMDLINE_LINUX=braces; }\n",
	"( GRUB_CMDLINE_LINUX=a; echo ')' ) >/dev/null\n",
	"GRUB_CMDLINE_LINUX=$((1 + 2))\n",
	"set -- a b\nGRUB_CMDLINE_LINUX=\"$1$#\"\n",
	"GRUB_CMDLINE_LINUX='open\n",
	"GRUB_CMDLINE_LINUX+=more\n",
	"GRUB_CMDLINE_LINUX=$'a\\tb'\n",
	"alias x='GRUB_CMDLINE_LINUX=alias'\nx\n",
	"GRUB_CMDLINE_LINUX_DEFAULT=\"a`echo \"b c\"`d\"\n",
	"true; GRUB_CMDLINE_LINUX=semicolon; true\n",
	"while false; do GRUB_CMDLINE_LINUX=while; done\n",
	"GRUB_CMDLINE_LINUX=a\\\nb\n",
	"GRUB_CMDLINE_LINUX=a >/dev/null\n",
	"readonly X=1\nGRUB_CMDLINE_LINUX=$X\n",
	"exit 0\n",
	"echo '(' >/dev/null; GRUB_CMDLINE_LINUX=paren\n",
	"[ -z \"$GRUB_CMDLINE_LINUX\" ] && GRUB_CMDLINE_LINUX=empty\n",
};

#define MACHINES 400

/*
 * Files with drop-ins, put together from these pieces; the same at every run. Without a doubt the
 * program and the shell are of one mind, and plain files leave none.
 */
static void test_any(void **state)
{
	const struct tree *tree = *state;
	unsigned number = 17, sure = 0, compared = 0, plain_compared = 0;

	for (unsigned i = 0; i < MACHINES; i++) {
		static const char *const paths[] = { GRUB_FILE, GRUB_FOLDER "/50-a.cfg",
						     GRUB_FOLDER "/init-select.cfg",
						     GRUB_FOLDER "/zz-z.cfg" };
		size_t files = 1 + random_below(&number, COUNT(paths));
		bool hard = i % 2;
		cleanup_boot_draft struct boot_draft draft = { 0 };
		cleanup_grub struct grub grub = { 0 };
		cleanup_free char *words = NULL, *shell = NULL, *all = NULL;
		struct text whole = { 0 };
		struct error err = { 0 };

		for (size_t k = 0; k < COUNT(paths); k++) {
			struct text text = { 0 };
			cleanup_free char *content = NULL;

			text_add(&text, "%s", "");
			for (unsigned left = k < files ? 1 + random_below(&number, 3) : 0; left > 0;
			     left--)
				text_add(&text, "%s",
					 hard && random_below(&number, 2)
						 ? hard_pieces[random_below(&number,
									    COUNT(hard_pieces))]
						 : plain_pieces[random_below(&number,
									     COUNT(plain_pieces))]);
			content = text_take(&text);
			text_add(&whole, "%s--\n", content);
			tree_file(tree, paths[k], "%s", content);
		}
		all = text_take(&whole);
		assert_int_equal(grub_read(&draft, &tree->root, &grub, &err), 0);
		words = texts_of(&grub);
		shell = words_of_shell(tree);
		if (!hard)
			assert_row(all, grub.doubts.count == 0);
		if (!shell)
			continue;
		compared++;
		plain_compared += !hard;
		sure += grub.doubts.count == 0;
		if (grub.doubts.count == 0 && strcmp(words, shell) != 0)
			fail_msg("\n%s\nthe program: %s\nthe shell:   %s\n", all, words, shell);
	}
	print_message("%u sets of files, %u of them plain; %u without a doubt\n", compared,
		      plain_compared, sure);
	assert_true(compared >= 300 && plain_compared >= 150 && sure > plain_compared);
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
		tree_test(test_as_the_shell), tree_test(test_any),  tree_test(test_doubts),
		tree_test(test_folder),	      tree_test(test_none), cmocka_unit_test(test_config),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
