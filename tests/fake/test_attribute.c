/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: attributes that are other ones while the VM has a device; BARs, and finding it again. */
#include "fake_kernel.h"

#include "pci/bar.h"

#define GPU   "0000:01:00.0"
#define AUDIO "0000:01:00.1"
#define NIC   "0000:02:00.0"

static int setup(void **state)
{
	struct fake_kernel *kernel;
	const struct tree *tree;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	tree = &kernel->tree;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_driver(kernel, "mlx5-vfio-pci", "mlx5_vfio_pci", "");
	fake_gpu(kernel, GPU, AUDIO, 14);
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 15 });
	for (int i = 0; i < 3; i++) {
		const char *address = (const char *[]){ GPU, AUDIO, NIC }[i];

		tree_attribute(tree, address, "reset_method", "flr");
		tree_attribute(tree, address, "d3cold_allowed", "1");
		tree_attribute(tree, address, "resource1_resize", "0000000000007f00");
		tree_attribute(tree, address, "resource",
			       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
			       "0x00000000a0000000 0x00000000afffffff 0x000000000014220c");
	}
	return 0;
}

static void assert_attribute(const struct fake_kernel *kernel, const char *address,
			     const char *name, const char *value)
{
	cleanup_free char *now = NULL;
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, name);
	assert_int_equal(sysroot_read_attribute(&kernel->tree.root, path, &now), 0);
	assert_string_equal(now, value);
}

static void assert_mib(const struct fake_kernel *kernel, const char *address, unsigned mib)
{
	struct pci_bar bars[PCI_BAR_COUNT];

	assert_int_equal(pci_bars_read(&kernel->tree.root, address, bars), 0);
	assert_int_equal(bars[1].size >> 20, mib);
}

/* The kernel has forbidden runtime suspend, as it does for every device it finds. */
static void add_power(const struct fake_kernel *kernel, const char *address)
{
	tree_attribute(&kernel->tree, address, "power/control", "on");
}

static bool has_power(const struct fake_kernel *kernel, const char *address)
{
	char path[SYSROOT_PATH_MAX];

	pci_attribute_path(path, address, "power/control");
	return tree_has(&kernel->tree, path);
}

static void assert_untouched(struct fake_kernel *kernel)
{
	assert_binding(kernel, GPU, "nouveau (null)");
	assert_binding(kernel, AUDIO, "snd_hda_intel (null)");
	assert_binding(kernel, NIC, "e1000e (null)");
	for (int i = 0; i < 3; i++) {
		const char *address = (const char *[]){ GPU, AUDIO, NIC }[i];

		assert_attribute(kernel, address, "reset_method", "flr");
		assert_attribute(kernel, address, "d3cold_allowed", "1");
		if (has_power(kernel, address))
			assert_attribute(kernel, address, "power/control", "on");
		assert_mib(kernel, address, 256);
	}
	assert_false(fake_has_journal(kernel));
}

#define SETTINGS(address, members) "{\"devices\": {\"" address "\": {" members "}}}"

/* Set before the driver changes, and put back when it is the host's again. */
static void test_attributes(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"reset_method\": \"bus\", \"d3cold\": false");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_told(kernel, NIC " ok\n" NIC "/d3cold_allowed ok\n" NIC "/reset_method ok\n");
	assert_writes(kernel, NIC,
		      "reset_method=bus d3cold_allowed=0 override=vfio-pci unbind=e1000e probe");
	assert_attribute(kernel, NIC, "reset_method", "bus");
	assert_attribute(kernel, NIC, "d3cold_allowed", "0");

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, NIC,
		      "override=e1000e unbind=vfio-pci probe override= d3cold_allowed=1 "
		      "reset_method=flr");
	assert_untouched(kernel);
}

/* vfio-pci allows runtime suspend and forbids it when it goes: neither is what the host has had. */
static void test_power(void **state)
{
	static const char *const values[] = { "on", "auto" };
	struct fake_kernel *kernel = *state;

	for (size_t i = 0; i < COUNT(values); i++) {
		cleanup_journal struct journal plain = { 0 }, forbidden = { 0 };

		tree_attribute(&kernel->tree, NIC, "power/control", values[i]);
		kernel->settings = NULL;
		assert_int_equal(fake_take(kernel, NIC, 5000, &plain), 0);
		assert_attribute(kernel, NIC, "power/control", "auto");
		assert_int_equal(fake_restore(kernel, 5000), 0);
		assert_attribute(kernel, NIC, "power/control", values[i]);

		/* after the binding, which would undo it; also where the host has had it "on" */
		assert_writes(kernel, NIC,
			      i == 0 ? "override=vfio-pci unbind=e1000e probe override=e1000e "
				       "unbind=vfio-pci probe override="
				     : "override=vfio-pci unbind=e1000e probe override=e1000e "
				       "unbind=vfio-pci probe override= power/control=auto");
		kernel->settings = SETTINGS(NIC, "\"power\": \"on\"");
		assert_int_equal(fake_take(kernel, NIC, 5000, &forbidden), 0);
		assert_attribute(kernel, NIC, "power/control", "on");
		assert_writes(kernel, NIC,
			      "override=vfio-pci unbind=e1000e probe power/control=on");
		assert_int_equal(fake_restore(kernel, 5000), 0);
		assert_attribute(kernel, NIC, "power/control", values[i]);
		tree_remove(&kernel->tree, ".fake/" NIC "/writes");
		assert_binding(kernel, NIC, "e1000e (null)");
		assert_false(fake_has_journal(kernel));
	}
}

/* What is as the settings want it is neither written nor put back. */
static void test_nothing_to_change(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"reset_method\": \"flr\", \"d3cold\": true, "
					 "\"resize_bar\": {\"1\": 256}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_int_equal(journal.actions.count, 1);
	assert_writes(kernel, NIC, "override=vfio-pci unbind=e1000e probe");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
}

/* In the lane of a slot the highest function is first there and last back, with all that is its. */
static void test_order(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	add_power(kernel, GPU);
	add_power(kernel, AUDIO);
	kernel->settings =
		"{\"devices\": {\"" GPU "\": {\"power\": \"on\", \"resize_bar\": {\"1\": 512}}, "
		"\"" AUDIO "\": {\"power\": \"on\", \"d3cold\": false}}}";
	tree_file(&kernel->tree, "sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n");
	tree_file(&kernel->tree, "sys/class/vtconsole/vtcon1/bind", "1\n");
	tree_link(&kernel->tree, "sys/class/graphics/fb0",
		  "../../devices/pci0000:00/" GPU "/graphics/fb0");
	assert_int_equal(fake_take(kernel, GPU, 5000, &journal), 0);
	assert_writes(kernel, FAKE_ALL,
		      "vtcon1/bind=0 " AUDIO "/d3cold_allowed=0 " AUDIO "/override=vfio-pci " AUDIO
		      "/unbind=snd_hda_intel " AUDIO "/probe " AUDIO "/power/control=on " GPU
		      "/override=vfio-pci " GPU "/unbind=nouveau " GPU "/probe " GPU
		      "/unbind=vfio-pci " GPU "/resource1_resize=9 " GPU "/override=vfio-pci " GPU
		      "/probe " GPU "/power/control=on");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, FAKE_ALL,
		      GPU "/power/control=auto " GPU "/unbind=vfio-pci " GPU
			  "/resource1_resize=8 " GPU "/override=nouveau " GPU "/probe " GPU
			  "/override= " AUDIO "/power/control=auto " AUDIO
			  "/override=snd_hda_intel " AUDIO "/unbind=vfio-pci " AUDIO "/probe " AUDIO
			  "/override= " AUDIO "/d3cold_allowed=1 vtcon1/bind=1");
	assert_untouched(kernel);
}

/* Nothing of the host is let go of for good when it cannot all be. */
static void test_host_refuses(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	tree_file(&kernel->tree, "sys/class/vtconsole/vtcon1/name", "(M) frame buffer device\n");
	tree_file(&kernel->tree, "sys/class/vtconsole/vtcon1/bind", "1\n");
	tree_link(&kernel->tree, "sys/class/graphics/fb0",
		  "../../devices/pci0000:00/" GPU "/graphics/fb0");
	fake_misbehave(kernel, "vtcon1", "bind@0", "ignore");
	assert_int_equal(fake_take(kernel, GPU, 5000, &journal), 1);
	assert_told(kernel, "vtcon1 EBUSY: the text console does not let go of it\n");
	assert_writes(kernel, GPU, "");
	assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
	assert_writes(kernel, "vtcon1", "bind=0");
	assert_untouched(kernel);
}

/* Each attribute that refuses takes the whole start back, the other devices too. */
static void test_one_fails(void **state)
{
	static const struct {
		const char *where, *what, *told;
	} rows[] = {
		{ "d3cold_allowed@0", "fail 13",
		  GPU " ECANCELED: not tried\n" GPU "/d3cold_allowed EACCES: cannot set its "
		      "d3cold_allowed to '0': Permission denied\n" GPU "/power/control "
		      "ECANCELED: not tried\n" GPU "/power/control ok\n" GPU
		      "/resource1_resize ECANCELED: not tried\n" },
		{ "d3cold_allowed@0", "ignore",
		  GPU " ECANCELED: not tried\n" GPU "/d3cold_allowed EIO: its d3cold_allowed was "
		      "set to '0' and reads '1'\n" GPU "/power/control ECANCELED: not tried\n" GPU
		      "/power/control ok\n" GPU "/resource1_resize ECANCELED: not tried\n" },
		{ "resource1_resize@9", "fail 28",
		  GPU " ok\n" GPU "/d3cold_allowed ok\n" GPU "/power/control ECANCELED: not "
		      "tried\n" GPU "/power/control ok\n" GPU
		      "/resource1_resize ENOSPC: BAR 1 cannot be given 512 MiB: No space left on "
		      "device\n" },
		{ "resource1_resize@9", "ignore",
		  GPU " ok\n" GPU "/d3cold_allowed ok\n" GPU "/power/control ECANCELED: not "
		      "tried\n" GPU "/power/control ok\n" GPU
		      "/resource1_resize EIO: BAR 1 was given 512 MiB and has 256\n" },
		{ "power/control@on", "once ignore",
		  GPU " ok\n" GPU "/d3cold_allowed ok\n" GPU
		      "/power/control EIO: its power/control was set to 'on' and reads 'auto'\n" GPU
		      "/power/control ok\n" GPU "/resource1_resize ok\n" },
	};
	struct fake_kernel *kernel = *state;

	add_power(kernel, GPU);
	kernel->settings = SETTINGS(GPU, "\"d3cold\": false, \"power\": \"on\", \"resize_bar\": "
					 "{\"1\": 512}");
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_journal struct journal journal = { 0 };
		cleanup_free char *told = text_format("%s" AUDIO " ok\n" NIC " ok\n", rows[i].told);

		fake_misbehave(kernel, GPU, rows[i].where, rows[i].what);
		assert_true(fake_take(kernel, GPU " " NIC, 5000, &journal) > 0);
		assert_told(kernel, told);
		assert_int_equal(fake_roll_back(kernel, 5000, &journal), 0);
		assert_untouched(kernel);
		text_done(&kernel->told);
		fake_behave(kernel, GPU, rows[i].where);
	}
}

/* What an administrator has set meanwhile stands; what is gone is none of ours. */
static void test_changed_by_hand(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	add_power(kernel, NIC);
	kernel->settings = SETTINGS(NIC, "\"reset_method\": \"bus\", \"d3cold\": false, "
					 "\"power\": \"on\", \"resize_bar\": {\"1\": 512}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	tree_attribute(&kernel->tree, NIC, "reset_method", "pm");
	tree_attribute(&kernel->tree, NIC, "d3cold_allowed", "1");
	tree_remove(&kernel->tree, "sys/devices/pci0000:00/" NIC "/power/control");
	tree_attribute(&kernel->tree, NIC, "resource",
		       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		       "0x00000000a0000000 0x00000000dfffffff 0x000000000014220c");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n" NIC "/d3cold_allowed ok\n" NIC
				"/power/control ok: no longer there\n" NIC
				"/power/control ok: no longer there\n" NIC
				"/reset_method ok: left as it has been set since\n" NIC
				"/resource1_resize ok: left as it has been set since\n");
	assert_attribute(kernel, NIC, "reset_method", "pm");
	assert_mib(kernel, NIC, 1024);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

static void test_device_vanishes(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	add_power(kernel, NIC);
	kernel->settings = SETTINGS(NIC, "\"power\": \"on\", \"resize_bar\": {\"1\": 512}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_vanish(kernel, NIC);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel,
		    NIC " ok: no longer there\n" NIC "/power/control ok: no longer there\n" NIC
			"/power/control ok: no longer there\n" NIC
			"/resource1_resize ok: no longer there\n");
	assert_false(fake_has_journal(kernel));
}

/* ---- the size of a BAR */

/* Only without a driver: it leaves its VFIO driver for it, and goes back there. */
static void test_resize(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"resize_bar\": {\"1\": 1024}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_writes(kernel, NIC,
		      "override=vfio-pci unbind=e1000e probe unbind=vfio-pci resource1_resize=10 "
		      "override=vfio-pci probe");
	assert_binding(kernel, NIC, "vfio-pci vfio-pci");
	assert_mib(kernel, NIC, 1024);
	assert_string_equal(journal.actions.items[1].before, "256");

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, NIC,
		      "unbind=vfio-pci resource1_resize=8 override=e1000e probe override=");
	assert_untouched(kernel);
}

/* The driver that the VM gets it with may be another than vfio-pci. */
static void test_resize_variant(void **state)
{
	cleanup_plan struct plan plan = { 0 };
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"resize_bar\": {\"1\": 512}");
	fake_plan(kernel, NIC, NULL, &plan);
	free(plan.actions.items[0].wanted);
	plan.actions.items[0].wanted = strdup("mlx5-vfio-pci");
	fake_announce(kernel, &plan, &journal);
	assert_int_equal(run_actions(&kernel->tree.root, &journal.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	assert_binding(kernel, NIC, "mlx5-vfio-pci mlx5-vfio-pci");
	assert_mib(kernel, NIC, 512);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_untouched(kernel);
}

/* The host has it back by hand, at the VM's size: its driver is not pulled from under it. */
static void test_resize_taken_back_by_hand(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"resize_bar\": {\"1\": 512}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	assert_writes(kernel, FAKE_ALL,
		      NIC "/override=vfio-pci " NIC "/unbind=e1000e " NIC "/probe " NIC
			  "/unbind=vfio-pci " NIC "/resource1_resize=9 " NIC
			  "/override=vfio-pci " NIC "/probe");
	fake_give(kernel, NIC, "e1000e");
	fake_set_override(kernel, NIC, NULL);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok: already there\n" NIC "/resource1_resize ok: left to the "
				"driver it has been given since\n");
	assert_writes(kernel, FAKE_ALL, "");
	assert_mib(kernel, NIC, 512);
	assert_false(fake_has_journal(kernel));
}

/* The size cannot be put back: the device goes back all the same, and it can be tried again. */
static void test_resize_back_fails(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"resize_bar\": {\"1\": 512}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, NIC, "resource1_resize@8", "fail 28");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, NIC " ok\n" NIC "/resource1_resize ENOSPC: BAR 1 cannot be given 256 "
				"MiB: No space left on device\n");
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_mib(kernel, NIC, 512);
	assert_true(fake_has_journal(kernel));
}

/* ---- found again */

/* The host gets it as a new device: what was set for the old one is gone with it. */
static void test_rescan(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"rescan\": true, \"resize_bar\": {\"1\": 512}");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_told(kernel, NIC " ok\n" NIC "/remove ok\n" NIC "/resource1_resize ok\n");
	assert_writes(kernel, NIC,
		      "override=vfio-pci unbind=e1000e probe unbind=vfio-pci resource1_resize=9 "
		      "override=vfio-pci probe");
	assert_writes(kernel, "0000:02", "");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel,
		    NIC " ok: already there\n" NIC "/remove ok\n" NIC "/resource1_resize ok\n");
	/* its own bus alone, and after the size: then the host's driver has it */
	assert_writes(kernel, NIC, "unbind=vfio-pci resource1_resize=8 remove");
	assert_writes(kernel, "0000:02", "rescan");
	assert_writes(kernel, "0000:01", "");
	assert_untouched(kernel);
}

/* Two functions of a slot: each is removed and found by itself, and none is lost. */
static void test_rescan_slot(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = "{\"devices\": {\"" GPU "\": {\"rescan\": true}, \"" AUDIO
			   "\": {\"rescan\": true}}}";
	assert_int_equal(fake_take(kernel, GPU, 5000, &journal), 0);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, "0000:01", "rescan*");
	assert_untouched(kernel);
}

/* Killed between the two halves: it is not there, and is found by the next attempt. */
static void test_rescan_of_a_removed_one(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"rescan\": true");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, "0000:02", "rescan", "once fail 5");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, NIC " ok: no longer there\n" NIC
				"/remove EIO: cannot rescan its bus: Input/output error\n");
	assert_binding(kernel, NIC, "gone");
	assert_true(fake_has_journal(kernel));

	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC "/remove ok\n");
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* The kernel says that it has looked, and has not found it: that is no success. */
static void test_rescan_finds_nothing(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"rescan\": true");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, "0000:02", "rescan", "ignore");
	assert_true(fake_restore(kernel, 12000) > 0);
	assert_non_null(strstr(kernel->told.data,
			       NIC "/remove ENODEV: it was removed and is not found again\n"));
	text_done(&kernel->told);
	assert_true(fake_has_journal(kernel));

	fake_behave(kernel, "0000:02", "rescan");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_false(fake_has_journal(kernel));
}

/* It cannot be removed, and another has it: neither is pulled from under anybody. */
static void test_rescan_is_not_made(void **state)
{
	cleanup_journal struct journal first = { 0 }, second = { 0 };
	struct fake_kernel *kernel = *state;

	kernel->settings = SETTINGS(NIC, "\"rescan\": true");
	assert_int_equal(fake_take(kernel, NIC, 5000, &first), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, NIC, "remove", "fail 16");
	assert_int_equal(fake_restore(kernel, 5000), 1);
	assert_told(kernel, NIC " ok\n" NIC "/remove EBUSY: cannot remove it: Device or resource "
				"busy\n");
	assert_binding(kernel, NIC, "e1000e (null)");
	assert_writes(kernel, "0000:02", "");
	fake_behave(kernel, NIC, "remove");
	assert_writes(kernel, NIC,
		      "override=vfio-pci unbind=e1000e probe remove override=e1000e "
		      "unbind=vfio-pci probe override=");

	/* once more, with the host's driver: it has what it wants */
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC "/remove ok: left to the driver it has been given since\n");
	assert_writes(kernel, NIC, "");
	assert_untouched(kernel);
}

/* ---- virtual functions */

/* The driver takes them along, and only the driver makes them again. */
static void test_numvfs(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	tree_attribute(&kernel->tree, NIC, "sriov_numvfs", "4");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	assert_told(kernel, NIC " ok\n" NIC "/sriov_numvfs ok\n");
	assert_writes(kernel, NIC, "sriov_numvfs=0 override=vfio-pci unbind=e1000e probe");
	assert_attribute(kernel, NIC, "sriov_numvfs", "0");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_writes(kernel, NIC,
		      "override=e1000e unbind=vfio-pci probe override= sriov_numvfs=4");
	assert_attribute(kernel, NIC, "sriov_numvfs", "4");
	assert_untouched(kernel);
}

/* A second start without a stop finds none, and must not take that for the host's wish. */
static void test_numvfs_of_a_second_start(void **state)
{
	cleanup_journal struct journal first = { 0 }, earlier = { 0 }, second = { 0 };
	cleanup_plan struct plan plan = { 0 };
	struct fake_kernel *kernel = *state;

	tree_attribute(&kernel->tree, NIC, "sriov_numvfs", "4");
	assert_int_equal(fake_take(kernel, NIC, 5000, &first), 0);
	text_done(&kernel->told);
	assert_int_equal(journal_read(&kernel->tree.root, &kernel->state, 101, &earlier,
				      &kernel->err),
			 0);
	fake_plan(kernel, NIC, &earlier, &plan);
	for (size_t i = 0; i < earlier.actions.count; i++)
		assert_non_null(actions_find(&plan.actions, earlier.actions.items[i].type,
					     earlier.actions.items[i].target));
	fake_announce(kernel, &plan, &second);
	assert_int_equal(run_actions(&kernel->tree.root, &second.actions, RUN_APPLY, NULL, 5000,
				     fake_told, kernel, &kernel->err),
			 0);
	text_done(&kernel->told);
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_told(kernel, NIC " ok\n" NIC "/sriov_numvfs ok\n");
	assert_attribute(kernel, NIC, "sriov_numvfs", "4");
	assert_untouched(kernel);
}

/* A driver that is not back makes none: that is told, and tried again. */
static void test_numvfs_without_driver(void **state)
{
	cleanup_journal struct journal journal = { 0 };
	struct fake_kernel *kernel = *state;

	tree_attribute(&kernel->tree, NIC, "sriov_numvfs", "4");
	assert_int_equal(fake_take(kernel, NIC, 5000, &journal), 0);
	text_done(&kernel->told);
	fake_misbehave(kernel, NIC, "probe@e1000e", "ignore");
	assert_int_equal(fake_restore(kernel, 5000), 2);
	assert_told(kernel, NIC " EIO: 'e1000e' did not take it: its probe failed, see "
				"'journalctl -k'\n" NIC "/sriov_numvfs ENOENT: cannot set its "
				"sriov_numvfs to '4': No such file or directory\n");
	fake_behave(kernel, NIC, "probe@e1000e");
	assert_int_equal(fake_restore(kernel, 5000), 0);
	assert_attribute(kernel, NIC, "sriov_numvfs", "4");
	assert_untouched(kernel);
}

#define attribute_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		attribute_test(test_attributes),
		attribute_test(test_power),
		attribute_test(test_nothing_to_change),
		attribute_test(test_order),
		attribute_test(test_host_refuses),
		attribute_test(test_one_fails),
		attribute_test(test_changed_by_hand),
		attribute_test(test_device_vanishes),
		attribute_test(test_resize),
		attribute_test(test_resize_variant),
		attribute_test(test_resize_taken_back_by_hand),
		attribute_test(test_resize_back_fails),
		attribute_test(test_rescan),
		attribute_test(test_rescan_slot),
		attribute_test(test_rescan_of_a_removed_one),
		attribute_test(test_rescan_finds_nothing),
		attribute_test(test_rescan_is_not_made),
		attribute_test(test_numvfs),
		attribute_test(test_numvfs_of_a_second_start),
		attribute_test(test_numvfs_without_driver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
