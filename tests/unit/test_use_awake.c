/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keeps a function awake. */
#include "test.h"
#include "tree.h"

#include "use/awake.h"

#define GPU   "0000:01:00.0"
#define SOUND "0000:01:00.1"

static void power(const struct tree *tree, const char *address, const char *state,
		  const char *status, const char *control)
{
	tree_attribute(tree, address, "power_state", state);
	tree_attribute(tree, address, "power/runtime_status", status);
	tree_attribute(tree, address, "power/control", control);
}

static void assert_why(const struct tree *tree, const char *address, const char *expected)
{
	cleanup_pci_device struct pci_device device = { 0 };
	cleanup_free char *why = NULL;
	struct pci_address at;

	assert_int_equal(pci_address_parse(address, &at), 0);
	assert_int_equal(pci_device_read(&tree->root, at, &device, NULL), 0);
	assert_int_equal(awake_why(&tree->root, &device, &why), 0);
	if (expected)
		assert_string_equal(why, expected);
	else
		assert_null(why);
}

static void test_why(void **state)
{
	const struct tree *tree = *state;

	tree_add_device(tree, &(struct tree_device){ .address = GPU,
						     .class_code = 0x030000,
						     .driver = "nvidia",
						     .group = 14 });
	tree_add_device(tree, &(struct tree_device){ .address = SOUND,
						     .class_code = 0x040300,
						     .driver = "snd_hda_intel",
						     .group = 14 });
	tree_add_device(tree, &(struct tree_device){ .address = "0000:02:00.0", .group = 15 });
	/* the kernel does not say */
	assert_why(tree, GPU, NULL);
	power(tree, GPU, "D0", "active", "on");
	power(tree, SOUND, "D0", "active", "auto");
	assert_why(tree, GPU, "power/control is on");
	/* of the same card, which sleeps as a whole; the sound is nobody's part */
	power(tree, GPU, "D0", "active", "auto");
	assert_why(tree, GPU, SOUND " of the same card is awake");
	assert_why(tree, SOUND, "a process has it open, or snd_hda_intel does not suspend it");
	power(tree, SOUND, "D3hot", "suspended", "auto");
	assert_why(tree, GPU, "a process has it open, or nvidia does not suspend it");
	tree_file(tree, "run/nvidia-persistenced/socket", "%s", "");
	assert_why(tree, GPU, "nvidia-persistenced keeps its driver at work");
	power(tree, GPU, "D0", "suspending", "auto");
	assert_why(tree, GPU, NULL);
	power(tree, GPU, "D3cold", "suspended", "auto");
	assert_why(tree, GPU, NULL);
	power(tree, SOUND, "D0", "unsupported", "auto");
	assert_why(tree, SOUND, "snd_hda_intel does not suspend it");
	power(tree, "0000:02:00.0", "D0", "active", "auto");
	assert_why(tree, "0000:02:00.0", "it has no driver, which would suspend it");
}

static void test_vfio(void **state)
{
	const struct tree *tree = *state;

	tree_add_device(tree, &(struct tree_device){ .address = GPU,
						     .class_code = 0x030000,
						     .driver = "vfio-pci",
						     .group = 14 });
	power(tree, GPU, "D0", "active", "auto");
	tree_file(tree, "sys/module/vfio_pci/parameters/disable_idle_d3", "N\n");
	assert_why(tree, GPU, "a process has it open, or vfio-pci does not suspend it");
	tree_file(tree, "sys/module/vfio_pci/parameters/disable_idle_d3", "Y\n");
	assert_why(tree, GPU, "vfio-pci is loaded with disable_idle_d3=1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_why),
		tree_test(test_vfio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
