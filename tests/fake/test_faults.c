/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests: system calls and allocations of the phases fail, one in each run, over a kernel that does what it should.
 * Whatever comes of it, the journal has what is not as it was, no device is lost, and the next
 * post-stop leaves the host as it was. A sample, chosen by FAULT_SEED; with FAULTS=1 all of them.
 */
#include "fake_kernel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../alloc/alloc.h"
#include "../block/fault.h"
#include "base/clock.h"
#include "base/guard.h"
#include "hook/hook.h"

#define NIC   "0000:01:00.0"
#define GPU   "0000:02:00.0"
#define AUDIO "0000:02:00.1"
#define PID   4711

/* Of all points each so manieth, where not all are asked for. */
#define PART 300

/* No phase takes longer that does not wait for something. */
#define LIMIT_S 60

typedef int phase_function(struct hook *hook, struct error *err);

static int setup(void **state)
{
	struct fake_kernel *kernel;
	const struct tree *tree;

	if (fake_setup(state) < 0)
		return -1;
	kernel = *state;
	tree = &kernel->tree;
	fake_driver(kernel, "e1000e", "e1000e", "8086:10d3");
	fake_device(kernel, &(struct tree_device){ NIC, .driver = "e1000e", .group = 14 });
	fake_gpu(kernel, GPU, AUDIO, 15);
	tree_attribute(tree, NIC, "reset_method", FAKE_RESET_METHODS);
	tree_attribute(tree, GPU, "reset_method", FAKE_RESET_METHODS);
	tree_attribute(tree, AUDIO, "reset_method", FAKE_RESET_METHODS);
	fake_host(kernel);
	tree_config(tree, 101, "hostpci0: " NIC "\nhostpci1: 02:00\n");
	tree_file(tree, "etc/pve/pve-vfio/101.json",
		  "{\"deadline_s\": 5, \"devices\": {\"" NIC "\": {\"reset_method\": \"flr\"}}}\n");
	return 0;
}

struct call {
	struct fake_kernel *kernel;
	phase_function *phase;
	unsigned long allocation; /* fails, of this process and its children; 0: none */
	unsigned long *ret_count; /* how many there were, in memory that is shared */
};

/* In a process of its own, as the hook is. */
static int work(void *context)
{
	const struct call *call = context;
	struct hook hook = HOOK_EMPTY(101);
	struct error err = { 0 };
	int null = open("/dev/null", O_WRONLY), r;

	if (!getenv("FAULT_SAYS"))
		dup2(null, STDOUT_FILENO);
	hook.root = call->kernel->tree.root;
	guard_json(); /* as both programs do */
	alloc_fail_at(call->allocation);
	r = call->phase(&hook, &err);
	if (call->ret_count)
		*call->ret_count = alloc_count();
	return r == 0 ? 0 : 1;
}

static int run(struct fake_kernel *kernel, phase_function *phase, struct fault *fault)
{
	struct call call = { .kernel = kernel, .phase = phase };
	struct fault none = { 0 };

	if (!fault)
		fault = &none;
	fault->limit_s = LIMIT_S;
	return fault_run(fault, work, &call);
}

static void qemu_starts(struct fake_kernel *kernel)
{
	tree_process(&kernel->tree, PID, "kvm", 101);
	tree_process_opens(&kernel->tree, PID, 20, "/dev/vfio/14");
	tree_process_opens(&kernel->tree, PID, 21, "/dev/vfio/15");
}

static void qemu_ends(struct fake_kernel *kernel)
{
	static const char *const files[] = { "fd/20", "fd/21", "comm", "stat", "cmdline" };
	char path[64];

	tree_remove(&kernel->tree, "run/qemu-server/101.pid");
	for (size_t i = 0; i < COUNT(files); i++) {
		snprintf(path, sizeof(path), "proc/%d/%s", PID, files[i]);
		tree_remove(&kernel->tree, path);
	}
}

static const struct device {
	const char *address, *host;
} devices[] = {
	{ NIC, "e1000e" },
	{ GPU, "nouveau" },
	{ AUDIO, "snd_hda_intel" },
};

/* "vfio-pci", "none", … */
static const char *driver_of(const struct fake_kernel *kernel, const char *address, char name[64])
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t size;

	tree_format(path, "sys/bus/pci/devices/%s/driver", address);
	size = readlinkat(kernel->tree.root.fd, path, target, sizeof(target) - 1);
	target[size < 0 ? 0 : size] = '\0';
	snprintf(name, 64, "%s", size < 0 ? "none" : strrchr(target, '/') + 1);
	return name;
}

static size_t count_with(const struct fake_kernel *kernel, bool host)
{
	size_t count = 0;
	char name[64];

	for (size_t i = 0; i < COUNT(devices); i++)
		count += strcmp(driver_of(kernel, devices[i].address, name),
				host ? devices[i].host : "vfio-pci") == 0;
	return count;
}

/* Every device is with its driver, or an action of the journal names it. */
static bool is_accounted(struct fake_kernel *kernel)
{
	cleanup_journal struct journal journal = { 0 };
	char name[64];

	if (count_with(kernel, true) == COUNT(devices))
		return true;
	if (journal_read(&kernel->tree.root, &kernel->state, 101, &journal, NULL) < 0)
		return false;
	for (size_t i = 0; i < COUNT(devices); i++)
		if (strcmp(driver_of(kernel, devices[i].address, name), devices[i].host) != 0 &&
		    !actions_find(&journal.actions, ACTION_BIND, devices[i].address))
			return false;
	return true;
}

static bool is_as_before(struct fake_kernel *kernel)
{
	cleanup_free char *nic =
		tree_read(&kernel->tree, "sys/bus/pci/devices/" NIC "/driver_override");
	cleanup_free char *reset =
		tree_read(&kernel->tree, "sys/bus/pci/devices/" NIC "/reset_method");

	return count_with(kernel, true) == COUNT(devices) && !fake_has_journal(kernel) &&
	       strcmp(nic, "(null)\n") == 0 && strcmp(reset, FAKE_RESET_METHODS "\n") == 0;
}

/* What a phase that succeeds must have come to. */
static bool has_taken(struct fake_kernel *kernel)
{
	return count_with(kernel, false) == COUNT(devices) && fake_has_journal(kernel);
}

/* A round to where the phase begins. */
static void come_to(struct fake_kernel *kernel, phase_function *phase)
{
	if (phase == phase_pre_start)
		return;
	assert_int_equal(run(kernel, phase_pre_start, NULL), 0);
	qemu_starts(kernel);
	if (phase == phase_post_start)
		return;
	assert_int_equal(run(kernel, phase_post_start, NULL), 0);
	qemu_ends(kernel);
}

/* What is wrong after it; NULL: nothing. */
static const char *judge(struct fake_kernel *kernel, phase_function *phase, int status)
{
	bool taken = has_taken(kernel), before = is_as_before(kernel);

	if (status >= 124)
		return "it crashes, or hangs";
	if (!is_accounted(kernel))
		return "a device is lost";
	if (status == 0 && phase != phase_post_stop && !taken)
		return "it says that all is taken";
	if (status == 0 && phase == phase_post_stop && !before)
		return "it says that all is given back";
	qemu_ends(kernel);
	status = run(kernel, phase_post_stop, NULL);
	if (status != 0)
		return "post-stop fails";
	return is_as_before(kernel) ? NULL : "post-stop leaves something";
}

/* The sanitizers' own calls are like those of an allocation that fails. */
static bool is_memory(const char *point)
{
	return strstr(point, ".mmap.") || strstr(point, ".brk.") || strstr(point, ".mremap.");
}

static void put_back(struct fake_kernel *kernel)
{
	qemu_ends(kernel);
	tree_remove(&kernel->tree, "run/pve-vfio");
	for (size_t i = 0; i < COUNT(devices); i++) {
		fake_give(kernel, devices[i].address, devices[i].host);
		fake_set_override(kernel, devices[i].address, NULL);
	}
	tree_attribute(&kernel->tree, NIC, "reset_method", FAKE_RESET_METHODS);
	assert_int_equal(state_open(&kernel->tree.root, true, &kernel->state, &kernel->err), 0);
}

static void fail_each(struct fake_kernel *kernel, phase_function *phase, const char *name)
{
	const char *part = getenv("FAULTS"), *seed = getenv("FAULT_SEED"), *only = getenv("POINT");
	unsigned each = part ? (unsigned)atoi(part) : PART, points = 0, tried = 0, wrong = 0;
	unsigned first = seed ? (unsigned)atoi(seed) : (unsigned)clock_now_us();
	char *list = NULL, *rest, *line;
	struct fault listed = { 0 };
	size_t size;

	listed.list = open_memstream(&list, &size);
	come_to(kernel, phase);
	assert_int_equal(run(kernel, phase, &listed), 0);
	assert_null(judge(kernel, phase, 0));
	fclose(listed.list);
	rest = list;
	while ((line = strsep(&rest, "\n"))) {
		char *point = strsep(&line, " "), *hows = strsep(&line, " "), *how;

		while (hows && (how = strsep(&hows, ","))) {
			struct fault fault = { .point = point, .how = how };
			const char *what;

			if (is_memory(point) || (++points + first) % each != 0)
				continue;
			if (only && strncmp(only, point, strlen(point)) != 0)
				continue;
			come_to(kernel, phase);
			what = judge(kernel, phase, run(kernel, phase, &fault));
			tried += *fault.hit != '\0';
			if (!what)
				continue;
			wrong++;
			print_message("# %s, %s %s (%s): %s\n", name, point, how, fault.hit, what);
			put_back(kernel);
		}
	}
	free(list);
	print_message("# %s: %u of %u points, %u differences (FAULT_SEED=%u)\n", name, tried,
		      points, wrong, first);
	assert_int_equal(wrong, 0);
	assert_true(tried > 0);
}

/* The same of allocations. That of a child of the phase is its own number from there on. */
static void fail_each_allocation(struct fake_kernel *kernel, phase_function *phase,
				 const char *name)
{
	const char *part = getenv("FAULTS"), *seed = getenv("FAULT_SEED");
	unsigned long *count = mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned long each = part ? (unsigned)atoi(part) : PART, tried = 0, wrong = 0;
	unsigned first = seed ? (unsigned)atoi(seed) : (unsigned)clock_now_us();
	struct fault none = { .limit_s = LIMIT_S };
	struct call call = { .kernel = kernel, .phase = phase, .ret_count = count };

	come_to(kernel, phase);
	assert_int_equal(fault_run(&none, work, &call), 0);
	assert_null(judge(kernel, phase, 0));
	call.ret_count = NULL;
	for (unsigned long at = 1 + first % each; at <= *count; at += each) {
		const char *what;

		come_to(kernel, phase);
		call.allocation = at;
		what = judge(kernel, phase, fault_run(&none, work, &call));
		tried++;
		if (!what)
			continue;
		wrong++;
		print_message("# %s, allocation %lu: %s\n", name, at, what);
		put_back(kernel);
	}
	print_message("# %s: %lu of %lu allocations, %lu differences (FAULT_SEED=%u)\n", name,
		      tried, *count, wrong, first);
	munmap(count, sizeof(*count));
	assert_int_equal(wrong, 0);
	assert_true(tried > 0);
}

static void test_pre_start_allocations(void **state)
{
	fail_each_allocation(*state, phase_pre_start, "pre-start");
}

static void test_post_start_allocations(void **state)
{
	fail_each_allocation(*state, phase_post_start, "post-start");
}

static void test_post_stop_allocations(void **state)
{
	fail_each_allocation(*state, phase_post_stop, "post-stop");
}

static void test_pre_start(void **state)
{
	fail_each(*state, phase_pre_start, "pre-start");
}

static void test_post_start(void **state)
{
	fail_each(*state, phase_post_start, "post-start");
}

static void test_post_stop(void **state)
{
	fail_each(*state, phase_post_stop, "post-stop");
}

#define faults_test(function) cmocka_unit_test_setup_teardown(function, setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		faults_test(test_pre_start),
		faults_test(test_post_start),
		faults_test(test_post_stop),
		faults_test(test_pre_start_allocations),
		faults_test(test_post_start_allocations),
		faults_test(test_post_stop_allocations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
