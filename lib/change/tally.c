/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what starts and stops came to. No phase fails for it. */
#include "change/tally.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/directory.h"
#include "base/file.h"
#include "base/number.h"

/* "take 00000000000001234567 00000000001764320000\n" */
#define PHASE_FORMAT "%s %020" PRIu64 " %020" PRIu64 "\n"
#define PHASE_SIZE   47
#define PHASE_DIGITS 20
#define NAME_SIZE    4
#define TAKE_AT	     0
#define GIVE_AT	     PHASE_SIZE
#define REFUSED_AT   ((size_t)2 * PHASE_SIZE)

/*
 * The last line, which may be written over by a version that does not know it, from its beginning on:
 * no rest of it looks like "CHECK COUNT", for it ends with a word that is no number.
 */
#define QEMU_NAME   "qemu"
#define QEMU_FORMAT QEMU_NAME " %020" PRIu64 " %020" PRIu64 " %020" PRIu64 " %s .\n"
#define QEMU_HUGE   "huge"
#define QEMU_SMALL  "base"

/* More than all checks there are come to. */
#define TALLY_MAX ((size_t)16384)

#define LOCK_END  ".lock"

static void write_phase(int lock, const char *name, off_t at, uint64_t took_us)
{
	char line[PHASE_SIZE + 1];

	if (lock < 0)
		return;
	if (snprintf(line, sizeof(line), PHASE_FORMAT, name, took_us, (uint64_t)time(NULL)) ==
	    PHASE_SIZE)
		(void)!pwrite(lock, line, PHASE_SIZE, at);
}

void tally_take(int lock, uint64_t took_us)
{
	write_phase(lock, "take", TAKE_AT, took_us);
}

void tally_give(int lock, uint64_t took_us)
{
	write_phase(lock, "give", GIVE_AT, took_us);
}

/* A part that was never written is all NUL bytes. */
static void parse_phase(const char *line, const char *name, struct tally_phase *ret)
{
	const char *took = line + NAME_SIZE + 1, *at = took + PHASE_DIGITS + 1;
	uint64_t took_us, when;

	if (strncmp(line, name, NAME_SIZE) != 0 ||
	    parse_number(took, PHASE_DIGITS, 10, UINT64_MAX, &took_us) < 0 ||
	    parse_number(at, PHASE_DIGITS, 10, INT32_MAX * UINT64_C(1000), &when) < 0)
		return;
	*ret = (struct tally_phase){ .took_us = took_us, .at = (time_t)when };
}

static int add_refusals(struct tally *tally, const char *check, uint64_t starts)
{
	struct tally_refusals refusals = { .starts = starts };

	for (size_t i = 0; i < tally->refused_count; i++)
		if (strcmp(tally->refused[i].check, check) == 0) {
			tally->refused[i].starts += starts;
			return 0;
		}
	if (array_reserve(&tally->refused, tally->refused_count, sizeof(refusals)) < 0)
		return -ENOMEM;
	refusals.check = strdup(check);
	if (!refusals.check)
		return -ENOMEM;
	tally->refused[tally->refused_count++] = refusals;
	return 0;
}

/* "MICROSECONDS TIME MIB PAGES ."; false for what is left of a line that was written over. */
static bool parse_qemu(char *words, struct tally_qemu *ret)
{
	uint64_t numbers[3] = { 0 };
	char *rest = words;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		const char *word = strsep(&rest, " ");

		if (!word || parse_u64(word, &numbers[i]) < 0)
			return false;
	}
	if (!text_equal(rest, QEMU_HUGE " .") && !text_equal(rest, QEMU_SMALL " ."))
		return false;
	*ret = (struct tally_qemu){
		.phase = { .took_us = numbers[0], .at = (time_t)numbers[1] },
		.memory_mib = numbers[2],
		.huge = text_starts_with(rest, QEMU_HUGE),
	};
	return true;
}

static int parse(char *data, size_t size, struct tally *ret)
{
	cleanup_tally struct tally tally = { 0 };
	char *rest = size > REFUSED_AT ? data + REFUSED_AT : NULL, *line;

	if (size >= GIVE_AT)
		parse_phase(data + TAKE_AT, "take", &tally.take);
	if (size >= REFUSED_AT)
		parse_phase(data + GIVE_AT, "give", &tally.give);
	while ((line = strsep(&rest, "\n"))) {
		char *count = strchr(line, ' ');
		uint64_t starts;

		if (!count)
			continue;
		*count++ = '\0';
		if (strcmp(line, QEMU_NAME) == 0 && parse_qemu(count, &tally.qemu))
			continue;
		if (parse_u64(count, &starts) == 0 && add_refusals(&tally, line, starts) < 0)
			return -ENOMEM;
	}
	*ret = TAKE_STRUCT(tally);
	return 0;
}

static int read_fd(int fd, struct tally *ret)
{
	cleanup_free char *data = NULL;
	size_t size;
	int r = file_read_fd(fd, TALLY_MAX, &data, &size);

	return r < 0 ? r : parse(data, size, ret);
}

/* All behind the two lines of fixed size, in one write: QEMU's line moves when a check is added. */
static void write_rest(int lock, const struct tally *tally)
{
	const struct tally_qemu *qemu = &tally->qemu;
	cleanup_text struct text lines = { 0 };

	for (size_t i = 0; i < tally->refused_count; i++)
		text_add(&lines, "%s %" PRIu64 "\n", tally->refused[i].check,
			 tally->refused[i].starts);
	if (qemu->phase.at > 0)
		text_add(&lines, QEMU_FORMAT, qemu->phase.took_us, (uint64_t)qemu->phase.at,
			 qemu->memory_mib, qemu->huge ? QEMU_HUGE : QEMU_SMALL);
	if (!lines.failed && REFUSED_AT + lines.size <= TALLY_MAX)
		(void)!pwrite(lock, lines.data, lines.size, REFUSED_AT);
}

static int read_locked(int lock, struct tally *ret)
{
	if (lock < 0 || lseek(lock, 0, SEEK_SET) < 0)
		return -EBADF;
	return read_fd(lock, ret);
}

void tally_read_locked(int lock, struct tally *ret)
{
	if (read_locked(lock, ret) < 0)
		*ret = (struct tally){ 0 };
}

void tally_refuse(int lock, const struct strings *checks)
{
	cleanup_tally struct tally tally = { 0 };

	if (checks->count == 0 || read_locked(lock, &tally) < 0)
		return;
	for (size_t i = 0; i < checks->count; i++)
		if (add_refusals(&tally, checks->items[i], 1) < 0)
			return;
	write_rest(lock, &tally);
}

void tally_qemu(int lock, const struct tally_qemu *qemu)
{
	cleanup_tally struct tally tally = { 0 };

	if (read_locked(lock, &tally) < 0)
		return;
	tally.qemu = *qemu;
	tally.qemu.phase.at = time(NULL);
	write_rest(lock, &tally);
}

int tally_read(const struct state *state, uint32_t vmid, struct tally *ret)
{
	cleanup_close int fd = -1;
	char name[32];

	snprintf(name, sizeof(name), "%u" LOCK_END, vmid);
	fd = openat(state->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return read_fd(fd, ret);
	if (errno != ENOENT)
		return -errno;
	*ret = (struct tally){ 0 };
	return 0;
}

int tally_list(const struct state *state, struct vmids *ret, struct error *err)
{
	return vmids_list(state, LOCK_END, ret, err);
}

void tally_done(struct tally *tally)
{
	for (size_t i = 0; i < tally->refused_count; i++)
		free(tally->refused[i].check);
	free(tally->refused);
	*tally = (struct tally){ 0 };
}
