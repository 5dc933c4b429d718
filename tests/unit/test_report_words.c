/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: report/words.c: golden lines. A person reads them in a task log at night. */
#include "test.h"
#include "tree.h"

#include "report/words.h"

#define GPU	  "0000:01:00.0"

#define VF_BEFORE "3:mac=00:00:00:00:00:00,trust=off,spoof-check=on"
#define VF_WANTED                                                                                  \
	"3:mac=bc:24:11:00:00:01,vlan=7,qos=3,proto=802.1ad,min-rate=10,max-rate=1000,"            \
	"link-state=disable,trust=on,spoof-check=off"

static void build(const struct tree *tree)
{
	tree_file(tree, "usr/share/misc/pci.ids",
		  "10de  NVIDIA Corporation\n\t2484  GA104 [GeForce RTX 3070]\n"
		  "10ec  Realtek Semiconductor Co., Ltd.\n\t8168  RTL8111/8168/8411 PCI Express "
		  "Gigabit Ethernet Controller\n");
	tree_add_device(tree, &(struct tree_device){ GPU, 0x10de, 0x2484, 0x030000, .group = 14 });
	tree_add_device(tree, &(struct tree_device){ "0000:02:00.0", 0x10ec, 0x8168, 0x020000,
						     .group = 15 });
	tree_add_device(tree,
			&(struct tree_device){ "10000:e1:00.0", 0x1234, 0x5678, .driver = NULL });
}

struct row {
	enum run_direction direction;
	const char *target, *before, *wanted;
	int result;
	uint64_t took_us;
	const char *text;
	const char *words; /* NULL: nothing */
};

static void assert_words(const struct tree *tree, enum action_type type, const struct row *row)
{
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_free char *words = NULL;
	struct action action = { 0 };
	struct run_result result = { row->result, row->took_us, row->text };

	assert_int_equal(action_make(type, row->target, row->before, row->wanted, "hostpci0",
				     &action),
			 0);
	words = words_result(&names, &tree->root, row->direction, &action, &result);
	action_done(&action);
	assert_text(words, row->words);
}

static void test_bind(void **state)
{
	static const struct row rows[] = {
		{ RUN_APPLY, GPU, "nouveau", "vfio-pci", 0, 412345, "",
		  "0000:01:00.0 nouveau -> vfio-pci, 0.41 s, NVIDIA GeForce RTX 3070" },
		{ RUN_APPLY, GPU, NULL, "vfio-pci", 0, 0, "",
		  "0000:01:00.0 no driver -> vfio-pci, 0.00 s, NVIDIA GeForce RTX 3070" },
		{ RUN_APPLY, GPU, "vfio-pci", "vfio-pci", 0, 12, "",
		  "0000:01:00.0 vfio-pci already, NVIDIA GeForce RTX 3070" },
		{ RUN_APPLY, GPU, "nouveau", "vfio-pci", 0, 123456789, "",
		  "0000:01:00.0 nouveau -> vfio-pci, 123.46 s, NVIDIA GeForce RTX 3070" },
		{ RUN_APPLY, GPU, "nouveau", "vfio-pci", -EBUSY, 1,
		  "cannot unbind it from 'nouveau': Device or resource busy",
		  "0000:01:00.0 nouveau -> vfio-pci FAILED: cannot unbind it from 'nouveau': "
		  "Device or resource busy (NVIDIA GeForce RTX 3070)" },
		/* it does not answer: it is not asked for its name */
		{ RUN_APPLY, GPU, "nouveau", "vfio-pci", -ETIMEDOUT, 30000000,
		  "not done within 30 s",
		  "0000:01:00.0 nouveau -> vfio-pci FAILED: not done within 30 s" },
		{ RUN_APPLY, GPU, "nouveau", "vfio-pci", -ECANCELED, 0, "not tried", NULL },
		{ RUN_APPLY, GPU, "nouveau", "vfio-pci", -EINPROGRESS, 5000000, "",
		  "0000:01:00.0 nouveau -> vfio-pci: not done after 5 s, still waiting" },
		{ RUN_REVERT, GPU, "nouveau", "vfio-pci", -EINPROGRESS, 10000000, "",
		  "0000:01:00.0 vfio-pci -> nouveau: not done after 10 s, still waiting" },
		{ RUN_REVERT, GPU, "nouveau", "vfio-pci", 0, 412345, "",
		  "0000:01:00.0 vfio-pci -> nouveau, 0.41 s, NVIDIA GeForce RTX 3070" },
		{ RUN_REVERT, GPU, NULL, "vfio-pci", 0, 10000, "",
		  "0000:01:00.0 vfio-pci -> no driver, 0.01 s, NVIDIA GeForce RTX 3070" },
		{ RUN_REVERT, GPU, "nouveau", "vfio-pci", 0, 1, "already there",
		  "0000:01:00.0 nouveau, already there, NVIDIA GeForce RTX 3070" },
		{ RUN_REVERT, GPU, "nouveau", "vfio-pci", -EIO, 1, "'nouveau' does not let it go",
		  "0000:01:00.0 vfio-pci -> nouveau FAILED: 'nouveau' does not let it go (NVIDIA "
		  "GeForce RTX 3070)" },
		{ RUN_REVERT, "0000:05:00.0", "nouveau", "vfio-pci", 0, 1, "no longer there",
		  "0000:05:00.0 nouveau, no longer there, a device that is gone" },
		{ RUN_APPLY, "10000:e1:00.0", "nvme", "vfio-pci", 0, 0, "",
		  "10000:e1:00.0 nvme -> vfio-pci, 0.00 s, [1234:5678]" },
		/* the name gives way, to 20 columns at the least */
		{ RUN_APPLY, "0000:02:00.0", "r8169", "vfio-pci", 0, 10000, "",
		  "0000:02:00.0 r8169 -> vfio-pci, 0.01 s, Realtek RTL8111/8168/8411 P..." },
		{ RUN_APPLY, "0000:02:00.0", "a_driver_with_a_long_name", "vfio-pci", 0, 10000, "",
		  "0000:02:00.0 a_driver_with_a_long_name -> vfio-pci, 0.01 s, Realtek "
		  "RTL8111/8..." },
	};

	build(*state);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_words(*state, ACTION_BIND, &rows[i]);
}

/* It has another driver now than the one before, which the line must not tell for it. */
static void test_left_to_another_driver(void **state)
{
	static const struct row row = { RUN_REVERT,
					GPU,
					"nouveau",
					"vfio-pci",
					0,
					1,
					"left to the driver it has been given since",
					"0000:01:00.0 left to the driver it has been given since, "
					"NVIDIA GeForce RT..." };

	build(*state);
	assert_words(*state, ACTION_BIND, &row);
}

static void test_other_actions(void **state)
{
	static const struct row modules[] = {
		{ RUN_APPLY, "vfio-pci", NULL, "loaded", 0, 120000, "",
		  "module vfio-pci loaded, 0.12 s" },
		{ RUN_APPLY, "vfio-pci", NULL, "loaded", -ENOENT, 1,
		  "the running kernel has no module 'vfio-pci'",
		  "load-module vfio-pci FAILED: the running kernel has no module 'vfio-pci'" },
		{ RUN_REVERT, "vfio-pci", NULL, "loaded", 0, 1, "stays loaded", NULL },
		{ RUN_APPLY, "vfio-pci", NULL, "loaded", -ECANCELED, 1, "not tried", NULL },
	};
	static const struct row reservations[] = {
		{ RUN_APPLY, GPU, NULL, "101", 0, 1, "", NULL },
		{ RUN_REVERT, GPU, NULL, "101", 0, 1, "no longer reserved", NULL },
		{ RUN_APPLY, GPU, NULL, "101", -EBUSY, 1, "0000:01:00.0 is in use by VM 102",
		  "reserve 0000:01:00.0 FAILED: 0000:01:00.0 is in use by VM 102" },
	};

	build(*state);
	for (size_t i = 0; i < COUNT(modules); i++)
		assert_words(*state, ACTION_LOAD_MODULE, &modules[i]);
	for (size_t i = 0; i < COUNT(reservations); i++)
		assert_words(*state, ACTION_RESERVE, &reservations[i]);
}

/* What is done to the host and to attributes, there and back. */
static void test_deeds(void **state)
{
	static const struct {
		enum action_type type;
		struct row row;
	} rows[] = {
		{ ACTION_STOP_UNIT,
		  { RUN_APPLY, "lightdm.service", "active", "inactive", 0, 1230000, "",
		    "lightdm.service stopped, 1.23 s" } },
		{ ACTION_STOP_UNIT,
		  { RUN_REVERT, "lightdm.service", "active", "inactive", 0, 10000, "",
		    "lightdm.service started, 0.01 s" } },
		{ ACTION_STOP_UNIT,
		  { RUN_APPLY, "lightdm.service", "active", "inactive", -ETIMEDOUT, 1,
		    "not done within 30 s",
		    "stop-unit lightdm.service FAILED: not done within 30 s" } },
		{ ACTION_RELEASE_CONSOLE,
		  { RUN_APPLY, "vtcon1", "1", "0", 0, 10000, "",
		    "text console vtcon1 released, 0.01 s" } },
		{ ACTION_RELEASE_CONSOLE,
		  { RUN_REVERT, "vtcon1", "1", "0", 0, 10000, "",
		    "text console vtcon1 taken up, 0.01 s" } },
		{ ACTION_RELEASE_CONSOLE,
		  { RUN_REVERT, "vtcon1", "1", "0", 0, 1, "no longer there",
		    "vtcon1: no longer there" } },
		{ ACTION_RELEASE_FRAMEBUFFER,
		  { RUN_APPLY, "efi-framebuffer.0", "efi-framebuffer", "none", 0, 10000, "",
		    "boot framebuffer efi-framebuffer.0 released, 0.01 s" } },
		{ ACTION_RELEASE_FRAMEBUFFER,
		  { RUN_REVERT, "efi-framebuffer.0", "efi-framebuffer", "none", 0, 10000, "",
		    "boot framebuffer efi-framebuffer.0 taken up, 0.01 s" } },
		{ ACTION_RELEASE_FRAMEBUFFER,
		  { RUN_REVERT, "efi-framebuffer.0", "efi-framebuffer", "none", 0, 1,
		    "dropped by the kernel until the next boot",
		    "efi-framebuffer.0: dropped by the kernel until the next boot" } },
		{ ACTION_UNLOAD_MODULE,
		  { RUN_APPLY, "nvidia_drm", "loaded", "unloaded", 0, 10000, "",
		    "module nvidia_drm unloaded, 0.01 s" } },
		{ ACTION_UNLOAD_MODULE,
		  { RUN_REVERT, "nvidia_drm", "loaded", "unloaded", 0, 10000, "",
		    "module nvidia_drm loaded, 0.01 s" } },
		{ ACTION_LOAD_MODULE,
		  { RUN_APPLY, "vfio-pci", NULL, "loaded", 0, 10000, "",
		    "module vfio-pci loaded, 0.01 s" } },
		{ ACTION_LOAD_MODULE, { RUN_REVERT, "vfio-pci", NULL, "loaded", 0, 1, "", NULL } },
		/* what nobody has asked for is told when it fails */
		{ ACTION_KEEP_ATTRIBUTE,
		  { RUN_APPLY, GPU "/power/control", "on", "any", 0, 1, "", NULL } },
		{ ACTION_KEEP_ATTRIBUTE,
		  { RUN_REVERT, GPU "/power/control", "on", "any", 0, 1, "", NULL } },
		{ ACTION_KEEP_ATTRIBUTE,
		  { RUN_REVERT, GPU "/power/control", "on", "any", -EIO, 1, "a sentence",
		    "keep-attribute " GPU "/power/control FAILED: a sentence" } },
		{ ACTION_KEEP_VFS,
		  { RUN_APPLY, GPU "/vfs", "0:mac=02:00:00:00:00:0f", "none", 0, 1, "", NULL } },
		{ ACTION_KEEP_VFS,
		  { RUN_REVERT, GPU "/vfs", "0:mac=02:00:00:00:00:0f", "none", 0, 10000, "",
		    GPU ": its virtual functions are set as before, 0.01 s" } },
		{ ACTION_KEEP_VFS,
		  { RUN_REVERT, GPU "/vfs", "0:mac=02:00:00:00:00:0f", "none", -EIO, 1,
		    "a sentence", "keep-vfs " GPU "/vfs FAILED: a sentence" } },
		{ ACTION_SET_VF,
		  { RUN_APPLY, GPU "/vf", VF_BEFORE, VF_WANTED, 0, 10000, "",
		    GPU
		    ": trust on, MAC address bc:24:11:00:00:01, VLAN 7 with priority 3 (802.1ad), "
		    "spoof check off, link state disable, at least 10 and at most 1000 Mbit/s, "
		    "0.01 s" } },
		{ ACTION_SET_VF,
		  { RUN_APPLY, GPU "/vf", VF_BEFORE, VF_WANTED, -EPERM, 10000, "a sentence",
		    "set-vf " GPU "/vf FAILED: a sentence" } },
		{ ACTION_SET_VF, { RUN_REVERT, GPU "/vf", VF_BEFORE, VF_WANTED, 0, 1, "", NULL } },
		{ ACTION_KEEP_VF, { RUN_APPLY, GPU "/vf", VF_BEFORE, VF_WANTED, 0, 1, "", NULL } },
		{ ACTION_KEEP_VF,
		  { RUN_REVERT, GPU "/vf", VF_BEFORE, VF_WANTED, 0, 10000, "",
		    GPU
		    ": trust off, no MAC address, no VLAN, spoof check on, link state auto, any "
		    "rate, as before, 0.01 s" } },
		{ ACTION_KEEP_VF,
		  { RUN_REVERT, GPU "/vf", VF_BEFORE, VF_WANTED, 0, 1, "no longer there",
		    GPU ": no longer there" } },
		{ ACTION_KEEP_ESWITCH,
		  { RUN_REVERT, GPU "/eswitch", "switchdev", "legacy", 0, 10000, "",
		    GPU ": mode of its switch legacy -> switchdev, 0.01 s" } },
		{ ACTION_SET_ATTRIBUTE,
		  { RUN_APPLY, GPU "/reset_method", "flr bus", "bus", 0, 10000, "",
		    GPU "/reset_method flr bus -> bus, 0.01 s" } },
		{ ACTION_SET_ATTRIBUTE,
		  { RUN_REVERT, GPU "/reset_method", "flr bus", "bus", 0, 10000, "",
		    GPU "/reset_method bus -> flr bus, 0.01 s" } },
		{ ACTION_SET_ATTRIBUTE,
		  { RUN_REVERT, GPU "/power/control", "auto", "on", 0, 1,
		    "left as it has been set since",
		    GPU "/power/control: left as it has been set since" } },
		{ ACTION_SET_ATTRIBUTE,
		  { RUN_APPLY, GPU "/power/control", "auto", "on", -EIO, 1, "a sentence",
		    "set-attribute " GPU "/power/control FAILED: a sentence" } },
		{ ACTION_SET_ATTRIBUTE,
		  { RUN_APPLY, GPU "/power/control", "auto", "on", -ECANCELED, 1, "not tried",
		    NULL } },
		{ ACTION_RESCAN, { RUN_APPLY, GPU "/remove", NULL, "vfio-pci", 0, 1, "", NULL } },
		{ ACTION_RESCAN,
		  { RUN_REVERT, GPU "/remove", NULL, "vfio-pci", 0, 510000, "",
		    GPU ": removed, and found again, 0.51 s" } },
		{ ACTION_RESIZE_BAR,
		  { RUN_APPLY, GPU "/resource1_resize", "256", "8192", 0, 10000, "",
		    GPU "/resource1_resize, MiB: 256 -> 8192, 0.01 s" } },
		{ ACTION_RESIZE_BAR,
		  { RUN_REVERT, GPU "/resource1_resize", "256", "8192", 0, 10000, "",
		    GPU "/resource1_resize, MiB: 8192 -> 256, 0.01 s" } },
	};

	build(*state);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_words(*state, rows[i].type, &rows[i].row);
}

/* Before anything is done; of a binding the plan's list of devices tells. */
static void test_planned(void **state)
{
	static const struct {
		enum action_type type;
		const char *target, *before, *wanted, *words;
	} rows[] = {
		{ ACTION_RESERVE, GPU, NULL, "101", NULL },
		{ ACTION_STOP_UNIT, "lightdm.service", "active", "inactive",
		  "lightdm.service stopped" },
		{ ACTION_RELEASE_CONSOLE, "vtcon1", "1", "0", "text console vtcon1 released" },
		{ ACTION_RELEASE_FRAMEBUFFER, "efi-framebuffer.0", "efi-framebuffer", "none",
		  "boot framebuffer efi-framebuffer.0 released" },
		{ ACTION_UNLOAD_MODULE, "nvidia_drm", "loaded", "unloaded",
		  "module nvidia_drm unloaded" },
		{ ACTION_LOAD_MODULE, "vfio-pci", NULL, "loaded", NULL },
		{ ACTION_KEEP_ATTRIBUTE, GPU "/power/control", "on", "any", NULL },
		{ ACTION_SET_ATTRIBUTE, GPU "/reset_method", "flr bus", "bus",
		  GPU "/reset_method flr bus -> bus" },
		{ ACTION_BIND, GPU, "nouveau", "vfio-pci", NULL },
		{ ACTION_RESCAN, GPU "/remove", NULL, "vfio-pci", NULL },
		{ ACTION_RESIZE_BAR, GPU "/resource1_resize", "256", "8192",
		  GPU "/resource1_resize, MiB: 256 -> 8192" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *words = NULL;
		struct action action = { 0 };

		assert_int_equal(action_make(rows[i].type, rows[i].target, rows[i].before,
					     rows[i].wanted, "hostpci0", &action),
				 0);
		words = words_planned(&action);
		action_done(&action);
		assert_text(words, rows[i].words);
	}
}

static void test_name(void **state)
{
	static const struct {
		const char *address, *name;
	} rows[] = {
		{ GPU, "NVIDIA GeForce RTX 3070" },
		{ "10000:e1:00.0", "[1234:5678]" },
		{ "0000:05:00.0", "a device that is gone" },
		{ "garbage", "a device that is gone" },
	};
	cleanup_pci_names struct pci_names names = { 0 };
	cleanup_free char *refused = NULL;
	const struct tree *tree = *state;

	build(tree);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *name = words_name(&names, &tree->root, rows[i].address);

		assert_string_equal(name, rows[i].name);
	}
	/* what cannot be read is not gone */
	tree_refuse(*state, "sys/bus/pci/devices/" GPU, 1, -EIO);
	refused = words_name(&names, &tree->root, GPU);
	assert_text(refused, "a device that cannot be read: Input/output error");
}

static void add(struct findings *findings, enum check_id id, const char *subject,
		const char *evidence)
{
	assert_int_equal(finding_add(findings, id, subject, "%s", evidence), 0);
}

/* Errors first, whatever the order in which they were found. */
static void test_findings(void **state)
{
	cleanup_findings struct findings findings = { 0 };
	cleanup_free char *none = words_findings(&findings, 0, WORDS_WIDTH), *words = NULL;

	(void)state;
	assert_string_equal(none, "");
	add(&findings, CHECK_CONFIG_UNKNOWN_KEY, "hostpci0", "The key 'future' is not known.");
	add(&findings, CHECK_DEVICE_ABSENT, "hostpci1",
	    "There is no PCI device '05:00' (/etc/pve/qemu-server/101.conf, line 2).");
	add(&findings, CHECK_DEVICE_HELD, GPU, "Process 4711 (kvm) has its IOMMU group 14 open.");
	findings.items[2].allowed = true;
	words = words_findings(&findings, 0, WORDS_WIDTH);
	assert_string_equal(
		words, "error hostpci1 [device-absent]:\n"
		       "  There is no PCI device '05:00' (/etc/pve/qemu-server/101.conf, line\n"
		       "  2).\n"
		       "  What to do: Look the device up with 'lspci -D' (another card can\n"
		       "  renumber buses) and correct the address, or delete the line.\n"
		       "error 0000:01:00.0 [device-held], allowed:\n"
		       "  Process 4711 (kvm) has its IOMMU group 14 open.\n"
		       "  What to do: Shut that VM down ('qm shutdown VMID').\n"
		       "warning hostpci0 [config-unknown-key]:\n"
		       "  The key 'future' is not known.\n"
		       "  What to do: Check the spelling of the key; update pve-vfio if it is\n"
		       "  a new one.\n");
}

/* A line that is longer is one word, which is not cut: it may be an address to copy. */
static void assert_width(const char *words, size_t most)
{
	for (const char *line = words; *line;) {
		size_t size = strcspn(line, "\n"), blanks = strspn(line, " ");

		if (size > most && blanks + words_piece(line + blanks) < size)
			fail_msg("%zu columns: '%.*s'", size, (int)size, line);
		assert_int_equal(line[size], '\n'); /* each is ended */
		line += size + 1;
	}
}

/* Every check with its own remedy, and evidence of every length. */
static void test_width(void **state)
{
	(void)state;
	for (unsigned id = 0; id < CHECK_COUNT; id++) {
		for (unsigned size = 1; size < 300; size += 7) {
			cleanup_findings struct findings findings = { 0 };
			cleanup_free char *words = NULL;
			char evidence[301];

			for (unsigned i = 0; i < size; i++)
				evidence[i] = i % (3 + id) == 2 ? ' ' : 'x';
			evidence[size] = '\0';
			add(&findings, (enum check_id)id, "0000:01:00.0", evidence);
			words = words_findings(&findings, 0, WORDS_WIDTH);
			assert_width(words, WORDS_WIDTH);
		}
	}
}

/* Words of a person that are wider than a line, and the widest subjects there are. */
static void test_width_of_long_words(void **state)
{
	cleanup_findings struct findings findings = { 0 };
	cleanup_free char *words = NULL;
	char word[201];

	(void)state;
	memset(word, 'x', 200);
	word[200] = '\0';
	add(&findings, CHECK_CONFIG_LINE_DROPPED, "/etc/pve/qemu-server/999999999.conf, line 1234",
	    word);
	words = words_findings(&findings, 0, WORDS_WIDTH);
	assert_width(words, WORDS_WIDTH);
	assert_non_null(strstr(words, word));
}

/* What somebody may copy is in one line, whatever comes of its width. */
static void test_pieces(void **state)
{
	static const struct {
		const char *words, *piece;
	} rows[] = {
		{ "one two", "one" },
		{ "", "" },
		{ "'qm set 100 --delete vmstate'. The guest", "'qm set 100 --delete vmstate'." },
		{ "('cat /sys/x') and", "('cat /sys/x')" },
		{ "'qm set 1 --args \"-device 'a b'\"'; or",
		  "'qm set 1 --args \"-device 'a b'\"';" },
		{ "'BAR 0: can't reserve' is", "'BAR 0: can't reserve'" },
		{ "'tis no quotation", "'tis" },
		{ "\"devices\": {\"0000:01:00.0\": {\"d3cold\": false}} in",
		  "\"devices\": {\"0000:01:00.0\": {\"d3cold\": false}}" },
		{ "\"allow\": [\"a\", \"b\"], and", "\"allow\": [\"a\", \"b\"]," },
		{ "\"driver\": \"auto\" in", "\"driver\": \"auto\"" },
		{ "\"open\": {\"never closed\"", "\"open\":" },
		{ "\"resize_bar\" makes", "\"resize_bar\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char piece[100];

		snprintf(piece, sizeof(piece), "%.*s", (int)words_piece(rows[i].words),
			 rows[i].words);
		assert_string_equal(piece, rows[i].piece);
	}
}

static void test_wrap_keeps_commands(void **state)
{
	struct text text = { 0 };
	char *words;

	(void)state;
	words_wrap(&text, 30, "First:", "  ",
		   "remove it: 'qm set 101 --delete hostpci0,hostpci1', and go on");
	words = text_take(&text);
	assert_string_equal(words, "First: remove it:\n"
				   "   'qm set 101 --delete hostpci0,hostpci1',\n"
				   "   and go on\n");
	free(words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_wrap_keeps_commands),
		tree_test(test_bind),
		tree_test(test_left_to_another_driver),
		tree_test(test_other_actions),
		tree_test(test_deeds),
		cmocka_unit_test(test_planned),
		tree_test(test_name),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_width_of_long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
