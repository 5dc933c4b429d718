/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: whether the hook is where VMs look for it, and the same as the one that is installed. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor/doctor.h"
#include "pve/copies.h"

#define HOOK_MAX ((size_t)64 << 20)

struct hook_file {
	char *data; /* NULL: it is not there */
	size_t size;
	char version[VERSION_MAX]; /* "" where it has no mark */
	bool executable;
	int fault; /* -errno where it could not be read */
};

static void hook_file_done(struct hook_file *file)
{
	free(file->data);
}

static struct hook_file read_hook(const struct sysroot *root, const char *path)
{
	struct hook_file file = { 0 };
	cleanup_close int fd = sysroot_openat(root, path + 1, O_RDONLY | O_NONBLOCK);
	struct stat status;

	if (fd < 0) {
		file.fault = fd;
		return file;
	}
	file.executable =
		fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_mode & S_IXUSR;
	file.fault = sysroot_read(root, path + 1, HOOK_MAX, &file.data, &file.size);
	if (file.fault == 0)
		(void)hook_version_find(file.data, file.size, file.version);
	return file;
}

struct hooks {
	const struct doctor *doctor;
	struct snippet_stores stores;
	struct hook_file installed; /* the package's */
	struct strings looked;	    /* at paths already */
};

static bool is_ours(const char *volume)
{
	const char *name = strrchr(volume, '/');

	return name && strcmp(name + 1, HOOK_NAME) == 0;
}

/* attach puts the file where the VM looks for it; `vmid` 0: no VM of this node uses it. */
static char *replace_words(uint32_t vmid)
{
	return vmid ? text_format(
			      "'pve-vfio attach %u' puts it there, when the VM is off; on the other "
			      "nodes that it may run on, too.",
			      vmid)
		    : strdup("Replace it by a copy of " HOOK_PATH ".");
}

static bool is_installed_one(const struct hooks *hooks, const struct hook_file *file)
{
	return file->size == hooks->installed.size &&
	       memcmp(file->data, hooks->installed.data, file->size) == 0;
}

/* A copy that is not the installed program. A newer one is another node's, and right. */
static int judge_other(const struct hooks *hooks, const struct hook_file *file, const char *path,
		       const char *replace, struct verdicts *verdicts)
{
	const char *version = file->version, *installed = hooks->installed.version;
	int order = strverscmp(version, installed);

	if (!*version || !*installed || order == 0)
		return verdict_add(verdicts, VERDICT_WARNING, "hook-outdated", path, replace,
				   "It is not the program that is installed on this node%s%s.",
				   *version ? ", though its version is the same: " : "", version);
	return verdict_add(verdicts, VERDICT_WARNING, "hook-outdated", path,
			   order > 0 ? "Upgrade pve-vfio on this node." : replace,
			   "It has version %s, %s than %s, which is installed on this node.",
			   version, order > 0 ? "newer" : "older", installed);
}

/* One that a VM uses must be there and be executable: PVE does not start the VM otherwise. */
static int judge_file(struct hooks *hooks, const char *path, const char *users, uint32_t vmid,
		      struct verdicts *verdicts)
{
	cleanup(hook_file_done) struct hook_file file = read_hook(hooks->doctor->node->root, path);
	cleanup_free char *replace = replace_words(vmid);
	cleanup_free char *allow = text_format("Make it executable: 'chmod 755 %s'.", path);

	if (!replace || !allow || strings_add(&hooks->looked, path) < 0)
		return -ENOMEM;
	if (file.fault == -ENOENT)
		return verdict_add(verdicts, VERDICT_ERROR, "hook-missing", path, replace,
				   "It is not there, and %s will not start without it.", users);
	if (file.fault < 0)
		return verdict_add(verdicts, VERDICT_UNKNOWN, "hook-missing", path, NULL,
				   "It cannot be read: %s.", strerror(-file.fault));
	if (!file.executable)
		return verdict_add(verdicts, VERDICT_ERROR, "hook-not-executable", path, allow,
				   "It is not executable, and %s will not start.", users);
	if (hooks->installed.data && !is_installed_one(hooks, &file))
		return judge_other(hooks, &file, path, replace, verdicts);
	return verdict_add(verdicts, VERDICT_OK, "hook", path, NULL,
			   "The hook is there, %s%s%s; used by %s.",
			   hooks->installed.data ? "and current" : "executable",
			   *file.version ? ", version " : "", file.version, users);
}

/* "VM 101, VM 104" */
static char *list_users(const struct pve_node *node, const char *volume)
{
	struct text users = { 0 };

	for (size_t i = 0; i < node->vm_count; i++)
		if (text_equal(vm_config_get(&node->vms[i].config, "hookscript"), volume))
			text_add(&users, "%sVM %u", users.size ? ", " : "", node->vms[i].vmid);
	return text_take(&users);
}

static int judge_volume(struct hooks *hooks, const struct node_vm *vm, const char *volume,
			struct verdicts *verdicts)
{
	cleanup_free char *path = snippet_path(&hooks->stores, volume);
	cleanup_free char *users = list_users(hooks->doctor->node, volume);
	cleanup_free char *attach =
		text_format("Register it anew: 'pve-vfio attach %u'.", vm->vmid);

	if (!users || !attach)
		return -ENOMEM;
	if (!path)
		return verdict_add(verdicts, VERDICT_ERROR, "hook-volume", volume, attach,
				   "VM %u names this hookscript, and no storage of this node has "
				   "such a volume.",
				   vm->vmid);
	return strings_has(&hooks->looked, path)
		       ? 0
		       : judge_file(hooks, path, users, vm->vmid, verdicts);
}

/* A line that Proxmox VE ignores looks to its author as if the hook were registered. */
static int judge_dropped(const struct node_vm *vm, const struct vm_dropped_line *dropped,
			 const char *subject, struct verdicts *verdicts)
{
	cleanup_free char *remedy = text_format("Register it: 'pve-vfio attach %u'.", vm->vmid);

	if (!remedy)
		return -ENOMEM;
	return verdict_add(
		verdicts, VERDICT_WARNING, "hook-never-runs", subject, remedy,
		"Proxmox VE ignores line %u of its configuration, '%.200s': %s. The hook "
		"will never run: nothing checks its starts, and the host does not get "
		"its devices back.",
		dropped->line, dropped->text, dropped->why);
}

/* A VM whose starts nobody checks; `other`: the hookscript that it has, or NULL. */
static int judge_without(const struct node_vm *vm, const char *other, const char *subject,
			 struct verdicts *verdicts)
{
	cleanup_free char *remedy = text_format(other ? "Have both: 'pve-vfio attach %u --chain'."
						      : "Register the hook: 'pve-vfio attach %u'.",
						vm->vmid);

	if (!remedy)
		return -ENOMEM;
	return verdict_add(
		verdicts, VERDICT_WARNING, "vm-without-hook", subject, remedy,
		"It has PCI devices and %s%s%s: nothing checks its starts, and the host does "
		"not get its devices back.",
		other ? "another hookscript (" : "no hookscript", other ? other : "",
		other ? ")" : "");
}

static int judge_vms(struct hooks *hooks, struct verdicts *verdicts)
{
	const struct pve_node *node = hooks->doctor->node;
	bool any = false;

	for (size_t i = 0; i < node->vm_count; i++) {
		const struct node_vm *vm = &node->vms[i];
		const char *volume = vm_config_get(&vm->config, "hookscript");
		const struct vm_dropped_line *dropped =
			vm_config_find_dropped(&vm->config, "hookscript");
		cleanup_free char *subject = text_format("VM %u", vm->vmid);
		int r = 0;

		if (!subject)
			return -ENOMEM;
		any |= node_vm_has_passthrough(vm);
		if (!volume && dropped && node_vm_has_passthrough(vm))
			r = judge_dropped(vm, dropped, subject, verdicts);
		else if (volume && is_ours(volume))
			r = judge_volume(hooks, vm, volume, verdicts);
		else if (!vm->config.is_template && node_vm_has_passthrough(vm))
			r = judge_without(vm, volume, subject, verdicts);
		if (r < 0)
			return r;
	}
	return any ? 0
		   : verdict_add(verdicts, VERDICT_INFO, "vm-none", NULL, NULL,
				 "No VM of this node has a PCI device.");
}

/* A copy that no VM of this node uses may be another node's, on shared storage; it too gets old. */
static int judge_stores(struct hooks *hooks, struct verdicts *verdicts)
{
	size_t able = 0;

	for (size_t i = 0; i < hooks->stores.count; i++) {
		const struct snippet_store *store = &hooks->stores.items[i];
		cleanup_free char *path = text_format("%s/" HOOK_NAME, store->folder);

		if (!path)
			return -ENOMEM;
		able += store->snippets && !store->disabled;
		if (store->disabled || strings_has(&hooks->looked, path) ||
		    !sysroot_exists(hooks->doctor->node->root, path + 1))
			continue;
		if (judge_file(hooks, path, "no VM of this node", 0, verdicts) < 0)
			return -ENOMEM;
	}
	if (able > 0)
		return 0;
	return verdict_add(verdicts, VERDICT_INFO, "snippets-none", NULL,
			   "To see hookscripts in the web interface, add 'Snippets' to the content "
			   "of a storage.",
			   "No storage of this node has the content 'snippets'; hooks work all the "
			   "same.");
}

int node_hook(const struct doctor *doctor, struct verdicts *verdicts)
{
	struct hooks hooks = { .doctor = doctor };
	struct error reason = { 0 };
	int r = snippet_stores_read(doctor->node->root, doctor->node->name, &hooks.stores, &reason);

	if (r < 0)
		return r == -ENOMEM ? r
				    : verdict_add(verdicts, VERDICT_UNKNOWN, "hook-missing", NULL,
						  NULL, "%s.", reason.message);
	hooks.installed = read_hook(doctor->node->root, HOOK_PATH);
	if (!hooks.installed.data)
		r = verdict_add(verdicts, VERDICT_WARNING, "hook-not-installed", HOOK_PATH,
				"Install the package, or copy the program there.",
				"The hook is not installed on this node.");
	if (r == 0)
		r = judge_vms(&hooks, verdicts);
	if (r == 0)
		r = judge_stores(&hooks, verdicts);
	hook_file_done(&hooks.installed);
	strings_done(&hooks.looked);
	snippet_stores_done(&hooks.stores);
	return r;
}
