/* SPDX-License-Identifier: GPL-2.0-or-later */
/* boot: transactions. Decides nothing about what is written. */
#include "boot/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/process.h"
#include "boot/grub.h"

/* An initramfs for every kernel takes minutes on a small machine. */
#define COMMAND_DEADLINE_MS ((unsigned)30 * 60 * 1000)
#define OUTPUT_MAX	    ((size_t)256 * 1024)

/* How much of a failed command's output is shown: its end. */
#define OUTPUT_TOLD	600

#define GRUB_CONFIG_NEW "boot/grub/grub.cfg.pve-vfio"
#define GRUB_CONFIG_MAX ((size_t)4 * 1024 * 1024)

/* ---- commands */

void boot_commands_done(struct boot_commands *commands)
{
	for (size_t i = 0; i < commands->count; i++)
		strings_done(&commands->items[i]);
	free(commands->items);
	*commands = (struct boot_commands){ 0 };
}

int boot_commands_add(struct boot_commands *commands, const char *const argv[])
{
	struct strings command = { 0 };

	if (array_reserve(&commands->items, commands->count, sizeof(command)) < 0)
		return -ENOMEM;
	for (; *argv; argv++)
		if (strings_add(&command, *argv) < 0) {
			strings_done(&command);
			return -ENOMEM;
		}
	commands->items[commands->count++] = command;
	return 0;
}

int boot_commands_for(struct boot_commands *commands, struct layout_refresh refresh,
		      const struct boot_loader *loader, struct error *err)
{
	static const char *const initramfs[] = { "update-initramfs", "-u", "-k", "all", NULL };
	static const char *const dracut[] = { "dracut", "--regenerate-all", "--force", NULL };
	static const char *const tool[] = { "proxmox-boot-tool", "refresh", NULL };
	static const char *const grub[] = { "update-grub", NULL };
	static const char *const unpin[] = { "proxmox-boot-tool", "kernel", "unpin", NULL };
	const char *const pin[] = { "proxmox-boot-tool", "kernel", "pin", refresh.pin, NULL };
	int r = 0;

	if (refresh.initramfs)
		r = boot_commands_add(commands, refresh.dracut ? dracut : initramfs);
	if (r == 0 && refresh.pin)
		r = boot_commands_add(commands, pin);
	else if (r == 0 && refresh.unpin)
		r = boot_commands_add(commands, unpin);
	if (r == 0 && loader->managed && (refresh.loader || refresh.pin || refresh.unpin))
		r = boot_commands_add(commands, tool);
	else if (r == 0 && refresh.loader && !loader->other)
		r = boot_commands_add(commands, loader->grub ? grub : tool);
	return r < 0 ? error_set_memory(err) : 0;
}

char *boot_command_words(const struct strings *command)
{
	cleanup_text struct text text = { 0 };

	for (size_t i = 0; i < command->count; i++)
		text_add(&text, "%s%s", i > 0 ? " " : "", command->items[i]);
	return text_take(&text);
}

/* The end of a command's output, for a sentence. */
static const char *output_end(const struct process_end *end)
{
	const char *from =
		end->size > OUTPUT_TOLD ? end->output + end->size - OUTPUT_TOLD : end->output;
	const char *line = from > end->output ? strchr(from, '\n') : NULL;

	return line && line[1] ? line + 1 : from;
}

/* Lines of `output` that have `part`, joined. NULL for none, and without memory. */
static char *lines_with(const char *output, const char *part)
{
	struct text text = { 0 };

	for (const char *at = output; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		int size = (int)strcspn(at, "\n");

		if (memmem(at, (size_t)size, part, strlen(part)))
			text_add(&text, "%s%.*s", text.size ? "\n" : "", size, at);
	}
	return text_take(&text);
}

/* proxmox-boot-tool refresh names each boot partition that it writes, and each that it skips. */
static int look_at_refresh(const char *output, const struct transaction_callbacks *callbacks,
			   struct error *err)
{
	cleanup_free char *skipped = lines_with(output, "skipping");
	cleanup_free char *sentence = NULL;

	if (!strstr(output, "Copying and configuring kernels on"))
		return error_set(err, -EIO,
				 "'proxmox-boot-tool refresh' went well, but has written no boot "
				 "partition:\n%s",
				 skipped ? skipped : output);
	if (!skipped || !callbacks || !callbacks->warn)
		return 0;
	sentence =
		text_format("proxmox-boot-tool has skipped something, which starts as before:\n%s",
			    skipped);
	if (sentence)
		callbacks->warn(sentence, callbacks->context);
	return 0;
}

static int run_one(const struct strings *command, const struct transaction_callbacks *callbacks,
		   struct error *err)
{
	cleanup_free const char **argv = calloc(command->count + 1, sizeof(*argv));
	cleanup_process_end struct process_end end = { 0 };
	cleanup_free char *words = boot_command_words(command);
	int r;

	if (!argv || !words)
		return error_set_memory(err);
	for (size_t i = 0; i < command->count; i++)
		argv[i] = command->items[i];
	r = process_run_to_end(argv, COMMAND_DEADLINE_MS, OUTPUT_MAX, &end, err);
	if (r < 0)
		return r;
	if (end.status != 0)
		return error_set(err, -EIO, "'%s' failed with status %d:\n%s", words, end.status,
				 output_end(&end));
	return strcmp(words, "proxmox-boot-tool refresh") == 0
		       ? look_at_refresh(end.output ? end.output : "", callbacks, err)
		       : 0;
}

/* ---- grub.cfg */

static bool is_plain_file(const struct sysroot *root, const char *path, struct file_owner *ret)
{
	cleanup_close int fd = sysroot_openat(root, path, O_PATH | O_NOFOLLOW);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode))
		return false;
	*ret = (struct file_owner){ status.st_mode & 07777, status.st_uid, status.st_gid };
	return true;
}

static void remove_new_config(const struct sysroot *root)
{
	cleanup_close int fd = sysroot_openat(root, "boot/grub", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return;
	unlinkat(fd, "grub.cfg.pve-vfio", 0);
	unlinkat(fd, "grub.cfg.pve-vfio.new", 0);
}

/* Looks at what update-grub wrote, and lets it take the place of grub.cfg. */
static int replace_config(const struct sysroot *root, const struct strings *words,
			  const struct file_owner *owner, struct error *err)
{
	cleanup_free char *config = NULL;
	cleanup_close int fd = -1;
	size_t size;
	int r = sysroot_read(root, GRUB_CONFIG_NEW, GRUB_CONFIG_MAX, &config, &size);

	if (r < 0)
		return error_set(err, r, "cannot read '/%s', which update-grub wrote: %s",
				 GRUB_CONFIG_NEW, strerror(-r));
	if (words && words->count > 0 && !grub_config_has(config, words))
		return error_set(
			err, -EBADMSG,
			"update-grub went well, but the kernel parameters are in no entry "
			"of the boot menu: something in /etc/default/grub.d or /etc/grub.d "
			"sets others");
	fd = sysroot_openat(root, "boot/grub", O_RDONLY | O_DIRECTORY);
	r = fd < 0 ? fd : file_replace_owned_at(fd, "grub.cfg", config, size, owner);
	if (r < 0)
		return error_set(err, r, "cannot write '/%s': %s", GRUB_CONFIG, strerror(-r));
	return 0;
}

static int run_update_grub(const struct sysroot *root, const struct strings *words,
			   struct error *err)
{
	static const char *const argv[] = { "update-grub", "-o", "/" GRUB_CONFIG_NEW, NULL };
	static const char *const plain[] = { "update-grub", NULL };
	cleanup_boot_commands struct boot_commands commands = { 0 };
	struct file_owner owner;
	bool apart = is_plain_file(root, GRUB_CONFIG, &owner);
	int r = boot_commands_add(&commands, apart ? argv : plain);

	if (r < 0)
		return error_set_memory(err);
	r = run_one(&commands.items[0], NULL, err);
	if (r == 0 && apart)
		r = replace_config(root, words, &owner, err);
	remove_new_config(root);
	return r;
}

static void sync_boot(const struct sysroot *root)
{
	cleanup_close int fd = sysroot_openat(root, "boot", O_RDONLY | O_DIRECTORY);

	if (fd >= 0)
		(void)syncfs(fd);
}

int transaction_run(const struct sysroot *root, const struct boot_commands *commands,
		    const struct strings *words, const struct transaction_callbacks *callbacks,
		    struct error *err)
{
	for (size_t i = 0; i < commands->count; i++) {
		const struct strings *command = &commands->items[i];
		cleanup_free char *text = boot_command_words(command);
		uint64_t began = clock_now_us();
		int r;

		if (!text)
			return error_set_memory(err);
		if (callbacks->progress)
			callbacks->progress(text, -1, callbacks->context);
		if (strcmp(command->items[0], "update-grub") == 0)
			r = run_update_grub(root, words, err);
		else
			r = run_one(command, callbacks, err);
		sync_boot(root);
		if (r < 0)
			return r;
		if (callbacks->progress)
			callbacks->progress(text, (int64_t)((clock_now_us() - began) / 1000),
					    callbacks->context);
	}
	return 0;
}

/* ---- files */

/* Splits "etc/default/grub" and opens the folder. A descriptor or -errno. */
static int open_folder(const struct sysroot *root, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	cleanup_free char *folder = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	*ret_name = slash ? slash + 1 : path;
	return folder ? sysroot_openat(root, folder, O_RDONLY | O_DIRECTORY) : -ENOMEM;
}

void transaction_sweep(const struct sysroot *root, const struct record *record)
{
	for (size_t i = 0; i < record->file_count; i++) {
		const char *name;
		cleanup_close int fd = open_folder(root, record->files[i].path, &name);
		cleanup_free char *temporary = text_format("%s.tmp", name);

		if (fd >= 0 && temporary)
			unlinkat(fd, temporary, 0);
	}
}

/* Makes the file what `content` is; NULL: it is not there. */
static int put(const struct sysroot *root, const struct boot_file *file, const char *content,
	       struct error *err)
{
	const char *name;
	cleanup_close int fd = open_folder(root, file->path, &name);
	int r = fd < 0 ? fd : 0;

	if (!content && r == -ENOENT)
		return 0;
	if (r == 0 && content)
		r = file_replace_owned_at(fd, name, content, strlen(content), &file->owner);
	else if (r == 0 && ((unlinkat(fd, name, 0) < 0 && errno != ENOENT) || fsync(fd) < 0))
		r = -errno;
	if (r < 0)
		return error_set(err, r, "cannot %s '/%s': %s", content ? "write" : "remove",
				 file->path, strerror(-r));
	return 0;
}

/* The folder of a file below the root. NULL without memory. */
static char *folder_of(const char *path)
{
	return strndup(path, (size_t)(strrchr(path, '/') - path));
}

static int note_file(const struct sysroot *root, struct record *record,
		     const struct boot_file *file, struct error *err)
{
	cleanup_free char *folder = folder_of(file->path);
	int r = 0;

	if (!folder)
		return error_set_memory(err);
	if (file->after)
		r = record_note_folders(root, record, folder, err);
	return r < 0 ? r : record_note(root, record, file, err);
}

/* The record, and the originals, before anything else. */
static int note_files(const struct sysroot *root, struct record *record,
		      const struct boot_draft *draft, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < draft->count && r == 0; i++)
		if (boot_file_changes(draft->items[i]))
			r = note_file(root, record, draft->items[i], err);
	return r < 0 ? r : record_write(root, record, err);
}

static int write_file(const struct sysroot *root, const struct boot_file *file, struct error *err)
{
	cleanup_free char *folder = folder_of(file->path);
	int r = 0;

	if (!folder)
		return error_set_memory(err);
	if (file->after)
		r = record_make_folder(root, folder, err);
	return r < 0 ? r : put(root, file, file->after, err);
}

int transaction_put_back(const struct sysroot *root, const struct boot_draft *draft,
			 struct error *err)
{
	struct error first = { 0 };
	int r = 0;

	for (size_t i = draft->count; i-- > 0;) {
		const struct boot_file *file = draft->items[i];
		int this;

		if (!boot_file_changes(file))
			continue;
		this = put(root, file, file->before, r == 0 ? &first : NULL);
		if (r == 0)
			r = this;
	}
	return r < 0 ? error_set(err, r, "%s", first.message) : 0;
}

int transaction_restore(const struct sysroot *root, const struct boot_draft *draft,
			struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < draft->count && r == 0; i++)
		if (boot_file_changes(draft->items[i]))
			r = write_file(root, draft->items[i], err);
	return r;
}

int transaction_write(const struct sysroot *root, struct record *record,
		      const struct boot_draft *draft, struct error *err)
{
	int r = note_files(root, record, draft, err);

	if (r == 0)
		r = transaction_restore(root, draft, err);
	if (r < 0)
		(void)transaction_put_back(root, draft, NULL);
	return r;
}

void transaction_remove_folders(const struct sysroot *root, const struct strings *folders)
{
	for (size_t i = folders->count; i-- > 0;) {
		const char *name;
		cleanup_close int fd = open_folder(root, folders->items[i], &name);

		if (fd >= 0)
			(void)unlinkat(fd, name, AT_REMOVEDIR);
	}
}

int transaction_lock(const struct sysroot *root, struct error *err)
{
	cleanup_close int fd = sysroot_openat(root, "etc", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return error_set(err, fd, "cannot open '/etc': %s", strerror(-fd));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, -errno, "another pve-vfio setup or undo is running");
	return TAKE_FD(fd);
}
