/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unit: lib/rom/read.c and sysfs.c, on a tree of files with a kernel that is played. */
#include "rom/read.h"
#include "rom/sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "test_rom_make.h"

#define DEVICE		"sys/bus/pci/devices/0000:03:00.0"

#define RESOURCE_NONE	"0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
#define SIX_BARS	RESOURCE_NONE RESOURCE_NONE RESOURCE_NONE RESOURCE_NONE RESOURCE_NONE RESOURCE_NONE
#define RESOURCE_ROM	SIX_BARS "0x00000000fe000000 0x00000000fe01ffff 0x0000000000046200\n"
#define RESOURCE_SHADOW SIX_BARS "0x00000000000c0000 0x00000000000dffff 0x0000000000000212\n"
#define RESOURCE_UNSET	SIX_BARS "0x0000000000000000 0x000000000001ffff 0x0000000000046200\n"

static char folder[] = "/tmp/test_rom_read.XXXXXX";
static struct sysroot root = { .fd = -1 };
static struct pci_device device;
static struct rom_dump dump;
static struct error err;
static struct made rom, table;

/* What the played kernel refuses, in the child and so set before. */
static const char *refused;

static void write_file(const char *path, const void *data, size_t size)
{
	char part[256];
	int fd;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		mkdirat(root.fd, part, 0755);
	}
	fd = openat(root.fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

/* Writes down what is written, in the child too, and plays what follows from it. */
static int play_write(const struct sysroot *fake, const char *path, const char *value)
{
	cleanup_free char *line = text_format("%s=%s", path + strlen(DEVICE "/"), value);
	int fd = openat(fake->fd, "log", O_WRONLY | O_CREAT | O_APPEND, 0644);

	if (line[strlen(line) - 1] != '\n')
		dprintf(fd, "%s\n", line);
	else
		dprintf(fd, "%s", line);
	close(fd);
	if (refused && text_starts_with(line, refused))
		return -EIO;
	if (text_equal(line, "power/control=on"))
		write_text(DEVICE "/power_state", "D0\n");
	return 0;
}

static char *take_log(void)
{
	char *log = NULL;
	size_t size;

	if (sysroot_read(&root, "log", 65536, &log, &size) < 0)
		return strdup("");
	unlinkat(root.fd, "log", 0);
	return log;
}

static void assert_log(const char *expected)
{
	cleanup_free char *log = take_log();

	assert_string_equal(log, expected);
}

static int set_up(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(sysroot_open(folder, &root, NULL), 0);
	root.fake_write = play_write;
	device = (struct pci_device){
		.address = { .bus = 3 }, .name = "0000:03:00.0", .vendor = 0x1002, .device = 0x73bf
	};
	rom.size = table.size = 0;
	made_display(&rom, 0x1002, 0x73bf);
	write_file(DEVICE "/rom", rom.data, rom.size);
	write_text(DEVICE "/resource", RESOURCE_ROM);
	write_text(DEVICE "/power_state", "D0\n");
	write_text(DEVICE "/power/control", "auto\n");
	write_text(DEVICE "/enable", "1\n");
	return 0;
}

static int tear_down(void **state)
{
	cleanup_free char *command = text_format("rm -r '%s'", folder);

	(void)state;
	refused = NULL;
	err = (struct error){ 0 };
	rom_dump_done(&dump);
	pci_device_done(&device);
	sysroot_done(&root);
	return system(command);
}

static void make_table(uint32_t bus)
{
	made_vfct_start(&table);
	made_vfct_add(&table, (struct made_vfct_image){ .bus = bus,
							.vendor_id = 0x1002,
							.device_id = 0x73bf,
							.data = made_bytes(&rom) });
	made_vfct_end(&table);
	write_file("sys/firmware/acpi/tables/VFCT", table.data, table.size);
}

static void assert_dump(enum rom_source source)
{
	assert_int_equal(dump.source, source);
	assert_true(bytes_equal((struct bytes){ (const uint8_t *)dump.data, dump.size },
				made_bytes(&rom)));
}

static int read_any(void)
{
	return rom_read(&root, &device, ROM_SOURCE_COUNT, &dump, &err);
}

static int read_sysfs(void)
{
	return rom_read(&root, &device, ROM_SOURCE_SYSFS, &dump, &err);
}

static void test_on_and_off(void **state)
{
	(void)state;
	assert_int_equal(read_any(), 0);
	assert_dump(ROM_SOURCE_SYSFS);
	assert_false(dump.shadow);
	assert_log("rom=1\nrom=0\n");
}

static void test_off_after_a_failed_read(void **state)
{
	(void)state;
	unlinkat(root.fd, DEVICE "/rom", 0);
	mkdirat(root.fd, DEVICE "/rom", 0755);
	assert_int_equal(read_sysfs(), -EISDIR);
	assert_log("rom=1\nrom=0\n");
}

static void test_off_after_a_failed_on(void **state)
{
	(void)state;
	refused = "rom=1";
	assert_int_equal(read_sysfs(), -EIO);
	assert_log("rom=1\nrom=0\n");
	assert_non_null(strstr(err.message, "turn its ROM on"));
}

static void test_not_turned_off(void **state)
{
	(void)state;
	refused = "rom=0";
	assert_int_equal(read_sysfs(), -EIO);
	assert_non_null(strstr(err.message, "cannot be turned off"));
	assert_null(dump.data);
}

static void test_asleep(void **state)
{
	(void)state;
	write_text(DEVICE "/power_state", "D3cold\n");
	assert_int_equal(read_sysfs(), 0);
	assert_log("power/control=on\nrom=1\nrom=0\npower/control=auto\n");
}

static void test_not_enabled(void **state)
{
	(void)state;
	write_text(DEVICE "/enable", "0\n");
	assert_int_equal(read_sysfs(), 0);
	assert_log("enable=1\nrom=1\nrom=0\nenable=0\n");
	/* with a driver that is the driver's affair */
	device.driver = strdup("vfio-pci");
	rom_dump_done(&dump);
	assert_int_equal(read_sysfs(), 0);
	assert_log("rom=1\nrom=0\n");
}

static void test_all_is_put_back_after_a_failure(void **state)
{
	(void)state;
	write_text(DEVICE "/power_state", "D3hot\n");
	write_text(DEVICE "/enable", "0\n");
	refused = "rom=1";
	assert_int_equal(read_sysfs(), -EIO);
	assert_log("power/control=on\nenable=1\nrom=1\nrom=0\nenable=0\npower/control=auto\n");
}

static void test_explanations(void **state)
{
	(void)state;
	write_text(DEVICE "/rom", "");
	assert_int_equal(read_sysfs(), -EIO);
	assert_non_null(strstr(err.message, "dmesg"));
	write_file(DEVICE "/config", "\x02\x10\xbf\x73\x00\x00\x00\x00", 8);
	assert_int_equal(read_sysfs(), -EIO);
	assert_non_null(strstr(err.message, "memory addresses"));
	write_file(DEVICE "/config", "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
	assert_int_equal(read_sysfs(), -EIO);
	assert_non_null(strstr(err.message, "no longer answers"));
	write_text(DEVICE "/resource", RESOURCE_UNSET);
	assert_int_equal(read_sysfs(), -EIO);
	assert_non_null(strstr(err.message, "no address"));
	unlinkat(root.fd, DEVICE "/rom", 0);
	assert_int_equal(read_sysfs(), -ENOENT);
	assert_non_null(strstr(err.message, "no ROM of its own"));
}

static void test_recorded_tree_is_not_written(void **state)
{
	(void)state;
	root.fake_write = NULL;
	assert_int_equal(read_sysfs(), 0);
	assert_dump(ROM_SOURCE_SYSFS);
}

static void test_from_the_table(void **state)
{
	(void)state;
	unlinkat(root.fd, DEVICE "/rom", 0);
	make_table(7);
	assert_int_equal(read_any(), 0);
	assert_dump(ROM_SOURCE_VFCT);
	assert_int_equal(dump.notes.count, 2);
	assert_non_null(strstr(dump.notes.items[0], "sysfs: the device has no ROM"));
}

static void test_from_amdgpu(void **state)
{
	(void)state;
	unlinkat(root.fd, DEVICE "/rom", 0);
	device.driver = strdup("amdgpu");
	mkdirat(root.fd, DEVICE "/drm", 0755);
	mkdirat(root.fd, DEVICE "/drm/card1", 0755);
	mkdirat(root.fd, DEVICE "/drm/renderD129", 0755);
	write_file("sys/kernel/debug/dri/1/amdgpu_vbios", rom.data, rom.size);
	assert_int_equal(read_any(), 0);
	assert_dump(ROM_SOURCE_AMDGPU);
}

static void test_shadow_is_the_last_resort(void **state)
{
	(void)state;
	write_text(DEVICE "/resource", RESOURCE_SHADOW);
	assert_true(rom_is_shadowed(&root, device.name));
	assert_int_equal(read_any(), 0);
	assert_dump(ROM_SOURCE_SYSFS);
	assert_true(dump.shadow);
	rom_dump_done(&dump);
	make_table(3);
	assert_int_equal(read_any(), 0);
	assert_dump(ROM_SOURCE_VFCT);
	assert_false(dump.shadow);
}

static void test_nothing_anywhere(void **state)
{
	(void)state;
	write_text(DEVICE "/rom", "not a ROM");
	assert_int_equal(read_any(), -ENOENT);
	assert_non_null(strstr(err.message, "sysfs: "));
	assert_non_null(strstr(err.message, "amdgpu: "));
	assert_non_null(strstr(err.message, "vfct: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_on_and_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_off_after_a_failed_read, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_off_after_a_failed_on, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_turned_off, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_asleep, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_enabled, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_all_is_put_back_after_a_failure, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_explanations, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_recorded_tree_is_not_written, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_from_the_table, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_from_amdgpu, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_shadow_is_the_last_resort, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_nothing_anywhere, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
