/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pve/slot.c, on answers as QEMU 7.2 gives them, with what does not matter left out. */
#include "test.h"

#include <errno.h>

#include "pve/slot.h"

#define FUNCTION(slot, function, id, more)                                                         \
	"{\"bus\": 0, \"slot\": " slot ", \"function\": " function ", \"qdev_id\": \"" id          \
	"\", \"class_info\": {\"class\": 512}, \"regions\": [" more "]}"
#define BRIDGE(slot, function, id, secondary, devices)                                             \
	"{\"bus\": 0, \"slot\": " slot ", \"function\": " function ", \"qdev_id\": \"" id          \
	"\", \"class_info\": {\"class\": 1540}, \"regions\": [], \"pci_bridge\": {\"bus\": "       \
	"{\"number\": 0, \"secondary\": " secondary ", \"subordinate\": 9}" devices "}}"
#define BEHIND(devices)	 ", \"devices\": [" devices "]"
#define MACHINE(devices) "[{\"bus\": 0, \"devices\": [" devices "]}]"
#define OFF		 "{\"bar\": 0, \"type\": \"memory\", \"address\": -1, \"size\": 4096}"
#define ON		 "{\"bar\": 0, \"type\": \"memory\", \"address\": 4267704320, \"size\": 4096}"

static const char q35[] = MACHINE(
	FUNCTION("0", "0", "", "") "," BRIDGE("28", "0", "ich9-pcie-port-1", "1", "") "," BRIDGE(
		"28", "1", "ich9-pcie-port-2", "2",
		BEHIND(FUNCTION("0", "0", "hostpci1.0",
				ON) "," FUNCTION("0", "1", "hostpci1.1",
						 OFF))) "," BRIDGE("28", "2", "ich9-pcie-port-3",
								   "0", "") "," FUNCTION("31", "2",
											 "", ON));

static const char i440fx[] = MACHINE(
	FUNCTION("1", "0", "",
		 "") "," FUNCTION("16", "0", "hostpci0",
				  OFF) "," FUNCTION("18", "0", "net0",
						    ON) "," BRIDGE("31", "0", "pci.2", "2",
								   BEHIND(FUNCTION("13", "0",
										   "hostpci4",
										   OFF))));

static void parse(const char *text, struct qemu_functions *functions)
{
	json_t *answer = json_loads(text, 0, NULL);
	struct error err = { 0 };

	assert_non_null(answer);
	if (qemu_functions_parse(answer, functions, &err) < 0)
		fail_msg("%s", err.message);
	json_decref(answer);
}

static void test_functions(void **state)
{
	struct qemu_functions functions = { 0 };
	const struct qemu_function *function;
	size_t mapped;

	(void)state;
	parse(q35, &functions);
	assert_int_equal(functions.count, 7);
	function = qemu_functions_find(&functions, "hostpci1.1");
	assert_non_null(function);
	assert_string_equal(function->parent, "ich9-pcie-port-2");
	assert_int_equal(function->function, 1);
	assert_int_equal(function->class_code, 0x0200);
	assert_false(function->mapped);
	assert_false(function->bridge);
	assert_true(qemu_functions_find(&functions, "hostpci1.0")->mapped);
	assert_null(qemu_functions_find(&functions, "hostpci1"));
	assert_true(qemu_functions_find(&functions, "ich9-pcie-port-1")->numbered);
	assert_false(qemu_functions_find(&functions, "ich9-pcie-port-3")->numbered);
	assert_int_equal(qemu_functions_of_line(&functions, 1, &mapped), 2);
	assert_int_equal(mapped, 1);
	assert_int_equal(qemu_functions_of_line(&functions, 0, &mapped), 0);
	assert_int_equal(mapped, 0);
	qemu_functions_done(&functions);

	/* hostpci1 is not hostpci10 */
	parse(MACHINE(FUNCTION("1", "0", "hostpci10", "") "," FUNCTION("2", "0", "hostpci10.1",
								       "")),
	      &functions);
	assert_int_equal(qemu_functions_of_line(&functions, 1, &mapped), 0);
	assert_int_equal(qemu_functions_of_line(&functions, 10, &mapped), 2);
	qemu_functions_done(&functions);
}

static void test_slots(void **state)
{
	static const struct {
		const char *name, *text;
		bool q35;
		unsigned number;
		int result;
		const char *bus;
		unsigned slot;
	} rows[] = {
		{ "a port that is free", q35, true, 0, 0, "ich9-pcie-port-1", 0 },
		{ "one with a device", q35, true, 1, -EBUSY, NULL, 0 },
		{ "one before the firmware", q35, true, 2, -EAGAIN, NULL, 0 },
		{ "one that is not there", q35, true, 3, -ENXIO, NULL, 0 },
		{ "a slot with a device", i440fx, false, 0, -EBUSY, NULL, 0 },
		{ "a slot that is free", i440fx, false, 1, 0, "pci.0", 17 },
		{ "not net0's", i440fx, false, 2, 0, "pci.0", 27 },
		{ "behind the bridge, taken", i440fx, false, 4, -EBUSY, NULL, 0 },
		{ "behind the bridge", i440fx, false, 5, 0, "pci.2", 14 },
		{ "the last", i440fx, false, 15, 0, "pci.2", 24 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct qemu_functions functions = { 0 };
		struct qemu_slot slot = { 0 };

		parse(rows[i].text, &functions);
		assert_row(rows[i].name, qemu_slot_find(&functions, rows[i].q35, rows[i].number,
							&slot) == rows[i].result);
		if (rows[i].bus) {
			assert_row(rows[i].name, strcmp(slot.bus, rows[i].bus) == 0);
			assert_row(rows[i].name, slot.slot == rows[i].slot);
		}
		qemu_functions_done(&functions);
	}
}

static void test_ids(void **state)
{
	char id[32];

	(void)state;
	qemu_line_id(3, 0, 1, id);
	assert_string_equal(id, "hostpci3");
	qemu_line_id(12, 1, 2, id);
	assert_string_equal(id, "hostpci12.1");
}

static void test_bad(void **state)
{
	static const char *const rows[] = {
		"{}",
		"[{}]",
		"[{\"devices\": [{}]}]",
		"[{\"devices\": [{\"slot\": 1}]}]",
		MACHINE("{\"slot\": 32, \"function\": 0, \"qdev_id\": \"x\", \"class_info\": "
			"{\"class\": 1}}"),
		MACHINE("{\"slot\": 1, \"function\": -1, \"qdev_id\": \"x\", \"class_info\": "
			"{\"class\": 1}}"),
		MACHINE(BRIDGE("1", "0", "b", "\"1\"", "")),
		MACHINE(BRIDGE("1", "0", "b", "1", ", \"devices\": 3")),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct qemu_functions functions = { 0 };
		json_t *answer = json_loads(rows[i], 0, NULL);
		struct error err = { 0 };

		assert_row(rows[i], answer);
		assert_row(rows[i], qemu_functions_parse(answer, &functions, &err) == -EBADMSG);
		assert_row(rows[i], *err.message && !functions.items);
		json_decref(answer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_slots),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
