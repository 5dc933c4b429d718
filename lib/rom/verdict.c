/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rom: what becomes of an option ROM. Goes by what its readers do, not by what they should. */
#include "rom/verdict.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "rom/driver.h"
#include "rom/remark.h"
#include "rom/vendor.h"

#define VENDOR_AMD    0x1002
#define CLASS_DISPLAY 0x03
#define CLASS_VGA     0x0300
#define CLASS_OTHER   0x0380 /* "display controller" */

/* A reader's verdict on the ROM: true with a reason, or false with one. NULL without memory. */
typedef bool verdict_function(const struct rom *rom, const struct rom_target *target,
			      char **ret_why);

static bool judge_qemu(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	(void)target;
	if (rom->file.size == 0) {
		*ret_why = text_format("The file is empty: QEMU does not start with it.");
		return false;
	}
	*ret_why = text_format(
		"It looks at nothing in it, and gives the device a ROM BAR of %llu KiB.",
		(unsigned long long)(rom_bar_size(rom->file.size) + 1023) / 1024);
	return true;
}

/* What hides every image from those who look at the start only; true when nothing does. */
static bool starts_with_image(const struct rom *rom, char **ret_why)
{
	if (rom->count == 0) {
		*ret_why = text_format("There is no option ROM in the file.");
		return false;
	}
	if (rom->header.size > 0) {
		const char *name = rom_header_name(rom->header);

		*ret_why = text_format(
			"The first image is at 0x%zx, after %s: only the start of the file is "
			"looked at.",
			rom->header.size, name ? name : "something else");
		return false;
	}
	if (!rom->images[0].has_pcir) {
		*ret_why =
			text_format("It is a ROM for the ISA bus: it has no PCI data structure.");
		return false;
	}
	return true;
}

/* The x86 image SeaBIOS picks: the first with the ids of the device, which it compares exactly. */
static const struct rom_image *find_x86(const struct rom *rom, const struct rom_target *target)
{
	for (size_t i = 0; i < rom->chain_count; i++) {
		const struct rom_image *image = &rom->images[i];

		if (image->has_pcir && image->code == ROM_CODE_X86 &&
		    (!target ||
		     (image->vendor == target->vendor && image->device == target->device)))
			return image;
	}
	return NULL;
}

/* Whether a walk that goes by the length of each image never ends: that of the last one is 0. */
static bool is_endless(const struct rom *rom)
{
	const struct rom_image *last = &rom->images[rom->reach_count - 1];

	return last->has_pcir && last->size == 0 && !last->last;
}

static char *why_no_x86(const struct rom *rom, const struct rom_target *target)
{
	const struct rom_image *other = rom_first(rom, ROM_CODE_X86);
	bool listed;

	if (rom->end == ROM_END_NO_LENGTH && is_endless(rom))
		return text_format("An image gives its length as 0: SeaBIOS would look at it for "
				   "ever, and the VM hang.");
	if (!other || !target)
		return text_format("It has no x86 image: with SeaBIOS there is no picture before "
				   "the guest's driver.");
	listed = other->vendor == target->vendor && rom_image_lists_device(other, target->device);
	return text_format("Its x86 image is for %04x:%04x and the device is %04x:%04x; SeaBIOS "
			   "compares them, and says nothing.%s",
			   other->vendor, other->device, target->vendor, target->device,
			   listed ? " The image's device list has the device, but SeaBIOS does not "
				    "read that list."
				  : "");
}

/*
 * SeaBIOS starts the ROM of one display: the first VGA device, or, where the VM has none, the first
 * "display controller". NULL: that is this one.
 */
static char *why_not_first(const struct rom_target *target)
{
	uint32_t class_code = target ? target->class_code >> 8 : 0;

	if (target && target->before == ROM_DISPLAYS_VGA &&
	    (class_code == CLASS_VGA || class_code == CLASS_OTHER))
		return text_format("Its x86 image would do, but SeaBIOS starts that of the VM's "
				   "first VGA device only, which is another one%s.",
				   class_code == CLASS_OTHER ? ": this one is a display controller "
							       "(class 0380)"
							     : "");
	return NULL;
}

static bool judge_seabios(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	const struct rom_image *image;
	bool conditional = target && target->class_code >> 8 == CLASS_OTHER &&
			   target->before == ROM_DISPLAYS_UNKNOWN;

	if (!starts_with_image(rom, ret_why))
		return false;
	image = find_x86(rom, target);
	if (!image)
		*ret_why = why_no_x86(rom, target);
	else if (image->legacy_size == 0)
		*ret_why = text_format("Its x86 image gives its own size as 0.");
	else if (image->missing > 0)
		*ret_why = text_format("Its x86 image is cut short: %zu bytes are missing.",
				       image->missing);
	else if (image->sum != 0)
		*ret_why = text_format(
			"The checksum of its x86 image is wrong: the sum is %02x, not 00.",
			image->sum);
	else if (!(*ret_why = why_not_first(target))) {
		*ret_why =
			text_format("Its x86 image is for %04x:%04x, and the checksum is "
				    "right.%s",
				    image->vendor, image->device,
				    conditional ? " The device is a display controller (class "
						  "0380): it is started only where the VM has no "
						  "VGA device (vga: none)."
						: "");
		return true;
	}
	return false;
}

static char *why_driver(const struct rom_image *image, uint16_t machine)
{
	if (rom_driver_is_stub(image))
		return text_format("OVMF finds its EFI image at 0x%zx. Of the driver only a DOS "
				   "header is there: whether it loads is not known.",
				   image->offset);
	return text_format("Its EFI image at 0x%zx is a driver %s; OVMF asks for no checksum and "
			   "compares no ids.",
			   image->offset,
			   machine == EFI_MACHINE_BYTE_CODE ? "in EFI byte code, which OVMF runs"
							    : "for x64");
}

/*
 * edk2 stops at a data structure that is misaligned and at an image that is longer than the BAR;
 * what is not there of a file is taken for cut, too, where the BAR is long enough.
 */
static bool judge_ovmf(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	const char *fault = "it has no EFI image: there is no picture before the guest's driver";
	uint16_t machine;

	(void)target;
	if (!starts_with_image(rom, ret_why))
		return false;
	if (rom->file.size <= ROM_OVMF_MIN) {
		*ret_why =
			text_format("It has %zu bytes: OVMF takes a ROM of %zu or less for none.",
				    rom->file.size, ROM_OVMF_MIN);
		return false;
	}
	if (is_endless(rom)) {
		*ret_why = text_format("An image gives its length as 0: OVMF would look at it for "
				       "ever, and the VM hang.");
		return false;
	}
	for (size_t i = 0; i < rom->reach_count; i++) {
		const struct rom_image *image = &rom->images[i];

		if (image->pcir % PCIR_ALIGN != 0) {
			fault = "a data structure is not on a multiple of 4 bytes, where OVMF stops";
			break;
		}
		if (image->code != ROM_CODE_EFI)
			continue;
		fault = image->data.size < image->size
				? "the file is cut short within its EFI image"
				: rom_driver_fault(image, &machine);
		if (!fault) {
			*ret_why = why_driver(image, machine);
			return true;
		}
	}
	*ret_why = text_format("OVMF finds nothing to run: %s.", fault);
	return false;
}

/* amdgpu wants its tables from a display; the driver of an audio function reads no ROM. */
static bool needs_atom(const struct rom_target *target)
{
	return target && target->vendor == VENDOR_AMD &&
	       (target->class_code == 0 || target->class_code >> 16 == CLASS_DISPLAY);
}

static bool judge_driver(const struct rom *rom, const struct rom_target *target, char **ret_why)
{
	const struct rom_image *image = NULL;
	struct rom_atom atom;
	struct rom_vbt vbt;

	if (!starts_with_image(rom, ret_why))
		return false;
	image = &rom->images[0];
	if (image->data.size < image->size) {
		*ret_why = text_format("Its first image is cut short.");
		return false;
	}
	if (image->pcir % PCIR_ALIGN != 0) {
		*ret_why = text_format(
			"Its data structure is not on a multiple of 4 bytes: new kernels "
			"refuse it.");
		return false;
	}
	if (rom_atom_find(image, &atom)) {
		*ret_why = text_format("amdgpu finds its ATOM tables in it.");
	} else if (needs_atom(target)) {
		*ret_why =
			text_format("It can be read, but has no ATOM tables, which amdgpu needs.");
		return false;
	} else if (rom_vbt_find(rom->file, &vbt)) {
		*ret_why = text_format("i915 finds its video BIOS table in it.");
	} else {
		*ret_why = text_format("It can be read.");
	}
	return true;
}

static const struct {
	const char *name;
	const char *works, *fails;
	verdict_function *judge;
} readers[] = {
	[ROM_READER_QEMU] = { "QEMU", "takes it", "refuses it", judge_qemu },
	[ROM_READER_SEABIOS] = { "SeaBIOS", "runs it", "ignores it", judge_seabios },
	[ROM_READER_OVMF] = { "OVMF", "runs it", "ignores it", judge_ovmf },
	[ROM_READER_DRIVER] = { "Linux guest", "reads it", "ignores it", judge_driver },
};
TABLE_FOLLOWS(readers, ROM_READER_COUNT);

const char *rom_reader_name(enum rom_reader reader)
{
	return readers[reader].name;
}

const char *rom_reader_verdict(enum rom_reader reader, bool works)
{
	return works ? readers[reader].works : readers[reader].fails;
}

/* The repairs that may be of use to the reader; whether they are is tried. */
static struct rom_repair find_candidates(const struct rom *rom, const struct rom_target *target,
					 enum rom_reader reader)
{
	struct rom_repair repair = { 0 };

	if (rom->header.size > 0)
		repair.steps |= ROM_STEP_STRIP_HEADER;
	if (rom->unreached || is_endless(rom))
		repair.steps |= ROM_STEP_LAST;
	for (size_t i = 0; i < rom->reach_count && reader == ROM_READER_SEABIOS; i++) {
		const struct rom_image *image = &rom->images[i];

		if (image->code != ROM_CODE_X86)
			continue;
		if (image->sum != 0)
			repair.steps |= ROM_STEP_CHECKSUM;
		if (!target || !image->has_pcir || !rom_ids_mean(image, target))
			continue;
		if (image->vendor != target->vendor)
			repair.steps |= ROM_STEP_VENDOR;
		if (image->device != target->device)
			repair.steps |= ROM_STEP_DEVICE;
		repair.vendor = target->vendor;
		repair.device = target->device;
	}
	return repair;
}

/* Whether the reader takes a copy of the ROM that was repaired so. */
static bool try_repair(const struct rom *rom, const struct rom_target *target,
		       enum rom_reader reader, const struct rom_repair *repair)
{
	cleanup_rom_fix struct rom_fix fix = { 0 };
	cleanup_free char *why = NULL;

	return rom_fix_start(rom->file, &fix, NULL) == 0 &&
	       rom_fix_apply(&fix, repair, NULL) == 0 &&
	       readers[reader].judge(&fix.rom, target, &why);
}

/* The fewest steps that make the reader take the ROM; none where nothing does. */
static struct rom_repair find_repair(const struct rom *rom, const struct rom_target *target,
				     enum rom_reader reader)
{
	struct rom_repair repair = find_candidates(rom, target, reader);

	if (!repair.steps || !try_repair(rom, target, reader, &repair))
		return (struct rom_repair){ 0 };
	for (unsigned step = 1; step <= repair.steps; step <<= 1) {
		struct rom_repair fewer = repair;

		fewer.steps &= ~step;
		if (repair.steps & step && try_repair(rom, target, reader, &fewer))
			repair = fewer;
	}
	return repair;
}

int rom_judge(const struct rom *rom, const struct rom_target *target, struct rom_judgement *ret,
	      struct error *err)
{
	cleanup_rom_judgement struct rom_judgement judgement = { 0 };

	judgement.kind = rom_kind_find(rom);
	judgement.cut = rom_is_cut(rom);
	for (enum rom_reader i = 0; i < ROM_READER_COUNT; i++) {
		struct rom_verdict *verdict = &judgement.verdicts[i];

		verdict->works = readers[i].judge(rom, target, &verdict->why);
		if (!verdict->why)
			return error_set_memory(err);
		if (!verdict->works && rom->count > 0 && !judgement.cut &&
		    judgement.kind == ROM_KIND_OTHER)
			verdict->repair = find_repair(rom, target, i);
	}
	if (rom->count > 0 && judgement.kind == ROM_KIND_OTHER &&
	    rom_remarks_add(rom, target, &judgement) < 0)
		return error_set_memory(err);
	*ret = TAKE_STRUCT(judgement);
	return 0;
}

void rom_judgement_done(struct rom_judgement *judgement)
{
	for (size_t i = 0; i < ROM_READER_COUNT; i++)
		free(judgement->verdicts[i].why);
	for (size_t i = 0; i < judgement->remark_count; i++)
		free(judgement->remarks[i].text);
	free(judgement->remarks);
	*judgement = (struct rom_judgement){ 0 };
}

bool rom_judgement_is_hopeless(const struct rom_judgement *judgement, enum rom_reader firmware)
{
	const struct rom_verdict *verdicts = judgement->verdicts;
	bool runs = firmware == ROM_READER_COUNT
			    ? verdicts[ROM_READER_SEABIOS].works || verdicts[ROM_READER_OVMF].works
			    : verdicts[firmware].works;

	return judgement->cut || !verdicts[ROM_READER_QEMU].works ||
	       (!runs && !verdicts[ROM_READER_DRIVER].works);
}

int rom_target_read(const struct sysroot *root, struct pci_address address, struct rom_target *ret,
		    struct error *err)
{
	cleanup_pci_device struct pci_device device = { 0 };
	struct rom_target target = { 0 };
	int r;

	r = pci_device_read(root, address, &device, err);
	if (r < 0)
		return r;
	target.vendor = device.vendor;
	target.device = device.device;
	target.class_code = device.class_code;
	for (uint8_t function = 0; function < 8; function++) {
		cleanup_pci_device struct pci_device sibling = { 0 };
		struct pci_address at = address;

		at.function = function;
		if (function == address.function || pci_device_read(root, at, &sibling, NULL) < 0)
			continue;
		target.siblings[target.sibling_count++] = (struct rom_sibling){
			.vendor = sibling.vendor,
			.device = sibling.device,
			.class_code = sibling.class_code,
		};
	}
	*ret = target;
	return 0;
}
