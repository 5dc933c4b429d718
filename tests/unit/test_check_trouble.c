/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: check/trouble.c, and each entry of share/quirks.json: a machine on which it fires, and one
 * close to it on which it is silent. An entry without both fails test_each_entry().
 */
#include "start.h"

#include "check/quirks.h"
#include "report/words.h"

/* A function at CARD; what is not said is a Proxmox VE 8 kernel and a VM with a plain line for it. */
struct row {
	const char *id;
	bool fires;
	uint16_t vendor, device;
	uint32_t class_code;
	const char *driver;	/* NULL: none */
	const char *release;	/* NULL: 6.8.12-4-pve */
	const char *config;	/* NULL: "hostpci0: 05:00" */
	const char *module;	/* that is loaded */
	const char *attributes; /* "NAME=VALUE\n..." of the function; "physfn" makes it virtual */
	const char *cmdline;
	const char *firmware; /* "NAME=VALUE\n..." */
	const char *package;  /* "NAME VERSION" that is installed */
};

#define CARD "0000:05:00.0"

static const struct row rows[] = {
	{ "vf-permission-6.8.12-12", true, 0x8086, 0x1889, 0x020000, .driver = "iavf",
	  .attributes = "physfn=", .release = "6.8.12-13-pve" },
	{ "vf-permission-6.8.12-12", true, 0x8086, 0x46d1, 0x030000,
	  .attributes = "physfn=", .release = "6.14.8-1-bpo12-pve" },
	{ "vf-permission-6.8.12-12", false, 0x8086, 0x1889, 0x020000,
	  .attributes = "physfn=", .release = "6.8.12-11-pve" },
	{ "vf-permission-6.8.12-12", false, 0x8086, 0x1889, 0x020000,
	  .attributes = "physfn=", .release = "6.14.8-2-pve" },
	{ "vf-permission-6.8.12-12", false, 0x8086, 0x1889, 0x020000, .release = "6.8.12-13-pve" },
	{ "i915-vf-flr-7.0", true, 0x8086, 0x7d67, 0x030000, .module = "i915",
	  .attributes = "physfn=", .release = "7.0.14-14-pve" },
	{ "i915-vf-flr-7.0", false, 0x8086, 0x7d67, 0x030000, .module = "xe",
	  .attributes = "physfn=", .release = "7.0.14-14-pve" },
	{ "intel-kabylake-flr", true, 0x8086, 0x5912, 0x030000, .driver = "i915" },
	{ "intel-kabylake-flr", false, 0x8086, 0x5916, 0x030000, .driver = "i915" },
	{ "intel-cometlake-flr", true, 0x8086, 0x9bc5, 0x030000, .driver = "i915" },
	{ "intel-cometlake-flr", false, 0x8086, 0x46d1, 0x030000, .driver = "i915" },
	{ "arc-b60-rebar", true, 0x8086, 0xe211, 0x030000, .driver = "xe" },
	{ "arc-b60-rebar", false, 0x8086, 0xe20b, 0x030000, .driver = "xe" },
	{ "dma-map-22", true, 0x10de, 0x2b85, 0x030000, .driver = "nvidia" },
	{ "dma-map-22", false, 0x10de, 0x2684, 0x030000, .driver = "nvidia" },
	{ "amd-reset-polaris", true, 0x1002, 0x67df, 0x030000, .driver = NULL },
	{ "amd-reset-polaris", false, 0x1002, 0x67df, 0x030000, .module = "vendor_reset" },
	{ "amd-reset-vega", true, 0x1002, 0x687f, 0x030000, .driver = NULL },
	{ "amd-reset-vega", false, 0x1002, 0x7300, 0x030000, .driver = NULL },
	{ "amd-reset-navi", true, 0x1002, 0x731f, 0x030000, .driver = NULL },
	{ "amd-reset-navi", false, 0x1002, 0x73bf, 0x030000, .driver = NULL },
	{ "vendor-reset-method", true, 0x1002, 0x67df, 0x030000, .module = "vendor_reset" },
	{ "vendor-reset-method", false, 0x1002, 0x67df, 0x030000, .driver = NULL },
	{ "vendor-reset-6.12", true, 0x1002, 0x67df, 0x030000, .release = "6.14.8-2-pve" },
	{ "vendor-reset-6.12", false, 0x1002, 0x67df, 0x030000, .driver = NULL },
	{ "amd-navi21-reset", true, 0x1002, 0x73bf, 0x030000, .driver = NULL },
	{ "amd-navi21-reset", false, 0x1002, 0x731f, 0x030000, .driver = NULL },
	{ "amd-navi3x-reset", true, 0x1002, 0x747e, 0x030000, .driver = NULL },
	{ "amd-navi3x-reset", false, 0x1002, 0x73bf, 0x030000, .driver = NULL },
	{ "amd-navi4x-reset", true, 0x1002, 0x7590, 0x030000, .driver = NULL },
	{ "amd-navi4x-reset", false, 0x1002, 0x747e, 0x030000, .driver = NULL },
	{ "navi48-vfio-oops", true, 0x1002, 0x7550, 0x030000, .release = "7.2.2-1-pve" },
	{ "navi48-vfio-oops", false, 0x1002, 0x7550, 0x030000, .release = "7.0.14-1-pve" },
	{ "amd-d3cold", true, 0x1002, 0x7550, 0x030000, .driver = NULL },
	{ "amd-d3cold", false, 0x1002, 0x747e, 0x030000, .driver = NULL },
	{ "amd-apu-lockup", true, 0x1002, 0x1900, 0x030000, .driver = "amdgpu" },
	{ "amd-apu-lockup", false, 0x1002, 0x1900, 0x030000, .driver = "vfio-pci" },
	{ "amd-apu-reset", true, 0x1002, 0x15bf, 0x030000, .driver = NULL },
	{ "amd-apu-reset", false, 0x1002, 0x73bf, 0x030000, .driver = NULL },
	{ "vendor-reset-apu", true, 0x1002, 0x15bf, 0x030000, .module = "vendor_reset" },
	{ "vendor-reset-apu", false, 0x1002, 0x15bf, 0x030000, .driver = NULL },
	{ "mi300x-pf-reset", true, 0x1002, 0x74a1, 0x120000, .driver = NULL },
	{ "mi300x-pf-reset", false, 0x1002, 0x74a1, 0x120000, .attributes = "physfn=" },
	{ "nvidia-rtx50-reset", true, 0x10de, 0x2c05, 0x030000, .driver = NULL },
	{ "nvidia-rtx50-reset", false, 0x10de, 0x2684, 0x030000, .driver = NULL },
	{ "nvidia-d3cold", true, 0x10de, 0x2489, 0x030000, .driver = NULL },
	{ "nvidia-d3cold", false, 0x10de, 0x2684, 0x030000, .driver = NULL },
	{ "nvidia-unbind-hangs", true, 0x10de, 0x2484, 0x030000, .driver = "nvidia" },
	{ "nvidia-unbind-hangs", false, 0x10de, 0x2484, 0x030000, .driver = "nouveau" },
	{ "hp-p222-rom", true, 0x103c, 0x323b, 0x010400, .driver = "hpsa" },
	{ "hp-p222-rom", false, 0x103c, 0x323b, 0x010400, .config = "hostpci0: 05:00,rombar=0\n" },
	{ "hp-p222-rom", false, 0x103c, 0x323b, 0x010400,
	  .config = "bios: ovmf\nhostpci0: 05:00\n" },
	{ "lsi-hba-rom", true, 0x1000, 0x0097, 0x010700, .driver = "mpt3sas" },
	{ "lsi-hba-rom", false, 0x1000, 0x0097, 0x010700, .config = "hostpci0: 05:00,rombar=0\n" },
	{ "intel-qat-denied", true, 0x8086, 0x37c8, 0x0b4000, .driver = NULL },
	{ "intel-qat-denied", false, 0x8086, 0x4940, 0x0b4000, .driver = NULL },
	{ "vf-permission-6.8.12-12", true, 0x8086, 0x7d67, 0x030000,
	  .attributes = "physfn=", .release = "6.14.6-1-bpo12-pve" },
	{ "vf-permission-6.8.12-12", false, 0x8086, 0x7d67, 0x030000,
	  .attributes = "physfn=", .release = "6.14.5-1-bpo12-pve" },
	{ "i915-vf-shutdown", true, 0x8086, 0x46d0, 0x030000,
	  .attributes = "physfn=", .release = "6.8.12-20-pve" },
	{ "i915-vf-shutdown", false, 0x8086, 0x46d0, 0x030000,
	  .attributes = "physfn=", .release = "6.8.12-11-pve" },
	{ "i915-vf-shutdown", false, 0x8086, 0x46d0, 0x030000, .driver = "i915",
	  .release = "6.8.12-20-pve" },
	{ "i915-sriov-2025.10.09", true, 0x8086, 0x46d1, 0x030000, .driver = "i915",
	  .release = "6.14.11-3-pve", .package = "i915-sriov-dkms 2025.10.09" },
	{ "i915-sriov-2025.10.09", false, 0x8086, 0x46d1, 0x030000, .driver = "i915",
	  .release = "6.14.11-3-pve", .package = "i915-sriov-dkms 2025.07.22" },
	{ "i915-sriov-2025.10.09", false, 0x8086, 0x46d1, 0x030000, .driver = "i915",
	  .release = "6.14.11-3-pve", .package = "i915-sriov-dkms 2025.10.10" },
	{ "i915-sriov-2025.10.09", false, 0x8086, 0x46d1, 0x030000, .release = "6.14.11-3-pve" },
	{ "i915-vf-flr-network", true, 0x8086, 0x46d1, 0x030000,
	  .attributes = "physfn=", .module = "i915" },
	{ "i915-vf-flr-network", false, 0x8086, 0x1889, 0x020000,
	  .attributes = "physfn=", .module = "i915" },
	{ "i915-vf-rom-host-cpu", true, 0x8086, 0xa7a0, 0x030000,
	  .attributes = "physfn=", .config = "cpu: host\nhostpci0: 05:00,romfile=a.rom\n" },
	{ "i915-vf-rom-host-cpu", false, 0x8086, 0xa7a0, 0x030000,
	  .attributes = "physfn=", .config = "cpu: host\nhostpci0: 05:00\n" },
	{ "i226-link", true, 0x8086, 0x125c, 0x020000, .driver = "igc" },
	{ "i226-link", false, 0x8086, 0x15f3, 0x020000, .driver = "igc" },
	{ "i219-no-reset", true, 0x8086, 0x15bc, 0x020000, .driver = "e1000e" },
	{ "i219-no-reset", false, 0x8086, 0x15bc, 0x020000, .attributes = "reset_method=flr" },
	{ "i219-no-reset", false, 0x8086, 0x15bb, 0x020000, .driver = "e1000e" },
	{ "vfio-reset-6.14.2", true, 0x10de, 0x1b80, 0x030000, .release = "6.14.2-1-pve" },
	{ "vfio-reset-6.14.2", true, 0x10de, 0x1b80, 0x030000, .release = "6.12.23-1-lts" },
	{ "vfio-reset-6.14.2", false, 0x10de, 0x1b80, 0x030000, .release = "6.14.3-1-pve" },
	{ "vfio-reset-6.14.2", false, 0x10de, 0x1b80, 0x030000, .release = "6.12.22-1-lts" },
	{ "large-bar-slow", true, 0x10de, 0x2335, 0x030200, .release = "6.8.12-15-pve" },
	{ "large-bar-slow", false, 0x10de, 0x2335, 0x030200, .release = "6.14.6-1-pve" },
	{ "large-bar-slow", false, 0x10de, 0x2684, 0x030000, .release = "6.8.12-15-pve" },
	{ "amd-navi23-reset", true, 0x1002, 0x73ff, 0x030000, .driver = NULL },
	{ "amd-navi23-reset", false, 0x1002, 0x73df, 0x030000, .driver = NULL },
	{ "amd-navi32-vendor-reset", true, 0x1002, 0x747e, 0x030000, .driver = NULL },
	{ "amd-navi32-vendor-reset", false, 0x1002, 0x747e, 0x030000, .module = "vendor_reset" },
	{ "amd-navi31-rocm", true, 0x1002, 0x744c, 0x030000, .driver = NULL },
	{ "amd-navi31-rocm", false, 0x1002, 0x747e, 0x030000, .driver = NULL },
	{ "vendor-reset-audio", true, 0x1002, 0x731f, 0x030000, .module = "vendor_reset" },
	{ "vendor-reset-audio", false, 0x1002, 0x731f, 0x030000, .driver = NULL },
	{ "amd-navi10-rebind", true, 0x1002, 0x731f, 0x030000, .driver = "amdgpu" },
	{ "amd-navi10-rebind", false, 0x1002, 0x731f, 0x030000, .driver = "vfio-pci" },
	{ "amd-strix-halo-rebind", true, 0x1002, 0x1586, 0x038000, .driver = "amdgpu" },
	{ "amd-strix-halo-rebind", false, 0x1002, 0x150e, 0x030000, .driver = "amdgpu" },
	{ "amd-navi4x-rebind", true, 0x1002, 0x7550, 0x030000, .driver = "amdgpu" },
	{ "amd-navi4x-rebind", false, 0x1002, 0x7550, 0x030000, .driver = "vfio-pci" },
	{ "p40-d3cold", true, 0x10de, 0x1b38, 0x030200, .driver = NULL },
	{ "p40-d3cold", false, 0x10de, 0x1eb8, 0x030200, .driver = NULL },
	{ "rtx2080ti-d3cold", true, 0x10de, 0x1e07, 0x030000, .driver = NULL },
	{ "rtx2080ti-d3cold", false, 0x10de, 0x1e87, 0x030000, .driver = NULL },
	{ "coral-ubuntu-guest", true, 0x1ac1, 0x089a, 0x0880ff, .driver = "apex" },
	{ "coral-ubuntu-guest", false, 0x1ac1, 0x0001, 0x0880ff, .driver = NULL },
	{ "no-bus-reset", true, 0x168c, 0x003e, 0x028000, .driver = "ath10k_pci" },
	{ "no-bus-reset", false, 0x168c, 0x0036, 0x028000, .driver = "ath9k" },
};

/* The lines "NAME=VALUE" of `text` as files of a folder. */
static void add_files(const struct tree *tree, const char *folder, const char *text)
{
	while (text && *text) {
		size_t size = strcspn(text, "\n"), name = strcspn(text, "=");
		char path[PATH_MAX];

		tree_format(path, "%s/%.*s", folder, (int)name, text);
		if (text_starts_with(text, "physfn"))
			tree_link(tree, path, "../0000:02:00.0");
		else
			tree_file(tree, path, "%.*s\n", (int)(size - name - 1), text + name + 1);
		text += size + (text[size] != '\0');
	}
}

static bool fires(struct machine *machine, const struct row *row)
{
	const struct tree *tree = &machine->tree;
	char name[32];
	bool found = false;

	tree_add_device(tree,
			&(struct tree_device){ CARD, row->vendor, row->device, row->class_code,
					       .driver = row->driver, .group = 20 });
	add_files(tree, "sys/devices/pci0000:00/" CARD, row->attributes);
	add_files(tree, "sys/class/dmi/id", row->firmware);
	tree_file(tree, "proc/sys/kernel/osrelease", "%s\n",
		  row->release ? row->release : "6.8.12-4-pve");
	tree_file(tree, "proc/cmdline", "%s\n", row->cmdline ? row->cmdline : "quiet");
	if (row->package)
		tree_file(tree, "var/lib/dpkg/status",
			  "Package: %.*s\nStatus: install ok installed\nVersion: %s\n\n",
			  (int)strcspn(row->package, " "), row->package,
			  strchr(row->package, ' ') + 1);
	if (row->module) {
		snprintf(name, sizeof(name), "sys/module/%s/initstate", row->module);
		tree_file(tree, name, "live\n");
	}
	machine_prepare(machine, row->config ? row->config : "hostpci0: 05:00\n");
	assert_int_equal(check_trouble(&machine->start, &machine->findings, &machine->err), 0);
	for (size_t i = 0; i < machine->findings.count; i++) {
		const struct finding *finding = &machine->findings.items[i];
		size_t size = strcspn(finding->evidence, ":,");

		assert_int_equal(finding->id, CHECK_KNOWN_TROUBLE);
		found |= strlen(row->id) == size && strncmp(finding->evidence, row->id, size) == 0;
	}
	return found;
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		void *machine = NULL;

		assert_int_equal(machine_setup(&machine), 0);
		if (fires(machine, &rows[i]) != rows[i].fires)
			fail_msg("row %zu, %s: %s", i, rows[i].id,
				 rows[i].fires ? "does not fire" : "fires");
		machine_teardown(&machine);
	}
}

static void test_each_entry(void **state)
{
	const struct machine *machine = *state;
	cleanup_quirks struct quirks quirks = { 0 };
	struct error err = { 0 };

	assert_int_equal(quirks_read(&machine->tree.root, NULL, 0, &quirks, &err), 0);
	for (size_t i = 0; i < quirks.count; i++) {
		bool seen[2] = { false, false };

		for (size_t k = 0; k < COUNT(rows); k++)
			if (strcmp(rows[k].id, quirks.items[i].id) == 0)
				seen[rows[k].fires] = true;
		assert_row(quirks.items[i].id, seen[false] && seen[true]);
	}
	for (size_t k = 0; k < COUNT(rows); k++) {
		bool known = false;

		for (size_t i = 0; i < quirks.count; i++)
			known |= strcmp(rows[k].id, quirks.items[i].id) == 0;
		assert_row(rows[k].id, known);
	}
}

/* One finding for all functions; in the task log of a start it is one line. */
static void test_words(void **state)
{
	static const char *const cards[] = { "0000:05:00.0", "0000:06:00.0" };
	struct machine *machine = *state;
	cleanup_free char *all = NULL, *brief = NULL;

	tree_file(&machine->tree, "proc/sys/kernel/osrelease", "6.8.12-4-pve\n");
	tree_file(
		&machine->tree, "usr/share/pve-vfio/quirks.json",
		"{\"format\":2,\"quirks\":[{\"id\":\"a\",\"level\":\"warning\",\"devices\":"
		"[{\"vendor\":\"1234\"}],\"what\":\"It hangs.\",\"remedy\":\"Set {vm} {address}.\","
		"\"sources\":[{\"url\":\"u\",\"date\":\"2025-01-02\"}]},"
		"{\"id\":\"b\",\"level\":\"info\",\"devices\":[{\"vendor\":\"1234\"}],"
		"\"what\":\"It hums.\",\"remedy\":\"None.\","
		"\"sources\":[{\"url\":\"u\",\"date\":\"2025-01-02\"}]}]}");
	for (size_t i = 0; i < COUNT(cards); i++)
		tree_add_device(&machine->tree, &(struct tree_device){ cards[i], 0x1234, 0x1111,
								       0x020000, .group = 20 });
	machine_prepare(machine, "hostpci0: 05:00\nhostpci1: 06:00\n");
	assert_int_equal(check_trouble(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 2);
	assert_string_equal(machine->findings.items[0].evidence,
			    "a: It hangs. The same goes for 0000:06:00.0. Source: u (2025-01-02)");
	all = words_findings(&machine->findings, 0, WORDS_WIDTH);
	assert_non_null(strstr(all, "Set 101 0000:05:00.0."));
	assert_non_null(strstr(all, "info 0000:05:00.0"));
	brief = words_findings(&machine->findings, 101, WORDS_WIDTH);
	assert_string_equal(brief, "0000:05:00.0 known trouble 'a': see 'pve-vfio plan 101'\n");
}

/* A table that is broken is reported, and refuses nothing. */
static void test_broken_table(void **state)
{
	struct machine *machine = *state;

	tree_file(&machine->tree, "usr/share/pve-vfio/quirks.json", "{");
	machine_prepare(machine, "hostpci0: 02:00\n");
	assert_int_equal(check_trouble(&machine->start, &machine->findings, &machine->err), 0);
	assert_int_equal(machine->findings.count, 1);
	assert_int_equal(findings_count(&machine->findings, LEVEL_ERROR), 0);
	assert_non_null(strstr(machine->findings.items[0].evidence, "quirks.json"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		machine_test(test_each_entry),
		machine_test(test_words),
		machine_test(test_broken_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
