/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: metrics. What a family is called never changes: dashboards and alerts name them. */
#include "report/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"

#define PREFIX "pve_vfio_"
#define GIGA   1000000000.0
#define MICROS 1000000.0

struct writer {
	struct text text;
	const struct glance *glance;
	const char *name; /* of the family that is being written, with "_total" */
};

/* A line is put together here first: text grows by an allocation each time. */
#define LINE_MAX_SIZE 512

struct line {
	char data[LINE_MAX_SIZE];
	size_t size;
};

static void put(struct line *line, const char *words)
{
	size_t size = strlen(words);

	if (size >= sizeof(line->data) - line->size)
		return;
	memcpy(line->data + line->size, words, size + 1);
	line->size += size;
}

/* What is escaped in a value of a label: '\\', '"' and the end of a line, which none of ours has. */
static void put_value(struct line *line, const char *value)
{
	while (*value) {
		size_t size = strcspn(value, "\"\\\n");
		char part[128];

		snprintf(part, sizeof(part), "%.*s", (int)size, value);
		put(line, part);
		value += size;
		if (*value)
			put(line, *value == '"' ? "\\\"" : *value == '\n' ? "\\n" : "\\\\");
		value += *value != '\0';
	}
}

/* Labels in pairs of name and value, ended by NULL; one whose value is NULL is left out. */
static void sample(struct writer *writer, double value, const char *const labels[])
{
	struct line line = { .size = 0 };
	const char *separator = "{";
	char number[32];

	put(&line, writer->name);
	for (; labels[0]; labels += 2) {
		if (!labels[1])
			continue;
		put(&line, separator);
		put(&line, labels[0]);
		put(&line, "=\"");
		put_value(&line, labels[1]);
		put(&line, "\"");
		separator = ",";
	}
	/* most are whole, and printing a fraction is dear */
	if (value >= 0 && value < 1e15 && (double)(uint64_t)value == value)
		snprintf(number, sizeof(number), "%" PRIu64 "\n", (uint64_t)value);
	else
		snprintf(number, sizeof(number), "%.15g\n", value);
	put(&line, *separator == ',' ? "} " : " ");
	put(&line, number);
	text_add(&writer->text, "%s", line.data);
}

#define SAMPLE(writer, value, ...)                                                                 \
	sample(writer, value, (const char *const[]){ __VA_ARGS__, NULL, NULL })

/* ---- devices */

/* The number of a VM or container as a label, or NULL. */
static const char *id_text(uint32_t vmid, char text[16])
{
	snprintf(text, 16, "%" PRIu32, vmid);
	return vmid ? text : NULL;
}

static void add_info(struct writer *writer, const struct glance_device *device)
{
	const struct pci_device *of = &device->device;
	char vendor[8], id[8], class[8], group[16];

	snprintf(vendor, sizeof(vendor), "%04x", of->vendor);
	snprintf(id, sizeof(id), "%04x", of->device);
	snprintf(class, sizeof(class), "%06x", of->class_code & 0xffffff);
	snprintf(group, sizeof(group), "%d", of->iommu_group);
	SAMPLE(writer, 1, "device", of->name, "vendor_id", vendor, "device_id", id, "class", class,
	       "iommu_group", of->iommu_group == IOMMU_GROUP_NONE ? NULL : group, "driver",
	       of->driver);
}

static void add_holder(struct writer *writer, const struct glance_device *device)
{
	char id[16];

	SAMPLE(writer, 1, "device", device->device.name, "holder",
	       glance_holder_name(device->holder), "id", id_text(device->vmid, id));
}

static void add_since(struct writer *writer, const struct glance_device *device)
{
	char id[16];

	if (device->since > 0)
		SAMPLE(writer, (double)device->since, "device", device->device.name, "id",
		       id_text(device->vmid, id));
}

static void add_positive(struct writer *writer, const struct glance_device *device, double value)
{
	if (value > 0)
		SAMPLE(writer, value, "device", device->device.name);
}

static void add_speed(struct writer *writer, const struct glance_device *device)
{
	add_positive(writer, device, device->link.speed * GIGA);
}

static void add_speed_most(struct writer *writer, const struct glance_device *device)
{
	add_positive(writer, device, device->link.speed_most * GIGA);
}

static void add_width(struct writer *writer, const struct glance_device *device)
{
	add_positive(writer, device, device->link.width);
}

static void add_width_most(struct writer *writer, const struct glance_device *device)
{
	add_positive(writer, device, device->link.width_most);
}

static void add_errors(struct writer *writer, const struct glance_device *device)
{
	const struct pci_errors *errors = &device->errors;
	const char *name = device->device.name;

	if (!errors->known)
		return;
	SAMPLE(writer, (double)errors->correctable, "device", name, "severity", "correctable");
	SAMPLE(writer, (double)errors->nonfatal, "device", name, "severity", "nonfatal");
	SAMPLE(writer, (double)errors->fatal, "device", name, "severity", "fatal");
}

static void add_power(struct writer *writer, const struct glance_device *device)
{
	if (*device->power.state)
		SAMPLE(writer, 1, "device", device->device.name, "state", device->power.state);
}

static void add_status(struct writer *writer, const struct glance_device *device)
{
	if (*device->power.status)
		SAMPLE(writer, 1, "device", device->device.name, "status", device->power.status);
}

static void add_control(struct writer *writer, const struct glance_device *device)
{
	if (*device->power.control)
		SAMPLE(writer, strcmp(device->power.control, "auto") == 0, "device",
		       device->device.name);
}

/* ---- VMs */

static void add_held(struct writer *writer, const struct glance_vm *vm)
{
	char id[16];

	if (vm->has_journal)
		SAMPLE(writer, (double)vm->devices, "vmid", id_text(vm->vmid, id), "phase",
		       journal_phase_name(vm->phase));
}

static void add_left_over(struct writer *writer, const struct glance_vm *vm)
{
	char id[16];

	if (vm->has_journal)
		SAMPLE(writer, vm->left_over, "vmid", id_text(vm->vmid, id));
}

static void add_watch(struct writer *writer, const struct glance_vm *vm)
{
	char id[16];

	if (vm->has_journal)
		SAMPLE(writer, vm->watched, "vmid", id_text(vm->vmid, id));
}

static void add_time(struct writer *writer, const struct glance_vm *vm,
		     const struct tally_phase *phase, double value)
{
	char id[16];

	if (phase->at > 0)
		SAMPLE(writer, value, "vmid", id_text(vm->vmid, id));
}

static void add_take(struct writer *writer, const struct glance_vm *vm)
{
	add_time(writer, vm, &vm->tally.take, (double)vm->tally.take.took_us / MICROS);
}

static void add_take_at(struct writer *writer, const struct glance_vm *vm)
{
	add_time(writer, vm, &vm->tally.take, (double)vm->tally.take.at);
}

static void add_give(struct writer *writer, const struct glance_vm *vm)
{
	add_time(writer, vm, &vm->tally.give, (double)vm->tally.give.took_us / MICROS);
}

static void add_give_at(struct writer *writer, const struct glance_vm *vm)
{
	add_time(writer, vm, &vm->tally.give, (double)vm->tally.give.at);
}

static void add_refused(struct writer *writer, const struct glance_vm *vm)
{
	char id[16];

	for (size_t i = 0; i < vm->tally.refused_count; i++)
		SAMPLE(writer, (double)vm->tally.refused[i].starts, "vmid", id_text(vm->vmid, id),
		       "check", vm->tally.refused[i].check);
}

/* ---- families, which pve-vfio-metrics(7) lists */

static const struct family {
	const char *name;
	const char *type; /* a counter's name has "_total" behind it */
	void (*device)(struct writer *writer, const struct glance_device *device);
	void (*vm)(struct writer *writer, const struct glance_vm *vm);
	const char *what;
} families[] = {
	{ "device_info", "gauge", add_info, NULL,
	  "A PCI function that is not a bridge: what it is, its driver and its IOMMU group." },
	{ "device_holder", "gauge", add_holder, NULL,
	  "Who has the function: host (a driver of the host), vm, container, or nobody." },
	{ "device_held_since_timestamp_seconds", "gauge", add_since, NULL,
	  "Since when the VM has had it, by the hook's journal." },
	{ "device_current_link_transfers_per_second", "gauge", add_speed, NULL,
	  "Speed of its PCIe link now; of a function that is awake alone." },
	{ "device_max_link_transfers_per_second", "gauge", add_speed_most, NULL,
	  "The most that it is capable of; of a function that is awake alone." },
	{ "device_current_link_width", "gauge", add_width, NULL,
	  "Lanes of its PCIe link now; of a function that is awake alone." },
	{ "device_max_link_width", "gauge", add_width_most, NULL,
	  "The most that it is capable of; of a function that is awake alone." },
	{ "device_aer_errors", "counter", add_errors, NULL,
	  "Errors that the kernel has counted for it (PCIe advanced error reporting)." },
	{ "device_power_state", "gauge", add_power, NULL,
	  "Its power state, 1 for the one that it is in: D0, D3hot, D3cold." },
	{ "device_runtime_status", "gauge", add_status, NULL,
	  "Its runtime power management, 1 for what it is: active, suspended." },
	{ "device_runtime_suspend_allowed", "gauge", add_control, NULL,
	  "1 where power/control is auto, 0 where it is on and the function never sleeps." },
	{ "vm_devices", "gauge", NULL, add_held,
	  "Functions that the VM has by the hook's journal, and its phase." },
	{ "vm_left_over", "gauge", NULL, add_left_over,
	  "1 where the VM does not run, nobody waits, and its devices are not back; for a moment "
	  "also while it stops." },
	{ "vm_watch", "gauge", NULL, add_watch,
	  "1 while a watch of the hook waits to give the VM's devices back." },
	{ "vm_last_take_seconds", "gauge", NULL, add_take,
	  "How long the hook took for the last start of the VM that had all of its devices." },
	{ "vm_last_take_timestamp_seconds", "gauge", NULL, add_take_at, "When that was." },
	{ "vm_last_give_back_seconds", "gauge", NULL, add_give,
	  "How long the last give-back took in which all went back, with the wait for QEMU." },
	{ "vm_last_give_back_timestamp_seconds", "gauge", NULL, add_give_at, "When that was." },
	{ "vm_refused_starts", "counter", NULL, add_refused,
	  "Starts that a check has refused since the node has started; one may have several." },
};

static void head(struct text *text, const char *name, const char *type, const char *what,
		 bool open_metrics)
{
	const char *end = strcmp(type, "counter") == 0 && !open_metrics ? "_total" : "";

	text_add(text, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, end, what, name, end, type);
}

static void add_family(struct writer *writer, const struct family *family, bool open_metrics)
{
	char name[96], full[104];

	snprintf(name, sizeof(name), PREFIX "%s", family->name);
	snprintf(full, sizeof(full), "%s%s", name,
		 strcmp(family->type, "counter") == 0 ? "_total" : "");
	head(&writer->text, name, family->type, family->what, open_metrics);
	writer->name = full;
	for (size_t i = 0; family->device && i < writer->glance->device_count; i++)
		family->device(writer, &writer->glance->devices[i]);
	for (size_t i = 0; family->vm && i < writer->glance->vm_count; i++)
		family->vm(writer, &writer->glance->vms[i]);
	writer->name = NULL;
}

static void add_single(struct writer *writer, const char *name, const char *what, double value,
		       bool open_metrics)
{
	head(&writer->text, name, "gauge", what, open_metrics);
	text_add(&writer->text, "%s %.15g\n", name, value);
}

char *metrics_text(const struct glance *glance, bool open_metrics)
{
	struct writer writer = { .glance = glance };

	head(&writer.text, PREFIX "build_info", "gauge", "The version of pve-vfio.", open_metrics);
	text_add(&writer.text, PREFIX "build_info{version=\"" PVE_VFIO_VERSION "\"} 1\n");
	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		add_family(&writer, &families[i], open_metrics);
	add_single(&writer, PREFIX "journals_unreadable",
		   "Journals of the hook that cannot be understood.", (double)glance->unreadable,
		   open_metrics);
	if (open_metrics)
		text_add(&writer.text, "# EOF\n");
	return text_take(&writer.text);
}
