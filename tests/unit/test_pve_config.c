/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: vm/config.c. Each row carries its source: QS is parse_vm_config() in qemu-server's
 * QemuServer.pm 9.2.6, CT check_type() there, NNNN a line of it; "verified" is what PVE's own Perl
 * answered.
 */
#include "config.h"
#include "tree.h"

#include "base/clock.h"

/* "hostpci0=01:00@2 hostpci5=…": what counts, with its line, and "!3" for a dropped line. */
static char *summary_of(const struct vm_config *config)
{
	struct text text = { 0 };

	for (unsigned i = 0; i < HOSTPCI_COUNT; i++) {
		const struct vm_hostpci *slot = &config->hostpci[i];

		if (!slot->present)
			continue;
		text_add(&text, "%u=", i);
		for (size_t k = 0; k < slot->hostpci.host.count; k++)
			text_add(&text, "%s%s", k ? ";" : "", slot->hostpci.host.items[k]);
		text_add(&text, "%s@%u ", slot->hostpci.mapping ? slot->hostpci.mapping : "",
			 slot->line);
	}
	if (config->is_template)
		text_add(&text, "template ");
	for (size_t i = 0; i < config->dropped_count; i++)
		text_add(&text, "!%u ", config->dropped[i].line);
	if (text.size > 0)
		text.data[text.size - 1] = '\0';
	return text_take(&text);
}

struct row {
	const char *source, *text, *summary;
};

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_vm_config struct vm_config config = { 0 };
		cleanup_free char *summary = NULL;

		parse(rows[i].text, &config);
		summary = summary_of(&config);
		if (strcmp(summary, rows[i].summary) != 0)
			fail_msg("%s: '%s' gives '%s', not '%s'", rows[i].source, rows[i].text,
				 summary, rows[i].summary);
	}
}

static void test_lines(void **state)
{
	static const struct row rows[] = {
		{ "QS 8", "hostpci0: 01:00\n", "0=01:00@1" },
		{ "QS 8: no blank behind the colon", "hostpci0:01:00\n", "0=01:00@1" },
		{ "QS 8: blanks around the value", "hostpci0: \t 01:00 \t \n", "0=01:00@1" },
		{ "QS 8: no newline at the end", "a: b\nhostpci0: 01:00", "0=01:00@2" },
		{ "QS 8: mapping", "hostpci0: mapping=gpu,pcie=1\n", "0=gpu@1" },
		{ "QS 8: CRLF (verified)", "a: b\r\nhostpci0: 01:00\r\n", "0=01:00@2" },
		{ "QS 1: blank lines count", "\n \n\t\nhostpci0: 01:00\n", "0=01:00@4" },
		{ "PCI.pm: 0 to 15",
		  "hostpci0: 01:00\nhostpci9: 02:00\nhostpci10: 03:00\nhostpci15: 04:00\n",
		  "0=01:00@1 9=02:00@2 10=03:00@3 15=04:00@4" },
		{ "QS 3: a comment is the description", "#hostpci0: 01:00\n", "" },
		{ "QS 3: no comment behind a value", "hostpci0: 01:00 # GPU\n", "!1" },
		{ "QS 4", "description: hostpci0: 01:00\n", "" },
		{ "QS 6: args may contain anything", "args: -device vfio-pci,host=01:00.0\n", "" },
		{ "QS 6: args", "args: hostpci0: 01:00\n", "" },
		{ "QS 7: delete is of [PENDING] alone", "delete: hostpci0\nhostpci0: 01:00\n",
		  "0=01:00@2" },
		{ "QS 8: blank value (verified: dies at the start)", "hostpci1: \n", "1=@1" },
		{ "QS 8: no value", "hostpci0:\n", "!1" },
		{ "CT: a carriage return for a value", "hostpci0:\r\n", "!1" },
		{ "CT: carriage return in a value", "hostpci0: 01:00\rx\n", "!1" },
		{ "QS 9: blank before the key", " hostpci0: 01:00\n", "!1" },
		{ "QS 9: blank before the colon", "hostpci0 : 01:00\n", "!1" },
		{ "QS 9: upper case", "Hostpci0: 01:00\n", "!1" },
		{ "QS 9: upper case", "HOSTPCI0: 01:00\n", "!1" },
		{ "QS 9: no colon", "hostpci0=01:00\n", "!1" },
		{ "QS 9: a byte order mark takes the first line",
		  "\xef\xbb\xbfhostpci0: 01:00\nhostpci1: 02:00\n", "1=02:00@2" },
		{ "CT: unknown key", "hostpci16: 01:00\n", "!1" },
		{ "CT: unknown key", "hostpci00: 01:00\n", "!1" },
		{ "CT: unknown key", "hostpci01: 01:00\n", "!1" },
		{ "CT: unknown key", "hostpci: 01:00\n", "!1" },
		{ "CT: unknown key", "hostpci99999999999999999999: 01:00\n", "!1" },
		{ "CT: unknown key", "hostpcix0: 01:00\n", "!1" },
		{ "QS 8: another key", "xhostpci0: 01:00\nnet0: virtio\n", "" },
		{ "JS: an invalid value", "hostpci0: 01:00,pcie=2\n", "!1" },
		{ "JS: an invalid value", "hostpci0: 0A:00\n", "!1" },
		{ "CT: quotes stay", "hostpci0: \"01:00\"\n", "!1" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* Of a key that is there twice. */
static void test_duplicates(void **state)
{
	static const struct row rows[] = {
		{ "QS: the last valid one (verified)", "hostpci0: 01:00\nhostpci0: 02:00\n",
		  "0=02:00@2" },
		{ "QS: an invalid one leaves the earlier (verified)",
		  "hostpci0: 01:00\nhostpci0: 02:00 # x\n", "0=01:00@1 !2" },
		{ "QS", "hostpci0: 02:00 # x\nhostpci0: 01:00\n", "0=01:00@2 !1" },
		{ "QS: keys of the earlier are gone with it",
		  "hostpci0: mapping=gpu\nhostpci0: 02:00\n", "0=02:00@2" },
		{ "QS", "hostpci0: 01:00\nhostpci0: \n", "0=@2" },
		{ "QS", "template: 1\ntemplate: 0\n", "" },
		{ "QS", "template: 0\ntemplate: yes\n", "template" },
		{ "QS: an invalid one leaves the earlier", "template: 1\ntemplate: 2\n",
		  "template !2" },
		{ "QS: the same of a format (verified)",
		  "hookscript: local:snippets/a\nhookscript: /root/x.sh\n", "!2" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* Only what stands before the first header counts for a start. */
static void test_sections(void **state)
{
	static const struct row rows[] = {
		{ "QS 2: pending", "hostpci0: 01:00\n\n[PENDING]\nhostpci1: 02:00\n", "0=01:00@1" },
		{ "QS 2: a snapshot", "hostpci0: 01:00\n[before-update]\nhostpci0: 02:00\n",
		  "0=01:00@1" },
		{ "QS 2", "[special:cloudinit]\nhostpci0: 01:00\n", "" },
		{ "QS 2: unknown", "[Some Thing]\nhostpci0: 01:00\n", "" },
		{ "QS 2: unknown", "[]\nhostpci0: 01:00\n", "" },
		{ "QS 2: blanks behind", "[snap] \t\nhostpci0: 01:00\n", "" },
		{ "QS 2: CRLF", "[snap]\r\nhostpci0: 01:00\r\n", "" },
		{ "QS 2: no newline", "hostpci0: 01:00\n[snap]", "0=01:00@1" },
		{ "QS 2: not with blanks before", " [snap]\nhostpci0: 01:00\n", "0=01:00@2" },
		{ "QS 2: not with more behind", "[snap] x\nhostpci0: 01:00\n", "0=01:00@2" },
		{ "QS 2: not without an end", "[snap\nhostpci0: 01:00\n", "0=01:00@2" },
		{ "QS 2: template of a snapshot", "[snap]\ntemplate: 1\n", "" },
		{ "QS: lines after it are not told", "[snap]\nhostpci0: x\n", "" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* snapstate:\s*(prepare|delete)\s*$ is tried before any key, anywhere in a line (2031). */
static void test_snapstate(void **state)
{
	static const struct row rows[] = {
		{ "QS 5", "snapstate: prepare\n", "" },
		{ "QS 5: not anchored", "hostpci0: 01:00 snapstate:delete\n", "" },
		{ "QS 5: not anchored", "hostpci0: 01:00,snapstate:   prepare \n", "" },
		{ "QS 5: the second one", "hostpci0: snapstate:x,snapstate:delete\n", "" },
		{ "QS 5: nothing behind", "hostpci0: 01:00 snapstate:delete x\n", "!1" },
		{ "QS 5: two words alone", "hostpci0: 01:00 snapstate:deleted\n", "!1" },
		{ "QS 5: two words alone", "hostpci0: snapstate:delete prepare\n", "!1" },
		{ "QS 5: two words alone", "hostpci0: snapstate:deleteprepare\n", "!1" },
		{ "QS 5: no word before", "hostpci0: xsnapstate :delete\n", "!1" },
		{ "QS 5: not anchored", "hostpci0: xsnapstate:delete\t\r\n", "" },
		{ "QS 5: not anchored", "prepare\nhostpci1: 02:00\n", "1=02:00@2" },
		{ "QS 5: two words alone", "hostpci0: 01:00 snapstate:\n", "!1" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

static void test_template(void **state)
{
	static const struct row rows[] = {
		{ "CT: boolean", "template: 1\n", "template" },
		{ "CT: boolean", "template: on\n", "template" },
		{ "CT: boolean", "template: TRUE\n", "template" },
		{ "CT: boolean", "template: 0\n", "" },
		{ "CT: boolean", "template: falsefalse\n", "!1" },
		{ "CT: not a boolean", "template: 2\n", "!1" },
		{ "CT: not a boolean", "template: \n", "!1" },
		{ "QS 8: no such key", "templat: 1\n", "" },
		{ "QS 8: no such key", "template0: 1\n", "" },
		{ "QS 8", "hostpci0: 01:00\ntemplate: 1\n", "0=01:00@1 template" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* check_type() takes no quotes off a boolean. */
static void test_template_in_quotes(void **state)
{
	static const struct row rows[] = {
		{ "CT: not a boolean", "template: \"1\"\n", "!1" },
		{ "CT: not a boolean", "template: \"yes\"\n", "!1" },
	};

	(void)state;
	assert_rows(rows, COUNT(rows));
}

/* NUL bytes: a value with one is no boolean and no hostpci. */
static void test_nul(void **state)
{
	static const struct {
		const char *data;
		size_t size;
		const char *summary;
	} rows[] = {
#define BYTES(text) text, sizeof(text) - 1
		{ BYTES("hostpci0: 01:00\0\n"), "!1" },
		{ BYTES("hostpci0: \0"
			"01:00\n"),
		  "!1" },
		{ BYTES("hostpci0: 01\0:00\nhostpci1: 02:00\n"), "1=02:00@2 !1" },
		{ BYTES("\0hostpci0: 01:00\n"), "" },
		{ BYTES("hostpci\0"
			"0: 01:00\n"),
		  "!1" },
		{ BYTES("\0\0\0\0"), "" },
		{ BYTES("[snap]\0\nhostpci0: 01:00\n"), "0=01:00@2" },
		{ BYTES("[sn\0ap]\nhostpci0: 01:00\n"), "" },
		{ BYTES("#\0\nhostpci0: 01:00\n"), "0=01:00@2" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };
		cleanup_free char *summary = NULL;

		parse_bytes(rows[i].data, rows[i].size, &config);
		summary = summary_of(&config);
		assert_string_equal(summary, rows[i].summary);
	}
}

static void test_template_nul(void **state)
{
	static const char text[] = "template: 1\0x\n";
	cleanup_vm_config struct vm_config config = { 0 };

	(void)state;
	parse_bytes(text, sizeof(text) - 1, &config);
	assert_false(config.is_template);
}

static void test_dropped(void **state)
{
	static const struct {
		const char *line, *text, *why;
	} rows[] = {
		{ "hostpci0: 01:00,pcie=2", "hostpci0: 01:00,pcie=2",
		  "pcie '2' is neither 1, on, yes, true nor 0, off, no, false" },
		{ "\thostpci0: 01:00  ", "hostpci0: 01:00",
		  "it is not of the form 'hostpciN: VALUE', in lower case and without blanks "
		  "before the colon" },
		{ "hostpci16: 01:00", "hostpci16: 01:00", "there are only hostpci0 to hostpci15" },
		{ "hostpci0: 01:00\rx", "hostpci0: 01:00\rx",
		  "its value holds a control character" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };

		parse(rows[i].line, &config);
		assert_string_equal(config.path, PATH);
		assert_int_equal(config.dropped_count, 1);
		assert_int_equal(config.dropped[0].line, 1);
		assert_string_equal(config.dropped[0].text, rows[i].text);
		assert_string_equal(config.dropped[0].why, rows[i].why);
	}
}

/* Cut off at every byte: it ends, and what is whole counts. */
static void test_truncated(void **state)
{
	static const char text[] = "#desc\nagent: 1\nhostpci0: 0000:01:00,pcie=1,x-vga=1\n"
				   "hostpci1: mapping=gpu,romfile=a.rom\ntemplate: 1\n"
				   "hostpci2: 01:00 # x\nsnapstate: delete\n[PENDING]\n"
				   "hostpci3: 01:00\n";

	/* where the line may end and is valid */
	static const char *const ends[] = { "hostpci0: ",
					    "hostpci0: 0000:01:00",
					    "hostpci0: 0000:01:00,",
					    "hostpci0: 0000:01:00,pcie=1",
					    "hostpci0: 0000:01:00,pcie=1,",
					    "hostpci0: 0000:01:00,pcie=1,x-vga=1" };
	static const size_t before = sizeof("#desc\nagent: 1\n") - 1;

	(void)state;
	for (size_t size = 0; size < sizeof(text); size++) {
		cleanup_vm_config struct vm_config config = { 0 };
		cleanup_free char *exact = malloc(size + 1);
		bool valid = size > before + strlen(ends[COUNT(ends) - 1]);

		for (size_t i = 0; i < COUNT(ends); i++)
			valid |= size == before + strlen(ends[i]);

		/* from memory of that size, so that ASan sees one byte too much */
		memcpy(exact, text, size);
		exact = realloc(exact, size ? size : 1);
		parse_bytes(exact, size, &config);
		assert_false(config.hostpci[3].present);
		assert_int_equal(config.hostpci[0].present, valid);
	}
}

/* Every byte at every place of a line. */
static void test_every_byte(void **state)
{
	static const char text[] = "hostpci0: 01:00,pcie=1\n[a]\nx: y\n";
	char copy[sizeof(text)];

	(void)state;
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		memcpy(copy, text, sizeof(copy));
		for (unsigned byte = 0; byte < 256; byte++) {
			cleanup_vm_config struct vm_config config = { 0 };

			copy[at] = (char)byte;
			parse_bytes(copy, sizeof(copy) - 1, &config);
		}
	}
}

static void test_large(void **state)
{
	cleanup_text struct text text = { 0 };
	cleanup_vm_config struct vm_config config = { 0 };
	size_t size = 1024 * 1024;
	char *data = malloc(size);

	(void)state;
	/* 10000 lines, half of them invalid */
	for (unsigned i = 0; i < 10000; i++)
		text_add(&text, "hostpci%u: %02x:00%s\n", i % 16, i & 0xff, i % 2 ? " x" : "");
	parse_bytes(text.data, text.size, &config);
	assert_int_equal(config.dropped_count, 5000);
	assert_int_equal(config.hostpci[14].line, 9999);
	assert_int_equal(config.hostpci[0].line, 9985);
	assert_false(config.hostpci[15].present);
	vm_config_done(&config);

	/* one line of 1 MiB, of blanks, of commas, of snapstate: */
	memset(data, ' ', size);
	memcpy(data, "hostpci0: 01:00", 15);
	parse_bytes(data, size, &config);
	assert_true(config.hostpci[0].present);
	vm_config_done(&config);
	memset(data, ',', size);
	memcpy(data, "hostpci0: 01:00", 15);
	parse_bytes(data, size, &config);
	assert_true(config.hostpci[0].present);
	vm_config_done(&config);
	memset(data, '\n', size);
	parse_bytes(data, size, &config);
	assert_int_equal(config.dropped_count, 0);
	vm_config_done(&config);
	for (size_t i = 0; i + 10 <= size; i += 10)
		memcpy(data + i, "snapstate:", 10);
	parse_bytes(data, size, &config);
	vm_config_done(&config);
	memset(data, '[', size);
	parse_bytes(data, size, &config);
	free(data);
}

/*
 * Many words that may be the one, and much behind them that each would have to look at: with the
 * square of the line's length it took ten seconds.
 */
static void test_snapstate_large(void **state)
{
	cleanup_vm_config struct vm_config config = { 0 };
	size_t size = 1024 * 1024;
	cleanup_free char *data = malloc(size);
	uint64_t began = clock_now_us();

	(void)state;
	memset(data, ' ', size);
	for (size_t i = 0; i + 10 <= size / 2; i += 10)
		memcpy(data + i, "snapstate:", 10);
	parse_bytes(data, size, &config);
	assert_in_range(clock_now_us() - began, 0, 2000000);
	vm_config_done(&config);

	/* and the last of them is it */
	memcpy(data, "hostpci0: ", 10);
	memcpy(data + size - 9, "delete \n", 8);
	memcpy(data + size / 2 - 10, "snapstate:", 10);
	parse_bytes(data, size, &config);
	assert_int_equal(config.dropped_count, 0);
	assert_false(config.hostpci[0].present);
}

/* Which keys a hostpci line may have is the installed Proxmox VE's to say. */
static void test_node_keys(void **state)
{
	static const char *const newer =
		"my $hostpci_fmt = {\n    host => {\n        optional => 1,"
		"\n    },\n    'driver' => {\n    },\n    future => {\n"
		"    },\n};\n";
	static const struct {
		const char *version; /* of qemu-server */
		const char *schema;
		const char *line, *summary;
	} rows[] = {
		{ "8.4.10", NULL, "hostpci0: 01:00,driver=keep", "!1" },
		{ "9.0.24", NULL, "hostpci0: 01:00,driver=vfio", "!1" },
		{ "9.0.25", NULL, "hostpci0: 01:00,driver=keep", "0=01:00@1" },
		{ "9.2.6", NULL, "hostpci0: 01:00,driver=keep", "0=01:00@1" },
		{ "9.2.6", NULL, "hostpci0: 01:00,multifunction=1", "!1" },
		{ "9.2.6", NULL, "hostpci0: 02:00\nhostpci0: 01:00,multifunction=1",
		  "0=02:00@1 !2" },
		{ "9.9.1", NULL, "hostpci0: 01:00,future=1", "0=01:00@1" },
		{ NULL, NULL, "hostpci0: 01:00,future=1", "0=01:00@1" },
		{ NULL, NULL, "hostpci0: 01:00, pcie=1", "!1" },
		{ NULL, NULL, "hostpci0: 01:00,PCIE=1", "!1" },
		/* what its own schema says goes before what its version lets expect */
		{ "8.4.10", newer, "hostpci0: 01:00,driver=keep", "0=01:00@1" },
		{ "9.2.6", newer, "hostpci0: 01:00,future=1", "0=01:00@1" },
		{ "9.9.1", newer, "hostpci0: 01:00,multifunction=1", "!1" },
		{ "9.2.6", "what is this?", "hostpci0: 01:00,future=1", "!1" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };
		cleanup_free char *summary = NULL;

		tree_remove(tree, "usr");
		tree_file(tree, "var/lib/dpkg/status",
			  "Package: qemu-server\nStatus: install ok installed\nVersion: %s\n",
			  rows[i].version ? rows[i].version : "?");
		if (rows[i].schema)
			tree_file(tree, "usr/share/perl5/PVE/QemuServer/PCI.pm", "%s",
				  rows[i].schema);
		assert_int_equal(vm_config_parse(&tree->root, PATH, rows[i].line,
						 strlen(rows[i].line), &config, NULL),
				 0);
		summary = summary_of(&config);
		if (strcmp(summary, rows[i].summary) != 0)
			fail_msg("%s: '%s' gives '%s', not '%s'", rows[i].version, rows[i].line,
				 summary, rows[i].summary);
	}
}

static void test_read(void **state)
{
	const struct tree *tree = *state;
	cleanup_vm_config struct vm_config config = { 0 };
	struct error err = { 0 };
	static char large[VM_CONFIG_MAX + 1];

	assert_int_equal(vm_config_read(&tree->root, NULL, 101, &config, &err), -ENOENT);
	assert_string_equal(err.message, "there is no VM 101; 'qm list' shows those of this node");
	tree_file(tree, "etc/pve/nodes/b/lxc/101.conf", "arch: amd64\n");
	assert_int_equal(vm_look(&tree->root, 101, &err), -ENOENT);
	assert_string_equal(err.message, "101 is a container: PCI devices go to VMs only");
	tree_file(tree, "etc/pve/nodes/a/qemu-server/101.conf", "agent: 1\n");
	assert_int_equal(vm_look(&tree->root, 101, &err), -ENOENT);
	assert_string_equal(err.message, "VM 101 is on node 'a': its devices are there; run this "
					 "on that node");
	tree_config(tree, 101, "hostpci0: 01:00,pcie=1 \n");
	assert_int_equal(vm_look(&tree->root, 101, &err), 0);
	assert_int_equal(vm_config_read(&tree->root, NULL, 101, &config, &err), 0);
	assert_string_equal(config.path, PATH);
	assert_true(config.hostpci[0].present);
	assert_string_equal(config.hostpci[0].value, "01:00,pcie=1");
	vm_config_done(&config);

	/* of the node it migrates from */
	assert_int_equal(vm_config_read(&tree->root, "pve2", 101, &config, &err), -ENOENT);
	tree_file(tree, "etc/pve/nodes/pve2/qemu-server/101.conf", "hostpci1: 02:00\n");
	assert_int_equal(vm_config_read(&tree->root, "pve2", 101, &config, &err), 0);
	assert_string_equal(config.path, "/etc/pve/nodes/pve2/qemu-server/101.conf");
	assert_true(config.hostpci[1].present);
	vm_config_done(&config);

	memset(large, '#', sizeof(large));
	tree_bytes(tree, "etc/pve/qemu-server/101.conf", large, VM_CONFIG_MAX);
	assert_int_equal(vm_config_read(&tree->root, NULL, 101, &config, &err), 0);
	vm_config_done(&config);
	tree_bytes(tree, "etc/pve/qemu-server/101.conf", large, sizeof(large));
	assert_int_equal(vm_config_read(&tree->root, NULL, 101, &config, &err), -EFBIG);
	assert_string_equal(err.message, PATH ": larger than the 1 MiB Proxmox VE allows");
}

static void test_done(void **state)
{
	struct vm_config config = { 0 };

	(void)state;
	vm_config_done(&config);
	parse("hostpci0: 01:00\nhostpci1: x\n", &config);
	vm_config_done(&config);
	assert_null(config.path);
	vm_config_done(&config);
}

static void test_vmid_of_file(void **state)
{
	static const struct {
		const char *file;
		uint32_t vmid; /* 0: it is none */
	} rows[] = {
		{ "101.conf", 101 },	  { "4294967295.conf", 4294967295 },
		{ "4294967296.conf", 0 }, { ".conf", 0 },
		{ "101.conf.tmp", 0 },	  { "101", 0 },
		{ "-1.conf", 0 },	  { "1.2.conf", 0 },
		{ "a.conf", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint32_t vmid = 0;

		assert_row(rows[i].file,
			   vm_config_vmid(rows[i].file, &vmid) == (rows[i].vmid != 0));
		assert_row(rows[i].file, vmid == rows[i].vmid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_vmid_of_file),
		cmocka_unit_test(test_duplicates),
		cmocka_unit_test(test_sections),
		cmocka_unit_test(test_snapstate),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_template_in_quotes),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_template_nul),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_large),
		tree_test(test_node_keys),
		tree_test(test_read),
		cmocka_unit_test(test_done),
		cmocka_unit_test(test_snapstate_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
