/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: PVE's reservations of PCI devices. Touches no device; makes no folder. */
#include "pve/reservation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/file.h"
#include "base/number.h"
#include "pve/qemu.h"

#define FOLDER	  "run/qemu-server"
#define FILE_NAME "pci-id-reservations"
#define LOCK_NAME FILE_NAME ".lock"

/* What PVE's file_set_contents() and lock_file() make with root's umask. */
#define FILE_MODE 0644

#define LOWER_HEX "0123456789abcdef"

/* Perl's \s for what a line can hold. */
#define BLANKS " \t\r\f\v"

static struct reservation *find(const struct reservations *reservations, const char *id)
{
	for (size_t i = 0; i < reservations->count; i++)
		if (strcmp(reservations->items[i].id, id) == 0)
			return &reservations->items[i];
	return NULL;
}

/* Adds one, in place of what there is for its id. */
static int put(struct reservations *reservations, const char *id, struct reservation reservation)
{
	struct reservation *old = find(reservations, id);

	if (old) {
		reservation.id = old->id;
		*old = reservation;
		return 0;
	}
	reservation.id = strdup(id);
	if (!reservation.id ||
	    array_reserve(&reservations->items, reservations->count, sizeof(reservation)) < 0) {
		free(reservation.id);
		return -ENOMEM;
	}
	reservations->items[reservations->count++] = reservation;
	return 0;
}

static void take(struct reservations *reservations, struct reservation *reservation)
{
	free(reservation->id);
	*reservation = reservations->items[--reservations->count];
}

/* (DDDD+:)?BB:DD(.F)? in lower case: $PCIRE in PCI.pm. */
static bool is_pci_id(const char *text)
{
	size_t size = strspn(text, LOWER_HEX);

	if (size >= 4 && text[size] == ':') {
		text += size + 1;
		size = strspn(text, LOWER_HEX);
	}
	if (size != 2 || text[2] != ':' || strspn(text + 3, LOWER_HEX) != 2)
		return false;
	text += 5;
	return !*text || (text[0] == '.' && strspn(text + 1, LOWER_HEX) == 1 && !text[2]);
}

/* ^(PCIID)\s(\d+)\s(time|pid):(\d+)$ ; a number larger than the system's own is none either. */
static bool parse_line(char *line, const char **ret_id, struct reservation *ret)
{
	const char *id = strsep(&line, BLANKS);
	const char *vmid = strsep(&line, BLANKS);
	const char *kind = strsep(&line, ":");
	uint64_t number;

	if (!line || !is_pci_id(id) || parse_u32(vmid, &ret->vmid) < 0)
		return false;
	if (strcmp(kind, "time") == 0 &&
	    parse_number(line, strlen(line), 10, LONG_MAX, &number) == 0)
		ret->until = (time_t)number;
	else if (strcmp(kind, "pid") == 0 &&
		 parse_number(line, strlen(line), 10, INT_MAX, &number) == 0)
		ret->pid = (pid_t)number;
	else
		return false;
	*ret_id = id;
	return true;
}

int reservations_parse(const char *data, size_t size, struct reservations *ret, struct error *err)
{
	cleanup_reservations struct reservations reservations = { 0 };
	cleanup_free char *text = malloc(size + 1);
	char *rest = text, *line;

	if (!text)
		return error_set_memory(err);
	/* A NUL makes its line as unreadable as any other character that is not expected. */
	for (size_t i = 0; i < size; i++) {
		text[i] = data[i];
		if (!text[i])
			text[i] = '\1';
	}
	text[size] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		struct reservation reservation = { 0 };
		const char *id;

		if (parse_line(line, &id, &reservation) && put(&reservations, id, reservation) < 0)
			return error_set_memory(err);
	}
	*ret = TAKE_STRUCT(reservations);
	return 0;
}

int reservations_read(const struct sysroot *root, struct reservations *ret, struct error *err)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r;

	r = sysroot_read(root, &RESERVATION_PATH[1], RESERVATION_MAX, &data, &size);
	if (r == -ENOENT) {
		*ret = (struct reservations){ 0 };
		return 0;
	}
	if (r == -EFBIG)
		return error_set(err, r, "%s: larger than %zu KiB, which cannot be right",
				 RESERVATION_PATH, RESERVATION_MAX >> 10);
	if (r < 0)
		return error_set(err, r, "cannot read %s: %s", RESERVATION_PATH, strerror(-r));
	return reservations_parse(data, size, ret, err);
}

void reservations_done(struct reservations *reservations)
{
	for (size_t i = 0; i < reservations->count; i++)
		free(reservations->items[i].id);
	free(reservations->items);
	*reservations = (struct reservations){ 0 };
}

/* Its VM runs, as the process that it names. A check against harm: it does when we cannot tell. */
static bool is_by_running(const struct sysroot *root, const struct reservation *reservation)
{
	struct task qemu;

	if (reservation->pid == 0)
		return false;
	if (qemu_find(root, reservation->vmid, &qemu, NULL) < 0)
		return true;
	return qemu.pid == reservation->pid;
}

const struct reservation *reservation_blocking(const struct sysroot *root,
					       const struct reservations *reservations,
					       const char *id, uint32_t vmid, time_t now)
{
	const struct reservation *reservation = find(reservations, id);

	if (!reservation || reservation->vmid == vmid)
		return NULL;
	return reservation->until > now || is_by_running(root, reservation) ? reservation : NULL;
}

/* The reservations while they are changed: the file's folder, and the lock that is held. */
struct change {
	int folder;
	int lock;
	struct reservations reservations;
};

static void change_done(struct change *change)
{
	/* Closing the file gives the lock back. */
	close_and_reset(&change->lock);
	close_and_reset(&change->folder);
	reservations_done(&change->reservations);
}

#define cleanup_change cleanup(change_done)

static int lock(int fd, struct deadline deadline)
{
	unsigned step = 0;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		if (!deadline_wait_step(deadline, &step))
			return -ETIMEDOUT;
	}
	return 0;
}

/* Takes the lock and reads the file; the lock's file stays for ever, as PVE leaves it. */
static int change_begin(const struct sysroot *root, struct deadline deadline, struct change *change,
			struct error *err)
{
	int r;

	change->folder = sysroot_openat(root, FOLDER, O_RDONLY | O_DIRECTORY);
	if (change->folder < 0)
		return error_set(err, change->folder, "cannot open /%s: %s", FOLDER,
				 strerror(-change->folder));
	change->lock = openat(change->folder, LOCK_NAME,
			      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	r = change->lock < 0 ? -errno : lock(change->lock, deadline);
	if (r == -ETIMEDOUT)
		return error_set(err, r,
				 "%s.lock is held by another process for too long: see 'fuser -v "
				 "%s.lock'",
				 RESERVATION_PATH, RESERVATION_PATH);
	if (r < 0)
		return error_set(err, r, "cannot lock %s.lock: %s", RESERVATION_PATH, strerror(-r));
	return reservations_read(root, &change->reservations, err);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(((const struct reservation *)a)->id, ((const struct reservation *)b)->id);
}

/* Writes the file as $write_pci_reservation_unlocked in PCI.pm does. */
static int change_write(struct change *change, struct error *err)
{
	struct reservations *reservations = &change->reservations;
	cleanup_text struct text text = { 0 };
	cleanup_free char *data = NULL;
	int r;

	if (reservations->count > 1)
		qsort(reservations->items, reservations->count, sizeof(*reservations->items),
		      compare_ids);
	for (size_t i = 0; i < reservations->count; i++) {
		const struct reservation *item = &reservations->items[i];

		if (item->pid)
			text_add(&text, "%s %u pid:%d\n", item->id, item->vmid, item->pid);
		else
			text_add(&text, "%s %u time:%jd\n", item->id, item->vmid,
				 (intmax_t)item->until);
	}
	data = text_take(&text);
	if (!data)
		return error_set_memory(err);
	r = file_replace_at(change->folder, FILE_NAME, data, strlen(data));
	/* It is made with 0600; PVE's has this mode, which matters to nobody in between. */
	if (r == 0 && fchmodat(change->folder, FILE_NAME, FILE_MODE, 0) < 0)
		r = -errno;
	if (r < 0)
		return error_set(err, r, "cannot write %s: %s", RESERVATION_PATH, strerror(-r));
	return 0;
}

static int add(const struct sysroot *root, const char *id, struct reservation wanted,
	       struct deadline deadline, struct error *err)
{
	cleanup_change struct change change = { .folder = -1, .lock = -1 };
	const struct reservation *other, *own;
	int r;

	r = change_begin(root, deadline, &change, err);
	if (r < 0)
		return r;
	other = reservation_blocking(root, &change.reservations, id, wanted.vmid, time(NULL));
	if (other)
		return error_set(err, -EBUSY, "%s is %s VM %u", id,
				 other->pid ? "in use by" : "reserved for the start of",
				 other->vmid);
	own = find(&change.reservations, id);
	if (own && own->vmid == wanted.vmid && !wanted.pid &&
	    (own->until >= wanted.until || is_by_running(root, own)))
		return 0;
	r = put(&change.reservations, id, wanted);
	return r < 0 ? error_set_memory(err) : change_write(&change, err);
}

int reservation_add(const struct sysroot *root, const char *id, uint32_t vmid, time_t until,
		    struct deadline deadline, struct error *err)
{
	return add(root, id, (struct reservation){ .vmid = vmid, .until = until }, deadline, err);
}

int reservation_add_running(const struct sysroot *root, const char *id, uint32_t vmid, pid_t pid,
			    struct deadline deadline, struct error *err)
{
	return add(root, id, (struct reservation){ .vmid = vmid, .pid = pid }, deadline, err);
}

static int take_away(const struct sysroot *root, const char *id, uint32_t vmid, bool running,
		     struct deadline deadline, struct error *err)
{
	cleanup_change struct change change = { .folder = -1, .lock = -1 };
	struct reservation *own;
	int r;

	r = sysroot_find(root, &RESERVATION_PATH[1]);
	if (r <= 0)
		return r == 0 ? 0
			      : error_set(err, r, "cannot open '%s': %s", RESERVATION_PATH,
					  strerror(-r));
	r = change_begin(root, deadline, &change, err);
	if (r < 0)
		return r;
	own = find(&change.reservations, id);
	if (!own || own->vmid != vmid || (own->pid && !running))
		return 0;
	take(&change.reservations, own);
	return change_write(&change, err);
}

int reservation_remove(const struct sysroot *root, const char *id, uint32_t vmid,
		       struct deadline deadline, struct error *err)
{
	return take_away(root, id, vmid, false, deadline, err);
}

int reservation_remove_running(const struct sysroot *root, const char *id, uint32_t vmid,
			       struct deadline deadline, struct error *err)
{
	return take_away(root, id, vmid, true, deadline, err);
}
