/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: change/release.c: what the host lets go of, as actions of a plan. */
#include "plan.h"

#include <errno.h>

#include "change/holding.h"
#include "change/release.h"

#define GPU	   "0000:01:00.0"
#define AUDIO	   "0000:01:00.1"
#define NIC	   "0000:02:00.0"
#define OTHER	   "0000:03:00.0"

#define GPU_LINE   "bind " GPU " -> vfio-pci, hostpci0\n"
#define AUDIO_LINE "bind " AUDIO " -> vfio-pci, group 14\n"
#define NIC_LINE   "bind " NIC " -> vfio-pci, hostpci0\n"

/* Two GPUs with that driver, the first with its audio, and a network card. */
static void build(const struct tree *tree, const char *driver)
{
	tree_driver(tree, "vfio-pci", "vfio_pci");
	tree_add_device(tree, &(struct tree_device){ GPU, 0x10de, 0x2484, 0x030000,
						     .driver = driver, .group = 14 });
	tree_add_device(tree, &(struct tree_device){ AUDIO, 0x10de, 0x228b, 0x040300,
						     .driver = "snd_hda_intel", .group = 14 });
	tree_add_device(tree, &(struct tree_device){ NIC, .driver = "e1000e", .group = 15 });
	tree_add_device(tree, &(struct tree_device){ OTHER, 0x10de, 0x2484, 0x030000,
						     .driver = "nouveau", .group = 16 });
}

static int make(const struct tree *tree, const char *addresses, const char *json, struct plan *plan,
		struct error *err)
{
	cleanup_settings struct settings settings;

	settings_init(&settings);
	if (settings_parse("settings", json, strlen(json), &settings, err) != 0)
		fail_msg("%s", err->message);
	return plan_of(tree, addresses, &settings, plan, err);
}

/* The actions, a line each; of a binding only what it is to become. */
static void assert_actions(const struct tree *tree, const char *addresses, const char *json,
			   const char *lines)
{
	cleanup_plan struct plan plan = { 0 };
	struct text text = { 0 };
	struct error err = { 0 };
	char *summary;

	if (make(tree, addresses, json, &plan, &err) != 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < plan.actions.count; i++) {
		const struct action *action = &plan.actions.items[i];

		text_add(&text, "%s %s %s%s-> %s, %s%s%s\n", action_operations(action->type)->name,
			 action->target,
			 action->type != ACTION_BIND && action->before ? action->before : "",
			 action->type != ACTION_BIND && action->before ? " " : "", action->wanted,
			 action->source, action->keep ? ", keep" : "",
			 action->state == ACTION_FORESEEN ? ", foreseen" : "");
	}
	summary = text_take(&text);
	assert_string_equal(summary, lines);
	free(summary);
}

/* ---- services */

static void run_unit(const struct tree *tree, const char *unit)
{
	char path[PATH_MAX];

	tree_format(path, "sys/fs/cgroup/system.slice/%s", unit);
	tree_folder(tree, path);
}

static void test_stop_units(void **state)
{
	static const char settings[] =
		"{\"stop_units\": [\"a.service\", \"b.service\", \"a.service\"]}";
	static const char keep_one[] = "{\"stop_units\": [\"a.service\"], \"after_stop\": \"keep\","
				       "\"devices\": {\"" AUDIO "\": {\"after_stop\": \"host\"}}}";
	static const char keep_all[] =
		"{\"stop_units\": [\"a.service\"], \"after_stop\": \"keep\"}";
	const struct tree *tree = *state;

	build(tree, "nouveau");
	run_unit(tree, "a.service");
	assert_actions(tree, NIC, settings,
		       "stop-unit a.service active -> inactive, settings\n"
		       "stop-unit b.service inactive -> inactive, settings\n" NIC_LINE);
	/* for a VM without devices nothing is stopped */
	assert_actions(tree, "", settings, "");
	/* it stays stopped if all its devices stay away */
	assert_actions(tree, GPU, keep_one,
		       "stop-unit a.service active -> inactive, settings\n"
		       "bind " GPU " -> vfio-pci, hostpci0, keep\n" AUDIO_LINE);
	assert_actions(tree, NIC, keep_all,
		       "stop-unit a.service active -> inactive, settings, keep\n"
		       "bind " NIC " -> vfio-pci, hostpci0, keep\n");
}

#define PERSISTENCED	  "0::/system.slice/nvidia-persistenced.service"
#define STOP_PERSISTENCED "stop-unit nvidia-persistenced.service active -> inactive, " GPU "\n"

static void build_nvidia(const struct tree *tree)
{
	build(tree, "nvidia");
	tree_file(tree, "proc/driver/nvidia/gpus/" GPU "/information", "Device Minor: \t 0\n");
	run_unit(tree, "nvidia-persistenced.service");
}

/* NVIDIA's own services are stopped unasked, and nobody else's. */
static void test_nvidia_units(void **state)
{
	static const struct {
		const char *cgroup, *node, *lines;
	} rows[] = {
		{ PERSISTENCED, "/dev/nvidia0", STOP_PERSISTENCED },
		{ PERSISTENCED, "/dev/nvidiactl", STOP_PERSISTENCED },
		{ PERSISTENCED, "/dev/nvidia1", "" },
		{ "0::/system.slice/nvidia-powerd.service", "/dev/nvidia0",
		  "stop-unit nvidia-powerd.service inactive -> inactive, " GPU "\n" },
		{ "0::/system.slice/lightdm.service", "/dev/nvidia0", "" },
		/* a container's is not the host's to stop */
		{ "0::/lxc/101/ns/system.slice/nvidia-persistenced.service", "/dev/nvidia0", "" },
		{ "0::/", "/dev/nvidia0", "" },
	};
	const struct tree *tree = *state;

	build_nvidia(tree);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *lines = text_format("%s" GPU_LINE AUDIO_LINE, rows[i].lines);

		tree_member_opens(tree, 4711, "x", rows[i].cgroup, rows[i].node);
		assert_actions(tree, GPU, "{}", lines);
	}
	/* with another driver it holds nothing that matters */
	tree_member_opens(tree, 4711, "x", PERSISTENCED, "/dev/nvidia0");
	tree_bind(tree, GPU, "nouveau");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	/* and of the network card neither */
	tree_bind(tree, GPU, "nvidia");
	assert_actions(tree, NIC, "{}", NIC_LINE);
}

/* Two devices and the settings ask for one service: it is stopped once. */
static void test_unit_once(void **state)
{
	const struct tree *tree = *state;

	build_nvidia(tree);
	tree_member_opens(tree, 4711, "x", PERSISTENCED, "/dev/nvidia0");
	tree_member_opens(tree, 4712, "y", PERSISTENCED, "/dev/nvidiactl");
	assert_actions(tree, GPU, "{\"stop_units\": [\"nvidia-persistenced.service\"]}",
		       "stop-unit nvidia-persistenced.service active -> inactive, "
		       "settings\n" GPU_LINE AUDIO_LINE);
}

/* As long as another GPU stays with the driver, what both share is in use. */
static void test_nvidia_left(void **state)
{
	static const char unload[] = "unload-module nvidia_drm loaded -> unloaded, " GPU "\n";
	const struct tree *tree = *state;
	cleanup_free char *alone =
		text_format("%s%s" GPU_LINE AUDIO_LINE, STOP_PERSISTENCED, unload);
	cleanup_free char *both =
		text_format("%s%s" GPU_LINE "bind " OTHER " -> vfio-pci, hostpci1\n" AUDIO_LINE,
			    STOP_PERSISTENCED, unload);

	build_nvidia(tree);
	tree_folder(tree, "sys/module/nvidia_drm");
	tree_member_opens(tree, 4711, "x", PERSISTENCED, "/dev/nvidiactl");
	assert_actions(tree, GPU, "{}", alone);

	tree_remove(tree, "sys/bus/pci/drivers/nouveau/" OTHER);
	tree_bind(tree, OTHER, "nvidia");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	assert_actions(tree, GPU " ~" OTHER, "{}",
		       GPU_LINE AUDIO_LINE "bind " OTHER " -> vfio-pci, hostpci1, foreseen\n");
	assert_actions(tree, GPU " " OTHER, "{}", both);
	/* its own node counts all the same */
	tree_member_opens(tree, 4711, "x", PERSISTENCED, "/dev/nvidia0");
	assert_actions(tree, GPU, "{}", STOP_PERSISTENCED GPU_LINE AUDIO_LINE);
}

static void test_cannot_tell_the_users(void **state)
{
	const struct tree *tree = *state;
	cleanup_plan struct plan plan = { 0 };
	struct error err = { 0 };

	build_nvidia(tree);
	tree_file(tree, "proc/4711/fd", "%s", "");
	assert_int_equal(make(tree, GPU, "{}", &plan, &err), -ENOTDIR);
	assert_string_equal(err.message,
			    "cannot read which files the processes have open: Not a directory");
}

/* ---- modules */

static void test_modules(void **state)
{
	static const char settings[] = "{\"unload_modules\": [\"i2c_x\", \"nvidia_uvm\", \"no\"]}";
	const struct tree *tree = *state;

	build(tree, "nvidia");
	tree_folder(tree, "proc");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	tree_folder(tree, "sys/module/nvidia_uvm");
	tree_folder(tree, "sys/module/nvidia_modeset");
	/* those that are there, in the order in which they can go; `nvidia` itself stays */
	assert_actions(tree, GPU, "{}",
		       "unload-module nvidia_modeset loaded -> unloaded, " GPU "\n"
		       "unload-module nvidia_uvm loaded -> unloaded, " GPU
		       "\n" GPU_LINE AUDIO_LINE);
	tree_folder(tree, "sys/module/nvidia_drm");
	tree_folder(tree, "sys/module/i2c_x");
	assert_actions(tree, GPU, settings,
		       "unload-module i2c_x loaded -> unloaded, settings\n"
		       "unload-module nvidia_uvm loaded -> unloaded, settings\n"
		       "unload-module no unloaded -> unloaded, settings\n"
		       "unload-module nvidia_drm loaded -> unloaded, " GPU "\n"
		       "unload-module nvidia_modeset loaded -> unloaded, " GPU
		       "\n" GPU_LINE AUDIO_LINE);
	assert_actions(tree, NIC, "{}", NIC_LINE);
	assert_actions(tree, "", settings, "");
}

/* ---- text console and framebuffers */

static void add_console(const struct tree *tree, const char *entry, const char *name,
			const char *bind)
{
	char path[PATH_MAX];

	tree_format(path, "sys/class/vtconsole/%s/name", entry);
	tree_file(tree, path, "%s\n", name);
	tree_format(path, "sys/class/vtconsole/%s/bind", entry);
	tree_file(tree, path, "%s\n", bind);
}

static void add_framebuffer(const struct tree *tree, const char *name, const char *below)
{
	char path[PATH_MAX], target[PATH_MAX];

	tree_format(path, "sys/class/graphics/%s", name);
	tree_format(target, "../../devices/%s/graphics/%s", below, name);
	tree_link(tree, path, target);
}

#define RELEASE_VTCON1 "release-console vtcon1 1 -> 0, " GPU "\n"

static void test_console(void **state)
{
	const struct tree *tree = *state;

	build(tree, "nouveau");
	add_console(tree, "vtcon0", "(S) dummy device", "0");
	add_console(tree, "vtcon1", "(M) frame buffer device", "1");
	tree_link(tree, "sys/class/graphics/fbcon", "../../devices/virtual/graphics/fbcon");
	/* it draws on nothing that goes */
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	add_framebuffer(tree, "fb0", "pci0000:00/" GPU);
	assert_actions(tree, GPU, "{}", RELEASE_VTCON1 GPU_LINE AUDIO_LINE);
	assert_actions(tree, GPU, "{\"console\": \"leave\"}", GPU_LINE AUDIO_LINE);
	assert_actions(tree, NIC, "{}", NIC_LINE);
	assert_actions(tree, NIC " ~" GPU, "{}",
		       NIC_LINE "bind " GPU " -> vfio-pci, hostpci1, foreseen\n"
				"bind " AUDIO " -> vfio-pci, group 14, foreseen\n");
	assert_actions(tree, GPU, "{\"devices\": {\"" GPU "\": {\"after_stop\": \"keep\"}}}",
		       "release-console vtcon1 1 -> 0, " GPU ", keep\n"
		       "bind " GPU " -> vfio-pci, hostpci0, keep\n" AUDIO_LINE);

	/* another one stays: the kernel moves the console there */
	add_framebuffer(tree, "fb1", "pci0000:00/" OTHER);
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	assert_actions(tree, GPU " " OTHER, "{}",
		       RELEASE_VTCON1 GPU_LINE "bind " OTHER " -> vfio-pci, hostpci1\n" AUDIO_LINE);
	assert_actions(tree, GPU " ~" OTHER, "{}",
		       GPU_LINE AUDIO_LINE "bind " OTHER " -> vfio-pci, hostpci1, foreseen\n");
	tree_remove(tree, "sys/class/graphics/fb1");

	add_console(tree, "vtcon1", "(M) frame buffer device", "0");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
}

/* The text memory of the card that the firmware has started with. */
static void test_vga_console(void **state)
{
	const struct tree *tree = *state;

	build(tree, "nouveau");
	add_console(tree, "vtcon0", "(S) VGA+", "1");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	tree_attribute(tree, OTHER, "boot_vga", "1");
	tree_attribute(tree, GPU, "boot_vga", "0");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	tree_attribute(tree, OTHER, "boot_vga", "0");
	tree_attribute(tree, GPU, "boot_vga", "1");
	assert_actions(tree, GPU, "{}",
		       "release-console vtcon0 1 -> 0, " GPU "\n" GPU_LINE AUDIO_LINE);
	assert_actions(tree, GPU, "{\"console\": \"leave\"}", GPU_LINE AUDIO_LINE);
	assert_actions(tree, NIC, "{}", NIC_LINE);
	/* it draws on framebuffers instead */
	add_console(tree, "vtcon0", "(S) VGA+", "0");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	/* a 3D controller has no text */
	add_console(tree, "vtcon0", "(S) VGA+", "1");
	tree_attribute(tree, GPU, "class", "0x030200");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
}

static void add_boot_framebuffer(const struct tree *tree)
{
	tree_link(tree, "sys/bus/platform/devices/efi-framebuffer.0",
		  "../../../devices/platform/efi-framebuffer.0");
	tree_link(tree, "sys/devices/platform/efi-framebuffer.0/driver",
		  "../../../bus/platform/drivers/efi-framebuffer");
	add_framebuffer(tree, "fb0", "platform/efi-framebuffer.0");
	add_console(tree, "vtcon1", "(M) frame buffer device", "1");
	tree_attribute(tree, GPU, "resource",
		       "0x00000000a0000000 0x00000000afffffff 0x000000000014220c");
	tree_attribute(tree, OTHER, "resource",
		       "0x00000000c0000000 0x00000000cfffffff 0x000000000014220c");
	tree_file(tree, "proc/iomem", "a0000000-afffffff : " GPU "\n  a0000000-a02fffff : efifb\n");
}

#define RELEASE_BOOT "release-framebuffer efi-framebuffer.0 efi-framebuffer -> none, " GPU "\n"

static void test_boot_framebuffer(void **state)
{
	const struct tree *tree = *state;

	build(tree, "nouveau");
	add_boot_framebuffer(tree);
	assert_actions(tree, GPU, "{}", RELEASE_VTCON1 RELEASE_BOOT GPU_LINE AUDIO_LINE);
	assert_actions(tree, GPU, "{\"console\": \"leave\"}", GPU_LINE AUDIO_LINE);
	/* in another card's memory, and of one that may not be taken */
	assert_actions(tree, OTHER, "{}", "bind " OTHER " -> vfio-pci, hostpci0\n");
	assert_actions(tree, OTHER " ~" GPU, "{}",
		       "bind " OTHER " -> vfio-pci, hostpci0\n"
		       "bind " GPU " -> vfio-pci, hostpci1, foreseen\n"
		       "bind " AUDIO " -> vfio-pci, group 14, foreseen\n");
	assert_actions(tree, GPU, "{\"after_stop\": \"keep\"}",
		       "release-console vtcon1 1 -> 0, " GPU ", keep\n"
		       "release-framebuffer efi-framebuffer.0 efi-framebuffer -> none, " GPU
		       ", keep\n"
		       "bind " GPU " -> vfio-pci, hostpci0, keep\n"
		       "bind " AUDIO " -> vfio-pci, group 14, keep\n");

	/* another framebuffer stays for the console; this one goes all the same */
	add_framebuffer(tree, "fb1", "pci0000:00/" OTHER);
	assert_actions(tree, GPU, "{}", RELEASE_BOOT GPU_LINE AUDIO_LINE);
	tree_remove(tree, "sys/class/graphics/fb1");

	/* whose memory it is in cannot be determined: check_framebuffer() says so */
	tree_remove(tree, "proc/iomem");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	tree_file(tree, "proc/iomem", "a0000000-afffffff : " GPU "\n");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
	/* nothing draws on it */
	add_boot_framebuffer(tree);
	tree_remove(tree, "sys/devices/platform/efi-framebuffer.0/driver");
	assert_actions(tree, GPU, "{}", GPU_LINE AUDIO_LINE);
}

/* In newer kernels the platform device is a child of the card: its framebuffer is one, not two. */
static void test_boot_framebuffer_below_the_card(void **state)
{
	const struct tree *tree = *state;

	build(tree, "nouveau");
	add_boot_framebuffer(tree);
	add_framebuffer(tree, "fb0", "pci0000:00/" GPU "/efi-framebuffer.0");
	assert_actions(tree, GPU, "{}", RELEASE_VTCON1 RELEASE_BOOT GPU_LINE AUDIO_LINE);
	add_framebuffer(tree, "fb1", "pci0000:00/" OTHER);
	assert_actions(tree, GPU, "{}", RELEASE_BOOT GPU_LINE AUDIO_LINE);
}

static void test_cannot_list(void **state)
{
	const struct tree *tree = *state;
	cleanup_plan struct plan plan = { 0 };
	struct error err = { 0 };

	build(tree, "nouveau");
	tree_file(tree, "sys/class/graphics", "%s", "");
	assert_int_equal(make(tree, GPU, "{}", &plan, &err), -ENOTDIR);
	assert_string_equal(err.message, "cannot list the framebuffers: Not a directory");
}

/* ---- attributes of a function */

#define KEPT(more)    "keep-vfs " NIC "/vfs none -> none, hostpci0" more "\n"
#define ESWITCH(more) "keep-eswitch " NIC "/eswitch legacy -> legacy, hostpci0" more "\n"
#define NUMVFS(before)                                                                             \
	KEPT("") "set-attribute " NIC "/sriov_numvfs " before " -> 0, hostpci0\n" ESWITCH("")

static void test_numvfs(void **state)
{
	const struct tree *tree = *state;
	cleanup_plan struct plan plan = { 0 };
	struct error err = { 0 };

	build(tree, "nouveau");
	tree_attribute(tree, NIC, "sriov_numvfs", "4");
	assert_actions(tree, NIC, "{}", NUMVFS("4") NIC_LINE);
	assert_actions(tree, NIC, "{\"after_stop\": \"keep\"}",
		       KEPT(", keep") "set-attribute " NIC
				      "/sriov_numvfs 4 -> 0, hostpci0, keep\n" ESWITCH(
					      ", keep") "bind " NIC
							" -> vfio-pci, hostpci0, keep\n");
	assert_actions(tree, GPU " ~" NIC, "{}",
		       GPU_LINE AUDIO_LINE "bind " NIC " -> vfio-pci, hostpci1, foreseen\n");
	/* none now, though an earlier run may have had them; else it is taken out again */
	tree_attribute(tree, NIC, "sriov_numvfs", "0");
	assert_actions(tree, NIC, "{}", NUMVFS("0") NIC_LINE);
	assert_int_equal(make(tree, NIC, "{}", &plan, &err), 0);
	plan_prune(&plan);
	assert_int_equal(plan.actions.count, 1);
}

#define DEVICE(members) "{\"devices\": {\"" NIC "\": {" members "}}}"

/* It goes from driver to driver, and each leaves it as it likes. */
#define KEEP "keep-attribute " NIC "/power/control on -> any, hostpci0\n"

static void test_settings(void **state)
{
	static const struct {
		const char *settings, *before, *after;
	} rows[] = {
		{ DEVICE(""), "", "" },
		{ DEVICE("\"reset_method\": \"bus\""),
		  "set-attribute " NIC "/reset_method flr bus -> bus, hostpci0\n", "" },
		{ DEVICE("\"reset_method\": \"flr bus\""),
		  "set-attribute " NIC "/reset_method flr bus -> flr bus, hostpci0\n", "" },
		{ DEVICE("\"d3cold\": false"),
		  "set-attribute " NIC "/d3cold_allowed 1 -> 0, hostpci0\n", "" },
		{ DEVICE("\"d3cold\": true"),
		  "set-attribute " NIC "/d3cold_allowed 1 -> 1, hostpci0\n", "" },
		/* vfio-pci allows it, whatever it is with the host's driver */
		{ DEVICE("\"power\": \"on\""), "",
		  "set-attribute " NIC "/power/control auto -> on, hostpci0\n" },
		{ DEVICE("\"power\": \"auto\""), "",
		  "set-attribute " NIC "/power/control on -> auto, hostpci0\n" },
		{ DEVICE("\"resize_bar\": {\"1\": 512}"), "",
		  "resize-bar " NIC "/resource1_resize 256 -> 512, hostpci0\n" },
		{ DEVICE("\"rescan\": true"), "", "rescan " NIC "/remove -> vfio-pci, hostpci0\n" },
		{ DEVICE("\"rescan\": false"), "", "" },
		{ DEVICE("\"rescan\": true, \"resize_bar\": {\"1\": 512}, \"power\": \"on\", "
			 "\"d3cold\": false, \"reset_method\": \"bus\""),
		  "set-attribute " NIC "/reset_method flr bus -> bus, hostpci0\n"
		  "set-attribute " NIC "/d3cold_allowed 1 -> 0, hostpci0\n",
		  "rescan " NIC "/remove -> vfio-pci, hostpci0\n"
		  "resize-bar " NIC "/resource1_resize 256 -> 512, hostpci0\n"
		  "set-attribute " NIC "/power/control auto -> on, hostpci0\n" },
		/* another device's */
		{ "{\"devices\": {\"" OTHER "\": {\"power\": \"on\", \"rescan\": true}}}", "", "" },
	};
	const struct tree *tree = *state;

	build(tree, "nouveau");
	tree_attribute(tree, NIC, "reset_method", "flr bus");
	tree_attribute(tree, NIC, "d3cold_allowed", "1");
	tree_attribute(tree, NIC, "power/control", "on");
	tree_attribute(tree, NIC, "resource1_resize", "0000000000007f00");
	tree_attribute(tree, NIC, "resource",
		       "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		       "0x00000000a0000000 0x00000000afffffff 0x000000000014220c");
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *lines =
			text_format(KEEP "%s" NIC_LINE "%s", rows[i].before, rows[i].after);

		assert_actions(tree, NIC, rows[i].settings, lines);
		/* an alternative is not touched, whatever is set for it */
		assert_actions(tree, OTHER " ~" NIC,
			       strstr(rows[i].settings, OTHER) ? "{}" : rows[i].settings,
			       "bind " OTHER " -> vfio-pci, hostpci0\n"
			       "bind " NIC " -> vfio-pci, hostpci1, foreseen\n");
	}
	assert_actions(tree, NIC, DEVICE("\"after_stop\": \"keep\", \"power\": \"on\""),
		       "keep-attribute " NIC "/power/control on -> any, hostpci0, keep\n"
		       "bind " NIC " -> vfio-pci, hostpci0, keep\n"
		       "set-attribute " NIC "/power/control auto -> on, hostpci0, keep\n");
}

/* What is asked for and is not there would be believed to be in effect. */
static void test_no_attribute(void **state)
{
	static const struct {
		const char *settings, *message;
	} rows[] = {
		{ DEVICE("\"reset_method\": \"bus\""),
		  "cannot read reset_method of " NIC ", which is to be 'bus': No such file or "
		  "directory" },
		{ DEVICE("\"d3cold\": false"),
		  "cannot read d3cold_allowed of " NIC ", which is to be '0': No such file or "
		  "directory" },
		{ DEVICE("\"power\": \"on\""),
		  "cannot read power/control of " NIC ", which is to be 'on': No such file or "
		  "directory" },
		{ DEVICE("\"resize_bar\": {\"0\": 512}"),
		  "the size of BAR 0 of " NIC ", which is to be 512 MiB, cannot be changed: No "
		  "such file or directory" },
	};
	const struct tree *tree = *state;

	build(tree, "nouveau");
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_plan struct plan plan = { 0 };
		struct error err = { 0 };

		assert_int_equal(make(tree, NIC, rows[i].settings, &plan, &err), -ENOENT);
		assert_string_equal(err.message, rows[i].message);
		assert_int_equal(plan.actions.count, 0);
	}
}

/* ---- who holds nodes */

/* "PID COMMAND NODE", a line each. */
static void assert_openers(const struct tree *tree, const char *addresses, const char *json,
			   const char *lines)
{
	cleanup_plan struct plan plan = { 0 };
	cleanup_holdings struct holdings helds = { 0 };
	struct text text = { 0 };
	struct error err = { 0 };
	char *found;

	assert_int_equal(make(tree, addresses, json, &plan, &err), 0);
	assert_int_equal(holdings_find(&plan, &tree->root, &helds, &err), 0);
	for (size_t i = 0; i < helds.count; i++)
		text_add(&text, "%d %s %s\n", (int)helds.items[i].holder.pid,
			 helds.items[i].holder.command, helds.items[i].path);
	found = text_take(&text);
	assert_string_equal(found, lines);
	free(found);
}

static void test_openers(void **state)
{
	const struct tree *tree = *state;

	build_nvidia(tree);
	assert_openers(tree, GPU, "{}", "");
	tree_member_opens(tree, 10, "nvidia-persiste", PERSISTENCED, "/dev/nvidia0");
	tree_member_opens(tree, 11, "Xorg", "0::/system.slice/lightdm.service", "/dev/nvidia0");
	tree_member_opens(tree, 12, "nvtop", "0::/user.slice/user-0.slice/session-1.scope",
			  "/dev/nvidiactl");
	tree_member_opens(tree, 13, "nvidia-persiste",
			  "0::/lxc/101/ns/system.slice/nvidia-persistenced.service",
			  "/dev/nvidia0");
	tree_member_opens(tree, 14, "cat", "0::/", "/dev/nvidia1");
	/* a service that is stopped lets go by itself, a container's of that name does not */
	assert_openers(tree, GPU, "{}",
		       "11 Xorg /dev/nvidia0\n12 nvtop /dev/nvidiactl\n"
		       "13 nvidia-persiste /dev/nvidia0\n");
	assert_openers(tree, GPU, "{\"stop_units\": [\"lightdm.service\"]}",
		       "12 nvtop /dev/nvidiactl\n13 nvidia-persiste /dev/nvidia0\n");
	/* one that stays has the shared nodes too */
	tree_bind(tree, OTHER, "nvidia");
	assert_openers(tree, GPU, "{\"stop_units\": [\"lightdm.service\"]}",
		       "13 nvidia-persiste /dev/nvidia0\n");
	assert_openers(tree, NIC, "{}", "");
	assert_openers(tree, NIC " ~" GPU, "{}", "");
	assert_openers(tree, "", "{}", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_stop_units),
		tree_test(test_nvidia_units),
		tree_test(test_unit_once),
		tree_test(test_nvidia_left),
		tree_test(test_cannot_tell_the_users),
		tree_test(test_modules),
		tree_test(test_console),
		tree_test(test_vga_console),
		tree_test(test_boot_framebuffer),
		tree_test(test_boot_framebuffer_below_the_card),
		tree_test(test_cannot_list),
		tree_test(test_numvfs),
		tree_test(test_settings),
		tree_test(test_no_attribute),
		tree_test(test_openers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
