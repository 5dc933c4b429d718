/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: notices, which are sent once. Sends none. */
#include "change/notice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/array.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/text.h"
#include "change/tally.h"

/* "lost 0000:01:00.0 1764320000\n" for each; more than all functions of a VM come to. */
#define MARKS_MAX    ((size_t)256 << 10)
#define LOCK_WAIT_MS 5000

static const struct {
	const char *name, *words;
} kinds[] = {
	[NOTICE_LOST] = { "lost", "is lost" },
	[NOTICE_STUCK] = { "stuck", "is stuck" },
	[NOTICE_CHANGED] = { "changed", "has changed" },
};
TABLE_FOLLOWS(kinds, NOTICE_KIND_COUNT);

const char *notice_words(enum notice_kind kind)
{
	return kinds[kind].words;
}

int notices_add(struct notices *notices, enum notice_kind kind, const char *subject,
		const char *text)
{
	struct notice notice = { .kind = kind };

	for (size_t i = 0; i < notices->count; i++)
		if (notices->items[i].kind == kind &&
		    strcmp(notices->items[i].subject, subject) == 0)
			return 0;
	if (array_reserve(&notices->items, notices->count, sizeof(notice)) < 0)
		return -ENOMEM;
	notice.subject = strdup(subject);
	notice.text = strdup(text);
	if (!notice.subject || !notice.text) {
		free(notice.subject);
		free(notice.text);
		return -ENOMEM;
	}
	notices->items[notices->count++] = notice;
	return 0;
}

/* A device that somebody has open is waited for, and is none of these. */
bool notice_of_result(enum run_direction direction, const struct action *action,
		      const struct run_result *result, enum notice_kind *ret)
{
	struct pci_address address;

	if (!action_address(action, &address))
		return false;
	if (result->result == -ENODEV ||
	    (result->result == 0 && direction == RUN_REVERT && action->type == ACTION_BIND &&
	     text_equal(result->text, NOTE_GONE))) {
		*ret = NOTICE_LOST;
		return true;
	}
	*ret = NOTICE_STUCK;
	if (result->result == -ETIMEDOUT)
		return true;
	return direction == RUN_REVERT && result->result < 0 && result->result != -EBUSY &&
	       result->result != -EINPROGRESS && result->result != -ECANCELED &&
	       (action->type == ACTION_BIND || action->type == ACTION_RESCAN);
}

static int open_marks(const struct state *state, uint32_t vmid)
{
	struct deadline deadline = deadline_in_ms(LOCK_WAIT_MS);
	cleanup_close int fd = -1;
	unsigned step = 0;
	char name[32];

	snprintf(name, sizeof(name), "%u.notices", vmid);
	fd = openat(state->fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0)
		if (errno != EWOULDBLOCK || !deadline_wait_step(deadline, &step))
			return -errno;
	return TAKE_FD(fd);
}

/* The VM's devices have all changed hands since, so what was wrong then is not what is wrong now. */
static bool is_over(const struct tally *tally, time_t sent, time_t now)
{
	return (tally->take.at > sent || tally->give.at > sent) && now - sent >= NOTICE_AGAIN_S;
}

/* "lost 0000:01:00.0 1764320000" is of that notice. */
static bool is_mark_of(const char *line, const struct notice *notice, time_t *ret_sent)
{
	const char *kind = kinds[notice->kind].name;
	size_t kind_size = strlen(kind), subject_size = strlen(notice->subject);
	uint64_t sent;

	if (strncmp(line, kind, kind_size) != 0 || line[kind_size] != ' ' ||
	    strncmp(line + kind_size + 1, notice->subject, subject_size) != 0 ||
	    line[kind_size + 1 + subject_size] != ' ' ||
	    parse_u64(line + kind_size + subject_size + 2, &sent) < 0)
		return false;
	*ret_sent = (time_t)sent;
	return true;
}

static void drop(struct notices *notices, size_t at)
{
	free(notices->items[at].subject);
	free(notices->items[at].text);
	notices->count--;
	memmove(&notices->items[at], &notices->items[at + 1],
		(notices->count - at) * sizeof(*notices->items));
}

/* Drops what a line says has been sent. True where the line is over: a new one comes in its place. */
static bool apply_mark(const char *line, const struct tally *tally, time_t now,
		       struct notices *notices)
{
	for (size_t i = 0; i < notices->count; i++) {
		time_t sent;

		if (!is_mark_of(line, &notices->items[i], &sent))
			continue;
		if (is_over(tally, sent, now))
			return true;
		drop(notices, i);
		return false;
	}
	return false;
}

static int mark(const struct state *state, uint32_t vmid, time_t now, struct notices *notices)
{
	cleanup_close int fd = open_marks(state, vmid);
	cleanup_tally struct tally tally = { 0 };
	cleanup_text struct text marks = { 0 };
	cleanup_free char *data = NULL;
	char *rest, *line;
	size_t size;
	int r = fd < 0 ? fd : file_read_fd(fd, MARKS_MAX, &data, &size);

	if (r == 0)
		r = tally_read(state, vmid, &tally);
	if (r < 0)
		return r;
	rest = data;
	while ((line = strsep(&rest, "\n")))
		if (*line && !apply_mark(line, &tally, now, notices))
			text_add(&marks, "%s\n", line);
	for (size_t i = 0; i < notices->count; i++)
		text_add(&marks, "%s %s %ju\n", kinds[notices->items[i].kind].name,
			 notices->items[i].subject, (uintmax_t)now);
	if (notices->count == 0)
		return 0;
	if (marks.failed || marks.size > MARKS_MAX)
		return -ENOMEM;
	if (pwrite(fd, marks.data, marks.size, 0) != (ssize_t)marks.size)
		return -EIO;
	return ftruncate(fd, (off_t)marks.size) < 0 ? -errno : 0;
}

void notices_mark(const struct state *state, uint32_t vmid, time_t now, struct notices *notices)
{
	if (mark(state, vmid, now, notices) < 0)
		notices_done(notices);
}

void notices_done(struct notices *notices)
{
	while (notices->count > 0)
		drop(notices, notices->count - 1);
	free(notices->items);
	*notices = (struct notices){ 0 };
}
