/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: pve-vfio report. One page about the node, to read or to post; changes nothing. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "doctor/doctor.h"
#include "record/record.h"
#include "report/page.h"
#include "setup/print.h"
#include "setup/setup.h"

#define LOG_DEADLINE_MS 10000
#define LOG_MAX		((size_t)64 << 10)

struct options {
	const char *html, *record;
};

/* What the page is made of. */
struct material {
	struct pve_node node;
	struct safeties safeties;
	struct pci_claims claims;
	struct quirks quirks;
	struct pci_names names;
	struct device_rows rows;
	struct verdicts verdicts;
	struct anonymiser anonymiser;
};

static void material_done(struct material *material)
{
	anonymiser_done(&material->anonymiser);
	verdicts_done(&material->verdicts);
	device_rows_done(&material->rows);
	pci_names_done(&material->names);
	quirks_done(&material->quirks);
	pci_claims_done(&material->claims);
	safeties_done(&material->safeties);
	pve_node_done(&material->node);
}

static int read_material(struct command *command, struct material *material, struct error *err)
{
	struct doctor doctor = {
		.node = &material->node,
		.safeties = &material->safeties,
		.claims = &material->claims,
		.quirks = &material->quirks,
	};
	int r;

	material->node.root = &command->root;
	r = pve_node_read(&material->node, err);
	if (r == 0)
		r = doctor_quirks_read(&material->node, &material->quirks, err);
	if (r == 0)
		r = safeties_judge(&material->node, &material->safeties, err);
	if (r < 0)
		return r;
	if (anonymiser_read(&command->root, &material->anonymiser) < 0 ||
	    pci_claims_read(&command->root, &material->node.inventory, &material->claims) < 0 ||
	    device_rows_make(&material->node, &material->safeties, &material->claims,
			     &material->names, &material->rows) < 0)
		return error_set_memory(err);
	return doctor_node(&doctor, &material->verdicts, err);
}

static int add_vms(struct material *material, struct page *page, struct error *err)
{
	struct doctor doctor = {
		.node = &material->node,
		.safeties = &material->safeties,
		.claims = &material->claims,
		.quirks = &material->quirks,
	};
	int r = 0;

	page->vms = calloc(material->node.vm_count + 1, sizeof(*page->vms));
	if (!page->vms)
		return error_set_memory(err);
	for (size_t i = 0; i < material->node.vm_count && r == 0; i++) {
		if (!node_vm_has_passthrough(&material->node.vms[i]))
			continue;
		page->vms[page->vm_count].vmid = material->node.vms[i].vmid;
		r = doctor_vm(&doctor, material->node.vms[i].vmid,
			      &page->vms[page->vm_count].verdicts, err);
		if (r == 0 && verdicts_problems_first(&page->vms[page->vm_count].verdicts) < 0)
			r = error_set_memory(err);
		page->vm_count++;
	}
	return r;
}

/* The hook speaks to syslog as well, since Proxmox VE drops what post-stop prints. */
static int add_log(const struct sysroot *root, struct page *page)
{
	static const char *const argv[] = { "journalctl", "-q",	 "-b", "-t",	"pve-vfio-hook",
					    "-n",	  "200", "-o", "short", "--no-hostname",
					    "--no-pager", NULL };
	cleanup_process_end struct process_end end = { 0 };

	if (!root->live || process_run(argv, LOG_DEADLINE_MS, LOG_MAX, &end, NULL) < 0 ||
	    end.status != 0 || end.size == 0)
		return 0;
	return page_add_block(page, "What the hook said since the last boot", end.output);
}

/* To `path`, or to standard output for "-"; what a reader learns of a file is `kept`. */
static int write_output(const char *path, const void *data, size_t size, const char *kept,
			struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	cleanup_close int fd =
		standard ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int r = !standard && fd < 0 ? -errno
				    : file_write_fd(standard ? STDOUT_FILENO : fd, data, size);

	if (r == 0 && !standard && close(TAKE_FD(fd)) < 0)
		r = -errno;
	if (r < 0 && standard)
		return error_set(err, r, "cannot write to standard output: %s", strerror(-r));
	if (r < 0)
		return error_set(err, r, "cannot write '%s': %s", path, strerror(-r));
	if (!standard)
		print_sentence(STDERR_FILENO, "pve-vfio: ", "  ", "wrote '%s'; %s", path, kept);
	return 0;
}

static int print_page(const struct options *options, const struct page *page, struct error *err)
{
	cleanup_free char *text = options->html ? page_html(page) : page_markdown(page);

	if (!text)
		return error_set_memory(err);
	text_clean(text, "\n\t");
	return write_output(
		options->html ? options->html : "-", text, strlen(text),
		"MAC addresses, serial numbers, host names and IP addresses are taken out", err);
}

static int print_record(const char *path, const struct material *material, struct error *err)
{
	cleanup_tar struct tar tar = { 0 };
	int r = record_make(&material->node, &material->anonymiser, &tar, err);

	if (r < 0)
		return r;
	return write_output(path, tar.data, tar.size,
			    "MAC and IP addresses, serial numbers and host names are not in it. "
			    "'tar -xf' it into a folder; --root FOLDER works on that",
			    err);
}

static int report(struct command *command, const struct options *options, struct error *err)
{
	cleanup(material_done) struct material material = { 0 };
	cleanup_page struct page page = { 0 };
	int r = read_material(command, &material, err);

	if (r < 0)
		return r;
	if (options->record)
		return print_record(options->record, &material, err);
	if (verdicts_problems_first(&material.verdicts) < 0)
		return error_set_memory(err);
	page.node = &material.node;
	page.verdicts = &material.verdicts;
	page.devices = &material.rows;
	page.anonymiser = &material.anonymiser;
	r = add_vms(&material, &page, err);
	if (r == 0 && (page_add_versions(&page) < 0 || page_add_configuration(&page) < 0 ||
		       add_log(&command->root, &page) < 0))
		r = error_set_memory(err);
	return r < 0 ? r : print_page(options, &page, err);
}

int verb_report(struct command *command, struct error *err)
{
	struct options options = {
		.html = command_value(command, "--html"),
		.record = command_value(command, "--record"),
	};

	if ((options.html && !*options.html) || (options.record && !*options.record))
		return usage_error(err, command, "%s needs a file; '-' is standard output",
				   options.html && !*options.html ? "--html" : "--record");
	if (options.html && options.record)
		return usage_error(err, command, "give --html or --record, one at a time");
	return report(command, &options, err);
}
