/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: args. Each row of words is what Perl 5.36's Text::ParseWords 3.31 gave. Each row of
 * options was given to QEMU 7.2, after the hostpciN that it sets: the first address is the one of
 * "vfio …/0000:01:00.0: no such host device"; no address and no problem is a refusal of another
 * kind, or no device. QEMU knows fd= and iommufd= since 8.2.
 */
#include "test.h"

#include <errno.h>
#include <stdbool.h>

#include "pve/args.h"

/* ---- words */

static const struct {
	const char *line;
	const char *words; /* each in <>, or NULL: Perl returns none */
} word_rows[] = {
	{ "", "" },
	{ " \t\r\f\v", "" },
	{ "a", "<a>" },
	{ "  a  b\tc ", "<a><b><c>" },
	{ "-device vfio-pci,host=01:00.0", "<-device><vfio-pci,host=01:00.0>" },
	{ "a #b", "<a><#b>" },
	{ "0", "<0>" },
	{ "\xa0 \x85", "<\xa0><\x85>" },
	/* quotes go, and join with what stands beside them */
	{ "\"a b\" 'c d'", "<a b><c d>" },
	{ "a\"b c\"d'e f'g", "<ab cde fg>" },
	{ "\"\" ''", "<><>" },
	{ "a\"\" \"\"b", "<a><b>" },
	{ "\"a'b\" 'c\"d'", "<a'b><c\"d>" },
	/* a backslash */
	{ "a\\ b", "<a b>" },
	{ "\\a\\\\b", "<a\\b>" },
	{ "\\\"a \\'b", "<\"a><'b>" },
	{ "\"a\\\"b\\\\c\\d\"", "<a\"b\\cd>" },
	{ "'a\\b'", "<a\\b>" },
	{ "'a\\'b'", "<a\\'b>" },
	{ "\\ ", "< >" },
	/* everything vanishes */
	{ "\"", NULL },
	{ "a \"b", NULL },
	{ "a 'b", NULL },
	{ "it's", NULL },
	{ "a b\\", NULL },
	{ "\\", NULL },
	{ "\"a\\\"", NULL },
	{ "'a\\'", NULL },
	{ "\"a\"\" b", NULL },
};

static char *join_words(const struct strings *words)
{
	struct text text = { 0 };

	for (size_t i = 0; i < words->count; i++)
		text_add(&text, "<%s>", words->items[i]);
	return text_take(&text);
}

static void words_are_perls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(word_rows); i++) {
		cleanup_strings struct strings words = { 0 };
		cleanup_free char *joined = NULL;
		int r = shellwords(word_rows[i].line, &words);

		assert_row(word_rows[i].line, r == (word_rows[i].words ? 0 : -EINVAL));
		joined = join_words(&words);
		assert_row(word_rows[i].line, text_equal(joined, r == 0 ? word_rows[i].words : ""));
	}
}

/* ---- devices */

#define DEVICE_A "-device vfio-pci,host=0000:01:00.0,id=a "

static const struct {
	const char *line;
	const char *devices;  /* addresses, or "" */
	const char *problems; /* how the first begins, or NULL for none */
} device_rows[] = {
	{ "-device vfio-pci,host=0000:01:00.0", "0000:01:00.0", NULL },
	{ "--device vfio-pci,host=01:00.0", "0000:01:00.0", NULL },
	{ "-device vfio-pci-nohotplug,host=01:00.0", "0000:01:00.0", NULL },
	{ "-device vfio-pci,multifunction=on,x-vga=on,host=01:00.0,addr=1c.0", "0000:01:00.0",
	  NULL },
	{ "-device host=01:00.0,driver=vfio-pci", "0000:01:00.0", NULL },
	{ "-device driver=vfio-pci,host=01:00.0", "0000:01:00.0", NULL },
	{ "-device vfio-pci,host=01:00.0 -device vfio-pci,host=01:00.1",
	  "0000:01:00.0 0000:01:00.1", NULL },
	{ "-device \"vfio-pci,host=01:00.0\" -cpu 'host,kvm=off'", "0000:01:00.0", NULL },
	/* none of ours */
	{ "-device e1000,host=01:00.0", "", NULL },
	{ "-device vfio-pci,driver=e1000,host=01:00.0", "", NULL },
	{ "-device host=01:00.0,vfio-pci", "", NULL },
	{ "-device VFIO-PCI,host=01:00.0", "", NULL },
	{ "-device vfio-pci,,host=01:00.0", "", NULL },
	{ "-device=vfio-pci,host=01:00.0", "", NULL },
	{ "---device vfio-pci,host=01:00.0", "", NULL },
	{ "-device", "", NULL },
	{ "-set", "", NULL },
	/* host= */
	{ "-device vfio-pci,host=AB:1F.7", "0000:ab:1f.7", NULL },
	{ "-device vfio-pci,host=1:0.0", "0000:01:00.0", NULL },
	{ "-device vfio-pci,host=0x01:0x0.0", "0000:01:00.0", NULL },
	{ "-device vfio-pci,host=0001:01:00.0", "0001:01:00.0", NULL },
	{ "-device vfio-pci,host=01:00.07", "0000:01:00.7", NULL },
	{ "-device vfio-pci,host=01:00", "", "'-device vfio-pci,host=01:00': this names no" },
	{ "-device vfio-pci,host=01:20.0", "", "'-device" },
	{ "-device vfio-pci,host=100:00.0", "", "'-device" },
	{ "-device vfio-pci,host=01:00.8", "", "'-device" },
	{ "-device vfio-pci,host=01:00.0x7", "", "'-device" },
	{ "-device vfio-pci,host=", "", "'-device" },
	{ "-device vfio-pci,host=:00.0", "", "'-device" },
	{ "-device vfio-pci", "", "'-device vfio-pci': this names no" },
	{ "-device vfio-pci,host=01:00.0,host=02:00.0", "0000:02:00.0", NULL },
	{ "-device vfio-pci,host=x,host=02:00.0", "0000:02:00.0", NULL },
	/* sysfsdev=, which goes before host= */
	{ "-device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:05:00.0", "0000:05:00.0", NULL },
	{ "-device vfio-pci,sysfsdev=/sys/bus/pci/devices/10000:e1:00.0//", "10000:e1:00.0", NULL },
	{ "-device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:05:00.0,host=01:00.0",
	  "0000:05:00.0", NULL },
	{ "-device vfio-pci,sysfsdev=/sys/bus/pci/devices/0000:05:00.0,host=x", "", "'-device" },
	{ "-device vfio-pci,sysfsdev=", "", "'-device" },
	{ "-device vfio-pci,sysfsdev=/sys/class/net/eth0/device", "", "'-device" },
	/* a mediated device, and what nobody can tell */
	{ "-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa1001",
	  "", NULL },
	{ "-device vfio-pci,sysfsdev=/sys/bus/mdev/devices/83b8f4f2-509f-382f-3c1e-e6bfe0fa100", "",
	  "'-device" },
	{ "-device vfio-pci,iommufd=iommufd0,fd=22", "", "'-device" },
	{ "-device vfio-pci,host=01:00.0,iommufd=iommufd0", "0000:01:00.0", NULL },
	/* JSON, with the quotes of the standard alone */
	{ "-device '{\"driver\":\"vfio-pci\",\"host\":\"0000:01:00.0\"}'", "0000:01:00.0", NULL },
	{ "-device '{\"host\":\"01:00.0\",\"x-vga\":true,\"driver\":\"vfio-pci\"} '",
	  "0000:01:00.0", NULL },
	{ "-device '{\"driver\":\"e1000\"}'", "", NULL },
	{ "-device '{\"driver\":1}'", "", NULL },
	{ "-device {driver:e1000}", "", NULL },
	{ "-device '{\"driver\":\"vfio-pci\"}'", "", "'-device {\"driver\":\"vfio-pci\"}'" },
	{ "-device \"{'driver':'vfio-pci','host':'01:00.0'}\"", "", "'-device {'driver'" },
	{ "-device '{\"driver\":\"vfio-pci\",\"host\":\"01:00.0\",\"host\":\"02:00.0\"}'", "",
	  "'-device {" },
	/* quotes that are none to the shell */
	{ "-device {\"driver\":\"vfio-pci\",\"host\":\"01:00.0\"}", "", "'-device {driver" },
	/* -set of one of these */
	{ DEVICE_A "-set device.a.host=03:00.0", "0000:03:00.0", NULL },
	{ DEVICE_A "--set device.a.sysfsdev=/x/0000:03:00.0", "0000:03:00.0", NULL },
	{ DEVICE_A "-set device.a.host=", "", "'-device" },
	{ DEVICE_A "-set device.a.x-igd-gms=2", "0000:01:00.0", NULL },
	{ DEVICE_A "-set device.a.host", "0000:01:00.0", NULL },
	{ DEVICE_A "-set drive.a.host=03:00.0", "0000:01:00.0", NULL },
	{ "-device vfio-pci,host=01:00.0,id=a,id=b -set device.a.host=03:00.0", "0000:03:00.0",
	  NULL },
	{ "-set device.a.host=03:00.0 " DEVICE_A, "0000:01:00.0", "'-set device.a.host=03:00.0'" },
	{ "-device '{\"driver\":\"vfio-pci\",\"host\":\"01:00.0\",\"id\":\"a\"}' "
	  "-set device.a.host=03:00.0",
	  "0000:01:00.0", "'-set" },
	/* -set of a device of PVE */
	{ "-set device.hostpci0.host=01:00.0", "0000:01:00.0", NULL },
	{ "-set device.hostpci15.host=01:00.0 -set device.hostpci15.host=02:00.0", "0000:02:00.0",
	  NULL },
	{ "-set device.hostpci0.x-igd-gms=2 -set device.hostpci0.x-igd-opregion=on", "", NULL },
	{ "-set device.hostpci0.host=x", "", "'-set device.hostpci0.host=x': this names no" },
	{ "-set device.hostpci16.host=01:00.0", "", "'-set" },
	{ "-set device.hostpci00.host=01:00.0", "", "'-set" },
	{ "-set device.hostpci0.1.host=01:00.0", "",
	  "'-set device.hostpci0.1.host=01:00.0': QEMU" },
};

static char *join_devices(const struct args *args)
{
	struct text text = { 0 };

	for (size_t i = 0; i < args->count; i++) {
		char name[PCI_ADDRESS_TEXT];

		text_add(&text, "%s%s", i > 0 ? " " : "",
			 pci_address_format(args->devices[i].address, name));
	}
	return text_take(&text);
}

static void devices_are_qemus(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(device_rows); i++) {
		const char *line = device_rows[i].line, *problem = device_rows[i].problems;
		cleanup_args struct args args = { 0 };
		cleanup_free char *devices = NULL;
		struct error err = { 0 };

		assert_row(line, args_parse(line, &args, &err) == 0);
		devices = join_devices(&args);
		assert_row(line, !args.vanished);
		assert_row(line, text_equal(devices, device_rows[i].devices));
		assert_row(line, args.problem_count == (problem ? 1 : 0));
		assert_row(line, !problem || text_starts_with(args.problems[0].text, problem));
	}
}

static void tells_what_is_beside_the_address(void **state)
{
	cleanup_args struct args args = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(args_parse("-device vfio-pci,host=01:00.0,romfile=/a,,b.rom,id=gpu "
				    "-device vfio-pci,host=02:00.0 "
				    "-set device.gpu.romfile=/c,,d "
				    "-set device.hostpci2.host=03:00.0",
				    &args, &err),
			 0);
	assert_int_equal(args.count, 3);
	assert_text(args.devices[0].id, "gpu");
	assert_text(args.devices[0].romfile, "/c,,d");
	assert_false(args.devices[0].from_set);
	assert_null(args.devices[1].id);
	assert_null(args.devices[1].romfile);
	assert_text(args.devices[2].id, "hostpci2");
	assert_true(args.devices[2].from_set);
}

static void two_commas_are_one(void **state)
{
	cleanup_args struct args args = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(args_parse("-device vfio-pci,romfile=/a,,b,,,host=01:00.0", &args, &err),
			 0);
	assert_int_equal(args.count, 1);
	assert_text(args.devices[0].romfile, "/a,b,");
}

static void all_vanishes(void **state)
{
	cleanup_args struct args args = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(args_parse("-device vfio-pci,host=01:00.0 -name 'it", &args, &err), 0);
	assert_true(args.vanished);
	assert_int_equal(args.count, 0);
	assert_int_equal(args.problem_count, 0);
}

/* ---- bad input */

static void any_beginning_is_taken(void **state)
{
	char line[] = "-device vfio-pci,host=01:00.0,id=a,romfile=/x,,y -set device.a.host=02:00.0 "
		      "--device '{\"driver\":\"vfio-pci\",\"host\":\"03:00.0\"}' \"a\\\" b\"";

	(void)state;
	for (size_t size = sizeof(line); size-- > 0;) {
		cleanup_args struct args args = { 0 };
		struct error err = { 0 };

		line[size] = '\0';
		assert_int_equal(args_parse(line, &args, &err), 0);
	}
}

static void large_is_taken(void **state)
{
	static const char option[] = "-device vfio-pci,host=01:00.0,id=a ";
	size_t count = ((size_t)1 << 20) / (sizeof(option) - 1);
	cleanup_free char *line = malloc(count * (sizeof(option) - 1) + 1);
	cleanup_args struct args args = { 0 }, one_word = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_non_null(line);
	for (size_t i = 0; i < count; i++)
		memcpy(line + i * (sizeof(option) - 1), option, sizeof(option));
	assert_int_equal(args_parse(line, &args, &err), 0);
	assert_int_equal(args.count, count);

	memset(line, 'x', count * (sizeof(option) - 1));
	assert_int_equal(args_parse(line, &one_word, &err), 0);
	assert_int_equal(one_word.count, 0);
}

static void done_takes_an_empty_one(void **state)
{
	struct args args = { 0 };

	(void)state;
	args_done(&args);
	args_done(&args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_perls),
		cmocka_unit_test(devices_are_qemus),
		cmocka_unit_test(tells_what_is_beside_the_address),
		cmocka_unit_test(two_commas_are_one),
		cmocka_unit_test(all_vanishes),
		cmocka_unit_test(any_beginning_is_taken),
		cmocka_unit_test(large_is_taken),
		cmocka_unit_test(done_takes_an_empty_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
