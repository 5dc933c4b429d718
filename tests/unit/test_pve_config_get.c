/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: what pve/config.c says of a configuration that it has read. */
#include "config.h"

/* Of a key given twice the last valid one counts; quotes go where there is no format (check_type()). */
static void test_settings(void **state)
{
	static const char text[] =
		"machine: pc\nagent: 1\nmachine: \"pc-q35-8.1\"\n"
		"args: \"-cpu\" 'host'  \nname: \"a\nvga:  none \n"
		"net0: virtio=\"x\"\nbios: \"ovmf\"\r\n[snap]\nvga: std\nlock: x\n";
	static const struct {
		const char *key, *value;
		unsigned line;
	} rows[] = {
		{ "machine", "pc", 1 }, { "agent", "1", 2 },  { "args", "\"-cpu\" 'host'", 4 },
		{ "name", NULL, 0 },	{ "vga", "none", 6 }, { "net0", "virtio=\"x\"", 7 },
		{ "bios", "ovmf", 8 },	{ "lock", NULL, 0 },  { "hostpci0", NULL, 0 },
		{ "mach", NULL, 0 },
	};
	cleanup_vm_config struct vm_config config = { 0 };

	(void)state;
	parse(text, &config);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct vm_setting *setting = vm_config_find(&config, rows[i].key);

		assert_text(vm_config_get(&config, rows[i].key), rows[i].value);
		assert_row(rows[i].key, !setting == !rows[i].value);
		assert_row(rows[i].key, !setting || setting->line == rows[i].line);
	}
}

/* What PVE drops is not a setting: a carriage return or a NUL in the value. */
static void test_dropped_settings(void **state)
{
	static const char text[] =
		"vga: a\rb\nbios: a\0b\nargs: a\0b\nargs: a\rb\nargs: \r\nargs:\r\n";
	cleanup_vm_config struct vm_config config = { 0 };

	(void)state;
	parse_bytes(text, sizeof(text) - 1, &config);
	assert_null(vm_config_get(&config, "vga"));
	assert_null(vm_config_get(&config, "bios"));
	assert_string_equal(vm_config_get(&config, "args"), "a\rb"); /* raw */
	assert_int_equal(config.dropped_count, 5); /* QS: (.*\\S) fits no blank line, .+? does */
	assert_string_equal(config.dropped[4].key, "args");
	assert_null(vm_config_find_dropped(&config, "machine"));
	assert_int_equal(vm_config_find_dropped(&config, "args")->line, 6);
}

/* A dropped line counts for nothing where a later one is right; where it comes last it is listed. */
static void test_find_dropped(void **state)
{
	static const char text[] = "cpu: a b\ncpu: host\nmachine: q35\nmachine: \"pc\"\n";
	cleanup_vm_config struct vm_config config = { 0 };

	(void)state;
	parse(text, &config);
	assert_null(vm_config_find_dropped(&config, "cpu"));
	assert_int_equal(vm_config_find_dropped(&config, "machine")->line, 4);
	assert_string_equal(vm_config_get(&config, "machine"), "q35");
}

/* Machine.pm:167 asks no more than for these letters. */
static void test_names_devices(void **state)
{
	static const struct {
		const char *text;
		bool names;
	} rows[] = {
		{ "", false },
		{ "agent: 1\nnet0: virtio\nhostusb0: 1-2\n", false },
		{ "hostpci16: 01:00\n", false },
		{ "agent: 1\n[snapshot]\nhostpci0: 01:00\n", false },
		{ "agent: 1\nhostpci15: 01:00\n", true },
		{ "args: -device vfio-pci,host=01:00.0\n", true },
		{ "args: -device vfio-pci,fd=3\n", true },
		{ "args: -cpu host,hidden=1 -device virtio-net-pci,netdev=n0\n", false },
		{ "template: 1\nhostpci0: 01:00\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };

		assert_int_equal(vm_config_parse(NULL, "a.conf", rows[i].text, strlen(rows[i].text),
						 &config, NULL),
				 0);
		assert_row(rows[i].text, vm_config_names_devices(&config) == rows[i].names);
	}
}

static void test_q35(void **state)
{
	static const struct {
		const char *text;
		bool q35;
	} rows[] = {
		{ "", false },
		{ "machine: q35\n", true },
		{ "machine: pc-q35-8.1+pve0\n", true },
		{ "machine: type=q35,viommu=intel\n", true },
		{ "machine: pc-i440fx-8.1\n", false },
		{ "machine: Q35\n", false },
		{ "machine: q35\nmachine: pc\n", false },
		{ "args: -machine q35\n", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };

		parse(rows[i].text, &config);
		assert_row(rows[i].text, vm_config_is_q35(&config) == rows[i].q35);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),     cmocka_unit_test(test_dropped_settings),
		cmocka_unit_test(test_find_dropped), cmocka_unit_test(test_names_devices),
		cmocka_unit_test(test_q35),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
