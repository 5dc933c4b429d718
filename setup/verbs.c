/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup: the verbs and their options: all there is to type. tests/cli/test-vfio-list reads it, too. */
#include <limits.h>

#include "base/array.h"
#include "setup/setup.h"

#define FLAG(name, what)                                                                           \
	{                                                                                          \
		name, OPTION_FLAG, NULL, NULL, what                                                \
	}
#define VALUE(name, value, offers, what)                                                           \
	{                                                                                          \
		name, OPTION_VALUE, value, offers, what                                            \
	}
#define END                                                                                        \
	{                                                                                          \
		NULL, OPTION_FLAG, NULL, NULL, NULL                                                \
	}

#define DRY_RUN FLAG("--dry-run", "show everything, change nothing")
#define YES	FLAG("--yes", "answer every question with yes")

const struct verb_option global_options[] = {
	FLAG("--json", "print data as JSON"),
	VALUE("--root", "DIR", "folder", "work on the tree below DIR in place of /"),
	FLAG("--help", "print this, or what a verb takes, and exit (-h)"),
	FLAG("--version", "print the version and exit (-V)"),
	END,
};

static const struct verb_option doctor_options[] = {
	FLAG("--all", "what is well in full, too; without VMID also every VM with devices"),
	FLAG("--problems", "only what is wrong, or could not be checked"),
	END,
};

static const struct verb_option devices_options[] = {
	FLAG("--tree", "below the bridges that they are behind"),
	END,
};

static const struct verb_option plan_options[] = {
	FLAG("--all", "of every VM of this node that has devices"),
	FLAG("--live", "in place of a start: of this device joining the VM while it runs"),
	VALUE("--mapping", "NAME", "text", "with --live: by this resource mapping"),
	END,
};

static const struct verb_option status_options[] = {
	FLAG("--watch", "and then a line for each change, until Ctrl-C"),
	END,
};

static const struct verb_option log_options[] = {
	VALUE("--lines", "COUNT", "text", "the last COUNT entries, in place of 200"),
	VALUE("--since", "TIME", "text",
	      "those from then on: today, -2h, 2026-11-28, as journalctl(1) reads it"),
	END,
};

static const struct verb_option metrics_options[] = {
	VALUE("-o", "FILE", "file", "written as a whole: where node_exporter looks for *.prom"),
	FLAG("--openmetrics", "as OpenMetrics 1.0 has it, in place of Prometheus' text format"),
	END,
};

static const struct verb_option where_options[] = {
	FLAG("--all", "of every VM with devices the nodes that it could start on"),
	VALUE("--free", "WORD", "text",
	      "devices that no VM names: gpu, nic, nvme, a part of a name"),
	VALUE("--html", "FILE", "file",
	      "a page of the whole cluster: who has what, and what could move where; - is standard output"),
	END,
};

static const struct verb_option publish_options[] = {
	DRY_RUN,
	END,
};

static const struct verb_option report_options[] = {
	VALUE("--html", "FILE", "file",
	      "a page for a browser, with a picture of where the devices are; - is standard output"),
	VALUE("--record", "FILE", "file",
	      "an archive of what is read of this node: a tree for --root"),
	END,
};

static const struct verb_option restore_options[] = {
	FLAG("--stale", "every VM whose devices were left over: no QEMU of it runs"),
	END,
};

/* First how setup goes about it, then what is set on request, each with its price. */
static const struct verb_option setup_options[] = {
	FLAG("--add", "what was asked for before, too; else it is taken out"),
	FLAG("--clean-up", "remove what forum guides have left"),
	DRY_RUN,
	FLAG("--yes", "do not ask"),
	{ "--early", OPTION_VALUES, "ADDRESS...", "devices",
	  "vfio-pci holds these from boot on; the host never has them" },
	FLAG("--early-by-address",
	     "also a card that nothing tells from one the host uses; they may swap"),
	{ "--blacklist", OPTION_VALUES, "DRIVER...", "text",
	  "no device of the host gets this driver" },
	{ "--sriov", OPTION_VALUES, "ADDRESS=COUNT...", "text", "virtual functions at every boot" },
	{ "--acs-override", OPTION_OPTIONAL, "VALUE", NULL,
	  "split IOMMU groups; a VM may reach the memory of others" },
	FLAG("--unsafe-interrupts",
	     "without interrupt remapping; a VM can send the host any interrupt"),
	FLAG("--ignore-msrs", "unknown registers read 0; may hide faults of a guest"),
	FLAG("--no-boot-framebuffer", "no picture of the host until a graphics driver loads"),
	FLAG("--nested", "VMs in VMs; such a one cannot be migrated running"),
	VALUE("--param", "KEY[=VALUE]", "text", "any kernel parameter"),
	VALUE("--module-option", "'MODULE KEY=VALUE'", "text", "any option of a module"),
	VALUE("--pin-kernel", "VERSION", "kernels", "always this kernel; updates are not started"),
	END,
};

static const struct verb_option undo_options[] = {
	DRY_RUN,
	FLAG("--yes", "do not ask"),
	END,
};

static const struct verb_option sriov_options[] = {
	DRY_RUN,
	END,
};

static const struct verb_option attach_options[] = {
	VALUE("--layout", "LAYOUT", "layouts", "this one, in place of what fits device and VM"),
	VALUE("--guest", "linux|windows", "linux|windows", "whose steps in the guest are printed"),
	VALUE("--mapping", "NAME", "text",
	      "by this resource mapping; it is made where it is missing"),
	VALUE("--vfs-of", "ADDRESS", "devices",
	      "any free virtual function of this device, by a resource mapping of all"),
	VALUE("--storage", "STORAGE", "text", "whose snippets folder gets the hookscript"),
	VALUE("--romfile", "FILE", "roms", "the option ROM of the one device, in /usr/share/kvm"),
	VALUE("--gop", "FILE", "roms", "an APU's UEFI driver, in /usr/share/kvm"),
	VALUE("--mdev", "TYPE", "text",
	      "a part of the one device, of a type that 'pve-vfio devices' lists"),
	VALUE("--displace", "VMID,...|any", "vms",
	      "these guests give way when the VM starts, and come back after it"),
	FLAG("--chain", "keep the VM's other hookscript: ours runs it"),
	FLAG("--live", "now, while the VM runs; the next start has the device too"),
	DRY_RUN,
	YES,
	END,
};

static const struct verb_option detach_options[] = {
	FLAG("--live", "this device alone, now, while the VM runs: its guest is asked for it"),
	DRY_RUN,
	END,
};

static const struct verb_option rom_check_options[] = {
	VALUE("--device", "ADDRESS|VVVV:DDDD", "devices", "for this device"),
	VALUE("--bios", "ovmf|seabios", "ovmf|seabios", "in a VM with this firmware"),
	VALUE("--vmid", "VMID", "vms", "in this VM"),
	VALUE("--hostpci", "N", "text", "for the device of this line of the VM"),
	END,
};

static const struct verb_option rom_dump_options[] = {
	VALUE("-o", "FILE", "file", "where the ROM is written"),
	VALUE("--source", "sysfs|amdgpu|vfct", "sysfs|amdgpu|vfct", "only from there"),
	END,
};

static const struct verb_option rom_vfct_options[] = {
	FLAG("--list", "say what is in the table; so without options"),
	VALUE("--device", "ADDRESS|VVVV:DDDD", "devices", "the video BIOS of this device"),
	VALUE("-o", "FILE", "file", "where it is written"),
	VALUE("--table", "FILE", "file", "another table than the machine's"),
	END,
};

static const struct verb_option rom_fix_options[] = {
	VALUE("-o", "FILE", "file", "where the result is written"),
	FLAG("--in-place", "write the file itself"),
	FLAG("--strip-header", "remove what is before the first image"),
	VALUE("--vendor", "VVVV", "text", "set the vendor's id"),
	VALUE("--device", "DDDD", "text", "set the device's id"),
	FLAG("--last", "mark the last image as such"),
	FLAG("--checksum", "set the checksums right"),
	FLAG("--trim", "remove what is behind the last image"),
	FLAG("--pad", "fill up to the length that the last image names"),
	END,
};

static const struct verb_option rom_wrap_options[] = {
	VALUE("--device", "ADDRESS|VVVV:DDDD", "devices", "the device it is a driver for"),
	VALUE("-o", "FILE", "file", "where the ROM is written"),
	END,
};

static const struct verb_option rom_install_options[] = {
	VALUE("--vmid", "VMID", "vms", "give it to this VM"),
	VALUE("--hostpci", "N", "text", "to the device of this line of it"),
	FLAG("--replace", "another file of that name is replaced"),
	END,
};

/* The verbs below another are behind it. */
const struct verb verbs[] = {
	{
		.name = "doctor",
		.words = "[VMID]",
		.offers = "vms",
		.most = 1,
		.json = true,
		.looks = true,
		.run = verb_doctor,
		.what = "what is wrong with this node, or with a VM, and what to do",
		.refused = "something is wrong, or could not be checked",
		.options = doctor_options,
		.examples = { "pve-vfio doctor", "pve-vfio doctor 101 --problems",
			      "pve-vfio doctor --all --json" },
	},
	{
		.name = "devices",
		.words = "[ADDRESS|WORD...]",
		.offers = "devices",
		.most = INT_MAX,
		.json = true,
		.looks = true,
		.run = verb_devices,
		.what = "devices by IOMMU group: who uses them, and which can be passed",
		.options = devices_options,
		.examples = { "pve-vfio devices", "pve-vfio devices 01:00",
			      "pve-vfio devices gpu nvidia" },
	},
	{
		.name = "plan",
		.words = "VMID|VMID DEVICE --live|--all",
		.offers = "vms devices",
		.most = 2,
		.json = true,
		.looks = true,
		.run = verb_plan,
		.what = "what a start would do, and what speaks against it; changes nothing",
		.refused = "the start would be refused",
		.options = plan_options,
		.examples = { "pve-vfio plan 101", "pve-vfio plan 101 --json",
			      "pve-vfio plan --all", "pve-vfio plan 101 05:00.0 --live" },
	},
	{
		.name = "status",
		.words = "[VMID]",
		.offers = "vms",
		.most = 1,
		.json = true,
		.looks = true,
		.run = verb_status,
		.what = "which VM holds which devices",
		.options = status_options,
		.examples = { "pve-vfio status", "pve-vfio status 101 --watch",
			      "pve-vfio status --json" },
	},
	{
		.name = "log",
		.words = "[VMID]",
		.offers = "vms",
		.most = 1,
		.json = true,
		.looks = true,
		.run = verb_log,
		.what = "what the hook has done and found, from the journal; of post-stop, too",
		.options = log_options,
		.examples = { "pve-vfio log 101", "pve-vfio log --since today",
			      "pve-vfio log 101 --json" },
	},
	{
		.name = "where",
		.words = "[VMID]",
		.offers = "vms",
		.most = 1,
		.json = true,
		.looks = true,
		.run = verb_where,
		.what = "on which nodes of the cluster a VM could start, and why not on the others; what "
			"is free",
		.options = where_options,
		.examples = { "pve-vfio where 101", "pve-vfio where --free gpu",
			      "pve-vfio where --html cluster.html" },
	},
	{
		.name = "publish",
		.words = "",
		.offers = "",
		.json = true,
		.run = verb_publish,
		.what = "write what this node has into /etc/pve, for 'where' on the others; no more "
			"often than it changes",
		.refused = "/etc/pve cannot be written, as without quorum",
		.options = publish_options,
		.examples = { "pve-vfio publish", "pve-vfio publish --dry-run --json" },
	},
	{
		.name = "metrics",
		.words = "",
		.offers = "",
		.looks = true,
		.run = verb_metrics,
		.what = "devices, who has them, links, power, errors and starts, for Prometheus",
		.options = metrics_options,
		.examples = { "pve-vfio metrics", "pve-vfio metrics --openmetrics",
			      "pve-vfio metrics -o /var/lib/prometheus/node-exporter/pve-vfio.prom" },
	},
	{
		.name = "report",
		.words = "",
		.offers = "",
		.looks = true,
		.run = verb_report,
		.what = "one page to post when asking for help",
		.options = report_options,
		.examples = { "pve-vfio report", "pve-vfio report --html node.html",
			      "pve-vfio report --record node.tar" },
	},
	{
		.name = "config",
		.words = "[VMID]",
		.offers = "vms",
		.most = 1,
		.json = true,
		.looks = true,
		.run = verb_config,
		.what = "validate the settings of this node, or of a VM, and show them",
		.examples = { "pve-vfio config", "pve-vfio config 101" },
	},
	{
		.name = "attach",
		.words = "VMID [DEVICE...]",
		.offers = "vms devices",
		.most = INT_MAX,
		.json = true,
		.run = verb_attach,
		.what = "give a VM the hookscript, and devices in a layout that is known to work; at a terminal it "
			"asks for what is not given",
		.refused = "refused, and nothing is changed",
		.options = attach_options,
		.examples = { "pve-vfio attach 101", "pve-vfio attach 101 01:00 --dry-run",
			      "pve-vfio attach 101 gpu --mapping card",
			      "pve-vfio attach 102 01:00 --displace 101",
			      "pve-vfio attach 101 05:00.0 --live" },
	},
	{
		.name = "detach",
		.words = "VMID|VMID DEVICE --live",
		.offers = "vms devices",
		.least = 1,
		.most = 2,
		.json = true,
		.run = verb_detach,
		.what = "take away what attach has changed; or with --live one device of a VM that runs",
		.refused = "refused, and nothing is changed",
		.options = detach_options,
		.examples = { "pve-vfio detach 101 --dry-run", "pve-vfio detach 101",
			      "pve-vfio detach 101 05:00.0 --live" },
	},
	{
		.name = "restore",
		.words = "VMID|--stale",
		.offers = "vms",
		.most = 1,
		.json = true,
		.run = verb_restore,
		.what = "give the devices of a VM that does not run back to the host",
		.refused = "the VM runs, or is being started or stopped",
		.options = restore_options,
		.examples = { "pve-vfio restore 101", "pve-vfio restore --stale" },
	},
	{
		.name = "sriov",
		.words = "[ADDRESS|ADDRESS=COUNT]",
		.offers = "devices",
		.most = 1,
		.json = true,
		.looks = true,
		.changes = sriov_changes,
		.run = verb_sriov,
		.what = "virtual functions: who has each, what is set for it; and how many there are, until "
			"the next boot",
		.refused = "a virtual function is in use, and nothing is changed",
		.options = sriov_options,
		.examples = { "pve-vfio sriov", "pve-vfio sriov 05:00.0",
			      "pve-vfio sriov 05:00.0=4 --dry-run", "pve-vfio sriov 05:00.0=4" },
	},
	{
		.name = "setup",
		.words = "",
		.offers = "",
		.json = true,
		.run = verb_setup,
		.what = "set this node up for passthrough, once; shows everything before",
		.refused = "refused, or the answer was no",
		.options = setup_options,
		.examples = { "pve-vfio setup", "pve-vfio setup --dry-run --clean-up",
			      "pve-vfio setup --add --early 01:00" },
	},
	{
		.name = "undo",
		.words = "",
		.offers = "",
		.json = true,
		.run = verb_undo,
		.what = "take back what setup has set",
		.refused = "refused, or the answer was no",
		.options = undo_options,
		.examples = { "pve-vfio undo --dry-run", "pve-vfio undo" },
	},
	{
		.name = "rom",
		.words = "VERB",
		.offers = "show|check|dump|vfct|fix|wrap|install",
		.json = true,
		.what = "show, check, read, repair and install option ROMs",
	},
	{
		.name = "rom show",
		.words = "FILE",
		.offers = "file",
		.least = 1,
		.most = 1,
		.json = true,
		.run = verb_rom_show,
		.what = "what is in an option ROM",
		.refused = "it is none",
		.examples = { "pve-vfio rom show card.rom", "pve-vfio rom show card.rom --json" },
	},
	{
		.name = "rom check",
		.words = "FILE",
		.offers = "file",
		.least = 1,
		.most = 1,
		.json = true,
		.run = verb_rom_check,
		.what = "what QEMU, the VM's firmware and a driver there will do with it",
		.refused = "it is of no use there",
		.options = rom_check_options,
		.examples = { "pve-vfio rom check card.rom",
			      "pve-vfio rom check card.rom --device 01:00.0",
			      "pve-vfio rom check card.rom --vmid 101 --hostpci 0" },
	},
	{
		.name = "rom dump",
		.words = "ADDRESS",
		.offers = "devices",
		.least = 1,
		.most = 1,
		.json = true,
		.run = verb_rom_dump,
		.what = "read the ROM of a device",
		.options = rom_dump_options,
		.examples = { "pve-vfio rom dump 01:00.0 -o card.rom",
			      "pve-vfio rom dump 01:00.0 -o card.rom --source sysfs" },
	},
	{
		.name = "rom vfct",
		.words = "",
		.offers = "",
		.json = true,
		.run = verb_rom_vfct,
		.what = "the video BIOS that AMD's firmware keeps in an ACPI table",
		.options = rom_vfct_options,
		.examples = { "pve-vfio rom vfct",
			      "pve-vfio rom vfct --device 1002:1638 -o vbios_1002_1638.bin" },
	},
	{
		.name = "rom fix",
		.words = "FILE",
		.offers = "file",
		.least = 1,
		.most = 1,
		.json = true,
		.run = verb_rom_fix,
		.what = "repair one; asks where no option says what",
		.options = rom_fix_options,
		.examples = { "pve-vfio rom fix card.rom -o card.fixed",
			      "pve-vfio rom fix card.rom --in-place --last --checksum" },
	},
	{
		.name = "rom wrap",
		.words = "DRIVER.efi",
		.offers = "file",
		.least = 1,
		.most = 1,
		.json = true,
		.run = verb_rom_wrap,
		.what = "make an option ROM of a UEFI driver",
		.options = rom_wrap_options,
		.examples = { "pve-vfio rom wrap AMDGopDriver.efi --device 1002:1638 -o AMDGopDriver.rom" },
	},
	{
		.name = "rom install",
		.words = "FILE [NAME]",
		.offers = "file text",
		.least = 1,
		.most = 2,
		.json = true,
		.run = verb_rom_install,
		.what = "put one where QEMU finds it, and give it to a VM",
		.refused = "it is of no use there, or another file has the name",
		.options = rom_install_options,
		.examples = { "pve-vfio rom install card.rom",
			      "pve-vfio rom install card.rom --vmid 101 --hostpci 0" },
	},
	{
		.name = "help",
		.words = "[VERB]",
		.offers = "verbs",
		.most = 2,
		.run = verb_help,
		.what = "what a verb takes, with examples",
		.examples = { "pve-vfio help attach", "pve-vfio help rom fix" },
	},
	/* What the program does on a terminal when no verb is given. */
	{
		.name = "next",
		.words = "",
		.offers = "",
		.looks = true,
		.run = verb_next,
	},
	/* For the shells' completion, and the package's own scripts. */
	{
		.name = "list",
		.words = "WHAT",
		.offers = "text",
		.least = 1,
		.most = 1,
		.run = verb_list,
	},
	{
		.name = "package",
		.words = "WHAT",
		.offers = "text",
		.least = 1,
		.most = 2,
		.run = verb_package,
	},
};

const size_t verb_count = ARRAY_SIZE(verbs);
