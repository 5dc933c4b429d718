/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/plan.c: what a start would do, from trees. What becomes of it is in tests/fake. */
#include "plan.h"

#include <unistd.h>

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

static void assert_plan(const struct tree *tree, const char *addresses, const char *lines)
{
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *summary = NULL;
	struct error err = { 0 };

	if (plan_of(tree, addresses, NULL, &plan, &err) != 0)
		fail_msg("%s", err.message);
	summary = plan_summary(&plan);
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
	assert_int_equal(plan_of(*state, GPU " ~" NIC, NULL, &plan, &err), 0);
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
	assert_int_equal(plan_of(*state, GPU " " NIC, &settings, &plan, &err), 0);
	summary = plan_summary(&plan);
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
	assert_int_equal(plan_of(*state, GPU " " NIC, NULL, &plan, &err), 0);
	untouched = plan_summary(&plan);
	assert_string_equal(untouched, "bind " GPU " vfio-pci/vfio_pci/- -> vfio-pci, hostpci0, "
				       "14\n" NIC_LINE "hostpci1, 15\n"
				       "bind " AUDIO " vfio-pci/vfio_pci/none -> vfio-pci, group "
				       "14, 14\n");
	assert_int_equal(plan_adopt(&plan, &earlier), 0);
	summary = plan_summary(&plan);
	/* what was before is the recorded; who asks, and the group, are of now */
	assert_string_equal(summary, "bind " GPU " nvidia/nvidia/nvidia -> vfio-pci, hostpci0, 14, "
				     "adopted\n" NIC_LINE "hostpci1, 15\n"
				     "bind " AUDIO " none/-/- -> vfio-pci, group 14, 14, "
				     "adopted\n");
}

static void add_other(struct journal *journal, enum action_type type, const char *target,
		      const char *before, const char *wanted, const char *source,
		      enum action_state state)
{
	struct action action = { 0 };

	assert_int_equal(action_make(type, target, before, wanted, source, &action), 0);
	action.state = state;
	assert_int_equal(actions_add(&journal->actions, &action), 0);
}

static void parse_settings(const char *text, struct settings *settings)
{
	struct error err = { 0 };

	settings_init(settings);
	assert_int_equal(settings_parse("x", text, strlen(text), settings, &err), 0);
}

/* Values of attributes: what an earlier run has set is not the value before. */
static void test_adopt_attributes(void **state)
{
	static const char text[] = "{\"devices\": {\"" NIC "\": {\"power\": \"on\", "
				   "\"resize_bar\": {\"1\": 512}, \"rescan\": true}}}";
	cleanup_journal struct journal earlier = { 0 };
	cleanup_settings struct settings settings;
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *summary = NULL;
	struct error err = { 0 };

	build(*state);
	tree_attribute(*state, NIC, "power/control", "on");
	tree_attribute(*state, NIC, "sriov_numvfs", "0");
	tree_attribute(*state, NIC, "resource1_resize", "0000000000007f00");
	tree_attribute(*state, NIC, "resource",
		       "0x0 0x0 0x0\n0x00000000a0000000 0x00000000bfffffff 0x14220c");
	parse_settings(text, &settings);
	add_other(&earlier, ACTION_KEEP_ATTRIBUTE, NIC "/power/control", "auto", "any", "hostpci9",
		  ACTION_DONE);
	add_other(&earlier, ACTION_SET_ATTRIBUTE, NIC "/sriov_numvfs", "4", "0", "hostpci9",
		  ACTION_DONE);
	add_other(&earlier, ACTION_SET_ATTRIBUTE, NIC "/power/control", "auto", "on", "hostpci9",
		  ACTION_FAILED);
	add_recorded(&earlier, NIC, "igb", NULL, "igb", ACTION_DONE);
	add_other(&earlier, ACTION_RESCAN, NIC "/remove", NULL, "vfio-pci", "hostpci9",
		  ACTION_DONE);
	add_other(&earlier, ACTION_RESIZE_BAR, NIC "/resource1_resize", "256", "512", "hostpci9",
		  ACTION_ANNOUNCED);
	/* no longer asked for: that goes back before this start */
	add_other(&earlier, ACTION_SET_ATTRIBUTE, NIC "/reset_method", "flr", "bus", "hostpci9",
		  ACTION_DONE);
	assert_int_equal(plan_of(*state, NIC, &settings, &plan, &err), 0);
	assert_int_equal(plan_adopt(&plan, &earlier), 0);
	plan_prune(&plan);
	summary = plan_summary(&plan);
	assert_string_equal(summary,
			    "keep-attribute " NIC "/power/control auto -> any, hostpci0, adopted\n"
			    "set-attribute " NIC "/sriov_numvfs 4 -> 0, hostpci0, adopted\n"
			    "bind " NIC " igb/igb/- -> vfio-pci, hostpci0, 15, adopted\n"
			    "rescan " NIC "/remove none -> vfio-pci, hostpci0, adopted\n"
			    "resize-bar " NIC "/resource1_resize 256 -> 512, hostpci0, adopted\n"
			    "set-attribute " NIC "/power/control auto -> on, hostpci0, adopted\n");
	for (size_t i = 0; i < plan.actions.count; i++)
		assert_int_equal(plan.actions.items[i].state, ACTION_ANNOUNCED);
}

/* What the host has let go of for the sake of a device does not show any more. */
static void test_adopt_release(void **state)
{
	cleanup_journal struct journal earlier = { 0 };
	cleanup_settings struct settings settings;
	cleanup_plan struct plan plan = { 0 };
	cleanup_free char *summary = NULL;
	struct error err = { 0 };

	build(*state);
	tree_folder(*state, "sys/fs/cgroup/system.slice/c.service");
	parse_settings("{\"stop_units\": [\"a.service\", \"c.service\"]}", &settings);
	add_other(&earlier, ACTION_RESERVE, NIC, NULL, "101", NIC, ACTION_DONE);
	add_other(&earlier, ACTION_STOP_UNIT, "a.service", "active", "inactive", "settings",
		  ACTION_DONE);
	add_other(&earlier, ACTION_STOP_UNIT, "b.service", "active", "inactive", "settings",
		  ACTION_DONE);
	add_other(&earlier, ACTION_STOP_UNIT, "nvidia-powerd.service", "active", "inactive", NIC,
		  ACTION_FAILED);
	add_other(&earlier, ACTION_RELEASE_CONSOLE, "vtcon1", "1", "0", NIC, ACTION_DONE);
	add_other(&earlier, ACTION_RELEASE_FRAMEBUFFER, "efi-framebuffer.0", "efi-framebuffer",
		  "none", NIC, ACTION_DONE);
	add_other(&earlier, ACTION_UNLOAD_MODULE, "nvidia_drm", "loaded", "unloaded", NIC,
		  ACTION_DONE);
	add_other(&earlier, ACTION_UNLOAD_MODULE, "nvidia_uvm", "loaded", "unloaded", GPU,
		  ACTION_DONE);
	add_other(&earlier, ACTION_LOAD_MODULE, "vfio-pci", NULL, "loaded", "the VM", ACTION_DONE);
	assert_int_equal(plan_of(*state, NIC, &settings, &plan, &err), 0);
	assert_int_equal(plan_adopt(&plan, &earlier), 0);
	plan_prune(&plan);
	summary = plan_summary(&plan);
	/* of NIC and the settings; not of a device or a service that is no longer wanted */
	assert_string_equal(summary,
			    "stop-unit a.service active -> inactive, settings, adopted\n"
			    "stop-unit c.service active -> inactive, settings\n" NIC_LINE
			    "hostpci0, 15\n"
			    "stop-unit nvidia-powerd.service active -> inactive, " NIC ", adopted\n"
			    "release-console vtcon1 1 -> 0, " NIC ", adopted\n"
			    "release-framebuffer efi-framebuffer.0 efi-framebuffer -> none, " NIC
			    ", adopted\n"
			    "unload-module nvidia_drm loaded -> unloaded, " NIC ", adopted\n");
	for (size_t i = 0; i < plan.actions.count; i++)
		assert_int_equal(plan.actions.items[i].state, ACTION_ANNOUNCED);
}

/* What is as it is to be needs no action, unless an earlier run has made it so. */
static void test_prune(void **state)
{
	static const char text[] =
		"{\"stop_units\": [\"a.service\", \"b.service\"], \"unload_modules\": [\"x\"], "
		"\"devices\": {\"" NIC
		"\": {\"power\": \"on\", \"d3cold\": true, \"rescan\": true, "
		"\"reset_method\": \"bus\"}}}";
	cleanup_journal struct journal earlier = { 0 };
	cleanup_settings struct settings settings;
	cleanup_plan struct plan plan = { 0 }, again = { 0 };
	cleanup_free char *summary = NULL, *adopted = NULL;
	struct error err = { 0 };

	build(*state);
	tree_folder(*state, "sys/fs/cgroup/system.slice/b.service");
	tree_attribute(*state, NIC, "power/control", "on");
	tree_attribute(*state, NIC, "d3cold_allowed", "1");
	tree_attribute(*state, NIC, "reset_method", "flr bus");
	tree_bind(*state, NIC, "vfio-pci");
	tree_remove(*state, "sys/bus/pci/drivers/vfio-pci");
	parse_settings(text, &settings);
	assert_int_equal(plan_of(*state, NIC, &settings, &plan, &err), 0);
	assert_int_equal(plan.actions.count, 10);
	plan_prune(&plan);
	summary = plan_summary(&plan);
	/* a binding stays, since its values before are what counts */
	assert_string_equal(summary, "stop-unit b.service active -> inactive, settings\n"
				     "load-module vfio-pci none -> loaded, the VM\n"
				     "keep-attribute " NIC "/power/control on -> any, hostpci0\n"
				     "set-attribute " NIC "/reset_method flr bus -> bus, hostpci0\n"
				     "bind " NIC " vfio-pci/-/- -> vfio-pci, hostpci0, 15\n"
				     "rescan " NIC "/remove none -> vfio-pci, hostpci0\n"
				     "set-attribute " NIC "/power/control auto -> on, hostpci0\n");
	plan_prune(&plan);
	assert_int_equal(plan.actions.count, 7);

	add_other(&earlier, ACTION_SET_ATTRIBUTE, NIC "/d3cold_allowed", "1", "1", "hostpci0",
		  ACTION_DONE);
	add_other(&earlier, ACTION_UNLOAD_MODULE, "x", "loaded", "unloaded", "settings",
		  ACTION_FORESEEN); /* never done */
	assert_int_equal(plan_of(*state, NIC, &settings, &again, &err), 0);
	assert_int_equal(plan_adopt(&again, &earlier), 0);
	plan_prune(&again);
	adopted = plan_summary(&again);
	assert_non_null(strstr(adopted, "/d3cold_allowed 1 -> 1, hostpci0, adopted\n"));
	assert_int_equal(again.actions.count, 8);
}

static void test_gone(void **state)
{
	cleanup_plan struct plan plan = { 0 };
	struct error err = { 0 };

	build(*state);
	assert_int_equal(plan_of(*state, "0000:05:00.0", NULL, &plan, &err), -ENODEV);
	assert_string_equal(err.message,
			    "there is no PCI device '0000:05:00.0'; 'pve-vfio devices' lists them");
	tree_remove(*state, "sys/devices/pci0000:00/" NIC "/driver_override");
	assert_int_equal(plan_of(*state, NIC, NULL, &plan, &err), -ENOENT);
	assert_string_equal(err.message,
			    "cannot read a device's driver_override: No such file or directory");
	tree_remove(*state, "sys/kernel/iommu_groups/14");
	assert_int_equal(plan_of(*state, GPU, NULL, &plan, &err), -ENOENT);
	assert_int_equal(plan.device_count, 0);
}

/* Its lock is held for as long as this child lives. */
static int hold_gpu(const struct sysroot *root, const char *path)
{
	(void)root;
	if (strcmp(path, "sys/bus/pci/devices/" GPU "/driver_override") == 0)
		for (;;)
			pause();
	return 0;
}

/* One device that does not answer is named, and keeps nothing of the others from being read. */
static void test_one_does_not_answer(void **state)
{
	cleanup_settings struct settings settings = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct tree *tree = *state;
	struct error err = { 0 };

	build(tree);
	settings_init(&settings);
	settings.deadline_s = 1;
	tree->root.fake_open = hold_gpu;
	assert_int_equal(plan_of(tree, NIC " " GPU, &settings, &plan, &err), 0);
	tree->root.fake_open = NULL;
	assert_int_equal(plan.device_count, 3);
	assert_false(plan.devices[0].stuck);
	assert_string_equal(plan.devices[1].device.name, GPU);
	assert_true(plan.devices[1].stuck);
	assert_false(plan.devices[2].stuck);
	assert_string_equal(plan.devices[2].override, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_actions),
		tree_test(test_module),
		tree_test(test_alternatives),
		tree_test(test_devices),
		tree_test(test_bridge),
		tree_test(test_no_group),
		tree_test(test_keep),
		tree_test(test_adopt),
		tree_test(test_gone),
		tree_test(test_adopt_attributes),
		tree_test(test_adopt_release),
		tree_test(test_prune),
		tree_test(test_one_does_not_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
