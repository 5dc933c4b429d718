/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/boot/request.c and machine.c: what a machine needs by itself. What is asked for is in
 * tests/cli/test-vfio-setup. */
#include "test.h"
#include "tree.h"

#include "boot/parameter.h"
#include "boot/request.h"

#define OFF "# CONFIG_INTEL_IOMMU_DEFAULT_ON is not set\n"
#define ON  "CONFIG_INTEL_IOMMU_DEFAULT_ON=y\n"

static const struct row {
	const char *name, *cpu, *release, *config, *older, *words;
	bool framebuffer;
	const char *wanted;
} rows[] = {
	{ "Intel, off", "GenuineIntel", "6.5.13-5-pve", OFF, NULL, "", false,
	  "intel_iommu=on iommu=pt" },
	{ "Intel, on", "GenuineIntel", "6.8.4-2-pve", ON, NULL, "", false, "iommu=pt" },
	{ "Intel, on, and an older one off", "GenuineIntel", "6.8.4-2-pve", ON, "6.5.13-5-pve", "",
	  false, "intel_iommu=on iommu=pt" },
	{ "Intel, no config: by version", "GenuineIntel", "6.8.4-2-pve", NULL, NULL, "", false,
	  "iommu=pt" },
	{ "Intel, no config, old", "GenuineIntel", "6.7.1-1-pve", NULL, NULL, "", false,
	  "intel_iommu=on iommu=pt" },
	{ "AMD", "AuthenticAMD", "5.15.158-2-pve", OFF, NULL, "", false, "iommu=pt" },
	{ "unknown", NULL, "6.5.13-5-pve", OFF, NULL, "", false, "intel_iommu=on iommu=pt" },
	{ "passthrough by itself", "AuthenticAMD", "6.8.4-2-pve",
	  ON "CONFIG_IOMMU_DEFAULT_PASSTHROUGH=y\n", NULL, "", false, "" },
	{ "set already", "GenuineIntel", "6.5.13-5-pve", OFF, NULL, "iommu=pt intel_iommu=on",
	  false, "(intel_iommu=on) (iommu=pt)" },
	{ "set with more", "GenuineIntel", "6.5.13-5-pve", OFF, NULL, "intel_iommu=sm_on,on", false,
	  "(intel_iommu=sm_on,on) iommu=pt" },
	{ "set otherwise", "GenuineIntel", "6.5.13-5-pve", ON, NULL, "iommu.passthrough=0", false,
	  "" },
	{ "switched off", "GenuineIntel", "6.5.13-5-pve", OFF, NULL, "intel_iommu=off iommu=soft",
	  false, "" },
	{ "arm64", "CPU implementer", "6.5.13-5-pve", OFF, NULL, "", false, "" },
	{ "by another word", "AuthenticAMD", "6.5.13-5-pve", OFF, NULL, "iommu.passthrough=1",
	  false, "(iommu.passthrough=1)" },
	{ "framebuffer", "AuthenticAMD", "5.15.158-2-pve", OFF, NULL, "", true,
	  "iommu=pt initcall_blacklist=sysfb_init" },
	{ "framebuffer, old", "AuthenticAMD", "5.13.19-6-pve", OFF, NULL, "", true,
	  "iommu=pt video=efifb:off video=vesafb:off" },
};

static void build(const struct tree *tree, const struct row *row)
{
	tree_remove(tree, "boot");
	tree_remove(tree, "proc");
	tree_folder(tree, "sys/kernel");
	tree_file(tree, "proc/sys/kernel/osrelease", "%s\n", row->release);
	if (row->cpu)
		tree_file(tree, "proc/cpuinfo", "vendor_id\t: %s\n", row->cpu);
	tree_file(tree, "etc/default/grub", "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet %s\"\n",
		  row->words);
	if (row->config) {
		char path[PATH_MAX];

		tree_format(path, "boot/config-%s", row->release);
		tree_file(tree, path, "%s", row->config);
	}
	if (row->older) {
		char path[PATH_MAX];

		tree_format(path, "boot/vmlinuz-%s", row->older);
		tree_file(tree, path, "kernel");
	}
}

static void test_parameters(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct boot_request request = { .no_boot_framebuffer = rows[i].framebuffer };
		cleanup_boot_machine struct boot_machine machine = { 0 };
		cleanup_boot_existing struct boot_existing existing = { 0 };
		cleanup_boot_settings struct boot_settings settings = { 0 };
		cleanup_boot_draft struct boot_draft draft = { 0 };
		cleanup_strings struct strings notes = { 0 };
		cleanup_text struct text text = { 0 };
		struct error err = { 0 };

		build(tree, &rows[i]);
		assert_int_equal(boot_machine_read(&tree->root, &machine, &err), 0);
		assert_int_equal(boot_existing_read(&draft, &tree->root, &existing, &err), 0);
		assert_int_equal(boot_request_settle(&request, &machine, &existing, &settings,
						     &notes, &err),
				 0);
		for (size_t j = 0; j < settings.count; j++)
			if (settings.items[j].kind == BOOT_PARAMETER)
				text_add(&text, settings.items[j].found ? "%s(%s)" : "%s%s",
					 text.data ? " " : "", settings.items[j].name);
		if (!text_equal(text.data ? text.data : "", rows[i].wanted))
			fail_msg("row '%s': %s", rows[i].name, text.data ? text.data : "");
		assert_row(rows[i].name,
			   notes.count == (strcmp(rows[i].name, "set otherwise") == 0));
	}
}

/* One line of people's each; "!" is a word that switches the IOMMU off, for which nothing is added. */
static const struct {
	bool intel;
	const char *words, *wanted;
} lines[] = {
	{ true, "intel_iommu=on,off", "!" },
	{ true, "intel_iommu=off,on", "(intel_iommu=off,on) iommu=pt" },
	{ true, "intel_iommu=on intel_iommu=off", "!" },
	{ true, "intel_iommu=off intel_iommu=on", "(intel_iommu=on) iommu=pt" },
	{ true, "Intel_iommu=on", "intel_iommu=on iommu=pt" },
	{ true, "intel-iommu=on iommu=pt", "(intel-iommu=on) (iommu=pt)" },
	{ true, "intel_iommu=1", "intel_iommu=on iommu=pt" },
	{ true, "intel_iommu=ON", "intel_iommu=on iommu=pt" },
	{ true, "intel_iommu=on,sm_off,igfx_off", "(intel_iommu=on,sm_off,igfx_off) iommu=pt" },
	{ true, "intel_iommu=tboot_noforce", "intel_iommu=on iommu=pt" },
	{ true, "iommu=on", "intel_iommu=on" },
	{ true, "iommu=force,pt", "intel_iommu=on (iommu=force,pt)" },
	{ true, "iommu=pt,nopt", "intel_iommu=on" },
	{ true, "iommu=noforce,off", "!" },
	{ true, "iommu=OFF", "intel_iommu=on" },
	{ true, "iommu.passthrough=y", "intel_iommu=on (iommu.passthrough=y)" },
	{ true, "iommu.passthrough=2", "intel_iommu=on iommu=pt" },
	{ true, "iommu.passthrough=1 iommu=nopt", "intel_iommu=on" },
	{ true, "iommu=nopt iommu.passthrough=on", "intel_iommu=on (iommu.passthrough=on)" },
	{ true, "iommu.passthrough", "intel_iommu=on iommu=pt" },
	{ true, "iommu.strict=0", "intel_iommu=on iommu=pt" },
	{ true, "amd_iommu=off", "intel_iommu=on iommu=pt" },
	{ true, "--- intel_iommu=off", "!" },
	{ false, "amd_iommu=on iommu=pt", "(iommu=pt)" },
	{ false, "amd_iommu=fullflush,off", "!" },
	{ false, "amd_iommu=off amd_iommu=on", "!" },
	{ false, "amd_iommu=force_isolation", "iommu=pt" },
	{ false, "amd_iommu=force_enable amd_iommu=pgtbl_v2", "iommu=pt" },
	{ false, "intel_iommu=off", "iommu=pt" },
	{ false, "amd_iommu_intr=legacy", "iommu=pt" },
};

static void test_lines(void **state)
{
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(lines); i++) {
		const struct row row = { .cpu = lines[i].intel ? "GenuineIntel" : "AuthenticAMD",
					 .release = "6.5.13-5-pve",
					 .config = OFF,
					 .words = lines[i].words };
		const struct boot_request request = { 0 };
		cleanup_boot_machine struct boot_machine machine = { 0 };
		cleanup_boot_existing struct boot_existing existing = { 0 };
		cleanup_boot_settings struct boot_settings settings = { 0 };
		cleanup_boot_draft struct boot_draft draft = { 0 };
		cleanup_strings struct strings notes = { 0 };
		cleanup_text struct text text = { 0 };
		bool off;

		build(tree, &row);
		assert_int_equal(boot_machine_read(&tree->root, &machine, NULL), 0);
		assert_int_equal(boot_existing_read(&draft, &tree->root, &existing, NULL), 0);
		assert_int_equal(boot_request_settle(&request, &machine, &existing, &settings,
						     &notes, NULL),
				 0);
		off = boot_iommu_read(&existing.grub.words, machine.cpu).off;
		text_add(&text, "%s", off ? "!" : "");
		for (size_t j = 0; j < settings.count; j++)
			if (settings.items[j].kind == BOOT_PARAMETER)
				text_add(&text, settings.items[j].found ? "%s(%s)" : "%s%s",
					 text.size ? " " : "", settings.items[j].name);
		if (!text_equal(text.data, lines[i].wanted))
			fail_msg("'%s': %s", lines[i].words, text.data);
	}
}

static void test_kernels(void **state)
{
	const struct tree *tree = *state;
	cleanup_boot_machine struct boot_machine machine = { 0 };
	struct error err = { 0 };

	tree_file(tree, "boot/vmlinuz-6.8.12-4-pve", "kernel");
	tree_file(tree, "boot/vmlinuz-6.14.8-2-pve", "kernel");
	tree_file(tree, "boot/vmlinuz-odd", "kernel");
	tree_file(tree, "boot/config-6.9.0-1-pve", "config");
	assert_int_equal(boot_machine_read(&tree->root, &machine, &err), 0);
	assert_int_equal(machine.count, 2);
	assert_string_equal(boot_machine_next(&machine)->release, "6.14.8-2-pve");
	assert_null(boot_machine_kernel(&machine, "6.9.0-1-pve"));
	assert_null(machine.running);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_parameters),
		tree_test(test_lines),
		tree_test(test_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
