/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: check/safety.c: who could be passed, and why not. */
#include "start.h"

#include "doctor/safety.h"

#define VF   "0000:02:10.0"
#define CARD "devices/pci0000:00/" GPU "/drm/card0"

/* "PASS: WHY; USE; USE": what is told of a function. */
static void assert_judged(const struct machine *machine, const char *address, const char *words)
{
	cleanup_pve_node struct pve_node node = { .root = &machine->tree.root };
	cleanup_safeties struct safeties safeties = { 0 };
	struct error err = { 0 };
	struct text text = { 0 };
	char *found;

	if (pve_node_read(&node, &err) != 0 || safeties_judge(&node, &safeties, &err) != 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < safeties.count; i++) {
		const struct safety *safety = &safeties.items[i];

		if (strcmp(node.inventory.items[i].device.name, address) != 0)
			continue;
		text_add(&text, "%s: %s", pass_name(safety->pass), safety->why ? safety->why : "");
		for (size_t k = 0; k < safety->uses.count; k++)
			text_add(&text, "; %s", safety->uses.items[k]);
		if (safety->holder)
			text_add(&text, " (%u)", safety->holder);
	}
	found = text_take(&text);
	assert_string_equal(found, words);
	free(found);
}

/* So that no owner, no network and no disk is the matter. */
static void build(const struct machine *machine)
{
	const struct tree *tree = &machine->tree;

	tree_folder(tree, "proc");
	tree_file(tree, "proc/net/unix", "ffff: 2 0 10000 0001 01 1 @/var/lib/lxc/200/command\n");
}

static void test_alone(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(machine);
	assert_judged(machine, NIC, "yes: ");
	assert_judged(machine, GPU, "with its group: " AUDIO);
	assert_judged(machine, PORT, "no: it is a bridge: pass what is behind it");

	tree_file(tree, "sys/kernel/iommu_groups/15/type", "DMA\n");
	tree_file(tree, "sys/kernel/iommu_groups/15/reserved_regions",
		  "0x00000000fee00000 0x00000000feefffff msi\n");
	assert_judged(machine, NIC, "yes: ");
	tree_file(tree, "sys/kernel/iommu_groups/15/reserved_regions",
		  "0x000000007d000000 0x000000007dffffff direct\n");
	tree_file(tree, "proc/sys/kernel/osrelease", "6.5.13-6-pve\n");
	assert_judged(machine, NIC, "yes: ");
	tree_file(tree, "proc/sys/kernel/osrelease", "6.8.12-4-pve\n");
	assert_judged(machine, NIC, "no: the firmware has reserved memory for it");
	tree_remove(tree, "sys/kernel/iommu_groups/15");
	tree_remove(tree, "sys/devices/pci0000:00/" NIC "/iommu_group");
	assert_judged(machine, NIC, "no: it is in no IOMMU group");
}

/* What forbids one function forbids the others of its group, with the reason. */
static void test_group(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;
	char dead[64];

	build(machine);
	memset(dead, 0xff, sizeof(dead));
	tree_bytes(tree, "sys/devices/pci0000:00/" AUDIO "/config", dead, sizeof(dead));
	assert_judged(machine, AUDIO, "no: it does not answer");
	assert_judged(machine, GPU, "no: its group has " AUDIO ": it does not answer");
	assert_judged(machine, NIC, "yes: ");
}

static void test_vms(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(machine);
	tree_config(tree, 101, "hostpci3: 02:00.0\n");
	assert_judged(machine, NIC, "yes: ; hostpci3 of VM 101, which does not run");
	machine_other_vm(machine, 101, JOURNAL_READY, NIC, ACTION_DONE);
	tree_bind(tree, NIC, "vfio-pci");
	assert_judged(machine, NIC,
		      "no: VM 101 has it (hostpci3 there; its journal says 'ready'); VM 101 has it "
		      "(hostpci3 there; its journal says 'ready'); hostpci3 of VM 101, which does "
		      "not run (101)");
	tree_process(tree, 4242, "kvm", 101);
	tree_process_opens(tree, 4242, 20, "/dev/vfio/15");
#define HELD "VM 101 (process 4242) has /dev/vfio/15 open"
#define BOTH HELD ", and its journal says 'ready' (hostpci3 there)"
	assert_judged(machine, NIC,
		      "no: VM 101, which runs, has it; " BOTH
		      "; hostpci3 of VM 101, which runs (101)");
	/* its configuration may say something else by now */
	tree_config(tree, 101, "name: other\n");
	assert_judged(machine, NIC, "no: " BOTH "; " BOTH " (101)");
	/* and its journal may be gone */
	tree_remove(tree, "run/pve-vfio/101.json");
	assert_judged(machine, NIC, "no: " HELD "; " HELD);
}

/* A container that may use the node is told; one that runs and is given it forbids. */
static void test_containers(void **state)
{
	static const struct {
		const char *file, *line, *words;
	} rows[] = {
		{ "200", "hostname: a", "with its group: " AUDIO },
		{ "200", "dev0: /dev/dri/card0",
		  "no: container 200, which runs, has the line 'dev0: /dev/dri/card0'; container "
		  "200, which runs, has the line 'dev0: /dev/dri/card0'" },
		{ "201", "dev0: /dev/dri/card0",
		  "with its group: " AUDIO "; container 201, which does not run, has the line "
		  "'dev0: /dev/dri/card0'" },
		{ "200", "arch: amd64\nlxc.cgroup2.devices.allow: c 226:* rwm",
		  "no: container 200, which runs, has the line 'lxc.cgroup2.devices.allow: c 226:* "
		  "rwm'; container 200, which runs, has the line 'lxc.cgroup2.devices.allow: c "
		  "226:* rwm'" },
		{ "200", "lxc.cgroup2.devices.allow: a",
		  "with its group: " AUDIO "; container 200, which runs, has the line "
		  "'lxc.cgroup2.devices.allow: a'" },
		{ "200", "lxc.mount.entry: /dev/dri dev/dri none bind,optional,create=dir",
		  "no: container 200, which runs, has the line 'lxc.mount.entry: /dev/dri dev/dri "
		  "none bind,optional,create=dir'; container 200, which runs, has the line "
		  "'lxc.mount.entry: /dev/dri dev/dri none bind,optional,create=dir'" },
	};
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(machine);
	tree_file(tree, "sys/" CARD "/uevent", "MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\n");
	tree_link(tree, "sys/dev/char/226:0", "../../" CARD);
	tree_link(tree, "sys/class/drm/card0", "../../" CARD);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char path[PATH_MAX];

		tree_format(path, "etc/pve/lxc/%s.conf", rows[i].file);
		tree_file(tree, path, "%s\n", rows[i].line);
		assert_judged(machine, GPU, rows[i].words);
		tree_remove(tree, path);
	}
}

/* A desktop on the card is a use; whether it may be ended is the administrator's to say. */
static void test_openers(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(machine);
	tree_file(tree, "sys/" CARD "/uevent", "MAJOR=226\nMINOR=0\nDEVNAME=dri/card0\n");
	tree_link(tree, "sys/class/drm/card0", "../../" CARD);
	tree_process(tree, 77, "Xorg", 0);
	tree_process_opens(tree, 77, 5, "/dev/dri/card0");
	assert_judged(machine, GPU,
		      "with its group: " AUDIO "; process 77 (Xorg) has /dev/dri/card0 open");
	/* not asked where a VM has it */
	tree_bind(tree, GPU, "vfio-pci");
	assert_judged(machine, GPU, "with its group: " AUDIO);
}

/* Taking the physical function would take the virtual ones from whoever has them. */
static void test_physical_function(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	build(machine);
	tree_add_device(tree, &(struct tree_device){ VF, .driver = "igbvf", .group = 16 });
	tree_link(tree, "sys/devices/pci0000:00/" VF "/physfn", "../" NIC);
	tree_link(tree, "sys/devices/pci0000:00/" NIC "/virtfn0", "../" VF);
	tree_attribute(tree, NIC, "sriov_totalvfs", "7");
	tree_attribute(tree, NIC, "sriov_numvfs", "1");
	assert_judged(machine, NIC, "yes: ");
	tree_bind(tree, VF, "vfio-pci");
	assert_judged(machine, NIC,
		      "no: its virtual function " VF
		      " is a VM's, or may be; its virtual function " VF " is a VM's, or may be");
}

/* ---- the node, of which parts cannot be read */

static void assert_faults(const struct machine *machine, size_t vms, const char *faults)
{
	cleanup_pve_node struct pve_node node = { .root = &machine->tree.root };
	struct error err = { 0 };
	struct text text = { 0 };
	char *found;

	if (pve_node_read(&node, &err) != 0)
		fail_msg("%s", err.message);
	assert_int_equal(node.vm_count, vms);
	for (size_t i = 0; i < node.faults.count; i++)
		text_add(&text, "%s\n", node.faults.items[i]);
	found = text_take(&text);
	assert_string_equal(found, faults);
	free(found);
}

static void test_faults(void **state)
{
	struct machine *machine = *state;
	const struct tree *tree = &machine->tree;

	assert_faults(machine, 0, "");
	tree_config(tree, 101, "hostpci0: 02:00.0\n");
	tree_file(tree, "etc/pve/qemu-server/101.conf.tmp.1", "%s", "");
	tree_file(tree, "etc/pve/qemu-server/.conf", "%s", "");
	tree_file(tree, "etc/pve/qemu-server/x.conf", "%s", "");
	assert_faults(machine, 1, "");

	/* one that cannot be read hides no other */
	tree_folder(tree, "etc/pve/qemu-server/102.conf");
	tree_link(tree, "etc/pve/qemu-server/103.conf", "gone");
	assert_faults(machine, 1, "cannot read /etc/pve/qemu-server/102.conf: Is a directory\n");
	tree_remove(tree, "etc/pve/qemu-server/102.conf");
	tree_folder(tree, "etc/pve/mapping/pci.cfg");
	tree_file(tree, "run/pve-vfio/102.json", "{}");
	assert_faults(machine, 1,
		      "cannot read /etc/pve/mapping/pci.cfg: Is a directory\n"
		      "/run/pve-vfio/102.json cannot be understood: 'format' is missing or not a "
		      "number from 0 to 2147483647\n");
	tree_remove(tree, "etc/pve");
	tree_remove(tree, "run/pve-vfio");
	assert_faults(machine, 0, "");
}

/* A state directory that is not root's alone is not looked into. */
static void test_hidden_journals(void **state)
{
	struct machine *machine = *state;
	cleanup_pve_node struct pve_node node = { .root = &machine->tree.root };
	char path[PATH_MAX];

	tree_file(&machine->tree, "run/pve-vfio/102.json", "{}");
	tree_path(&machine->tree, "run/pve-vfio", path);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(pve_node_read(&node, &machine->err), 0);
	assert_true(node.journals_hidden);
	assert_int_equal(node.journals.count, 0);
}

/* In an image nothing runs, and nothing says what would. */
static void test_image(void **state)
{
	struct machine *machine = *state;
	cleanup_pve_node struct pve_node node = { .root = &machine->tree.root };

	tree_remove(&machine->tree, "proc");
	assert_int_equal(pve_node_read(&node, &machine->err), 0);
	assert_string_equal(node.name, "localhost");
	assert_string_equal(node.release, "");
	assert_string_equal(node.command_line, "");
	assert_int_equal(node.kernel.major, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_alone),   machine_test(test_group),
		machine_test(test_vms),	    machine_test(test_containers),
		machine_test(test_openers), machine_test(test_physical_function),
		machine_test(test_faults),  machine_test(test_hidden_journals),
		machine_test(test_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
