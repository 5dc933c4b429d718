/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a start takes beside this program: only what is true of the machine, and seconds that were measured. */
#include "test_check_topic.h"

#include "check/forecast.h"

#define ADDRESS "0000:01:00.0"
#define SIBLING "0000:01:00.1"

static void build(const struct tree *tree, struct check_case *check, const char *config)
{
	tree_add_device(tree, &(struct tree_device){ .address = ADDRESS });
	tree_attribute(tree, ADDRESS, "reset_method", "flr bus");
	check_add(tree, check, ADDRESS);
	vm_config_done(&check->start.config);
	assert_int_equal(vm_config_parse(NULL, "101.conf", config, strlen(config),
					 &check->start.config, NULL),
			 0);
	check->start.root = &tree->root;
}

/* All sentences, with a blank between. */
static void expect(const struct forecast *forecast, const char *wanted)
{
	struct strings words = { 0 };
	struct text text = { 0 };
	char *got;

	assert_int_equal(forecast_words(forecast, &words), 0);
	for (size_t i = 0; i < words.count; i++)
		text_add(&text, "%s%s", i > 0 ? " " : "", words.items[i]);
	got = text_take(&text);
	assert_string_equal(got, wanted);
	free(got);
	strings_done(&words);
}

static void expect_line(const struct forecast *forecast, const char *wanted)
{
	char *line = forecast_line(forecast);

	if (wanted)
		assert_string_equal(line, wanted);
	else
		assert_null(line);
	free(line);
}

static void seconds_are_measured_ones(void **state)
{
	const struct tally_qemu other = { { 9000000, 1 }, 4096, false };
	const struct tally_qemu small = { { 4900000, 1 }, 65536, false };
	const struct tally_qemu same = { { 17600000, 1 }, 65536, false };
	const struct tally_qemu huge = { { 17600000, 1 }, 65536, true };
	struct check_case check = { 0 };
	struct forecast forecast = { 0 };

	build(*state, &check, "memory: 65536\n");
	forecast_memory(&check.start, &forecast);
	assert_int_equal(forecast.memory_mib, 65536);
	forecast_measured(&forecast, &(struct tally_qemu){ 0 });
	expect_line(&forecast,
		    "next QEMU starts and pins 64 GiB of memory, which can take a while");
	expect(&forecast, "QEMU's start pins 64 GiB of memory, which can take a while; huge pages "
			  "can make that quicker.");
	/* with less memory, or other pages, it was another start */
	forecast_measured(&forecast, &other);
	forecast_measured(&forecast, &huge);
	assert_int_equal(forecast.last.phase.at, 0);
	forecast_measured(&forecast, &same);
	expect_line(&forecast,
		    "next QEMU starts and pins 64 GiB of memory, which took 18 s last time");
	expect(&forecast, "QEMU's start pins 64 GiB of memory; it took 17.6 s last time.");
	forecast_measured(&forecast, &small);
	expect_line(&forecast, NULL);
	check_over(&check);
}

static void huge_pages_are_told(void **state)
{
	struct check_case check = { 0 };
	struct forecast forecast = { 0 };

	build(*state, &check, "memory: 31744\nhugepages: 1024\n");
	forecast_memory(&check.start, &forecast);
	expect_line(&forecast, NULL);
	expect(&forecast, "QEMU's start pins 31 GiB of memory in huge pages.");
	check_over(&check);
}

static void nothing_is_pinned_for_nobody(void **state)
{
	struct check_case check = { 0 };
	struct forecast forecast = { 0 };

	build(*state, &check, "memory: 65536\n");
	check.start.plan.devices[0].sibling = true;
	forecast_memory(&check.start, &forecast);
	assert_int_equal(forecast_devices(&check.start, &forecast), 0);
	check.start.plan.devices[0].sibling = false;
	check.start.plan.devices[0].foreseen = true;
	forecast_memory(&check.start, &forecast);
	assert_int_equal(forecast_devices(&check.start, &forecast), 0);
	expect(&forecast, "");
	expect_line(&forecast, NULL);
	check_over(&check);
}

/* BAR 0 of 16 MiB, and BAR 1 up to `last`. */
static void add_bars(const struct tree *tree, const char *last)
{
	char *text = text_format("0x00000000f0000000 0x00000000f0ffffff 0x0000000000040200\n"
				 "0x0000010000000000 %s 0x000000000014220c\n",
				 last);

	assert_non_null(text);
	tree_attribute(tree, ADDRESS, "resource", text);
	free(text);
}

static void bars_are_slow_before_6_12(void **state)
{
	static const struct {
		const char *release, *last;
		size_t count;
	} rows[] = {
		{ "6.8.12-10-pve", "0x00000107ffffffff", 1 },
		{ "6.11.11-2-pve", "0x00000103ffffffff", 1 },
		{ "6.8.12-10-pve", "0x00000101ffffffff", 0 }, /* 8 GiB */
		{ "6.12.0", "0x00000107ffffffff", 0 },
		{ "6.14.11-4-pve", "0x00000107ffffffff", 0 },
		{ "what", "0x00000107ffffffff", 0 },
	};
	struct check_case check = { 0 };

	build(*state, &check, "");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct forecast forecast = { 0 };

		tree_file(*state, "proc/sys/kernel/osrelease", "%s", rows[i].release);
		add_bars(*state, rows[i].last);
		assert_int_equal(forecast_devices(&check.start, &forecast), 0);
		assert_row(rows[i].release, forecast.bar_count == rows[i].count);
		if (i == 0)
			expect(&forecast,
			       "The kernel resets what QEMU opens: 0000:01:00.0 (flr). "
			       "0000:01:00.0: this kernel maps its large BARs (32 GiB) in pages of 4 "
			       "KiB, which slows the guest's firmware down; Linux 6.15 with QEMU "
			       "9.2 maps them at once.");
		forecast_done(&forecast);
	}
	check_over(&check);
}

static void the_first_method_counts(void **state)
{
	struct check_case check = { 0 };
	struct forecast forecast = { 0 };

	build(*state, &check, "");
	tree_attribute(*state, ADDRESS, "reset_method", "pm bus");
	assert_int_equal(forecast_devices(&check.start, &forecast), 0);
	assert_string_equal(forecast.resets[0].method, "pm");
	forecast_done(&forecast);
	/* that of the settings, for it is set by then */
	settings_done(&check.start.settings);
	settings_init(&check.start.settings);
	assert_int_equal(settings_parse("x",
					"{\"devices\": {\"" ADDRESS
					"\": {\"reset_method\": \"bus\"}}}",
					strlen("{\"devices\": {\"" ADDRESS
					       "\": {\"reset_method\": \"bus\"}}}"),
					&check.start.settings, NULL),
			 0);
	assert_int_equal(forecast_devices(&check.start, &forecast), 0);
	assert_string_equal(forecast.resets[0].method, "bus");
	forecast_done(&forecast);
	settings_done(&check.start.settings);
	settings_init(&check.start.settings);
	/* without one, or on an old kernel that does not tell, nothing is said */
	tree_attribute(*state, ADDRESS, "reset_method", "");
	assert_int_equal(forecast_devices(&check.start, &forecast), 0);
	assert_int_equal(forecast.reset_count, 0);
	forecast_done(&forecast);
	tree_remove(*state, "sys/bus/pci/devices/" ADDRESS "/reset_method");
	assert_int_equal(forecast_devices(&check.start, &forecast), 0);
	assert_int_equal(forecast.reset_count, 0);
	forecast_done(&forecast);
	check_over(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tree_test(seconds_are_measured_ones),	 tree_test(huge_pages_are_told),
		tree_test(nothing_is_pinned_for_nobody), tree_test(bars_are_slow_before_6_12),
		tree_test(the_first_method_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
