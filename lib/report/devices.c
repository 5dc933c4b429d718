/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: the table of devices. Judges nothing. */
#include "report/devices.h"

#include <errno.h>
#include <string.h>

#include "pci/select.h"
#include "pve/vgpu.h"
#include "report/words.h"
#include "use/mdev.h"

/* For a driver that is asked what is left. */
#define PARTS_DEADLINE_MS 2000

/* What is in a line besides the device's name: group, address, ids, driver, verdict. */
#define COLUMN_GROUP  5
#define COLUMN_IDS    9
#define COLUMN_DRIVER 10
#define COLUMN_PASS   5
#define COLUMN_OTHERS (COLUMN_GROUP + COLUMN_IDS + COLUMN_DRIVER + COLUMN_PASS + 5)
#define NAME_LEAST    12
#define NAME_MOST     60
/* Where the name has less room, it gets that of the ids: 'pve-vfio devices ADDRESS' has them, too. */
#define NAME_WANTED 24

/* A row is one of the inventory's items, in their order by now. */
static bool group_has_display(const struct device_rows *rows, size_t at)
{
	for (size_t i = rows->items[at].entry->group_first; i != GROUP_END;
	     i = rows->items[i].entry->group_next)
		if (pci_is_display(&rows->items[i].entry->device))
			return true;
	return false;
}

/* How a row is sorted: displays, then by group, then by address, with bridges behind. */
struct sort_key {
	struct device_row row;
	bool display;
};

static int compare_keys(const void *a, const void *b)
{
	const struct sort_key *first = a, *second = b;
	const struct pci_device *x = &first->row.entry->device, *y = &second->row.entry->device;

	if (first->display != second->display)
		return first->display ? -1 : 1;
	if (x->iommu_group != y->iommu_group)
		return x->iommu_group < y->iommu_group ? -1 : 1;
	if (x->bridge != y->bridge)
		return x->bridge ? 1 : -1;
	return pci_address_compare(x->address, y->address);
}

static int sort(struct device_rows *rows)
{
	cleanup_free struct sort_key *keys = calloc(rows->count + 1, sizeof(*keys));

	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < rows->count; i++) {
		const struct pci_device *device = &rows->items[i].entry->device;

		keys[i].row = rows->items[i];
		keys[i].display = device->iommu_group == IOMMU_GROUP_NONE
					  ? pci_is_display(device)
					  : group_has_display(rows, i);
	}
	qsort(keys, rows->count, sizeof(*keys), compare_keys);
	for (size_t i = 0; i < rows->count; i++) {
		int group = keys[i].row.entry->device.iommu_group;

		rows->items[i] = keys[i].row;
		rows->items[i].first =
			i == 0 || group != rows->items[i - 1].entry->device.iommu_group;
	}
	return 0;
}

/* A function that is shared: the types that are left of it, and who has some. NULL: it is not. */
static int find_parts(const struct sysroot *root, const char *address, char **ret)
{
	cleanup_mdev_types struct mdev_types types = { 0 };
	cleanup_vgpu_uses struct vgpu_uses uses = { 0 };
	enum mdev_support support = mdev_support(root, address);
	bool counted = support == MDEV_TYPES;
	struct text text = { 0 };
	size_t left = 0;

	if (support == MDEV_NONE)
		return 0;
	if (mdev_types_read_bounded(root, address, PARTS_DEADLINE_MS, &types) < 0 ||
	    vgpu_uses_find(root, address, PARTS_DEADLINE_MS, &uses) < 0) {
		*ret = strdup("its driver does not tell its mediated devices");
		return *ret ? 0 : -ENOMEM;
	}
	for (size_t i = 0; i < types.count; i++) {
		if (types.items[i].available == 0)
			continue;
		text_add(&text, "%s%s",
			 left++	   ? ", "
			 : counted ? "mediated devices left: "
				   : "vGPU types that it can have: ",
			 types.items[i].id);
		/* NVIDIA's list has a type as long as one more can be made, and no number */
		if (counted)
			text_add(&text, " (%u)", types.items[i].available);
	}
	if (left == 0)
		text_add(&text,
			 counted ? "no mediated devices left" : "no vGPU type is left for it");
	for (size_t i = 0; i < uses.count; i++) {
		cleanup_free char *words = vgpu_use_words(&uses.items[i]);

		/* The other functions of a GPU have rows of their own. */
		if (words &&
		    (!strchr(uses.items[i].name, ':') || strcmp(uses.items[i].name, address) == 0))
			text_add(&text, "; %s", words);
	}
	*ret = text_take(&text);
	return *ret ? 0 : -ENOMEM;
}

int device_rows_make(const struct pve_node *node, const struct safeties *safeties,
		     const struct pci_claims *claims, struct pci_names *names,
		     struct device_rows *ret)
{
	cleanup_device_rows struct device_rows rows = { 0 };

	rows.items = calloc(node->inventory.count + 1, sizeof(*rows.items));
	if (!rows.items)
		return -ENOMEM;
	for (size_t i = 0; i < node->inventory.count; i++) {
		struct device_row *row = &rows.items[rows.count++];

		row->entry = &node->inventory.items[i];
		row->safety = &safeties->items[i];
		row->modules = claims->known ? &claims->items[i] : NULL;
		row->name = pci_name(names, node->root, &row->entry->device);
		if (!row->name || find_parts(node->root, row->entry->device.name, &row->parts) < 0)
			return -ENOMEM;
	}
	if (sort(&rows) < 0)
		return -ENOMEM;
	*ret = TAKE_STRUCT(rows);
	return 0;
}

void device_rows_done(struct device_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		free(rows->items[i].parts);
		free(rows->items[i].name);
	}
	free(rows->items);
	*rows = (struct device_rows){ 0 };
}

size_t device_rows_keep(struct device_rows *rows, const char *word)
{
	size_t kept = 0;

	for (size_t i = 0; i < rows->count; i++) {
		struct device_row *row = &rows->items[i];
		int group = row->entry->device.iommu_group;

		if (!pci_word_fits(&row->entry->device, row->name, word)) {
			free(row->parts);
			free(row->name);
			continue;
		}
		row->first = kept == 0 || group != rows->items[kept - 1].entry->device.iommu_group;
		rows->items[kept++] = *row;
	}
	return rows->count = kept;
}

static int add_remark(struct strings *remarks, char *remark)
{
	int r = remark ? strings_add(remarks, remark) : -ENOMEM;

	free(remark);
	return r;
}

static char *join(const struct strings *strings)
{
	struct text text = { 0 };

	for (size_t i = 0; i < strings->count; i++)
		text_add(&text, "%s%s", i > 0 ? ", " : "", strings->items[i]);
	return text_take(&text);
}

/* The driver's name and its module's differ in '-' and '_' alone, if at all. */
static bool is_driver(const char *driver, const char *module)
{
	for (; *driver && *module; driver++, module++)
		if (*driver != *module && !(*driver == '-' && *module == '_') &&
		    !(*driver == '_' && *module == '-'))
			return false;
	return *driver == *module;
}

static int remark_module(const struct device_row *row, struct strings *remarks)
{
	const char *driver = row->entry->device.driver;
	cleanup_free char *modules = NULL;

	if (!row->modules || row->modules->count == 0)
		return 0;
	for (size_t i = 0; driver && i < row->modules->count; i++)
		if (is_driver(driver, row->modules->items[i]) ||
		    text_equal(row->entry->facts.module, row->modules->items[i]))
			return 0;
	modules = join(row->modules);
	if (!modules)
		return -ENOMEM;
	return add_remark(remarks, text_format("%s of the host would claim it", modules));
}

static int remark_reset(const struct pci_facts *facts, struct strings *remarks)
{
	if (!facts->has_reset && !facts->parent)
		return strings_add(remarks, "cannot be reset");
	if (!facts->has_reset)
		return strings_add(remarks, "no reset of its own");
	if (!facts->reset_methods || !*facts->reset_methods)
		return 0;
	return add_remark(remarks, text_format("reset: %s", facts->reset_methods));
}

int device_row_remarks(const struct device_row *row, struct strings *remarks)
{
	const struct pci_facts *facts = &row->entry->facts;
	const struct safety *safety = row->safety;
	int r = 0;

	if (row->entry->device.bridge)
		return 0;
	if (safety->pass == PASS_NO)
		r = add_remark(remarks, text_format("no, because %s", safety->why));
	if (r == 0)
		r = remark_reset(facts, remarks);
	if (r == 0 && facts->power && strcmp(facts->power, "D0") != 0 &&
	    strcmp(facts->power, "unknown") != 0)
		r = add_remark(remarks, text_format("power state %s", facts->power));
	if (r == 0)
		r = remark_module(row, remarks);
	if (r == 0 && facts->boot_display)
		r = strings_add(remarks, "the display the firmware started with");
	if (r == 0 && facts->physical)
		r = add_remark(remarks, text_format("virtual function of %s", facts->physical));
	if (r == 0 && facts->functions_most > 0)
		r = add_remark(remarks, text_format("SR-IOV: %u of %u virtual functions",
						    facts->functions, facts->functions_most));
	if (r == 0 && row->parts)
		r = strings_add(remarks, row->parts);
	for (size_t i = 0; i < safety->uses.count && r == 0; i++)
		if (!text_equal(safety->why, safety->uses.items[i]))
			r = strings_add(remarks, safety->uses.items[i]);
	return r;
}

static const char *pass_colour(enum pass pass)
{
	static const char *const colours[] = {
		[PASS_YES] = "\033[32m",
		[PASS_GROUP] = "\033[33m",
		[PASS_NO] = "\033[31m",
	};

	return colours[pass];
}

static const char *pass_word(const struct device_row *row)
{
	if (row->entry->device.bridge)
		return "-";
	return row->safety->pass == PASS_GROUP ? "group" : pass_name(row->safety->pass);
}

/* Cut to the column, with a sign that it was. */
static void add_cell(struct text *text, const char *words, size_t width)
{
	size_t size = strlen(words);

	text_append(text, words, size > width ? width - 1 : size);
	if (size > width)
		text_append(text, "~", 1);
	for (; size < width; size++)
		text_append(text, " ", 1);
	text_append(text, " ", 1);
}

struct columns {
	size_t address, name;
	bool ids;
};

static void add_line(struct text *text, const struct device_row *row, const struct columns *columns,
		     bool colour)
{
	const struct pci_device *device = &row->entry->device;
	bool mark = colour && !device->bridge;

	if (row->first && device->iommu_group != IOMMU_GROUP_NONE)
		text_add(text, "%*d ", COLUMN_GROUP, device->iommu_group);
	else
		text_add(text, "%*s ", COLUMN_GROUP, row->first ? "none" : "");
	add_cell(text, device->name, columns->address);
	add_cell(text, row->name, columns->name);
	if (columns->ids)
		text_add(text, "%04x:%04x ", device->vendor, device->device);
	add_cell(text, device->driver ? device->driver : "-", COLUMN_DRIVER);
	text_add(text, "%s%s%s\n", mark ? pass_colour(row->safety->pass) : "", pass_word(row),
		 mark ? "\033[0m" : "");
}

static int add_remarks(struct text *text, const struct device_row *row, size_t width)
{
	static const char indent[] = "           ";
	cleanup_strings struct strings remarks = { 0 };
	cleanup_text struct text line = { 0 };

	if (device_row_remarks(row, &remarks) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < remarks.count; i++)
		text_add(&line, "%s%s", i > 0 ? "; " : "", remarks.items[i]);
	if (line.size)
		words_wrap(text, width, indent, indent, line.data);
	return line.failed ? -ENOMEM : 0;
}

/* A domain above ffff takes more room, and the name what is left of the line. */
static struct columns find_columns(const struct device_rows *rows, size_t width)
{
	struct columns columns = { .address = strlen("0000:00:00.0"),
				   .name = NAME_LEAST,
				   .ids = true };
	size_t room;

	for (size_t i = 0; i < rows->count; i++) {
		size_t address = strlen(rows->items[i].entry->device.name);
		size_t name = strlen(rows->items[i].name);

		columns.address = address > columns.address ? address : columns.address;
		columns.name = name > columns.name ? name : columns.name;
	}
	room = COLUMN_OTHERS + columns.address;
	room = width > room + NAME_LEAST ? width - room : NAME_LEAST;
	if (room < NAME_WANTED && room < columns.name) {
		columns.ids = false;
		room += COLUMN_IDS + 1;
	}
	room = room < NAME_MOST ? room : NAME_MOST;
	columns.name = columns.name < room ? columns.name : room;
	return columns;
}

char *device_rows_words(const struct device_rows *rows, const struct terminal *terminal)
{
	struct columns columns = find_columns(rows, terminal->width);
	struct text text = { 0 };

	text_add(&text, "%*s %-*s %-*s %s%-*s %s\n", COLUMN_GROUP, "GROUP", (int)columns.address,
		 "ADDRESS", (int)columns.name, "DEVICE", columns.ids ? "IDS       " : "",
		 COLUMN_DRIVER, "DRIVER", "PASS");
	for (size_t i = 0; i < rows->count; i++) {
		add_line(&text, &rows->items[i], &columns, terminal->colour);
		if (add_remarks(&text, &rows->items[i], terminal->width) < 0)
			text.failed = true;
	}
	return text_take(&text);
}

static json_t *strings_json(const struct strings *strings)
{
	json_t *array = json_array();

	for (size_t i = 0; strings && i < strings->count; i++)
		json_array_append_new(array, json_string(strings->items[i]));
	return array;
}

static json_t *words_json(const char *words)
{
	json_t *array = json_array();
	cleanup_free char *copy = words ? strdup(words) : NULL;
	char *rest = copy, *word;

	while ((word = strsep(&rest, " ")))
		if (*word)
			json_array_append_new(array, json_string(word));
	return array;
}

static json_t *hex_json(int digits, unsigned value)
{
	cleanup_free char *text = text_format("%0*x", digits, value);

	return json_string(text ? text : "");
}

static json_t *reason_json(const char *id, const char *evidence)
{
	return json_pack("{s:s, s:s}", "id", id, "evidence", evidence);
}

static json_t *uses_json(const struct safety *safety)
{
	json_t *array = json_array();

	for (size_t i = 0; i < safety->uses.count; i++)
		json_array_append_new(array,
				      reason_json(safety->use_ids.items[i], safety->uses.items[i]));
	return array;
}

static json_t *row_json(const struct device_row *row)
{
	const struct pci_device *device = &row->entry->device;
	const struct pci_facts *facts = &row->entry->facts;
	json_t *object =
		json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "address", device->name,
			  "name", row->name, "vendor", hex_json(4, device->vendor), "device",
			  hex_json(4, device->device), "subsystem_vendor",
			  hex_json(4, device->subsystem_vendor), "subsystem_device",
			  hex_json(4, device->subsystem_device), "class",
			  hex_json(6, device->class_code), "bridge", device->bridge, "iommu_group",
			  device->iommu_group == IOMMU_GROUP_NONE
				  ? json_null()
				  : json_integer(device->iommu_group));
	json_t *rest =
		json_pack("{s:s?, s:o, s:o, s:s?, s:b, s:b, s:s?, s:I, s:I, s:o, s:s, s:o}",
			  "driver", device->driver, "modules",
			  row->modules ? strings_json(row->modules) : json_null(), "reset_methods",
			  facts->reset_methods ? words_json(facts->reset_methods) : json_null(),
			  "power", facts->power, "rom", facts->has_rom, "boot_display",
			  facts->boot_display, "physical_function", facts->physical,
			  "virtual_functions", (json_int_t)facts->functions,
			  "virtual_functions_most", (json_int_t)facts->functions_most, "uses",
			  uses_json(row->safety), "pass", pass_name(row->safety->pass), "why",
			  row->safety->why ? reason_json(row->safety->why_id, row->safety->why)
					   : json_null());

	json_object_update(object, rest);
	json_object_set_new(object, "mediated", row->parts ? json_string(row->parts) : json_null());
	json_decref(rest);
	return object;
}

json_t *device_rows_json(const struct device_rows *rows)
{
	json_t *array = json_array();

	for (size_t i = 0; i < rows->count; i++)
		json_array_append_new(array, row_json(&rows->items[i]));
	return array;
}
