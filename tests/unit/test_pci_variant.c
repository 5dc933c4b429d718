/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pci/variant.c: the VFIO driver that fits a function best. */
#include <errno.h>

#include "test.h"
#include "tree.h"

#include "pci/variant.h"

#define NIC	 "0000:01:00.0"
#define RELEASE	 "6.8.12-9-pve"
#define ALIASES	 "lib/modules/" RELEASE "/modules.alias"
#define MODALIAS "pci:v000015B3d0000101Esv000015B3sd00000001bc02sc00i00"

static void build(const struct tree *tree, const char *modalias, const char *aliases)
{
	tree_add_device(tree, &(struct tree_device){ .address = NIC });
	tree_attribute(tree, NIC, "modalias", modalias);
	tree_file(tree, "proc/sys/kernel/osrelease", RELEASE "\n");
	tree_file(tree, ALIASES, "%s", aliases);
}

static void assert_driver(const struct tree *tree, const char *name, const char *module)
{
	cleanup_vfio_driver struct vfio_driver driver = { 0 };
	struct error err = { 0 };

	if (vfio_driver_find(&tree->root, NIC, &driver, &err) != 0)
		fail_msg("%s", err.message);
	assert_string_equal(driver.name, name);
	assert_string_equal(driver.module, module);
	assert_int_equal(vfio_driver_is_variant(&driver), strcmp(name, "vfio-pci") != 0);
}

#define ANY   "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci\n"
#define MLX5  "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci\n"
#define OTHER "alias vfio_pci:v00001AF4d00001041sv*sd*bc*sc*i* virtio_vfio_pci\n"
#define CLOSE "alias vfio_pci:v000015B3d0000101Esv000015B3sd*bc*sc*i* close_vfio_pci\n"

static void test_find(void **state)
{
	static const struct {
		const char *aliases, *name;
	} rows[] = {
		{ "", "vfio-pci" },
		{ ANY, "vfio-pci" },
		{ ANY OTHER, "vfio-pci" },
		/* the fewest wildcards, in whatever order */
		{ ANY MLX5, "mlx5_vfio_pci" },
		{ MLX5 ANY, "mlx5_vfio_pci" },
		{ MLX5 CLOSE ANY, "close_vfio_pci" },
		{ CLOSE MLX5, "close_vfio_pci" },
		/* of two that are as good the first, as modprobe tries them */
		{ MLX5 "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* second\n",
		  "mlx5_vfio_pci" },
		/* what the host's drivers are found by, and no alias */
		{ "alias pci:v000015B3d0000101Esv*sd*bc*sc*i* mlx5_core\n", "vfio-pci" },
		{ "# alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* x\n", "vfio-pci" },
		{ "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*\n", "vfio-pci" },
		{ "alias vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i* cut_off", "cut_off" },
		{ "alias vfio_pci:v000015b3d0000101esv*sd*bc*sc*i* lower_case\n", "vfio-pci" },
		{ "garbage\n\n" MLX5, "mlx5_vfio_pci" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		build(tree, MODALIAS, rows[i].aliases);
		assert_driver(tree, rows[i].name, rows[i].name);
	}
}

/* What is not there fits nothing; what cannot be read is told. */
static void test_nothing_to_look_at(void **state)
{
	const struct tree *tree = *state;
	cleanup_vfio_driver struct vfio_driver driver = { 0 };
	struct error err = { 0 };

	build(tree, "usb:v1D6Bp0002", ANY MLX5);
	assert_driver(tree, "vfio-pci", "vfio-pci");
	build(tree, MODALIAS, ANY MLX5);
	tree_remove(tree, ALIASES);
	assert_driver(tree, "vfio-pci", "vfio-pci");
	tree_remove(tree, "proc/sys/kernel/osrelease");
	assert_driver(tree, "vfio-pci", "vfio-pci");
	tree_remove(tree, "sys/devices/pci0000:00/" NIC "/modalias");
	assert_driver(tree, "vfio-pci", "vfio-pci");

	build(tree, MODALIAS, "");
	tree_remove(tree, ALIASES);
	tree_folder(tree, ALIASES);
	assert_int_equal(vfio_driver_find(&tree->root, NIC, &driver, &err), -EISDIR);
	assert_string_equal(err.message,
			    "cannot look for the VFIO driver of " NIC ": Is a directory");
	assert_null(driver.name);
}

/* A driver is called like its module, but for these. */
static void test_names(void **state)
{
	static const struct {
		const char *name, *driver, *module;
	} rows[] = {
		{ "vfio-pci", "vfio-pci", "vfio-pci" },
		{ "vfio_pci", "vfio-pci", "vfio-pci" },
		{ "mlx5_vfio_pci", "mlx5_vfio_pci", "mlx5_vfio_pci" },
		{ "mlx5-vfio-pci", "mlx5_vfio_pci", "mlx5_vfio_pci" },
		{ "nvgrace_gpu_vfio_pci", "nvgrace_gpu_vfio_pci", "nvgrace_gpu_vfio_pci" },
		{ "hisi_acc_vfio_pci", "hisi-acc-vfio-pci", "hisi_acc_vfio_pci" },
		{ "hisi-acc-vfio-pci", "hisi-acc-vfio-pci", "hisi_acc_vfio_pci" },
		{ "pds-vfio-pci", "pds-vfio-pci", "pds_vfio_pci" },
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vfio_driver struct vfio_driver driver = { 0 };

		assert_int_equal(vfio_driver_named(rows[i].name, &driver, NULL), 0);
		assert_string_equal(driver.name, rows[i].driver);
		assert_string_equal(driver.module, rows[i].module);
	}
	build(tree, MODALIAS, "alias vfio_pci:v000015B3d*sv*sd*bc*sc*i* pds_vfio_pci\n");
	assert_driver(tree, "pds-vfio-pci", "pds_vfio_pci");
}

static void test_done(void **state)
{
	struct vfio_driver driver = { 0 };

	(void)state;
	assert_false(vfio_driver_is_variant(&driver));
	vfio_driver_done(&driver);
	assert_int_equal(vfio_driver_named("vfio-pci", &driver, NULL), 0);
	assert_false(vfio_driver_is_variant(&driver));
	vfio_driver_done(&driver);
	assert_null(driver.name);
	vfio_driver_done(&driver);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(test_find),
		tree_test(test_nothing_to_look_at),
		tree_test(test_names),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
