/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: pve/setting.c. The rows are what check_type() of qemu-server 9.2.6 does (QemuServer.pm
 * 1800), with the formats of Machine.pm ($machine_fmt), QemuServer.pm ($vga_fmt, $smbios1_fmt),
 * CPUConfig.pm ($cpu_fmt, validate_vm_cpu_conf), Memory.pm ($memory_fmt) and pve-storage's Plugin.pm
 * (parse_volume_id).
 */
#include "test.h"
#include "tree.h"

#include "pve/setting.h"

struct row {
	const char *key, *value;
	const char *kept; /* NULL: the line is dropped */
};

static void assert_rows(const struct sysroot *root, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cleanup_free char *kept = NULL;
		struct error err = { 0 };
		int r = setting_read(root, rows[i].key, rows[i].value, &kept, &err);

		if (r != (rows[i].kept ? 0 : -EINVAL) || !text_equal(kept, rows[i].kept))
			fail_msg("'%s: %s' gives '%s' (%d)", rows[i].key, rows[i].value,
				 kept ? kept : err.message, r);
		assert_row(rows[i].value, (r < 0) == (*err.message != '\0'));
	}
}

static void test_plain(void **state)
{
	static const struct row rows[] = {
		{ "bios", "ovmf", "ovmf" },
		{ "bios", "\"ovmf\"", "ovmf" },
		{ "bios", "\"ovmf", "\"ovmf" },
		{ "bios", "\"", "\"" },
		{ "ostype", "\"\"", "" },
		{ "lock", "nosuch", "nosuch" }, /* an enum is not looked at (verified) */
		{ "hugepages", "\"2\"", "2" },
		{ "onboot", "yes", "1" },
		{ "onboot", "OFF", "0" },
		{ "onboot", "2", NULL },
		{ "numa", "\"1\"", NULL },
		{ "balloon", "0", "0" },
		{ "balloon", "\"0\"", NULL },
		{ "balloon", "-1", NULL },
		{ "balloon", "1 # none", NULL },
		/* of a format that is not known here no more than that it takes no quotes */
		{ "numa0", "cpus=0-3", "cpus=0-3" },
		{ "efidisk0", "\"local:1\"", NULL },
		{ "net1", "virtio=\"x\"", "virtio=\"x\"" },
		{ "startup", "\"order=1\"", NULL },
	};

	(void)state;
	assert_rows(NULL, rows, COUNT(rows));
}

static void test_machine(void **state)
{
	static const struct row rows[] = {
		{ "machine", "q35", "q35" },
		{ "machine", "pc", "pc" },
		{ "machine", "pc-q35-9.2+pve1", "pc-q35-9.2+pve1" },
		{ "machine", "pc-i440fx-2.11.1.pxe", "pc-i440fx-2.11.1.pxe" },
		{ "machine", "pc-8.1", "pc-8.1" },
		{ "machine", "virt", "virt" },
		{ "machine", "virt-9.0+pve0", "virt-9.0+pve0" },
		{ "machine", "virt+pve1", "virt+pve1" },
		{ "machine", "viommu=intel,q35", "viommu=intel,q35" },
		{ "machine", "type=q35,viommu=virtio,enable-s3=on,aw-bits=48",
		  "type=q35,viommu=virtio,enable-s3=on,aw-bits=48" },
		{ "machine", "q35 # for pcie", NULL },
		{ "machine", "\"q35\"", NULL },
		{ "machine", "Q35", NULL },
		{ "machine", "q35 ", NULL },
		{ "machine", "pc-q35", NULL },
		{ "machine", "pc-q35-8", NULL },
		{ "machine", "pc-q35-8.1+pve", NULL },
		{ "machine", "pc-i440fx-8.1x", NULL },
		{ "machine", "virt-9.0.pxe", NULL },
		{ "machine", "pc-q35-1.1111111111111111111111111111111111", NULL }, /* 40 at most */
		{ "machine", "q35, viommu=intel", NULL },
		{ "machine", "q35,viommu=amd", NULL },
		{ "machine", "q35,aw-bits=31", NULL },
		{ "machine", "q35,q35", NULL },
		{ "machine", "q35,future=1", "q35,future=1" }, /* of an unknown version */
	};

	(void)state;
	assert_rows(NULL, rows, COUNT(rows));
}

static void test_formats(void **state)
{
	static const struct row rows[] = {
		{ "vga", "none", "none" },
		{ "vga", "type=none", "type=none" },
		{ "vga", "virtio-gl,memory=512,clipboard=vnc",
		  "virtio-gl,memory=512,clipboard=vnc" },
		{ "vga", "none # GPU", NULL },
		{ "vga", "\"none\"", NULL },
		{ "vga", "NONE", NULL },
		{ "vga", "std,memory=513", NULL },
		{ "hookscript", "local:snippets/pve-vfio-hook", "local:snippets/pve-vfio-hook" },
		{ "hookscript", "my-nas.2:snippets/a b", "my-nas.2:snippets/a b" },
		{ "hookscript", "\"local:snippets/pve-vfio-hook\"", NULL },
		{ "hookscript", "/root/x.sh", NULL },
		{ "hookscript", "/root/x:y", NULL },
		{ "hookscript", "a:snippets/x", NULL },
		{ "hookscript", "local-:snippets/x", NULL },
		{ "hookscript", "local:", NULL },
		{ "cpu", "host", "host" },
		{ "cpu", "host,hidden=1,flags=+pcid;-spec-ctrl",
		  "host,hidden=1,flags=+pcid;-spec-ctrl" },
		{ "cpu", "cputype=custom-x,phys-bits=host", "cputype=custom-x,phys-bits=host" },
		{ "cpu", "host,hv-vendor-id=NV43FIX,level=30",
		  "host,hv-vendor-id=NV43FIX,level=30" },
		{ "cpu", "hidden=1", NULL },
		{ "cpu", "host,hidden=2", NULL },
		{ "cpu", "host # fast", NULL },
		{ "cpu", "\"host\"", NULL },
		{ "cpu", "host,flags=pcid", NULL },
		{ "cpu", "host,flags=+pcid;", NULL },
		{ "cpu", "host,reported-model=max", NULL },
		{ "cpu", "host,phys-bits=65", NULL },
		{ "cpu", "host,hv-vendor-id=1234567890123", NULL },
		{ "memory", "4096", "4096" },
		{ "memory", "current=4096", "current=4096" },
		{ "memory", "15", NULL },
		{ "memory", "\"4096\"", NULL },
		{ "memory", "4096 # MiB", NULL },
		{ "smbios1", "uuid=11111111-2222-3333-4444-555555555555,serial=YQ==,base64=1",
		  "uuid=11111111-2222-3333-4444-555555555555,serial=YQ==,base64=1" },
		{ "smbios1", "uuid=11111111-2222-3333-4444-55555555555", NULL },
		{ "smbios1", "serial=YQ===", NULL },
	};

	(void)state;
	assert_rows(NULL, rows, COUNT(rows));
}

/* A plain string until 8.1.1: quotes go, and nothing is checked. Keys are those of the version. */
static void test_versions(void **state)
{
	static const struct row old[] = {
		{ "machine", "\"q35\"", "q35" },
		{ "machine", "q35 # x", "q35 # x" },
		{ "vga", "\"none\"", NULL },
	};
	static const struct row new[] = {
		{ "machine", "\"q35\"", NULL },
		{ "machine", "q35,future=1", NULL },
	};
	static const struct row newest[] = {
		{ "machine", "q35,future=1", "q35,future=1" },
		{ "machine", "q35, future=1", NULL },
	};
	static const char status[] =
		"Package: qemu-server\nStatus: install ok installed\nVersion: %s\n";
	const struct tree *tree = *state;

	tree_file(tree, "var/lib/dpkg/status", status, "7.4-6");
	assert_rows(&tree->root, old, COUNT(old));
	tree_file(tree, "var/lib/dpkg/status", status, "8.1.2");
	assert_rows(&tree->root, new, COUNT(new));
	tree_file(tree, "var/lib/dpkg/status", status, "10.0.1");
	assert_rows(&tree->root, newest, COUNT(newest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_formats),
		tree_test(test_versions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
