/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/action.c but for its effects: tests/fake has those. */
#include "test.h"

#include <errno.h>

#include "change/action.h"

static void test_type_names(void **state)
{
	static const struct {
		enum action_type type;
		const char *name;
		bool host_wide;
	} rows[] = {
		{ ACTION_RESERVE, "reserve", true },
		{ ACTION_STOP_UNIT, "stop-unit", true },
		{ ACTION_RELEASE_CONSOLE, "release-console", true },
		{ ACTION_RELEASE_FRAMEBUFFER, "release-framebuffer", true },
		{ ACTION_UNLOAD_MODULE, "unload-module", true },
		{ ACTION_LOAD_MODULE, "load-module", true },
		{ ACTION_KEEP_ATTRIBUTE, "keep-attribute", false },
		{ ACTION_KEEP_VFS, "keep-vfs", false },
		{ ACTION_KEEP_ESWITCH, "keep-eswitch", false },
		{ ACTION_SET_VF, "set-vf", false },
		{ ACTION_KEEP_VF, "keep-vf", false },
		{ ACTION_SET_ATTRIBUTE, "set-attribute", false },
		{ ACTION_BIND, "bind", false },
		{ ACTION_RESCAN, "rescan", false },
		{ ACTION_RESIZE_BAR, "resize-bar", false },
	};
	static const char *const bad[] = { "", "Bind", "bind ", "load_module", "x" };
	enum action_type type;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct action_operations *operations = action_operations(rows[i].type);

		/* the names stand in journals: they do not change */
		assert_string_equal(operations->name, rows[i].name);
		assert_int_equal(operations->host_wide, rows[i].host_wide);
		assert_non_null(operations->apply);
		assert_non_null(operations->revert);
		type = (enum action_type)99;
		assert_int_equal(action_type_parse(rows[i].name, &type), 0);
		assert_int_equal(type, rows[i].type);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], action_type_parse(bad[i], &type) == -EINVAL);
}

static void test_state_names(void **state)
{
	static const struct {
		enum action_state state;
		const char *name;
	} rows[] = {
		{ ACTION_FORESEEN, "foreseen" }, { ACTION_ANNOUNCED, "announced" },
		{ ACTION_DONE, "done" },	 { ACTION_FAILED, "failed" },
		{ ACTION_STUCK, "stuck" },
	};
	static const char *const bad[] = { "", "Done", "done ", "undone" };
	enum action_state parsed;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(action_state_name(rows[i].state), rows[i].name);
		parsed = (enum action_state)99;
		assert_int_equal(action_state_parse(rows[i].name, &parsed), 0);
		assert_int_equal(parsed, rows[i].state);
	}
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], action_state_parse(bad[i], &parsed) == -EINVAL);
}

static void test_make(void **state)
{
	struct action action = { 0 };
	char target[] = "0000:01:00.0";

	(void)state;
	assert_int_equal(action_make(ACTION_BIND, target, "e1000e", "vfio-pci", "hostpci0",
				     &action),
			 0);
	assert_int_equal(action_set_binding(&action, "none", "e1000e", 14), 0);
	target[0] = 'x'; /* it has its own copy */
	assert_int_equal(action.type, ACTION_BIND);
	assert_int_equal(action.state, ACTION_ANNOUNCED);
	assert_string_equal(action.target, "0000:01:00.0");
	assert_string_equal(action.before, "e1000e");
	assert_string_equal(action.wanted, "vfio-pci");
	assert_string_equal(action.source, "hostpci0");
	assert_string_equal(action.override, "none");
	assert_string_equal(action.module, "e1000e");
	assert_int_equal(action.group, 14);
	action_done(&action);
	assert_null(action.target);
	action_done(&action);

	assert_int_equal(action_make(ACTION_BIND, target, NULL, "vfio-pci", "hostpci0", &action),
			 0);
	assert_int_equal(action_set_binding(&action, NULL, NULL, 14), 0);
	assert_null(action.before);
	assert_null(action.override);
	assert_null(action.module);
	action_done(&action);
}

/* The function an action is on; of the host as a whole there is none, whatever the target. */
static void test_address(void **state)
{
	static const struct {
		enum action_type type;
		const char *target;
		bool found;
	} rows[] = {
		{ ACTION_BIND, "0000:01:00.0", true },
		{ ACTION_SET_ATTRIBUTE, "0000:01:00.0/power/control", true },
		{ ACTION_KEEP_ATTRIBUTE, "0000:01:00.0/power/control", true },
		{ ACTION_RESIZE_BAR, "0000:01:00.0/resource1_resize", true },
		{ ACTION_RESCAN, "0000:01:00.0/remove", true },
		{ ACTION_SET_ATTRIBUTE, "01:00.0/reset_method", false },
		{ ACTION_SET_ATTRIBUTE, "/reset_method", false },
		{ ACTION_SET_ATTRIBUTE, "0000:01:00.00000000000000000000000/x", false },
		{ ACTION_RESERVE, "0000:01:00.0", false },
		{ ACTION_STOP_UNIT, "0000:01:00.0", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pci_address address = { 0 };
		struct action action = { .type = rows[i].type };

		action.target = strdup(rows[i].target);
		assert_row(rows[i].target, action_address(&action, &address) == rows[i].found);
		assert_row(rows[i].target, address.bus == (rows[i].found ? 1 : 0));
		action_done(&action);
	}
}

static void test_copy(void **state)
{
	struct action action = { 0 }, copy = { 0 };

	(void)state;
	assert_int_equal(action_make(ACTION_BIND, "0000:01:00.0", "e1000e", "vfio-pci", "hostpci0",
				     &action),
			 0);
	assert_int_equal(action_set_binding(&action, "none", NULL, 14), 0);
	action.state = ACTION_FAILED;
	action.keep = action.adopted = true;
	assert_int_equal(action_copy(&action, &copy), 0);
	assert_ptr_not_equal(action.target, copy.target);
	action_done(&action);
	assert_int_equal(copy.type, ACTION_BIND);
	assert_int_equal(copy.state, ACTION_FAILED);
	assert_string_equal(copy.target, "0000:01:00.0");
	assert_string_equal(copy.before, "e1000e");
	assert_string_equal(copy.wanted, "vfio-pci");
	assert_string_equal(copy.source, "hostpci0");
	assert_string_equal(copy.override, "none");
	assert_null(copy.module);
	assert_int_equal(copy.group, 14);
	assert_true(copy.keep && copy.adopted);
	action_done(&copy);
}

static void add(struct actions *actions, enum action_type type, const char *target)
{
	struct action action = { 0 };

	assert_int_equal(action_make(type, target, NULL, "x", "y", &action), 0);
	assert_int_equal(actions_add(actions, &action), 0);
	assert_null(action.target); /* it has moved */
}

static void test_list(void **state)
{
	cleanup_actions struct actions actions = { 0 };

	(void)state;
	assert_null(actions_find(&actions, ACTION_BIND, "a"));
	actions_remove(&actions, ACTION_BIND, "a");
	add(&actions, ACTION_LOAD_MODULE, "a");
	add(&actions, ACTION_BIND, "a");
	add(&actions, ACTION_BIND, "b");
	add(&actions, ACTION_BIND, "c");
	assert_int_equal(actions.count, 4);
	assert_ptr_equal(actions_find(&actions, ACTION_BIND, "a"), &actions.items[1]);
	assert_ptr_equal(actions_find(&actions, ACTION_LOAD_MODULE, "a"), &actions.items[0]);
	assert_null(actions_find(&actions, ACTION_LOAD_MODULE, "b"));

	actions_remove(&actions, ACTION_LOAD_MODULE, "b");
	assert_int_equal(actions.count, 4);
	actions_remove(&actions, ACTION_BIND, "a");
	assert_int_equal(actions.count, 3);
	assert_string_equal(actions.items[1].target, "b");
	assert_string_equal(actions.items[2].target, "c");
	actions_remove(&actions, ACTION_BIND, "c");
	assert_int_equal(actions.count, 2);
	assert_non_null(actions_find(&actions, ACTION_LOAD_MODULE, "a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_type_names), cmocka_unit_test(test_state_names),
		cmocka_unit_test(test_make),	   cmocka_unit_test(test_address),
		cmocka_unit_test(test_copy),	   cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
