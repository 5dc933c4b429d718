/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/plan.c: what a start would do, from trees. What becomes of it is in tests/fake. */
#include "test.h"
#include "tree.h"

#include "change/plan.h"

#define GPU   "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define NIC   "0000:02:00.0"
#define PORT  "0000:00:01.0"

static void build(const struct tree *tree)
{
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_add_device(tree,
			&(struct tree_device){ PORT, 0x8086, 0x3420, 0x060400, .driver = "pcieport",
					       .module = "", .group = 14, .bridge = true });
	tree_add_device(tree, &(struct tree_device){ GPU, 0x10de, 0x2484, 0x030000,
						     .driver = "nouveau", .group = 14 });
	tree_add_device(tree, &(struct tree_device){ AUDIO, 0x10de, 0x228b, 0x040300, .group = 14,
						     .override = "none" });
	tree_add_device(tree, &(struct tree_device){ NIC, .driver = "e1000e", .module = "",
						     .group = 15 });
}

/* The plan for addresses with blanks between; "~ADDRESS" is an alternative, "-ADDRESS" left. */
static int make(const struct tree *tree, const char *addresses, const struct settings *settings,
		struct plan *plan, struct error *err)
{
	cleanup_free char *copy = strdup(addresses);
	struct wanted_device devices[8] = { 0 };
	struct wanted wanted = { .devices = devices };
	struct settings defaults;
	char *rest = copy, *word;

	settings_init(&defaults);
	*plan = (struct plan){ 0 };
	while (*addresses && (word = strsep(&rest, " "))) {
		struct wanted_device *device = &devices[wanted.count];

		device->use = *word == '~'   ? WANTED_ALTERNATIVE
			      : *word == '-' ? WANTED_LEAVE
					     : WANTED_TAKE;
		word += *word == '~' || *word == '-';
		assert_int_equal(pci_address_parse(word, &device->address), 0);
		snprintf(device->source, sizeof(device->source), "hostpci%zu", wanted.count++);
	}
	return plan_make(&tree->root, &wanted, settings ? settings : &defaults, plan, err);
}

/* "bind 0000:01:00.0 nouveau hostpci0 …": type, target, before, source; what is not plain. */
static char *summary_of(const struct plan *plan)
{
	struct text text = { 0 };

	for (size_t i = 0; i < plan->actions.count; i++) {
		const struct action *action = &plan->actions.items[i];

		text_add(&text, "%s %s %s", action_operations(action->type)->name, action->target,
			 action->before ? action->before : "none");
		if (action->type == ACTION_BIND)
			text_add(&text, "/%s/%s", action->module ? action->module : "-",
				 action->override ? action->override : "-");
		text_add(&text, " -> %s, %s", action->wanted, action->source);
		if (action->type == ACTION_BIND)
			text_add(&text, ", %d", action->group);
		text_add(&text, "%s%s%s\n", action->keep ? ", keep" : "",
			 action->adopted ? ", adopted" : "",
			 action->state == ACTION_FORESEEN ? ", foreseen" : "");
	}
	return text_take(&text);
}

static void assert_plan(const struct tree *tree, const char *addresses, const char *lines)
{
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *summary = NULL;
	struct error err = { 0 };

	if (make(tree, addresses, NULL, &plan, &err) != 0)
		fail_msg("%s", err.message);
	summary = summary_of(&plan);
	assert_string_equal(summary, lines);
}

#define GPU_LINE   "bind " GPU " nouveau/nouveau/- -> vfio-pci, "
#define AUDIO_LINE "bind " AUDIO " none/-/none -> vfio-pci, "
#define NIC_LINE   "bind " NIC " e1000e/-/- -> vfio-pci, "

static void test_actions(void **state)
{
	build(*state);
	assert_plan(*state, "", "");
	assert_plan(*state, NIC, NIC_LINE "hostpci0, 15\n");
	/* along with the group, but for the bridge; wishes first */
	assert_plan(*state, GPU, GPU_LINE "hostpci0, 14\n" AUDIO_LINE "group 14, 14\n");
	assert_plan(*state, AUDIO, AUDIO_LINE "hostpci0, 14\n" GPU_LINE "group 14, 14\n");
	assert_plan(*state, GPU " " NIC " " AUDIO,
		    GPU_LINE "hostpci0, 14\n" NIC_LINE "hostpci1, 15\n" AUDIO_LINE
			     "hostpci2, 14\n");
	assert_plan(*state, GPU " " NIC,
		    GPU_LINE "hostpci0, 14\n" NIC_LINE "hostpci1, 15\n" AUDIO_LINE
			     "group 14, 14\n");
}

/* The module is loaded where the driver is missing, and first. */
static void test_module(void **state)
{
	const struct tree *tree = *state;

	build(tree);
	tree_remove(tree, "sys/bus/pci/drivers/vfio-pci");
	assert_plan(tree, NIC,
		    "load-module vfio-pci none -> loaded, the VM\n" NIC_LINE "hostpci0, 15\n");
	assert_plan(tree, "", "");
	assert_plan(tree, "-" NIC, "");
}

static void test_alternatives(void **state)
{
	build(*state);
	assert_plan(*state, "-" NIC " " GPU, GPU_LINE "hostpci1, 14\n" AUDIO_LINE "group 14, 14\n");
	assert_plan(*state, NIC " ~" GPU,
		    NIC_LINE "hostpci0, 15\n" GPU_LINE "hostpci1, 14, foreseen\n" AUDIO_LINE
			     "group 14, 14, foreseen\n");
	/* an alternative that is taken anyway is not foreseen */
	assert_plan(*state, "~" GPU " " GPU, GPU_LINE "hostpci1, 14\n" AUDIO_LINE "group 14, 14\n");
	assert_plan(*state, GPU " ~" AUDIO, GPU_LINE "hostpci0, 14\n" AUDIO_LINE "group 14, 14\n");
}

static void test_devices(void **state)
{
	cleanup_plan struct plan plan = { 0 };
	struct pci_address address;
	struct error err = { 0 };

	build(*state);
	assert_int_equal(make(*state, GPU " ~" NIC, NULL, &plan, &err), 0);
	assert_int_equal(plan.device_count, 3);
	assert_string_equal(plan.devices[0].device.name, GPU);
	assert_false(plan.devices[0].sibling);
	assert_false(plan.devices[0].stuck);
	assert_string_equal(plan.devices[0].module, "nouveau");
	assert_null(plan.devices[0].override);
	assert_string_equal(plan.devices[1].device.name, AUDIO);
	assert_true(plan.devices[1].sibling);
	assert_string_equal(plan.devices[1].override, "none");
	assert_string_equal(plan.devices[1].source, "group 14");
	assert_true(plan.devices[2].foreseen);
	pci_address_parse(AUDIO, &address);
	assert_true(plan_has_device(&plan, address));
	pci_address_parse(PORT, &address);
	assert_false(plan_has_device(&plan, address));
}

/* A bridge that is asked for by name is in the plan: a check refuses it. */
static void test_bridge(void **state)
{
	build(*state);
	assert_plan(*state, PORT,
		    "bind " PORT " pcieport/-/- -> vfio-pci, hostpci0, 14\n" GPU_LINE
		    "group 14, 14\n" AUDIO_LINE "group 14, 14\n");
}

static void test_no_group(void **state)
{
	build(*state);
	tree_add_device(*state, &(struct tree_device){ .address = "0000:03:00.0" });
	assert_plan(*state, "0000:03:00.0",
		    "bind 0000:03:00.0 none/-/- -> vfio-pci, hostpci0, -1\n");
}

static void test_keep(void **state)
{
	static const char text[] = "{\"after_stop\": \"keep\", \"devices\": {\"" AUDIO
				   "\": {\"after_stop\": \"host\"}}}";
	cleanup_settings struct settings settings;
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *summary = NULL;
	struct error err = { 0 };

	build(*state);
	settings_init(&settings);
	assert_int_equal(settings_parse("x", text, strlen(text), &settings, &err), 0);
	assert_int_equal(make(*state, GPU " " NIC, &settings, &plan, &err), 0);
	summary = summary_of(&plan);
	assert_string_equal(summary, GPU_LINE "hostpci0, 14, keep\n" NIC_LINE
					      "hostpci1, 15, keep\n" AUDIO_LINE "group 14, 14\n");
}

static void add_recorded(struct journal *journal, const char *target, const char *before,
			 const char *override, const char *module, enum action_state state)
{
	struct action action = { 0 };

	assert_int_equal(action_make(ACTION_BIND, target, before, "vfio-pci", "hostpci7", &action),
			 0);
	assert_int_equal(action_set_binding(&action, override, module, 99), 0);
	action.state = state;
	assert_int_equal(actions_add(&journal->actions, &action), 0);
}

static void test_adopt(void **state)
{
	cleanup_journal struct journal earlier = { 0 };
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *summary = NULL, *untouched = NULL;
	struct error err = { 0 };

	build(*state);
	tree_bind(*state, GPU, "vfio-pci");
	tree_bind(*state, AUDIO, "vfio-pci");
	add_recorded(&earlier, GPU, "nvidia", "nvidia", "nvidia", ACTION_DONE);
	add_recorded(&earlier, AUDIO, NULL, NULL, NULL, ACTION_FAILED);
	add_recorded(&earlier, NIC, "igb", "igb", "igb", ACTION_FORESEEN); /* never taken */
	assert_int_equal(make(*state, GPU " " NIC, NULL, &plan, &err), 0);
	untouched = summary_of(&plan);
	assert_string_equal(untouched, "bind " GPU " vfio-pci/vfio_pci/- -> vfio-pci, hostpci0, "
				       "14\n" NIC_LINE "hostpci1, 15\n"
				       "bind " AUDIO " vfio-pci/vfio_pci/none -> vfio-pci, group "
				       "14, 14\n");
	assert_int_equal(plan_adopt(&plan, &earlier), 0);
	summary = summary_of(&plan);
	/* what was before is the recorded; who asks, and the group, are of now */
	assert_string_equal(summary, "bind " GPU " nvidia/nvidia/nvidia -> vfio-pci, hostpci0, 14, "
				     "adopted\n" NIC_LINE "hostpci1, 15\n"
				     "bind " AUDIO " none/-/- -> vfio-pci, group 14, 14, "
				     "adopted\n");
}

static void test_gone(void **state)
{
	cleanup_plan struct plan plan = { 0 };
	struct error err = { 0 };

	build(*state);
	assert_int_equal(make(*state, "0000:05:00.0", NULL, &plan, &err), -ENODEV);
	assert_string_equal(err.message, "0000:05:00.0: no such PCI device");
	tree_remove(*state, "sys/devices/pci0000:00/" NIC "/driver_override");
	assert_int_equal(make(*state, NIC, NULL, &plan, &err), -ENOENT);
	assert_string_equal(err.message,
			    "cannot read a device's driver_override: No such file or directory");
	tree_remove(*state, "sys/kernel/iommu_groups/14");
	assert_int_equal(make(*state, GPU, NULL, &plan, &err), -ENOENT);
	assert_int_equal(plan.device_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_actions), tree_test(test_module), tree_test(test_alternatives),
		tree_test(test_devices), tree_test(test_bridge), tree_test(test_no_group),
		tree_test(test_keep),	 tree_test(test_adopt),	 tree_test(test_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
