/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/start.c and check/finding.c. */
#include "start.h"

#include <ctype.h>

#include "report/words.h"

/* Ids stand in scripts and settings: written as they are now, once each, with something to do. */
static void test_descriptions(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		const struct check_description *check = check_describe((enum check_id)i);
		enum check_id parsed;

		assert_non_null(check->id);
		for (const char *c = check->id; *c; c++)
			assert_row(check->id, islower((unsigned char)*c) ||
						      isdigit((unsigned char)*c) || *c == '-');
		assert_row(check->id, strlen(check->meaning) > 10);
		assert_row(check->id, strlen(check->remedy) > 10);
		assert_row(check->id, check->remedy[strlen(check->remedy) - 1] == '.');
		assert_row(check->id, check->level == LEVEL_ERROR ||
					      check->level == LEVEL_WARNING ||
					      check->level == LEVEL_INFO);
		assert_row(check->id, check_id_parse(check->id, &parsed) == 0);
		assert_row(check->id, parsed == (enum check_id)i);
	}
}

static void test_ids(void **state)
{
	enum check_id id = CHECK_COUNT;

	(void)state;
	assert_int_equal(check_id_parse("device-owned", &id), 0);
	assert_int_equal(id, CHECK_DEVICE_OWNED);
	assert_true(check_id_parse("device-owne", &id) < 0);
	assert_true(check_id_parse("", &id) < 0);
	assert_true(check_id_parse("Device-owned", &id) < 0);
	assert_string_equal(check_id_nearest("device-owner"), "device-owned");
	assert_string_equal(check_id_nearest("iommu"), "iommu-off");
	assert_string_equal(check_level_name(LEVEL_ERROR), "error");
	assert_string_equal(check_level_name(LEVEL_WARNING), "warning");
	assert_string_equal(check_level_name(LEVEL_INFO), "info");
}

static void test_findings(void **state)
{
	cleanup_findings struct findings findings = { 0 };

	(void)state;
	assert_int_equal(findings_count(&findings, LEVEL_ERROR), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(finding_add(&findings, CHECK_DEVICE_ABSENT, "hostpci0", "%u.", i),
				 0);
	assert_int_equal(finding_add(&findings, CHECK_CONFIG_UNKNOWN_KEY, "hostpci0", "x."), 0);
	assert_int_equal(findings.count, 21);
	assert_string_equal(findings.items[19].evidence, "19.");
	assert_int_equal(findings_count(&findings, LEVEL_ERROR), 20);
	assert_int_equal(findings_count(&findings, LEVEL_WARNING), 1);
	assert_int_equal(findings_count(&findings, LEVEL_INFO), 0);
	findings.items[0].allowed = true;
	assert_int_equal(findings_count(&findings, LEVEL_ERROR), 19);
}

/* A finding's own remedy and level count in place of the table's. */
static void test_advice_of_its_own(void **state)
{
	cleanup_findings struct findings findings = { 0 };

	(void)state;
	assert_int_equal(finding_add(&findings, CHECK_NO_RESET, "0000:01:00.0", "None."), 0);
	assert_string_equal(finding_remedy(&findings.items[0]),
			    check_describe(CHECK_NO_RESET)->remedy);
	assert_int_equal(finding_advise(&findings, "Run 'qm shutdown %u'.\x1b", 101), 0);
	assert_int_equal(finding_advise(&findings, "Run 'qm shutdown %u'.\x1b", 102), 0);
	assert_string_equal(finding_remedy(&findings.items[0]), "Run 'qm shutdown 102'.?");
	assert_int_equal(findings_count(&findings, LEVEL_WARNING), 1);
	finding_set_level(&findings, LEVEL_ERROR);
	assert_int_equal(findings_count(&findings, LEVEL_WARNING), 0);
	assert_int_equal(findings_count(&findings, LEVEL_ERROR), 1);
}

/* What is quoted can hold anything, and a terminal obeys control characters. */
static void test_control_characters(void **state)
{
	static const struct {
		const char *text, *evidence;
	} rows[] = {
		{ "a\x1b[2Jb", "a?[2Jb" },
		{ "\x01\x02\t\n\r\x1f", "??????" },
		{ "a\x7f", "a?" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		  "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "caf\xe9", "caf\xe9" },
		{ "\xc2\x9b"
		  "2J\xc2\x80\xc2\xa0",
		  "?2J?\xc2\xa0" },
		{ "\x9b"
		  "2J",
		  "?2J" },
		{ " ~", " ~" },
		{ "", "" },
	};
	cleanup_findings struct findings findings = { 0 };
	cleanup_strings struct strings list = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(finding_add(&findings, CHECK_DEVICE_ABSENT, "hostpci0", "%s",
					     rows[i].text),
				 0);
		assert_string_equal(findings.items[i].evidence, rows[i].evidence);
	}
	strings_add(&list, "a\033");
	strings_add(&list, "b");
	assert_int_equal(finding_add_list(&findings, CHECK_NODE_IN_USE, "hostpci0", &list), 0);
	assert_string_equal(findings.items[COUNT(rows)].evidence, "a?; b.");
}

/* A line that PVE drops is quoted as it stands in the file. */
static void test_control_characters_of_a_line(void **state)
{
	struct machine *machine = *state;
	cleanup_free char *words = NULL;

	machine_prepare(machine, "hostpci0: 01:00\x1b[2J\x07,pcie=\x7f\xc3\xbc\n");
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_true(machine->findings.count >= 1);
	words = words_findings(&machine->findings, 0, WORDS_WIDTH);
	assert_non_null(strstr(words, "[config-line-dropped]"));
	assert_non_null(strstr(words, "\xc3\xbc"));
	for (const char *c = words; *c; c++)
		assert_true((unsigned char)*c >= ' ' || *c == '\n');
	assert_null(strchr(words, 0x7f));
}

/* All problems at once, of every topic. */
static void test_run(void **state)
{
	struct machine *machine = *state;

	assert_found(machine, check_start_run, "hostpci0: 02:00.0\n", "");
	machine_other_vm(machine, 102, JOURNAL_RUNNING, NIC, ACTION_DONE);
	assert_found(machine, check_start_run,
		     "hostpci0: 02:00.0,romfile=nosuch.rom\nhostpci1: 05:00\nhostpci2: 00:01.0\n",
		     "device-absent hostpci1: There is no PCI device '05:00' "
		     "(/etc/pve/qemu-server/101.conf, line 2).\n"
		     "device-bridge 0000:00:01.0: hostpci2 asks for it, and it is a PCI bridge "
		     "(class 060400).\n"
		     "device-owned 0000:02:00.0: VM 102 has it (hostpci3 there; its journal says "
		     "'running').\n"
		     "romfile hostpci0: QEMU cannot use the option ROM "
		     "'/usr/share/kvm/nosuch.rom': No such file or directory.\n");
	assert_int_equal(findings_count(&machine->findings, LEVEL_ERROR), 4);
	/* a template asks for nothing */
	assert_found(machine, check_start_run,
		     "hostpci0: 02:00.0,romfile=nosuch.rom\nhostpci1: 05:00\ntemplate: 1\n", "");
}

static bool has_finding(const struct machine *machine, enum check_id id)
{
	for (size_t i = 0; i < machine->findings.count; i++)
		if (machine->findings.items[i].id == id)
			return true;
	return false;
}

/* Everything that is wrong with a device of the host, each of another topic. */
static void spoil(const struct machine *machine)
{
	const struct tree *tree = &machine->tree;

	tree_file(tree, "sys/devices/pci0000:00/" GPU "/nvme/nvme0/nvme0n1/dev", "259:0\n");
	tree_link(tree, "sys/class/block/nvme0n1",
		  "../../devices/pci0000:00/" GPU "/nvme/nvme0/nvme0n1");
	tree_file(tree, "proc/1/mountinfo", "36 35 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	tree_file(tree, "sys/devices/pci0000:00/" GPU "/drm/card0/uevent", "DEVNAME=dri/card0\n");
	tree_link(tree, "sys/class/drm/card0", "../../devices/pci0000:00/" GPU "/drm/card0");
	tree_process(tree, 10, "Xorg", 0);
	tree_process_opens(tree, 10, 3, "/dev/dri/card0");
	tree_attribute(tree, GPU, "reset_method", "");
	tree_file(tree, "etc/pve/pve-vfio/101.json",
		  "{\"siblings\": \"refuse\", \"pins\": {\"" GPU
		  "\": {\"id\": \"15b3:1017\", \"class\": \"020000\"}}}\n");
	machine_other_vm(machine, 102, JOURNAL_RUNNING, AUDIO, ACTION_DONE);
}

/* What Proxmox VE will not choose is left alone, so nothing that is wrong with it refuses a start. */
static void test_other_alternative(void **state)
{
	static const char line[] = "hostpci0: mapping=both\n";
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	tree_attribute(tree, NIC, "subsystem_vendor", "0x0001");
	tree_attribute(tree, NIC, "subsystem_device", "0x0001");
	tree_attribute(tree, GPU, "subsystem_vendor", "0x0001");
	tree_attribute(tree, GPU, "subsystem_device", "0x0001");
	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "both\n"
		  "\tmap id=8086:10d3,subsystem-id=0001:0001,iommugroup=15,node=pve1,path=" NIC "\n"
		  "\tmap id=10de:2484,subsystem-id=0001:0001,iommugroup=14,node=pve1,path=" GPU
		  "\n\n");
	spoil(machine);
	assert_found(machine, check_start_run, line, "");
	assert_true(plan_has_device(&machine->start.plan,
				    (struct pci_address){ .bus = 1, .function = 1 }));

	/* the same devices, when they are the ones it will choose */
	tree_file(tree, "etc/pve/mapping/pci.cfg",
		  "both\n"
		  "\tmap id=10de:2484,subsystem-id=0001:0001,iommugroup=14,node=pve1,path=" GPU "\n"
		  "\tmap id=8086:10d3,subsystem-id=0001:0001,iommugroup=15,node=pve1,path=" NIC
		  "\n\n");
	machine_prepare(machine, line);
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err), 0);
	for (size_t i = 0; i < machine->findings.count; i++)
		assert_string_not_equal(machine->findings.items[i].subject, NIC);
	assert_true(has_finding(machine, CHECK_STORAGE_IN_USE));
	assert_true(has_finding(machine, CHECK_NODE_IN_USE));
	assert_true(has_finding(machine, CHECK_GROUP_SIBLINGS));
	assert_true(has_finding(machine, CHECK_DEVICE_OWNED));
	assert_true(has_finding(machine, CHECK_NO_RESET));
}

static void test_allow(void **state)
{
	struct machine *machine = *state;

	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json", "{\"allow\": [\"romfile\"]}\n");
	machine_prepare(machine, "hostpci0: 02:00.0,romfile=nosuch.rom\nhostpci1: 05:00\n");
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 2);
	assert_int_equal(machine->findings.items[0].id, CHECK_DEVICE_ABSENT);
	assert_false(machine->findings.items[0].allowed);
	assert_int_equal(machine->findings.items[1].id, CHECK_ROMFILE);
	assert_true(machine->findings.items[1].allowed);
	assert_int_equal(findings_count(&machine->findings, LEVEL_ERROR), 1);

	/* one that is none would make its author think that something is allowed */
	tree_file(&machine->tree, "etc/pve/pve-vfio/101.json", "{\"allow\": [\"rom-file\"]}\n");
	machine_prepare(machine, "hostpci0: 02:00.0\n");
	assert_int_equal(check_start_run(&machine->start, &machine->findings, &machine->err),
			 -EBADMSG);
	assert_string_equal(machine->err.message, "the settings of VM 101 allow 'rom-file', which "
						  "is not a check; did you mean 'romfile'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_advice_of_its_own),
		cmocka_unit_test(test_control_characters),
		machine_test(test_control_characters_of_a_line),
		machine_test(test_run),
		machine_test(test_other_alternative),
		machine_test(test_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
