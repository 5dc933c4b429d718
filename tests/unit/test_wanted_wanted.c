/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: vm/wanted.c. Each row carries its source: PH is parse_hostpci() and HD
 * parse_hostpci_devices() in qemu-server's PCI.pm 9.2.6, LS lspci() in pve-common's SysFSTools.pm
 * 9.2.1, which keeps the sysfs ids that match ^(0000:)?ENTRY.
 */
#include "test.h"
#include "tree.h"

#include "wanted/wanted.h"

static const char *const machine[] = {
	"0000:00:01.0", "0000:00:02.0",	 "0000:01:00.0",  "0000:01:00.1",
	"0000:01:00.2", "0000:0a:00.0",	 "0000:0a:00.1",  "0001:01:00.0",
	"1000:01:00.0", "10000:e1:00.0", "10000:e1:00.1", "ffff:01:00.0",
};

/* What the callback is asked, and what it answers. */
struct chooser {
	int result;
	size_t answer;
	unsigned calls;
	size_t counted; /* alternatives */
	size_t taken;	/* by earlier lines */
	char source[SOURCE_MAX];
};

static int choose(const struct wanted_choice *choice, const struct wanted *so_far, void *context,
		  size_t *ret, struct error *err)
{
	struct chooser *chooser = context;

	chooser->calls++;
	chooser->counted = choice->count;
	chooser->taken = so_far->count;
	snprintf(chooser->source, sizeof(chooser->source), "%s", choice->source);
	if (chooser->result < 0)
		return error_set(err, chooser->result, "the chooser says no");
	*ret = chooser->answer;
	return 0;
}

static int resolve(const struct tree *tree, const char *text, const char *cfg,
		   struct chooser *chooser, struct wanted *wanted, struct error *err)
{
	cleanup_pci_present struct pci_present present = { 0 };
	cleanup_vm_config struct vm_config config = { 0 };
	cleanup_mappings struct mappings mappings = { 0 };
	struct chooser nobody = { .result = -EIO };
	struct wanted_input input = {
		.root = &tree->root,
		.config = &config,
		.present = &present,
		.mappings = &mappings,
		.node = "pve1",
		.choose = choose,
		.context = chooser ? chooser : &nobody,
	};

	*wanted = (struct wanted){ 0 };
	*err = (struct error){ 0 };
	assert_int_equal(vm_config_parse(NULL, "101.conf", text, strlen(text), &config, err), 0);
	assert_int_equal(config.dropped_count, 0);
	assert_int_equal(mappings_parse(cfg, strlen(cfg), &mappings, err), 0);
	for (size_t i = 0; i < COUNT(machine); i++) {
		struct pci_address address;

		assert_int_equal(pci_address_parse(machine[i], &address), 0);
		pci_present_add(&present, address);
	}
	return wanted_resolve(&input, wanted, err);
}

static const char *problem_name(enum wanted_problem_kind kind)
{
	switch (kind) {
	case WANTED_ABSENT:
		return "absent";
	case WANTED_TWICE:
		return "twice";
	case WANTED_NOTHING:
		return "nothing";
	case WANTED_MAPPING_MISSING:
		return "missing";
	case WANTED_MAPPING_WRONG:
		return "wrong";
	case WANTED_MAPPING_MDEV:
		return "later";
	case WANTED_NONE_FREE:
		return "busy";
	case WANTED_MDEV_MANY:
		return "mdev";
	case WANTED_ARGS_VANISH:
		return "vanish";
	case WANTED_ARGS_UNCLEAR:
		return "unclear";
	}
	return "?";
}

/* "0000:01:00.0@0 …": ADDRESS@hostpciN, with '-' before what is left and '~' an alternative. */
static char *summary_of(const struct wanted *wanted)
{
	struct text text = { 0 };

	for (size_t i = 0; i < wanted->count; i++) {
		const struct wanted_device *device = &wanted->devices[i];
		char name[PCI_ADDRESS_TEXT];

		text_add(&text, "%s%s@%s ",
			 device->use == WANTED_LEAVE	     ? "-"
			 : device->use == WANTED_ALTERNATIVE ? "~"
							     : "",
			 pci_address_format(device->address, name),
			 text_starts_with(device->source, "hostpci") ? device->source + 7
								     : device->source);
	}
	for (size_t i = 0; i < wanted->problem_count; i++) {
		const struct wanted_problem *problem = &wanted->problems[i];

		text_add(&text, "!%s(%s)@", problem_name(problem->kind), problem->detail);
		if (strcmp(problem->source, SOURCE_ARGS) == 0)
			text_add(&text, "args ");
		else
			text_add(&text, "%s:%u ", problem->source + strlen("hostpci"),
				 problem->line);
	}
	if (text.size > 0)
		text.data[text.size - 1] = '\0';
	return text_take(&text);
}

struct row {
	const char *source, *text, *summary;
};

static void assert_resolves(const struct tree *tree, const struct row *row, const char *cfg,
			    struct chooser *chooser)
{
	cleanup_wanted struct wanted wanted = { 0 };
	cleanup_free char *summary = NULL;
	struct error err;

	if (resolve(tree, row->text, cfg, chooser, &wanted, &err) != 0)
		fail_msg("%s: %s", row->text, err.message);
	summary = summary_of(&wanted);
	if (strcmp(summary, row->summary) != 0)
		fail_msg("%s: '%s' gives '%s', not '%s'", row->source, row->text, summary,
			 row->summary);
}

static void test_host(void **state)
{
	static const struct row rows[] = {
		{ "LS: with function", "hostpci0: 0000:01:00.0", "0000:01:00.0@0" },
		{ "LS: without domain", "hostpci0: 01:00.1", "0000:01:00.1@0" },
		{ "LS: all functions", "hostpci0: 0000:01:00",
		  "0000:01:00.0@0 0000:01:00.1@0 0000:01:00.2@0" },
		{ "LS: all functions, of domain 0000 alone", "hostpci0: 01:00",
		  "0000:01:00.0@0 0000:01:00.1@0 0000:01:00.2@0" },
		{ "LS: another domain", "hostpci0: 0001:01:00", "0001:01:00.0@0" },
		{ "LS: another domain", "hostpci0: 1000:01:00.0", "1000:01:00.0@0" },
		{ "LS: VMD", "hostpci0: 10000:e1:00.0", "10000:e1:00.0@0" },
		{ "LS: VMD", "hostpci0: 10000:e1:00", "10000:e1:00.0@0 10000:e1:00.1@0" },
		{ "LS: hexadecimal", "hostpci0: 0a:00.1", "0000:0a:00.1@0" },
		{ "PH: several entries", "hostpci0: 0a:00;00:02.0",
		  "0000:0a:00.0@0 0000:0a:00.1@0 0000:00:02.0@0" },
		{ "HD: in order of key", "hostpci10: 00:02.0\nhostpci2: 0a:00.1\nhostpci0: 01:00.0",
		  "0000:01:00.0@0 0000:0a:00.1@2 0000:00:02.0@10" },
		{ "no line", "agent: 1", "" },
		{ "a line that is deleted", "#hostpci0: 01:00", "" },
		{ "an unknown key", "hostpci0: 01:00.0,future=1", "0000:01:00.0@0" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_resolves(*state, &rows[i], "", NULL);
}

static void test_problems(void **state)
{
	static const struct row rows[] = {
		{ "LS: dies", "hostpci0: 05:00.0", "!absent(05:00.0)@0:1" },
		{ "LS: the function is not there", "a: b\nhostpci0: 01:00.3",
		  "!absent(01:00.3)@0:2" },
		{ "LS: no range", "hostpci0: 01:00.f", "!absent(01:00.f)@0:1" },
		{ "LS: a domain of five digits", "hostpci0: 00000:01:00.0",
		  "!absent(00000:01:00.0)@0:1" },
		{ "LS: VMD is not without its domain", "hostpci0: e1:00.0",
		  "!absent(e1:00.0)@0:1" },
		{ "LS: another domain", "hostpci0: 0002:01:00", "!absent(0002:01:00)@0:1" },
		{ "PH: one of several", "hostpci0: 05:00;01:00.0;06:00",
		  "0000:01:00.0@0 !absent(05:00)@0:1 !absent(06:00)@0:1" },
		{ "HD: twice in one line", "hostpci0: 01:00;01:00.1",
		  "0000:01:00.0@0 0000:01:00.1@0 0000:01:00.2@0 !twice(0000:01:00.1)@0:1" },
		{ "HD: twice in two lines", "hostpci0: 01:00.0\nhostpci3: 0000:01:00.0",
		  "0000:01:00.0@0 !twice(0000:01:00.0)@3:2" },
		{ "HD: twice by two spellings", "hostpci0: 01:00.0;0000:01:00.0",
		  "0000:01:00.0@0 !twice(0000:01:00.0)@0:1" },
		{ "HD: twice, and one is left to PVE",
		  "hostpci0: 01:00.0,driver=keep\nhostpci1: 01:00.0",
		  "-0000:01:00.0@0 !twice(0000:01:00.0)@1:2" },
		{ "PH: neither", "hostpci1: pcie=1", "!nothing()@1:1" },
		{ "PH: neither (verified: dies at the start)", "hostpci1: ", "!nothing()@1:1" },
		{ "PH: both", "hostpci1: 01:00,mapping=gpu", "!nothing()@1:1" },
		{ "HD: a mediated device claims nothing",
		  "hostpci0: 01:00.0,mdev=x\nhostpci1: 01:00.0", "-0000:01:00.0@0 0000:01:00.0@1" },
		{ "HD: nor does a second one", "hostpci0: 01:00.0,mdev=x\nhostpci1: 01:00.0,mdev=y",
		  "-0000:01:00.0@0 -0000:01:00.0@1" },
		{ "PH: mdev of several", "hostpci0: 01:00,mdev=x",
		  "-0000:01:00.0@0 -0000:01:00.1@0 -0000:01:00.2@0 !mdev()@0:1" },
		{ "LS: absent also where PVE handles it", "hostpci0: 05:00,driver=keep",
		  "!absent(05:00)@0:1" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_resolves(*state, &rows[i], "", NULL);
}

static void test_left(void **state)
{
	static const struct row rows[] = {
		{ "PCI.pm driver", "hostpci0: 01:00,driver=keep",
		  "-0000:01:00.0@0 -0000:01:00.1@0 -0000:01:00.2@0" },
		{ "PCI.pm driver", "hostpci0: 01:00.0,driver=vfio", "0000:01:00.0@0" },
		{ "PCI.pm mdev", "hostpci0: 01:00.0,mdev=nvidia-35", "-0000:01:00.0@0" },
		{ "QemuServer.pm 3111: a template starts without", "hostpci0: 01:00\ntemplate: 1",
		  "" },
		{ "QemuServer.pm 3111", "hostpci0: 99:00\nargs: '\ntemplate: 1", "" },
		{ "QemuServer.pm 3111", "hostpci0: 01:00.0\ntemplate: 0", "0000:01:00.0@0" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_resolves(*state, &rows[i], "", NULL);
}

/* ---- mappings: what stands in the entries is looked at by vm/mapping.c */

/* The three functions of 01:00 and 0a:00, as an entry wants them. */
static void build_devices(const struct tree *tree)
{
	static const char *const addresses[] = { "0000:01:00.0", "0000:01:00.1", "0000:01:00.2",
						 "0000:0a:00.0", "0000:0a:00.1" };

	for (size_t i = 0; i < COUNT(addresses); i++) {
		tree_add_device(tree, &(struct tree_device){ .address = addresses[i],
							     .group = i < 3 ? 14 : 15 });
		tree_attribute(tree, addresses[i], "subsystem_vendor", "0x8086");
		tree_attribute(tree, addresses[i], "subsystem_device", "0x0000");
	}
}

#define ENTRY(node, path, group)                                                                   \
	"\tmap id=8086:10d3,iommugroup=" group ",node=" node ",path=" path                         \
	",subsystem-id=8086:0000\n"

static const char cfg[] = "one\n" ENTRY(
	"pve1", "0000:01:00.0",
	"14") "\n"
	      "whole\n" ENTRY(
		      "pve1", "0000:01:00",
		      "14") "\n"
			    "two\n" ENTRY("pve1", "0000:01:00.0", "14") ENTRY("pve2", "0000:05:00.0", "14") ENTRY(
				    "pve1", "0000:0a:00.0",
				    "15") "\n"
					  "list\n" ENTRY(
						  "pve1", "0000:01:00.0;0000:01:00.1",
						  "14") "\n"
							"elsewhere\n" ENTRY(
								"pve2", "0000:01:00.0",
								"14") "\n"
								      "wrong\n" ENTRY(
									      "pve1",
									      "0000:01:00.0",
									      "99") "\n"
										    "half\n" ENTRY(
											    "pve1",
											    "0000:01:00.0",
											    "14")
											    ENTRY("pve1",
												  "0000:0a:00.0",
												  "14") "\n";

static void test_mapping(void **state)
{
	static const struct row rows[] = {
		{ "PH", "hostpci0: mapping=one", "0000:01:00.0@0" },
		{ "PH: all functions", "hostpci0: mapping=whole",
		  "0000:01:00.0@0 0000:01:00.1@0 0000:01:00.2@0" },
		{ "PH: a list is one alternative (verified)", "hostpci0: mapping=list",
		  "0000:01:00.0@0 0000:01:00.1@0" },
		{ "PH", "hostpci0: mapping=nosuch", "!missing(nosuch)@0:1" },
		{ "PH: not on this node", "hostpci0: mapping=elsewhere",
		  "!missing(elsewhere)@0:1" },
		{ "PH: assert_valid", "hostpci0: mapping=wrong",
		  "!wrong('iommugroup' does not match for 'wrong' (14 != 99))@0:1" },
		{ "HD: twice", "hostpci0: 01:00.0\nhostpci1: mapping=one",
		  "0000:01:00.0@0 !twice(0000:01:00.0)@1:2" },
		{ "PCI.pm driver", "hostpci0: mapping=one,driver=keep", "-0000:01:00.0@0" },
		{ "PH: one is wrong, and the other is the only one", "hostpci0: mapping=half",
		  "0000:01:00.0@0 !wrong('iommugroup' does not match for 'half' (15 != 14))@0:1" },
	};

	build_devices(*state);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_resolves(*state, &rows[i], cfg, NULL);
}

static void test_alternatives(void **state)
{
	static const struct {
		struct row row;
		size_t answer;
		int result;
		unsigned calls;
	} rows[] = {
		{ { "choose", "hostpci0: mapping=two", "0000:01:00.0@0 ~0000:0a:00.0@0" },
		  0,
		  0,
		  1 },
		{ { "choose", "hostpci0: mapping=two", "0000:0a:00.0@0 ~0000:01:00.0@0" },
		  1,
		  0,
		  1 },
		{ { "choose", "hostpci0: mapping=two", "!busy(two)@0:1" }, 0, -EBUSY, 1 },
		{ { "left to PVE, which reserves one", "hostpci0: mapping=two,driver=keep",
		    "-0000:0a:00.0@0" },
		  1,
		  0,
		  1 },
		{ { "HD: a mediated device of whichever lets it", "hostpci0: mapping=two,mdev=x",
		    "-0000:01:00.0@0 -0000:0a:00.0@0" },
		  0,
		  0,
		  0 },
		/* an alternative that another line names is no double */
		{ { "HD", "hostpci0: mapping=two\nhostpci1: 0a:00.0",
		    "0000:01:00.0@0 ~0000:0a:00.0@0 0000:0a:00.0@1" },
		  0,
		  0,
		  1 },
		{ { "one alternative is no choice", "hostpci0: mapping=one", "0000:01:00.0@0" },
		  0,
		  0,
		  0 },
	};

	build_devices(*state);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct chooser chooser = { .answer = rows[i].answer, .result = rows[i].result };

		assert_resolves(*state, &rows[i].row, cfg, &chooser);
		assert_row(rows[i].row.text, chooser.calls == rows[i].calls);
		if (chooser.calls == 0)
			continue;
		assert_int_equal(chooser.counted, 2);
		assert_string_equal(chooser.source, "hostpci0");
	}
}

/* What the chooser fails with is not taken for "none is free". */
static void test_chooser_fails(void **state)
{
	struct chooser chooser = { .result = -EIO };
	struct wanted wanted;
	struct error err;

	build_devices(*state);
	assert_int_equal(resolve(*state, "hostpci0: mapping=two", cfg, &chooser, &wanted, &err),
			 -EIO);
	assert_string_equal(err.message, "the chooser says no");
	assert_int_equal(wanted.count, 0);
}

/* The chooser sees what the lines before have taken. */
static void test_chooser_sees(void **state)
{
	struct chooser chooser = { .answer = 1 };
	cleanup_wanted struct wanted wanted = { 0 };
	struct error err;

	build_devices(*state);
	assert_int_equal(resolve(*state, "hostpci0: 00:02.0\nhostpci1: mapping=two", cfg, &chooser,
				 &wanted, &err),
			 0);
	assert_int_equal(chooser.taken, 1);
	assert_string_equal(chooser.source, "hostpci1");
}

/* ---- args: parsed by vm/args.c */

static void test_args(void **state)
{
	static const struct row rows[] = {
		{ "QEMU", "args: -device vfio-pci,host=0000:01:00.0", "0000:01:00.0@args" },
		{ "QEMU: without domain", "args: -device vfio-pci,host=01:00.0",
		  "0000:01:00.0@args" },
		{ "QEMU", "args: -device vfio-pci,host=05:00.0", "!absent(0000:05:00.0)@args" },
		{ "a documented mistake", "hostpci0: 01:00.0\nargs: -device vfio-pci,host=01:00.0",
		  "0000:01:00.0@0 !twice(0000:01:00.0)@args" },
		{ "ParseWords: none at all", "args: -device vfio-pci,host=01:00.0 '",
		  "!vanish()@args" },
		{ "no device", "args: -cpu host", "" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_resolves(*state, &rows[i], "", NULL);
}

/* A problem of `args` tells its line, as the others do. */
static void test_args_line(void **state)
{
	static const char text[] = "a: b\nhostpci0: 01:00.0\nargs: '\n";
	cleanup_wanted struct wanted wanted = { 0 };
	struct error err;

	assert_int_equal(resolve(*state, text, "", NULL, &wanted, &err), 0);
	assert_int_equal(wanted.problem_count, 1);
	assert_int_equal(wanted.problems[0].kind, WANTED_ARGS_VANISH);
	assert_int_equal(wanted.problems[0].line, 3);
}

static void test_find(void **state)
{
	struct chooser chooser = { .answer = 0 };
	cleanup_wanted struct wanted wanted = { 0 };
	struct pci_address address;
	struct error err;

	build_devices(*state);
	assert_int_equal(resolve(*state, "hostpci0: mapping=two\nhostpci1: 00:02.0,driver=keep",
				 cfg, &chooser, &wanted, &err),
			 0);
	pci_address_parse("0000:01:00.0", &address);
	assert_string_equal(wanted_find(&wanted, address)->source, "hostpci0");
	pci_address_parse("0000:00:02.0", &address);
	assert_string_equal(wanted_find(&wanted, address)->source, "hostpci1");
	pci_address_parse("0000:0a:00.0", &address); /* a mere alternative */
	assert_null(wanted_find(&wanted, address));
	wanted_done(&wanted);
	assert_int_equal(wanted.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_host),	      tree_test(test_problems),
		tree_test(test_left),	      tree_test(test_mapping),
		tree_test(test_alternatives), tree_test(test_chooser_fails),
		tree_test(test_chooser_sees), tree_test(test_args),
		tree_test(test_args_line),    tree_test(test_find),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
