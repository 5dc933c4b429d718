/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: vm/settings.c: what is not understood is told by file, line and key. */
#include "test.h"
#include "tree.h"

#include "settings/settings.h"

#define NODE_FILE "etc/pve-vfio/config.json"
#define VM_FILE	  "etc/pve/pve-vfio/101.json"

static int parse(const char *text, struct settings *settings, struct error *err)
{
	*err = (struct error){ 0 };
	settings_init(settings);
	return settings_parse("it", text, strlen(text), settings, err);
}

static struct pci_address address(const char *text)
{
	struct pci_address parsed = { 0 };

	assert_int_equal(pci_address_parse(text, &parsed), 0);
	return parsed;
}

static void test_defaults(void **state)
{
	const struct tree *tree = *state;
	cleanup_settings struct settings settings = { 0 };
	struct error err = { 0 };

	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_false(settings.keep);
	assert_false(settings.refuse_siblings);
	assert_int_equal(settings.deadline_s, 30);
	assert_int_equal(settings.allow.count, 0);
	assert_false(settings_keep(&settings, address("0000:01:00.0")));
	assert_null(settings_pin(&settings, "pve1", address("0000:01:00.0")));
}

static void test_all(void **state)
{
	static const char text[] =
		"{\"after_stop\": \"keep\", \"siblings\": \"refuse\", \"deadline_s\": 3600,\n"
		"\"allow\": [\"romfile\", \"device-held\"],\n"
		"\"devices\": {\"0000:01:00.0\": {\"after_stop\": \"host\"},"
		" \"0000:02:00.0\": {}},\n"
		"\"pins\": {\"0000:01:00.0\": {\"id\": \"10de:2484\", \"class\": \"030000\","
		" \"subsystem\": \"1462:3909\", \"serial\": \"52-54-00-ff-ff-12-34-56\"}}}";
	cleanup_settings struct settings settings = { 0 };
	const struct pin *pin;
	struct error err;

	(void)state;
	assert_int_equal(parse(text, &settings, &err), 0);
	assert_true(settings.keep);
	assert_true(settings.refuse_siblings);
	assert_int_equal(settings.deadline_s, 3600);
	assert_true(strings_has(&settings.allow, "device-held"));
	assert_false(settings_keep(&settings, address("0000:01:00.0")));
	assert_true(settings_keep(&settings, address("0000:02:00.0")));
	assert_true(settings_keep(&settings, address("0000:03:00.0")));
	pin = settings_pin(&settings, "pve1", address("0000:01:00.0"));
	assert_non_null(pin);
	assert_int_equal(pin->identity.vendor, 0x10de);
	assert_int_equal(pin->identity.subsystem_device, 0x3909);
	assert_int_equal(pin->identity.class_code, 0x030000);
	assert_string_equal(pin->identity.serial, "52-54-00-ff-ff-12-34-56");
	assert_null(settings_pin(&settings, "pve1", address("0000:02:00.0")));
}

/* Pins are a node's; those that 0.1 wrote are of whichever node it was. */
static void test_pins(void **state)
{
	static const char text[] =
		"{\"pins\": {\"0000:01:00.0\": {\"id\": \"0001:0001\", \"class\": \"030000\"}, "
		"\"nodes/pve1\": {\"0000:01:00.0\": {\"id\": \"0002:0002\", \"class\": \"030000\"}}, "
		"\"nodes/pve2\": {\"0000:02:00.0\": {\"id\": \"0003:0003\", \"class\": \"030000\"}}}}";
	static const struct {
		const char *node, *address;
		unsigned vendor; /* 0: no pin */
	} rows[] = {
		{ "pve1", "0000:01:00.0", 2 }, { "pve2", "0000:01:00.0", 1 },
		{ "pve3", "0000:01:00.0", 1 }, { "pve1", "0000:02:00.0", 0 },
		{ "pve2", "0000:02:00.0", 3 },
	};
	cleanup_settings struct settings settings = { 0 };
	struct error err;

	(void)state;
	assert_int_equal(parse(text, &settings, &err), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct pin *pin =
			settings_pin(&settings, rows[i].node, address(rows[i].address));

		assert_int_equal(pin ? pin->identity.vendor : 0, rows[i].vendor);
	}
}

/* What is set for a line counts before what is set for a mapping, and the address's own before both. */
static void test_lines_and_mappings(void **state)
{
	static const char text[] =
		"{\"devices\": {\"hostpci0\": {\"mac\": \"bc:24:11:00:00:01\", \"vlan\": 7}, "
		"\"nics\": {\"vlan\": 8, \"trust\": true, \"power\": \"on\", \"after_stop\": \"keep\"}, "
		"\"0000:05:10.1\": {\"after_stop\": \"host\"}}}";
	cleanup_settings struct settings settings = { 0 };
	const struct device_settings *device;
	struct error err;

	(void)state;
	assert_int_equal(parse(text, &settings, &err), 0);
	assert_null(settings_device(&settings, address("0000:05:10.2")));
	assert_int_equal(settings_follow(&settings, address("0000:05:10.1"), "hostpci0", "nics"),
			 0);
	assert_int_equal(settings_follow(&settings, address("0000:05:10.2"), "hostpci1", "nics"),
			 0);
	assert_int_equal(settings_follow(&settings, address("0000:05:10.3"), "hostpci2", NULL), 0);
	device = settings_device(&settings, address("0000:05:10.1"));
	assert_non_null(device);
	assert_int_equal(device->vf_parts, VF_MAC | VF_VLAN | VF_TRUST);
	assert_int_equal(device->vf.vlan, 7);
	assert_true(device->has_power && device->power_on);
	assert_false(settings_keep(&settings, address("0000:05:10.1")));
	device = settings_device(&settings, address("0000:05:10.2"));
	assert_non_null(device);
	assert_int_equal(device->vf_parts, VF_VLAN | VF_TRUST);
	assert_int_equal(device->vf.vlan, 8);
	assert_true(settings_keep(&settings, address("0000:05:10.2")));
	assert_null(settings_device(&settings, address("0000:05:10.3")));
}

static void test_foreign(void **state)
{
	static const struct {
		struct vm_identity noted;
		time_t written;
		struct vm_identity now;
		bool foreign;
	} rows[] = {
		/* noted: by that, whenever it was written */
		{ { "a", 100 }, 0, { "a", 100 }, false },
		{ { "a", 100 }, 500, { "b", 200 }, true },
		{ { "a", 0 }, 500, { "A", 200 }, false },
		{ { "a", 100 }, 500, { "b", 100 }, false }, /* somebody changed its UUID */
		{ { "a", 100 }, 500, { "", 100 }, false },
		{ { "a", 0 }, 500, { "", 100 }, true },
		{ { "a", 100 }, 500, { "", 0 }, true },
		/* not noted: what is older than the VM is not of it */
		{ { "", 0 }, 99, { "a", 100 }, true },
		{ { "", 0 }, 100, { "a", 100 }, false },
		{ { "", 0 }, 500, { "", 100 }, false },
		{ { "", 0 }, 500, { "a", 0 }, false },
		{ { "", 0 }, 0, { "", 0 }, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_int_equal(settings_are_foreign(&rows[i].noted, rows[i].written,
						      &rows[i].now),
				 rows[i].foreign);
}

/* Nothing of an earlier VM's file applies; the node's own does. */
static void test_earlier_vm(void **state)
{
	const struct tree *tree = *state;
	cleanup_settings struct settings settings = { 0 };
	struct error err = { 0 };

	tree_file(tree, NODE_FILE, "{\"deadline_s\": 60}");
	tree_file(tree, VM_FILE,
		  "{\"allow\": [\"romfile\"], \"chain\": \"a:b\", \"after_stop\": \"keep\", "
		  "\"vm\": {\"uuid\": \"aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\", \"ctime\": 100}}");
	/* that VM itself, and one that cannot be read */
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_false(settings.foreign);
	settings_done(&settings);
	tree_config(tree, 101, "smbios1: uuid=aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\n");
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_true(settings.has_file && !settings.foreign && settings.keep);
	assert_int_equal(settings.allow.count, 1);
	settings_done(&settings);

	tree_config(
		tree, 101,
		"smbios1: uuid=bbbbbbbb-1111-4111-8111-bbbbbbbbbbbb\nmeta: creation-qemu=9.0,ctime=200\n");
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_true(settings.has_file && settings.foreign && !settings.keep);
	assert_int_equal(settings.allow.count, 0);
	assert_null(settings.chain);
	assert_int_equal(settings.deadline_s, 60);
	assert_string_equal(settings.vm.uuid, "aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa");
	settings_done(&settings);

	/* while it migrates here its configuration is still with the other node */
	tree_file(tree, "etc/pve/nodes/pve2/qemu-server/101.conf",
		  "smbios1: uuid=aaaaaaaa-1111-4111-8111-aaaaaaaaaaaa\n");
	assert_int_equal(settings_read(&tree->root, 101, "pve2", &settings, &err), 0);
	assert_false(settings.foreign);
}

/* An empty file is one without settings. */
static void test_empty_file(void **state)
{
	const struct tree *tree = *state;
	cleanup_settings struct settings settings = { 0 };
	struct error err = { 0 };

	tree_file(tree, VM_FILE, "%s", "\n");
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_int_equal(settings.deadline_s, SETTINGS_DEADLINE_S);
}

#define DISPLACE                                                                                   \
	"it, line 1: 'displace' must be such as {\"guests\": [101, 200], \"how\": \"shutdown\", "  \
	"\"timeout_s\": 60, \"start_again\": true}, with \"any\" for all guests and \"stop\" for " \
	"how; or null"

#define MAC_MESSAGE                                                                                \
	"it, line 1: 'mac' must be the address of one network card, such as \"bc:24:11:00:00:01\""
#define VLAN_MESSAGE                                                                                  \
	"it, line 1: 'vlan' must be a VLAN from 0 (none) to 4094, or such as {\"id\": 100, \"qos\": " \
	"3, \"protocol\": \"802.1ad\"}"
#define RATE_MESSAGE                                                                               \
	"it, line 1: 'rate' must be such as {\"min\": 100, \"max\": 1000}, in Mbit/s; 0 is no limit"

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "{\"after_stopp\": \"keep\"}",
		  "it, line 1: 'after_stopp' is not a setting; did you mean 'after_stop'?" },
		{ "{\n\n\"pin\": {}}", "it, line 3: 'pin' is not a setting; did you mean 'pins'?" },
		{ "{\"after_stop\": \"vm\"}",
		  "it, line 1: 'after_stop' must be \"host\" or \"keep\"" },
		{ "{\"after_stop\": true}",
		  "it, line 1: 'after_stop' must be \"host\" or \"keep\"" },
		{ "{\"siblings\": null}", "it, line 1: 'siblings' must be \"take\" or \"refuse\"" },
		{ "{\"deadline_s\": 0}", "it, line 1: 'deadline_s' must be a whole number of "
					 "seconds from 1 to 3600" },
		{ "{\"deadline_s\": 3601}", "it, line 1: 'deadline_s' must be a whole number of "
					    "seconds from 1 to 3600" },
		{ "{\"deadline_s\": -1}", "it, line 1: 'deadline_s' must be a whole number of "
					  "seconds from 1 to 3600" },
		{ "{\"deadline_s\": 1.5}", "it, line 1: 'deadline_s' must be a whole number of "
					   "seconds from 1 to 3600" },
		{ "{\"allow\": \"romfile\"}", "it, line 1: 'allow' must be an array of check ids" },
		{ "{\"allow\": [\"romfile\", 7]}",
		  "it, line 1: 'allow' must be an array of check ids" },
		{ "{\"displace\": [101]}", DISPLACE },
		{ "{\"displace\": {}}", DISPLACE },
		{ "{\"displace\": {\"guests\": []}}", DISPLACE },
		{ "{\"displace\": {\"guests\": [0]}}", DISPLACE },
		{ "{\"displace\": {\"guests\": [\"101\"]}}", DISPLACE },
		{ "{\"displace\": {\"guests\": \"all\"}}", DISPLACE },
		{ "{\"displace\": {\"guests\": [101], \"how\": \"kill\"}}", DISPLACE },
		{ "{\"displace\": {\"guests\": [101], \"timeout_s\": 0}}", DISPLACE },
		{ "{\"displace\": {\"guests\": [101], \"start_again\": 1}}", DISPLACE },
		{ "{\"displace\": {\"guests\": [101], \"when\": 1}}", DISPLACE },
		{ "{\"driver\": \"../x\"}",
		  "it, line 1: 'driver' must be \"auto\" or the name of a VFIO driver" },
		{ "{\"stop_units\": [\"--now\"]}",
		  "it, line 1: 'stop_units' must be an array of services: [\"NAME.service\"]" },
		{ "{\"stop_units\": [\"-H.service\"]}",
		  "it, line 1: 'stop_units' must be an array of services: [\"NAME.service\"]" },
		{ "{\"stop_units\": [\"a b.service\"]}",
		  "it, line 1: 'stop_units' must be an array of services: [\"NAME.service\"]" },
		{ "{\"unload_modules\": [\"a/b\"]}",
		  "it, line 1: 'unload_modules' must be an array of kernel modules" },
		{ "{\"console\": \"keep\"}",
		  "it, line 1: 'console' must be \"release\" or \"leave\"" },
		{ "{\"trace\": 1}", "it, line 1: 'trace' must be true or false" },
		{ "{\"notify\": \"no\"}", "it, line 1: 'notify' must be true or false" },
		{ "{\"compact_memory\": \"yes\"}",
		  "it, line 1: 'compact_memory' must be true or false" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"reset_method\": \"\"}}}",
		  "it, line 1: 'reset_method' must be words of the device's reset_method, such as "
		  "\"flr bus\"" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"reset_method\": \" \"}}}",
		  "it, line 1: 'reset_method' must be words of the device's reset_method, such as "
		  "\"flr bus\"" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"d3cold\": 0}}}",
		  "it, line 1: 'd3cold' must be true or false" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"power\": \"off\"}}}",
		  "it, line 1: 'power' must be \"auto\" or \"on\"" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"resize_bar\": {\"6\": 256}}}}",
		  "it, line 1: 'resize_bar' must be an object of sizes in MiB, powers of two, by the "
		  "BAR's number: {\"1\": 8192}" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"resize_bar\": {\"1\": 300}}}}",
		  "it, line 1: 'resize_bar' must be an object of sizes in MiB, powers of two, by the "
		  "BAR's number: {\"1\": 8192}" },
		{ "{\"devices\": {\"0000:01:00.0\": {\"rescan\": \"yes\"}}}",
		  "it, line 1: 'rescan' must be true or false" },
		{ "{\"devices\": []}",
		  "it, line 1: 'devices' must be an object of addresses, lines or mappings" },
		{ "{\"devices\": {\"01:00.0\": {}}}",
		  "it, line 1: '01:00.0' is not a full PCI address such as 0000:01:00.0, nor a line "
		  "such as hostpci0, nor the name of a resource mapping" },
		{ "{\"devices\": {\"hostpci0\": {\"mac\": \"5\"}}}", MAC_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"mac\": \"01:00:5e:00:00:01\"}}}", MAC_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"mac\": \"00:00:00:00:00:00\"}}}", MAC_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"mac\": 7}}}", MAC_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"vlan\": 4095}}}", VLAN_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"vlan\": \"7\"}}}", VLAN_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"vlan\": {\"qos\": 3}}}}", VLAN_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"vlan\": {\"id\": 7, \"qos\": 8}}}}",
		  VLAN_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"vlan\": {\"id\": 7, \"protocol\": \"802.1x\"}}}}",
		  VLAN_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"trust\": \"on\"}}}",
		  "it, line 1: 'trust' must be true or false" },
		{ "{\"devices\": {\"hostpci0\": {\"link_state\": \"up\"}}}",
		  "it, line 1: 'link_state' must be \"auto\", \"enable\" or \"disable\"" },
		{ "{\"devices\": {\"hostpci0\": {\"rate\": 100}}}", RATE_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"rate\": {\"min\": 9, \"max\": 8}}}}",
		  RATE_MESSAGE },
		{ "{\"devices\": {\"hostpci0\": {\"rate\": {\"most\": 8}}}}", RATE_MESSAGE },
		{ "{\"devices\": {\"0000:01:00.0\": 7}}",
		  "it, line 1: '0000:01:00.0' must be an object" },
		{ "{\"siblings\": \"take\",\n\"devices\": {\n\"0000:01:00.0\": {\n\"after_stp\": 1}}}",
		  "it, line 4: 'after_stp' is not a setting; did you mean 'after_stop'?" },
		{ "{\"after_stop\": \"keep\",\n\"devices\": {\n\"0000:01:00.0\": {\n"
		  "\"after_stop\": 1}}}",
		  "it, line 4: 'after_stop' must be \"host\" or \"keep\"" },
		{ "{\"pins\": 7}", "it, line 1: 'pins' must be an object of addresses" },
		{ "{\"pins\": {\"0000:01:00.0\": {\"id\": \"10de:2484\"}}}",
		  "it, line 1: '0000:01:00.0' lacks its 'id' or 'class'" },
		{ "{\"pins\": {\"0000:01:00.0\": {\"id\": \"10de-2484\", \"class\": \"030000\"}}}",
		  "it, line 1: 'id' is not as pve-vfio wrote it" },
		{ "{\"pins\": {\"0000:01:00.0\": {\"id\": \"10de:248g\", \"class\": \"030000\"}}}",
		  "it, line 1: 'id' is not as pve-vfio wrote it" },
		{ "{\"pins\": {\"0000:01:00.0\": {\"id\": \"10de:2484\", \"class\": \"3000\"}}}",
		  "it, line 1: 'class' is not as pve-vfio wrote it" },
		{ "{\"pins\": {\"0000:01:00.0\": {\"serial\": \"0123456789012345678901234\"}}}",
		  "it, line 1: 'serial' is not as pve-vfio wrote it" },
		{ "{\"pins\": {\"0000:01:00.0\": {\"vendor\": 7}}}",
		  "it, line 1: 'vendor' is not a setting; did you mean 'id'?" },
		{ "[]", "it: not a JSON object" },
		{ "{\"siblings\": \"take\", \"siblings\": \"take\"}", NULL },
		{ "", NULL },
		{ "{", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_settings struct settings settings = { 0 };
		struct error err;

		assert_row(rows[i].text, parse(rows[i].text, &settings, &err) == -EBADMSG);
		if (rows[i].message)
			assert_string_equal(err.message, rows[i].message);
		else
			assert_int_equal(strncmp(err.message, "it: line ", 9), 0);
	}
}

/* The VM's file goes over the node's; nothing of a broken one applies. */
static void test_two_files(void **state)
{
	const struct tree *tree = *state;
	cleanup_settings struct settings settings = { 0 };
	struct error err = { 0 };

	tree_file(tree, NODE_FILE,
		  "{\"after_stop\": \"keep\", \"deadline_s\": 60, \"allow\": [\"romfile\"]}");
	tree_file(tree, VM_FILE, "{\"deadline_s\": 7, \"allow\": [\"device-held\"]}");
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), 0);
	assert_true(settings.keep);
	assert_int_equal(settings.deadline_s, 7);
	assert_int_equal(settings.allow.count, 1);
	assert_true(strings_has(&settings.allow, "device-held"));
	settings_done(&settings);
	/* another VM's, and the node's alone */
	assert_int_equal(settings_read(&tree->root, 102, NULL, &settings, &err), 0);
	assert_int_equal(settings.deadline_s, 60);
	settings_done(&settings);
	assert_int_equal(settings_read(&tree->root, 0, NULL, &settings, &err), 0);
	assert_int_equal(settings.deadline_s, 60);
	settings_done(&settings);

	tree_file(tree, VM_FILE, "{\"deadline_s\": 7, \"x\": 1}");
	settings = (struct settings){ .deadline_s = 4711 };
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), -EBADMSG);
	assert_string_equal(err.message,
			    "/etc/pve/pve-vfio/101.json, line 1: 'x' is not a setting; "
			    "did you mean 'vm'?");
	assert_int_equal(settings.deadline_s, 4711);
	settings.deadline_s = 0;
	tree_remove(tree, VM_FILE);
	tree_folder(tree, VM_FILE);
	assert_int_equal(settings_read(&tree->root, 101, NULL, &settings, &err), -EISDIR);
	assert_string_equal(err.message, "cannot read /etc/pve/pve-vfio/101.json: Is a directory");
}

/* What is printed would give the same settings again. */
static void test_round_trip(void **state)
{
	static const char text[] =
		"{\"after_stop\": \"keep\", \"siblings\": \"refuse\", \"deadline_s\": 7, "
		"\"driver\": \"auto\", \"stop_units\": [\"a@b.service\"], "
		"\"unload_modules\": [\"nvidia_uvm\"], \"console\": \"leave\", \"compact_memory\": true, "
		"\"trace\": true, \"notify\": false, \"allow\": [\"romfile\"], \"devices\": {\"0000:01:00.0\": "
		"{\"after_stop\": \"host\", \"reset_method\": \"flr bus\", \"d3cold\": false, "
		"\"power\": \"on\", \"resize_bar\": {\"1\": 8192}, \"rescan\": true}}, "
		"\"pins\": {\"10000:e1:00.0\": {\"id\": \"10de:2484\", \"subsystem\": "
		"\"1462:3909\", \"class\": \"030000\", \"serial\": \"x\"}}}";
	cleanup_settings struct settings settings = { 0 };
	cleanup_free char *again = NULL;
	struct error err;
	json_t *json;

	(void)state;
	assert_int_equal(parse(text, &settings, &err), 0);
	json = settings_json(&settings);
	again = json_dumps(json, 0);
	json_decref(json);
	assert_string_equal(again, text);
}

static void test_truncated(void **state)
{
	static const char text[] = "{\"after_stop\": \"keep\", \"allow\": [\"romfile\"], "
				   "\"pins\": {\"0000:01:00.0\": {\"id\": \"10de:2484\", "
				   "\"class\": \"030000\"}}}";

	(void)state;
	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		cleanup_settings struct settings settings = { 0 };
		struct error err = { 0 };

		settings_init(&settings);
		assert_int_equal(settings_parse("it", text, size, &settings, &err), -EBADMSG);
	}
}

/* The size counts: what lies behind the document is not looked at for the line of a key. */
static void test_not_terminated(void **state)
{
	static const char text[] = "{\"\\u0061b\": 1}";
	cleanup_settings struct settings settings = { 0 };
	cleanup_free char *exact = NULL;
	struct error err = { 0 };

	(void)state;
	exact = malloc(sizeof(text) - 1);
	memcpy(exact, text, sizeof(text) - 1);
	settings_init(&settings);
	assert_int_equal(settings_parse("it", exact, sizeof(text) - 1, &settings, &err), -EBADMSG);
}

/* As the kernel shows it, which is what is compared when it has been set. */
static void test_reset_method(void **state)
{
	static const char *const rows[][2] = {
		{ "flr bus", "flr bus" },
		{ "  flr   bus ", "flr bus" },
		{ "default", "default" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *text =
			text_format("{\"devices\": {\"0000:01:00.0\": {\"reset_method\": \"%s\"}}}",
				    rows[i][0]);
		cleanup_settings struct settings settings = { 0 };
		struct error err;

		assert_int_equal(parse(text, &settings, &err), 0);
		assert_string_equal(settings.devices[0].reset_method, rows[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_defaults),
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_refused),
		tree_test(test_two_files),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_lines_and_mappings),
		cmocka_unit_test(test_foreign),
		tree_test(test_earlier_vm),
		tree_test(test_empty_file),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_reset_method),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_not_terminated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
