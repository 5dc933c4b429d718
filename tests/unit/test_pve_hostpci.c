/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: vm/hostpci.c. Each row carries the rule of Proxmox VE it comes from: JS is
 * parse_property_string() in pve-common's JSONSchema.pm, PCI the format in qemu-server's PCI.pm,
 * SYS $PCIRE in pve-common's SysFSTools.pm, BOOL parse_boolean() in JSONSchema.pm (9.2.6, 9.2.1).
 */
#include "test.h"

#include <errno.h>

#include "pve/hostpci.h"

/* What a value is expected to become; host entries joined by ';'. */
struct row {
	const char *value;
	const char *source;
	const char *host;
	const char *mapping, *mdev, *romfile, *unknown_key;
	bool keep, pcie, x_vga, legacy_igd, no_rombar;
};

static void assert_hosts(const struct row *row, const struct strings *host)
{
	cleanup_text struct text text = { 0 };
	cleanup_free char *joined = NULL;

	for (size_t i = 0; i < host->count; i++)
		text_add(&text, "%s%s", i ? ";" : "", host->items[i]);
	joined = text_take(&text);
	assert_row(row->value, strcmp(joined, row->host ? row->host : "") == 0);
}

static void assert_taken(const struct row *row)
{
	cleanup_hostpci struct hostpci hostpci = { 0 };
	struct error err = { 0 };

	if (hostpci_parse(row->value, &hostpci, &err) != 0)
		fail_msg("'%s' (%s): %s", row->value, row->source, err.message);
	assert_hosts(row, &hostpci.host);
	assert_row(row->value, text_equal(hostpci.mapping, row->mapping));
	assert_row(row->value, text_equal(hostpci.mdev, row->mdev));
	assert_row(row->value, text_equal(hostpci.romfile, row->romfile));
	assert_row(row->value,
		   text_equal(hostpci.unknown_keys.count ? hostpci.unknown_keys.items[0] : NULL,
			      row->unknown_key));
	assert_row(row->value, hostpci.keep == row->keep);
	assert_row(row->value, hostpci.pcie == row->pcie);
	assert_row(row->value, hostpci.x_vga == row->x_vga);
	assert_row(row->value, hostpci.legacy_igd == row->legacy_igd);
	assert_row(row->value, hostpci.rombar == !row->no_rombar);
}

static void test_taken(void **state)
{
	static const struct row rows[] = {
		/* the forms in use, most common first */
		{ "0000:01:00.0", "SYS", .host = "0000:01:00.0" },
		{ "0000:01:00", "SYS", .host = "0000:01:00" },
		{ "01:00", "SYS", .host = "01:00" },
		{ "01:00.1", "SYS", .host = "01:00.1" },
		{ "01:00.0;01:00.1", "PCI host", .host = "01:00.0;01:00.1" },
		{ "0000:01:00;0000:02:00.0;03:00", "PCI host",
		  .host = "0000:01:00;0000:02:00.0;03:00" },
		{ "host=01:00", "PCI host", .host = "01:00" },
		/* the pattern checks no range, and no more than four digits of the domain */
		{ "0a:20.0", "SYS: no range", .host = "0a:20.0" },
		{ "01:00.f", "SYS: no range", .host = "01:00.f" },
		{ "ff:ff.9", "SYS: no range", .host = "ff:ff.9" },
		{ "10000:e1:00.0", "SYS: [a-f0-9]{4,}", .host = "10000:e1:00.0" },
		{ "00000000:01:00.0", "SYS: [a-f0-9]{4,}", .host = "00000000:01:00.0" },
		{ "dead:be:ef", "SYS", .host = "dead:be:ef" },

		/* split at ',', blank parts are skipped, no order */
		{ "01:00,pcie=1", "JS", .host = "01:00", .pcie = true },
		{ "pcie=1,01:00", "JS: position is free", .host = "01:00", .pcie = true },
		{ "01:00,", "JS: ^\\s*$", .host = "01:00" },
		{ ",,01:00,,pcie=1,,", "JS: ^\\s*$", .host = "01:00", .pcie = true },
		{ "01:00, ,pcie=1,\t", "JS: ^\\s*$", .host = "01:00", .pcie = true },
		{ "01:00,\v,\f", "JS: \\s has \\v since perl 5.18", .host = "01:00" },
		{ "", "JS", .host = NULL },
		{ " ", "JS", .host = NULL },
		{ ",", "JS", .host = NULL },
		{ "pcie=1", "JS: neither host nor mapping is not an error here", .pcie = true },
		{ "01:00,mapping=gpu", "JS: both is not an error here", .host = "01:00",
		  .mapping = "gpu" },

		/* booleans */
		{ "01:00,x-vga=1", "BOOL", .host = "01:00", .x_vga = true },
		{ "01:00,x-vga=on,pcie=yes,legacy-igd=true", "BOOL", .host = "01:00", .x_vga = true,
		  .pcie = true, .legacy_igd = true },
		{ "01:00,x-vga=ON,pcie=Yes,legacy-igd=tRUE", "BOOL: any case", .host = "01:00",
		  .x_vga = true, .pcie = true, .legacy_igd = true },
		{ "01:00,x-vga=0,pcie=off,legacy-igd=No,rombar=FALSE", "BOOL", .host = "01:00",
		  .no_rombar = true },
		{ "01:00,rombar=0", "PCI rombar: default 1", .host = "01:00", .no_rombar = true },
		{ "01:00,rombar=1", "PCI rombar", .host = "01:00" },

		/* mapping: pve-configid, two characters at least, any case */
		{ "mapping=ab", "PCI mapping", .mapping = "ab" },
		{ "mapping=GPU-1_x", "PCI mapping", .mapping = "GPU-1_x" },
		{ "mapping=a-", "PCI mapping", .mapping = "a-" },

		/* romfile: [^,;]+ and no look at the path */
		{ "01:00,romfile=vbios.bin", "PCI romfile", .host = "01:00",
		  .romfile = "vbios.bin" },
		{ "01:00,romfile=vbios/z370.rom", "PCI romfile", .host = "01:00",
		  .romfile = "vbios/z370.rom" },
		{ "01:00,romfile=../x", "PCI romfile", .host = "01:00", .romfile = "../x" },
		{ "01:00,romfile=/a", "PCI romfile", .host = "01:00", .romfile = "/a" },
		{ "01:00,romfile=a b.rom ", "PCI romfile: blanks", .host = "01:00",
		  .romfile = "a b.rom " },
		{ "01:00,romfile=a=b", "JS: the first = splits", .host = "01:00",
		  .romfile = "a=b" },
		{ "01:00,romfile==", "JS: the first = splits", .host = "01:00", .romfile = "=" },

		{ "01:00,mdev=nvidia-35", "PCI mdev", .host = "01:00", .mdev = "nvidia-35" },
		{ "01:00,mdev=i915-GVTg_V5_4", "PCI mdev", .host = "01:00",
		  .mdev = "i915-GVTg_V5_4" },

		/* what is false to Perl: a part without a key replaces it, a string is not there */
		{ "host=0,0000:01:00.0", "JS: !$res->{$default_key}", .host = "0000:01:00.0" },
		{ "pcie=1,host=0,01:00", "JS: the same", .host = "01:00", .pcie = true },
		{ "01:00,mdev=0", "PCI: if ($d->{mdev})", .host = "01:00" },
		{ "01:00,romfile=0", "PCI: if $d->{romfile}", .host = "01:00" },

		{ "01:00,driver=keep", "PCI driver", .host = "01:00", .keep = true },
		{ "01:00,driver=vfio", "PCI driver", .host = "01:00" },

		{ "01:00,vendor-id=0x10de,device-id=0x2484,sub-vendor-id=0xABCD,sub-device-id=0xfFfF",
		  "PCI: 0x and four digits, either case", .host = "01:00" },

		/* keys of a later version */
		{ "01:00,future=1", "header: told, not dropped", .host = "01:00",
		  .unknown_key = "future" },
		{ "01:00,one=1,two=2", "header: the first is told", .host = "01:00",
		  .unknown_key = "one" },
		{ "01:00,PCIE=1", "JS: keys have one case", .host = "01:00",
		  .unknown_key = "PCIE" },
		{ "01:00, pcie=1", "JS: parts are not trimmed", .host = "01:00",
		  .unknown_key = " pcie" },
		{ "01:00,pcie =1", "JS: parts are not trimmed", .host = "01:00",
		  .unknown_key = "pcie " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_taken(&rows[i]);
}

static void test_dropped(void **state)
{
#define NO_ADDRESS(value)                                                                          \
	"'" value "' is not a PCI address as Proxmox VE reads it: lower-case "                     \
	"[domain:]bus:device[.function], several joined by ';'"
	static const struct {
		const char *value, *source, *message;
	} rows[] = {
		{ "0000:01:00.0 # GPU", "SYS: no comment", NO_ADDRESS("0000:01:00.0 # GPU") },
		{ "01:00.0 ", "SYS: no blanks", NO_ADDRESS("01:00.0 ") },
		{ " 01:00.0", "SYS: no blanks", NO_ADDRESS(" 01:00.0") },
		{ "0A:00.0", "SYS: lower case", NO_ADDRESS("0A:00.0") },
		{ "0000:01:00.F", "SYS: lower case", NO_ADDRESS("0000:01:00.F") },
		{ "01:00.10", "SYS: one digit", NO_ADDRESS("01:00.10") },
		{ "01:00.", "SYS", NO_ADDRESS("01:00.") },
		{ "1:00.0", "SYS: two digits", NO_ADDRESS("1:00.0") },
		{ "001:00.0", "SYS: two digits", NO_ADDRESS("001:00.0") },
		{ "01:0.0", "SYS: two digits", NO_ADDRESS("01:0.0") },
		{ "01:000.0", "SYS: two digits", NO_ADDRESS("01:000.0") },
		{ "000:01:00.0", "SYS: four digits", NO_ADDRESS("000:01:00.0") },
		{ "0000:01", "SYS", NO_ADDRESS("0000:01") },
		{ "0000:01:", "SYS", NO_ADDRESS("0000:01:") },
		{ "0000::01:00", "SYS", NO_ADDRESS("0000::01:00") },
		{ "0000:0000:01:00", "SYS", NO_ADDRESS("0000:0000:01:00") },
		{ "01.00.0", "SYS", NO_ADDRESS("01.00.0") },
		{ "01:00:0", "SYS", NO_ADDRESS("01:00:0") },
		{ "01:0g", "SYS", NO_ADDRESS("01:0g") },
		{ "gpu", "SYS", NO_ADDRESS("gpu") },
		{ "1", "SYS", NO_ADDRESS("1") },
		{ "\"01:00\"", "JS: a value with a format keeps its quotes",
		  NO_ADDRESS("\"01:00\"") },
		{ "01:00;", "PCI host", NO_ADDRESS("01:00;") },
		{ ";01:00", "PCI host", NO_ADDRESS(";01:00") },
		{ "01:00;;02:00", "PCI host", NO_ADDRESS("01:00;;02:00") },
		{ "01:00; 02:00", "PCI host", NO_ADDRESS("01:00; 02:00") },
		{ "host=01:00;x", "PCI host", NO_ADDRESS("01:00;x") },

		{ "01:00,02:00", "JS: the default key twice", "'host' is given twice" },
		{ "01:00,host=02:00", "JS: the default key and its name", "'host' is given twice" },
		{ "host=01:00,host=01:00", "JS: duplicate", "'host' is given twice" },
		{ "01:00,pcie=1,pcie=1", "JS: duplicate", "'pcie' is given twice" },
		{ "mapping=ab,mapping=ab", "JS: duplicate", "'mapping' is given twice" },
		{ "01:00,vendor-id=0x1234,vendor-id=0x1234", "JS: duplicate",
		  "'vendor-id' is given twice" },

		{ "01:00,romfile=", "JS: missing key", "'romfile=' lacks its value" },
		{ "01:00,pcie=", "JS: missing key", "'pcie=' lacks its value" },
		{ "01:00,unknown=", "JS: missing key", "'unknown=' lacks its value" },
		{ "01:00,=1", "JS: missing key", "'=1' lacks its key" },
		{ "01:00,=", "JS: missing key", "'=' lacks its key" },

		{ "01:00,pcie=2", "BOOL",
		  "pcie '2' is neither 1, on, yes, true nor 0, off, no, "
		  "false" },
		{ "01:00,pcie=1 # GPU", "BOOL: no comment",
		  "pcie '1 # GPU' is neither 1, on, yes, true nor 0, off, no, false" },
		{ "01:00,x-vga=y", "BOOL",
		  "x-vga 'y' is neither 1, on, yes, true nor 0, off, no, false" },
		{ "01:00,rombar=01", "BOOL",
		  "rombar '01' is neither 1, on, yes, true nor 0, off, no, false" },
		{ "01:00,legacy-igd= 1", "BOOL",
		  "legacy-igd ' 1' is neither 1, on, yes, true nor 0, off, no, false" },

		{ "mapping=a", "PCI mapping: two characters",
		  "'a' is not the name of a resource mapping" },
		{ "mapping=1gpu", "PCI mapping: a letter first",
		  "'1gpu' is not the name of a resource mapping" },
		{ "mapping=-gpu", "PCI mapping", "'-gpu' is not the name of a resource mapping" },
		{ "mapping=gpu.1", "PCI mapping", "'gpu.1' is not the name of a resource mapping" },
		{ "mapping=gpu 1", "PCI mapping", "'gpu 1' is not the name of a resource mapping" },
		{ "mapping=gp\xc3\xbc", "PCI mapping",
		  "'gp\xc3\xbc' is not the name of a resource mapping" },

		{ "01:00,mdev=a/b", "PCI mdev", "mdev 'a/b' holds one of '/', '.', ':'" },
		{ "01:00,mdev=a.b", "PCI mdev", "mdev 'a.b' holds one of '/', '.', ':'" },
		{ "01:00,mdev=a:b", "PCI mdev", "mdev 'a:b' holds one of '/', '.', ':'" },
		{ "01:00,romfile=a;b", "PCI romfile", "romfile 'a;b' holds a ';'" },
		{ "01:00,driver=vfio-pci", "PCI driver",
		  "driver 'vfio-pci' is neither 'vfio' nor 'keep'" },
		{ "01:00,driver=KEEP", "PCI driver", "driver 'KEEP' is neither 'vfio' nor 'keep'" },

		{ "01:00,host=0", "JS: defined($res->{$k})", "'host' is given twice" },
		{ "host=0,host=01:00", "JS: the same", "'host' is given twice" },
		{ "0,01:00", "JS: $default_key is set already", "'host' is given twice" },
		{ "host=0,01:00,02:00", "JS: the same", "'host' is given twice" },
		{ "01:00,future=1,future=2", "JS", "'future' is given twice" },

		{ "01:00,vendor-id=10de", "PCI: 0x", "'10de' is not an id such as 0x10de" },
		{ "01:00,vendor-id=0x10d", "PCI: four digits",
		  "'0x10d' is not an id such as 0x10de" },
		{ "01:00,device-id=0x10dee", "PCI: four digits",
		  "'0x10dee' is not an id such as 0x10de" },
		{ "01:00,sub-vendor-id=0x10dg", "PCI: digits",
		  "'0x10dg' is not an id such as 0x10de" },
		{ "01:00,sub-device-id=0X10de", "PCI: 0x", "'0X10de' is not an id such as 0x10de" },
		{ "01:00,device-id=x", "PCI: 0x", "'x' is not an id such as 0x10de" },
		/* what follows an error is not looked at, and nothing of the line is kept */
		{ "pcie=1,driver=x,01:00", "JS", "driver 'x' is neither 'vfio' nor 'keep'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct hostpci hostpci = { .mdev = NULL, .pcie = false };
		struct error err = { 0 };

		assert_row(rows[i].value, hostpci_parse(rows[i].value, &hostpci, &err) == -EINVAL);
		assert_string_equal(err.message, rows[i].message);
		assert_row(rows[i].value, hostpci.host.count == 0 && !hostpci.pcie);
	}
}

/* Every beginning of a value ends in one or the other, and in no memory lost. */
static void test_truncated(void **state)
{
	static const char value[] = "0000:01:00.0;0000:02:00,pcie=1,x-vga=on,romfile=a/b.rom,"
				    "driver=vfio,vendor-id=0x10de,mdev=x,mapping=gpu,future=1";

	(void)state;
	for (size_t size = 0; size < sizeof(value); size++) {
		cleanup_hostpci struct hostpci hostpci = { 0 };
		cleanup_free char *piece = strndup(value, size);
		struct error err = { 0 };
		int r = hostpci_parse(piece, &hostpci, &err);

		assert_true(r == 0 || r == -EINVAL);
		assert_int_equal(*err.message != '\0', r < 0);
	}
}

static void test_large(void **state)
{
	cleanup_hostpci struct hostpci hostpci = { 0 };
	cleanup_free char *value = NULL;
	cleanup_text struct text text = { 0 };
	struct error err = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10000; i++)
		text_add(&text, "%s%02x:00.0", i ? ";" : "", i & 0xff);
	value = text_take(&text);
	assert_int_equal(hostpci_parse(value, &hostpci, &err), 0);
	assert_int_equal(hostpci.host.count, 10000);
}

static void test_boolean(void **state)
{
	static const char *const yes[] = { "1", "on", "yes", "true", "On", "YES", "tRuE" };
	static const char *const no[] = { "0", "off", "no", "false", "oFF", "NO", "False" };
	static const char *const neither[] = { "", "2", "y", "n", "t", "yes ", " 1", "10", "onn" };
	bool value;

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++) {
		value = false;
		assert_row(yes[i], pve_boolean_parse(yes[i], &value) == 0 && value);
	}
	for (size_t i = 0; i < COUNT(no); i++) {
		value = true;
		assert_row(no[i], pve_boolean_parse(no[i], &value) == 0 && !value);
	}
	for (size_t i = 0; i < COUNT(neither); i++)
		assert_row(neither[i], pve_boolean_parse(neither[i], &value) == -EINVAL);
}

static void test_done(void **state)
{
	struct hostpci hostpci = { 0 };

	(void)state;
	hostpci_done(&hostpci);
	assert_int_equal(hostpci_parse("01:00,mdev=x,romfile=y", &hostpci, NULL), 0);
	hostpci_done(&hostpci);
	assert_null(hostpci.mdev);
	hostpci_done(&hostpci);
}

/* What remedies name: a line with one thing changed, and the command that sets it. */
static void test_change(void **state)
{
	static const struct {
		const char *value, *drop, *host, *more, *changed, *command;
	} rows[] = {
		{ "01:00,pcie=1", NULL, NULL, "x-vga=1", "01:00,pcie=1,x-vga=1",
		  "qm set 101 --hostpci3 01:00,pcie=1,x-vga=1" },
		{ "pcie=1,host=01:00", NULL, "02:00.0", NULL, "pcie=1,02:00.0",
		  "qm set 101 --hostpci3 pcie=1,02:00.0" },
		{ "01:00.0,rombar=0,romfile=a b.rom", "rombar", "01:00.0;01:00.1", NULL,
		  "01:00.0;01:00.1,romfile=a b.rom",
		  "qm set 101 --hostpci3 \"01:00.0;01:00.1,romfile=a b.rom\"" },
		{ "mapping=gpu,rombar=0", "rom", "x", NULL, "mapping=gpu,rombar=0",
		  "qm set 101 --hostpci3 mapping=gpu,rombar=0" },
		{ "01:00,romfile=$a`b\"c\\d", NULL, NULL, NULL, "01:00,romfile=$a`b\"c\\d",
		  "qm set 101 --hostpci3 \"01:00,romfile=\\$a\\`b\\\"c\\\\d\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *changed =
			hostpci_change(rows[i].value, rows[i].drop, rows[i].host, rows[i].more);
		cleanup_free char *command = hostpci_command(101, "hostpci3", changed);

		assert_text(changed, rows[i].changed);
		assert_text(command, rows[i].command);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken),	  cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_truncated), cmocka_unit_test(test_large),
		cmocka_unit_test(test_boolean),	  cmocka_unit_test(test_done),
		cmocka_unit_test(test_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
