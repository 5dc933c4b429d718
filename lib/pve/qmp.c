/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pve: QEMU's monitor. Says nothing that it is not asked to, and waits for nothing without a bound. */
#include "pve/qmp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/json.h"

#define FOLDER "run/qemu-server"

/* The list of a VM's PCI devices has some hundred bytes for each. */
#define MESSAGE_MAX ((size_t)4 << 20)
#define CHUNK	    ((size_t)16 << 10)

/* What QEMU does with a command sends events; a client that reads none must not wait for ever. */
#define EVENTS_MAX 10000

void qmp_done(struct qmp *qmp)
{
	close_and_reset(&qmp->fd);
	free(qmp->data);
	qmp->data = NULL;
	qmp->size = 0;
}

static int fail(const struct qmp *qmp, int r, struct error *err)
{
	if (r == -ETIMEDOUT)
		return error_set(err, r, "the monitor of VM %u has not answered in time",
				 qmp->vmid);
	if (r == -ECONNRESET || r == -EPIPE)
		return error_set(err, -ECONNRESET, "QEMU of VM %u has closed its monitor",
				 qmp->vmid);
	return error_set(err, r, "the monitor of VM %u: %s", qmp->vmid, strerror(-r));
}

/* 0 when the socket is ready for `events`. */
static int wait_for(const struct qmp *qmp, short events, struct deadline deadline)
{
	struct pollfd entry = { .fd = qmp->fd, .events = events };
	int r;

	do
		r = poll(&entry, 1, deadline_left_ms(deadline));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -ETIMEDOUT : 0;
}

/*
 * The path of a socket is short (unix(7)), that of a tree need not be: there it is named by its folder's
 * descriptor. While the queue of those that wait for the socket is full, connect(2) gives EAGAIN.
 */
static int connect_to(const struct sysroot *root, struct qmp *qmp, struct deadline deadline)
{
	cleanup_close int folder = sysroot_openat(root, FOLDER, O_PATH | O_DIRECTORY);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	unsigned step = 0;

	if (folder < 0)
		return folder;
	if (root->live)
		snprintf(address.sun_path, sizeof(address.sun_path), "/" FOLDER "/%u.qmp",
			 qmp->vmid);
	else
		snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%u.qmp",
			 folder, qmp->vmid);
	qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (qmp->fd < 0)
		return -errno;
	while (connect(qmp->fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		if (!deadline_wait_step(deadline, &step))
			return -ETIMEDOUT;
	}
	return 0;
}

static int send_all(struct qmp *qmp, const char *data, size_t size, struct deadline deadline)
{
	while (size > 0) {
		ssize_t sent = send(qmp->fd, data, size, MSG_NOSIGNAL);
		int r;

		if (sent >= 0) {
			data += sent;
			size -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
		r = wait_for(qmp, POLLOUT, deadline);
		if (r < 0)
			return r;
	}
	return 0;
}

static int receive(struct qmp *qmp, struct deadline deadline)
{
	char *data;
	ssize_t got;
	int r;

	if (qmp->size > MESSAGE_MAX)
		return -EMSGSIZE;
	data = realloc(qmp->data, qmp->size + CHUNK);
	if (!data)
		return -ENOMEM;
	qmp->data = data;
	r = wait_for(qmp, POLLIN, deadline);
	if (r < 0)
		return r;
	got = recv(qmp->fd, data + qmp->size, CHUNK, 0);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (got == 0)
		return -ECONNRESET;
	qmp->size += (size_t)got;
	return 0;
}

/* Each message is a line of its own. */
static int read_message(struct qmp *qmp, struct deadline deadline, json_t **ret, struct error *err)
{
	const char *end;
	size_t length;
	int r;

	while (!(end = qmp->size > 0 ? memchr(qmp->data, '\n', qmp->size) : NULL)) {
		r = receive(qmp, deadline);
		if (r < 0)
			return fail(qmp, r, err);
	}
	length = (size_t)(end - qmp->data);
	r = json_parse_object("an answer of QEMU", qmp->data, length, ret, err);
	qmp->size -= length + 1;
	memmove(qmp->data, end + 1, qmp->size);
	return r;
}

static int bad_message(const struct qmp *qmp, struct error *err)
{
	return error_set(err, -EBADMSG, "the monitor of VM %u does not speak QMP", qmp->vmid);
}

static int read_greeting(struct qmp *qmp, struct deadline deadline, struct error *err)
{
	cleanup_json json_t *greeting = NULL;
	const json_t *version, *major, *minor;
	int r = read_message(qmp, deadline, &greeting, err);

	if (r == -ETIMEDOUT)
		return error_set(
			err, r,
			"the monitor of VM %u does not answer: QEMU is busy, or another "
			"program has it open (Proxmox VE itself for a moment; 'qm monitor %u' "
			"until it is left)",
			qmp->vmid, qmp->vmid);
	if (r < 0)
		return r;
	version = json_object_get(json_object_get(json_object_get(greeting, "QMP"), "version"),
				  "qemu");
	major = json_object_get(version, "major");
	minor = json_object_get(version, "minor");
	if (!json_is_integer(major) || !json_is_integer(minor))
		return bad_message(qmp, err);
	qmp->major = (unsigned)json_integer_value(major);
	qmp->minor = (unsigned)json_integer_value(minor);
	return 0;
}

int qmp_open(const struct sysroot *root, uint32_t vmid, unsigned wait_ms, struct qmp *ret,
	     struct error *err)
{
	cleanup_qmp struct qmp qmp = { .fd = -1, .vmid = vmid };
	struct deadline deadline = deadline_in_ms(wait_ms);
	int r = connect_to(root, &qmp, deadline);

	if (r == -ETIMEDOUT)
		return error_set(err, r,
				 "the monitor of VM %u is in use by another program; try again",
				 vmid);
	if (r < 0)
		return error_set(err, r, "cannot reach QEMU by /run/qemu-server/%u.qmp: %s", vmid,
				 strerror(-r));
	r = read_greeting(&qmp, deadline, err);
	if (r == 0)
		r = qmp_command(&qmp, "qmp_capabilities", NULL, QMP_ANSWER_MS, NULL, err);
	if (r < 0)
		return r;
	*ret = qmp;
	qmp = (struct qmp){ .fd = -1 };
	return 0;
}

static int send_command(struct qmp *qmp, const char *command, json_t *arguments,
			struct deadline deadline, struct error *err)
{
	cleanup_json json_t *message =
		json_pack("{s:s, s:i}", "execute", command, "id", (int)++qmp->last_id);
	cleanup_json json_t *owned = arguments;
	cleanup_free char *text = NULL, *line = NULL;
	int r;

	if (!message || (owned && json_object_set(message, "arguments", owned) < 0))
		return error_set_memory(err);
	text = json_text(message, JSON_COMPACT);
	line = text ? text_format("%s\n", text) : NULL;
	if (!line)
		return error_set_memory(err);
	r = send_all(qmp, line, strlen(line), deadline);
	return r < 0 ? fail(qmp, r, err) : 0;
}

static int read_error(const struct qmp *qmp, const char *command, const json_t *error,
		      struct error *err)
{
	const char *class = json_string_value(json_object_get(error, "class"));
	const char *what = json_string_value(json_object_get(error, "desc"));

	if (!class || !what)
		return bad_message(qmp, err);
	return error_set(err, strcmp(class, "DeviceNotFound") == 0 ? -ENODEV : -EREMOTEIO,
			 "QEMU of VM %u refuses %s: %s", qmp->vmid, command, what);
}

int qmp_command(struct qmp *qmp, const char *command, json_t *arguments, unsigned limit_ms,
		json_t **ret, struct error *err)
{
	struct deadline deadline = deadline_in_ms(limit_ms);
	int r = send_command(qmp, command, arguments, deadline, err);

	for (int i = 0; r == 0 && i < EVENTS_MAX; i++) {
		cleanup_json json_t *answer = NULL;
		const json_t *id;
		json_t *value;

		r = read_message(qmp, deadline, &answer, err);
		if (r < 0)
			return r;
		if (json_object_get(answer, "event"))
			continue;
		id = json_object_get(answer, "id");
		if (!json_is_integer(id) || json_integer_value(id) != (json_int_t)qmp->last_id)
			return bad_message(qmp, err);
		value = json_object_get(answer, "error");
		if (value)
			return read_error(qmp, command, value, err);
		value = json_object_get(answer, "return");
		if (!value)
			return bad_message(qmp, err);
		if (ret)
			*ret = json_incref(value);
		return 0;
	}
	return r < 0 ? r : bad_message(qmp, err);
}
