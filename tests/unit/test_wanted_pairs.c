/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: what two hostpci lines of one VM get, in all pairs of plain, kept, mediated and NVIDIA vGPU
 * lines, by address and by mapping. The answers are those that parse_hostpci_devices() and
 * choose_hostpci_devices() of qemu-server 9.2.6 gave when they were run with these functions; the
 * number is the line of PCI.pm that decides about the second: 556 "assigned more than once", 565 a
 * mediated device is passed over, 570 one alternative, 588 the first that is not used, 613 none free.
 */
#include "start.h"

#define MAP(path, group)                                                                           \
	"\tmap id=10de:2235,iommugroup=" group ",node=pve1,path=" path ",subsystem-id=0000:0000\n"

static const char mappings[] = "vg\n" MAP("0000:81:00.4", "40")
	MAP("0000:81:00.5", "41") "\tmdev 1\n\n"
				  "nic\n" MAP("0000:82:00.0", "50") MAP("0000:83:00.0", "51");

/* k kept, m a mediated device, v a vGPU of NVIDIA's. */
static const struct row {
	const char *first, *second;
	const char *answer;
	unsigned line;
} rows[] = {
	{ "82:00.0", "82:00.0", "twice", 556 },
	{ "82:00.0", "82:00.0,driver=keep", "twice", 556 },
	{ "82:00.0", "82:00.0,mdev=x", "82:00.0 m82:00.0", 565 },
	{ "82:00.0", "mapping=nic", "82:00.0 83:00.0", 588 },
	{ "82:00.0", "mapping=nic,driver=keep", "82:00.0 k83:00.0", 588 },
	{ "82:00.0", "mapping=nic,mdev=x", "82:00.0 m82:00.0 m83:00.0", 565 },
	{ "82:00.0", "81:00.4,mdev=nvidia-558", "82:00.0 v81:00.4", 570 },
	{ "82:00.0", "mapping=vg,mdev=nvidia-558", "82:00.0 v81:00.4", 588 },
	{ "82:00.0", "81:00.4", "82:00.0 81:00.4", 570 },
	{ "82:00.0", "81:00.4,driver=keep", "82:00.0 k81:00.4", 570 },
	{ "82:00.0", "mapping=vg", "82:00.0 81:00.4", 588 },
	{ "82:00.0", "81:00.4,mdev=other", "82:00.0 m81:00.4", 565 },
	{ "82:00.0,driver=keep", "82:00.0", "twice", 556 },
	{ "82:00.0,driver=keep", "82:00.0,driver=keep", "twice", 556 },
	{ "82:00.0,driver=keep", "82:00.0,mdev=x", "k82:00.0 m82:00.0", 565 },
	{ "82:00.0,driver=keep", "mapping=nic", "k82:00.0 83:00.0", 588 },
	{ "82:00.0,driver=keep", "mapping=nic,driver=keep", "k82:00.0 k83:00.0", 588 },
	{ "82:00.0,driver=keep", "mapping=nic,mdev=x", "k82:00.0 m82:00.0 m83:00.0", 565 },
	{ "82:00.0,driver=keep", "81:00.4,mdev=nvidia-558", "k82:00.0 v81:00.4", 570 },
	{ "82:00.0,driver=keep", "mapping=vg,mdev=nvidia-558", "k82:00.0 v81:00.4", 588 },
	{ "82:00.0,driver=keep", "81:00.4", "k82:00.0 81:00.4", 570 },
	{ "82:00.0,driver=keep", "81:00.4,driver=keep", "k82:00.0 k81:00.4", 570 },
	{ "82:00.0,driver=keep", "mapping=vg", "k82:00.0 81:00.4", 588 },
	{ "82:00.0,driver=keep", "81:00.4,mdev=other", "k82:00.0 m81:00.4", 565 },
	{ "82:00.0,mdev=x", "82:00.0", "m82:00.0 82:00.0", 570 },
	{ "82:00.0,mdev=x", "82:00.0,driver=keep", "m82:00.0 k82:00.0", 570 },
	{ "82:00.0,mdev=x", "82:00.0,mdev=x", "m82:00.0 m82:00.0", 565 },
	{ "82:00.0,mdev=x", "mapping=nic", "m82:00.0 82:00.0", 588 },
	{ "82:00.0,mdev=x", "mapping=nic,driver=keep", "m82:00.0 k82:00.0", 588 },
	{ "82:00.0,mdev=x", "mapping=nic,mdev=x", "m82:00.0 m82:00.0 m83:00.0", 565 },
	{ "82:00.0,mdev=x", "81:00.4,mdev=nvidia-558", "m82:00.0 v81:00.4", 570 },
	{ "82:00.0,mdev=x", "mapping=vg,mdev=nvidia-558", "m82:00.0 v81:00.4", 588 },
	{ "82:00.0,mdev=x", "81:00.4", "m82:00.0 81:00.4", 570 },
	{ "82:00.0,mdev=x", "81:00.4,driver=keep", "m82:00.0 k81:00.4", 570 },
	{ "82:00.0,mdev=x", "mapping=vg", "m82:00.0 81:00.4", 588 },
	{ "82:00.0,mdev=x", "81:00.4,mdev=other", "m82:00.0 m81:00.4", 565 },
	{ "mapping=nic", "82:00.0", "twice", 556 },
	{ "mapping=nic", "82:00.0,driver=keep", "twice", 556 },
	{ "mapping=nic", "82:00.0,mdev=x", "82:00.0 m82:00.0", 565 },
	{ "mapping=nic", "mapping=nic", "82:00.0 83:00.0", 588 },
	{ "mapping=nic", "mapping=nic,driver=keep", "82:00.0 k83:00.0", 588 },
	{ "mapping=nic", "mapping=nic,mdev=x", "82:00.0 m82:00.0 m83:00.0", 565 },
	{ "mapping=nic", "81:00.4,mdev=nvidia-558", "82:00.0 v81:00.4", 570 },
	{ "mapping=nic", "mapping=vg,mdev=nvidia-558", "82:00.0 v81:00.4", 588 },
	{ "mapping=nic", "81:00.4", "82:00.0 81:00.4", 570 },
	{ "mapping=nic", "81:00.4,driver=keep", "82:00.0 k81:00.4", 570 },
	{ "mapping=nic", "mapping=vg", "82:00.0 81:00.4", 588 },
	{ "mapping=nic", "81:00.4,mdev=other", "82:00.0 m81:00.4", 565 },
	{ "mapping=nic,driver=keep", "82:00.0", "twice", 556 },
	{ "mapping=nic,driver=keep", "82:00.0,driver=keep", "twice", 556 },
	{ "mapping=nic,driver=keep", "82:00.0,mdev=x", "k82:00.0 m82:00.0", 565 },
	{ "mapping=nic,driver=keep", "mapping=nic", "k82:00.0 83:00.0", 588 },
	{ "mapping=nic,driver=keep", "mapping=nic,driver=keep", "k82:00.0 k83:00.0", 588 },
	{ "mapping=nic,driver=keep", "mapping=nic,mdev=x", "k82:00.0 m82:00.0 m83:00.0", 565 },
	{ "mapping=nic,driver=keep", "81:00.4,mdev=nvidia-558", "k82:00.0 v81:00.4", 570 },
	{ "mapping=nic,driver=keep", "mapping=vg,mdev=nvidia-558", "k82:00.0 v81:00.4", 588 },
	{ "mapping=nic,driver=keep", "81:00.4", "k82:00.0 81:00.4", 570 },
	{ "mapping=nic,driver=keep", "81:00.4,driver=keep", "k82:00.0 k81:00.4", 570 },
	{ "mapping=nic,driver=keep", "mapping=vg", "k82:00.0 81:00.4", 588 },
	{ "mapping=nic,driver=keep", "81:00.4,mdev=other", "k82:00.0 m81:00.4", 565 },
	{ "mapping=nic,mdev=x", "82:00.0", "m82:00.0 m83:00.0 82:00.0", 570 },
	{ "mapping=nic,mdev=x", "82:00.0,driver=keep", "m82:00.0 m83:00.0 k82:00.0", 570 },
	{ "mapping=nic,mdev=x", "82:00.0,mdev=x", "m82:00.0 m83:00.0 m82:00.0", 565 },
	{ "mapping=nic,mdev=x", "mapping=nic", "m82:00.0 m83:00.0 82:00.0", 588 },
	{ "mapping=nic,mdev=x", "mapping=nic,driver=keep", "m82:00.0 m83:00.0 k82:00.0", 588 },
	{ "mapping=nic,mdev=x", "mapping=nic,mdev=x", "m82:00.0 m83:00.0 m82:00.0 m83:00.0", 565 },
	{ "mapping=nic,mdev=x", "81:00.4,mdev=nvidia-558", "m82:00.0 m83:00.0 v81:00.4", 570 },
	{ "mapping=nic,mdev=x", "mapping=vg,mdev=nvidia-558", "m82:00.0 m83:00.0 v81:00.4", 588 },
	{ "mapping=nic,mdev=x", "81:00.4", "m82:00.0 m83:00.0 81:00.4", 570 },
	{ "mapping=nic,mdev=x", "81:00.4,driver=keep", "m82:00.0 m83:00.0 k81:00.4", 570 },
	{ "mapping=nic,mdev=x", "mapping=vg", "m82:00.0 m83:00.0 81:00.4", 588 },
	{ "mapping=nic,mdev=x", "81:00.4,mdev=other", "m82:00.0 m83:00.0 m81:00.4", 565 },
	{ "81:00.4,mdev=nvidia-558", "82:00.0", "v81:00.4 82:00.0", 570 },
	{ "81:00.4,mdev=nvidia-558", "82:00.0,driver=keep", "v81:00.4 k82:00.0", 570 },
	{ "81:00.4,mdev=nvidia-558", "82:00.0,mdev=x", "v81:00.4 m82:00.0", 565 },
	{ "81:00.4,mdev=nvidia-558", "mapping=nic", "v81:00.4 82:00.0", 588 },
	{ "81:00.4,mdev=nvidia-558", "mapping=nic,driver=keep", "v81:00.4 k82:00.0", 588 },
	{ "81:00.4,mdev=nvidia-558", "mapping=nic,mdev=x", "v81:00.4 m82:00.0 m83:00.0", 565 },
	{ "81:00.4,mdev=nvidia-558", "81:00.4,mdev=nvidia-558", "twice", 556 },
	{ "81:00.4,mdev=nvidia-558", "mapping=vg,mdev=nvidia-558", "v81:00.4 v81:00.5", 588 },
	{ "81:00.4,mdev=nvidia-558", "81:00.4", "twice", 556 },
	{ "81:00.4,mdev=nvidia-558", "81:00.4,driver=keep", "twice", 556 },
	{ "81:00.4,mdev=nvidia-558", "mapping=vg", "v81:00.4 81:00.5", 588 },
	{ "81:00.4,mdev=nvidia-558", "81:00.4,mdev=other", "v81:00.4 m81:00.4", 565 },
	{ "mapping=vg,mdev=nvidia-558", "82:00.0", "v81:00.4 82:00.0", 570 },
	{ "mapping=vg,mdev=nvidia-558", "82:00.0,driver=keep", "v81:00.4 k82:00.0", 570 },
	{ "mapping=vg,mdev=nvidia-558", "82:00.0,mdev=x", "v81:00.4 m82:00.0", 565 },
	{ "mapping=vg,mdev=nvidia-558", "mapping=nic", "v81:00.4 82:00.0", 588 },
	{ "mapping=vg,mdev=nvidia-558", "mapping=nic,driver=keep", "v81:00.4 k82:00.0", 588 },
	{ "mapping=vg,mdev=nvidia-558", "mapping=nic,mdev=x", "v81:00.4 m82:00.0 m83:00.0", 565 },
	{ "mapping=vg,mdev=nvidia-558", "81:00.4,mdev=nvidia-558", "twice", 556 },
	{ "mapping=vg,mdev=nvidia-558", "mapping=vg,mdev=nvidia-558", "v81:00.4 v81:00.5", 588 },
	{ "mapping=vg,mdev=nvidia-558", "81:00.4", "twice", 556 },
	{ "mapping=vg,mdev=nvidia-558", "81:00.4,driver=keep", "twice", 556 },
	{ "mapping=vg,mdev=nvidia-558", "mapping=vg", "v81:00.4 81:00.5", 588 },
	{ "mapping=vg,mdev=nvidia-558", "81:00.4,mdev=other", "v81:00.4 m81:00.4", 565 },
	{ "81:00.4", "82:00.0", "81:00.4 82:00.0", 570 },
	{ "81:00.4", "82:00.0,driver=keep", "81:00.4 k82:00.0", 570 },
	{ "81:00.4", "82:00.0,mdev=x", "81:00.4 m82:00.0", 565 },
	{ "81:00.4", "mapping=nic", "81:00.4 82:00.0", 588 },
	{ "81:00.4", "mapping=nic,driver=keep", "81:00.4 k82:00.0", 588 },
	{ "81:00.4", "mapping=nic,mdev=x", "81:00.4 m82:00.0 m83:00.0", 565 },
	{ "81:00.4", "81:00.4,mdev=nvidia-558", "twice", 556 },
	{ "81:00.4", "mapping=vg,mdev=nvidia-558", "81:00.4 v81:00.5", 588 },
	{ "81:00.4", "81:00.4", "twice", 556 },
	{ "81:00.4", "81:00.4,driver=keep", "twice", 556 },
	{ "81:00.4", "mapping=vg", "81:00.4 81:00.5", 588 },
	{ "81:00.4", "81:00.4,mdev=other", "81:00.4 m81:00.4", 565 },
	{ "81:00.4,driver=keep", "82:00.0", "k81:00.4 82:00.0", 570 },
	{ "81:00.4,driver=keep", "82:00.0,driver=keep", "k81:00.4 k82:00.0", 570 },
	{ "81:00.4,driver=keep", "82:00.0,mdev=x", "k81:00.4 m82:00.0", 565 },
	{ "81:00.4,driver=keep", "mapping=nic", "k81:00.4 82:00.0", 588 },
	{ "81:00.4,driver=keep", "mapping=nic,driver=keep", "k81:00.4 k82:00.0", 588 },
	{ "81:00.4,driver=keep", "mapping=nic,mdev=x", "k81:00.4 m82:00.0 m83:00.0", 565 },
	{ "81:00.4,driver=keep", "81:00.4,mdev=nvidia-558", "twice", 556 },
	{ "81:00.4,driver=keep", "mapping=vg,mdev=nvidia-558", "k81:00.4 v81:00.5", 588 },
	{ "81:00.4,driver=keep", "81:00.4", "twice", 556 },
	{ "81:00.4,driver=keep", "81:00.4,driver=keep", "twice", 556 },
	{ "81:00.4,driver=keep", "mapping=vg", "k81:00.4 81:00.5", 588 },
	{ "81:00.4,driver=keep", "81:00.4,mdev=other", "k81:00.4 m81:00.4", 565 },
	{ "mapping=vg", "82:00.0", "81:00.4 82:00.0", 570 },
	{ "mapping=vg", "82:00.0,driver=keep", "81:00.4 k82:00.0", 570 },
	{ "mapping=vg", "82:00.0,mdev=x", "81:00.4 m82:00.0", 565 },
	{ "mapping=vg", "mapping=nic", "81:00.4 82:00.0", 588 },
	{ "mapping=vg", "mapping=nic,driver=keep", "81:00.4 k82:00.0", 588 },
	{ "mapping=vg", "mapping=nic,mdev=x", "81:00.4 m82:00.0 m83:00.0", 565 },
	{ "mapping=vg", "81:00.4,mdev=nvidia-558", "twice", 556 },
	{ "mapping=vg", "mapping=vg,mdev=nvidia-558", "81:00.4 v81:00.5", 588 },
	{ "mapping=vg", "81:00.4", "twice", 556 },
	{ "mapping=vg", "81:00.4,driver=keep", "twice", 556 },
	{ "mapping=vg", "mapping=vg", "81:00.4 81:00.5", 588 },
	{ "mapping=vg", "81:00.4,mdev=other", "81:00.4 m81:00.4", 565 },
	{ "81:00.4,mdev=other", "82:00.0", "m81:00.4 82:00.0", 570 },
	{ "81:00.4,mdev=other", "82:00.0,driver=keep", "m81:00.4 k82:00.0", 570 },
	{ "81:00.4,mdev=other", "82:00.0,mdev=x", "m81:00.4 m82:00.0", 565 },
	{ "81:00.4,mdev=other", "mapping=nic", "m81:00.4 82:00.0", 588 },
	{ "81:00.4,mdev=other", "mapping=nic,driver=keep", "m81:00.4 k82:00.0", 588 },
	{ "81:00.4,mdev=other", "mapping=nic,mdev=x", "m81:00.4 m82:00.0 m83:00.0", 565 },
	{ "81:00.4,mdev=other", "81:00.4,mdev=nvidia-558", "m81:00.4 v81:00.4", 570 },
	{ "81:00.4,mdev=other", "mapping=vg,mdev=nvidia-558", "m81:00.4 v81:00.4", 588 },
	{ "81:00.4,mdev=other", "81:00.4", "m81:00.4 81:00.4", 570 },
	{ "81:00.4,mdev=other", "81:00.4,driver=keep", "m81:00.4 k81:00.4", 570 },
	{ "81:00.4,mdev=other", "mapping=vg", "m81:00.4 81:00.4", 588 },
	{ "81:00.4,mdev=other", "81:00.4,mdev=other", "m81:00.4 m81:00.4", 565 },
};

static void build(const struct tree *tree)
{
	static const struct {
		const char *address;
		int group;
	} functions[] = {
		{ "0000:81:00.4", 40 },
		{ "0000:81:00.5", 41 },
		{ "0000:82:00.0", 50 },
		{ "0000:83:00.0", 51 },
	};

	for (size_t i = 0; i < COUNT(functions); i++) {
		tree_add_device(tree,
				&(struct tree_device){ functions[i].address, 0x10de, 0x2235,
						       0x030200, .group = functions[i].group });
		tree_attribute(tree, functions[i].address, "subsystem_vendor", "0x0000");
		tree_attribute(tree, functions[i].address, "subsystem_device", "0x0000");
	}
	for (size_t i = 0; i < 2; i++) {
		tree_attribute(tree, functions[i].address, "nvidia/creatable_vgpu_types",
			       "ID  : vGPU Name\n558 : NVIDIA RTX 6000 Ada-1Q");
		tree_attribute(tree, functions[i].address, "nvidia/current_vgpu_type", "0");
	}
	tree_file(tree, "etc/pve/mapping/pci.cfg", "%s", mappings);
}

/* Without the domain, as the rows have it. */
static char *answer_of(const struct wanted *wanted)
{
	static const char letters[] = {
		[WANTED_PLAIN] = ' ', [WANTED_KEPT] = 'k', [WANTED_VGPU] = 'v', [WANTED_MDEV] = 'm'
	};
	struct text text = { 0 };

	for (size_t i = 0; i < wanted->problem_count; i++) {
		if (wanted->problems[i].kind == WANTED_TWICE)
			return strdup("twice");
		if (wanted->problems[i].kind == WANTED_NONE_FREE)
			return strdup("busy");
		return strdup(wanted->problems[i].detail);
	}
	for (size_t i = 0; i < wanted->count; i++) {
		const struct wanted_device *device = &wanted->devices[i];
		char name[PCI_ADDRESS_TEXT];

		if (device->use == WANTED_ALTERNATIVE)
			continue;
		pci_address_format(device->address, name);
		text_add(&text, "%s%.*s%s", text.size ? " " : "", letters[device->kind] != ' ',
			 &letters[device->kind], name + strlen("0000:"));
	}
	return text_take(&text);
}

static void test_pairs(void **state)
{
	struct machine *machine = *state;

	build(&machine->tree);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *config =
			text_format("hostpci0: %s\nhostpci1: %s\n", rows[i].first, rows[i].second);
		cleanup_free char *answer = NULL;

		machine_prepare(machine, config);
		answer = answer_of(&machine->start.wanted);
		if (strcmp(answer, rows[i].answer) != 0)
			fail_msg("PCI.pm %u: '%s' and '%s' give '%s', not '%s'", rows[i].line,
				 rows[i].first, rows[i].second, answer, rows[i].answer);
	}
}

/* A line that PVE handles alone changes nothing of the host, whichever it chooses. */
static void test_left(void **state)
{
	struct machine *machine = *state;

	build(&machine->tree);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_free char *config =
			text_format("hostpci0: %s\nhostpci1: %s\n", rows[i].first, rows[i].second);

		machine_prepare(machine, config);
		for (size_t k = 0; k < machine->start.wanted.count; k++) {
			const struct wanted_device *device = &machine->start.wanted.devices[k];

			assert_row(config,
				   (device->use == WANTED_LEAVE) == (device->kind != WANTED_PLAIN));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { machine_test(test_pairs), machine_test(test_left) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
