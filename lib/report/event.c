/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report: entries of the journal. Knows what they are called, and reads none. */
#include "report/event.h"

#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "pci/address.h"

static const struct {
	const char *name, *message_id;
} kinds[] = {
	[EVENT_NOTE] = { "note", "47452333d1ba4189b50ab424150e2ca4" },
	[EVENT_FINDING] = { "finding", "087d1ba99bf2471c89d46472863f453a" },
	[EVENT_TAKEN] = { "taken", "935fe2b441ed4c83a5ea2a31600fbe4d" },
	[EVENT_RETURNED] = { "returned", "69c5a76b169649408c917be1fd9ce3ad" },
	[EVENT_READY] = { "ready", "858c1143f2c0446fa8d85b1879bbe6ea" },
	[EVENT_FAILED] = { "failed", "5130f265e7e84f6e88ec58de5d877483" },
};
TABLE_FOLLOWS(kinds, EVENT_KIND_COUNT);

/* syslog(3) */
#define PRIORITY_ERROR	 "3"
#define PRIORITY_WARNING "4"
#define PRIORITY_INFO	 "6"
#define FACILITY_DAEMON	 "3"

const char *event_kind_name(enum event_kind kind)
{
	return kinds[kind].name;
}

const char *event_message_id(enum event_kind kind)
{
	return kinds[kind].message_id;
}

enum event_kind event_find(const char *message_id)
{
	for (unsigned kind = 0; kind < EVENT_KIND_COUNT; kind++)
		if (text_equal(message_id, kinds[kind].message_id))
			return (enum event_kind)kind;
	return EVENT_NOTE;
}

static const char *find_priority(const struct event *event)
{
	if (event->kind == EVENT_FAILED || text_equal(event->result, "error") ||
	    text_equal(event->result, "failed") || text_equal(event->result, "timeout"))
		return PRIORITY_ERROR;
	if (text_equal(event->result, "warning") || text_equal(event->result, "waiting"))
		return PRIORITY_WARNING;
	return PRIORITY_INFO;
}

/* The address that a subject begins with: of "0000:01:00.0/power/control" too. */
static bool find_device(const char *subject, char device[PCI_ADDRESS_TEXT])
{
	size_t size = subject ? strcspn(subject, "/") : 0;
	struct pci_address address;

	if (size == 0 || size >= PCI_ADDRESS_TEXT)
		return false;
	snprintf(device, PCI_ADDRESS_TEXT, "%.*s", (int)size, subject);
	return pci_address_parse(device, &address) == 0;
}

void event_send(int fd, const struct event *event, uint32_t vmid, const char *phase,
		const char *text)
{
	size_t size = strlen(text);
	size_t trimmed = size > 0 && text[size - 1] == '\n' ? size - 1 : size;
	cleanup_free char *message = text_format("VM %u: %.*s", vmid, (int)trimmed, text);
	cleanup_free char *took = text_format("%ju", (uintmax_t)event->took_us);
	cleanup_free char *vm = text_format("%u", vmid);
	char device[PCI_ADDRESS_TEXT];
	const struct journald_field fields[] = {
		{ "MESSAGE", message },
		{ "MESSAGE_ID", event_message_id(event->kind) },
		{ "PRIORITY", find_priority(event) },
		{ "SYSLOG_IDENTIFIER", EVENT_PROGRAM },
		{ "SYSLOG_FACILITY", FACILITY_DAEMON },
		{ "PVE_VFIO_VMID", vm },
		{ "PVE_VFIO_PHASE", phase },
		{ "PVE_VFIO_SUBJECT", event->subject },
		{ "PVE_VFIO_DEVICE", find_device(event->subject, device) ? device : NULL },
		{ "PVE_VFIO_ACTION", event->action },
		{ "PVE_VFIO_CHECK", event->check },
		{ "PVE_VFIO_RESULT", event->result },
		{ "PVE_VFIO_USEC", event->took_us > 0 ? took : NULL },
	};

	if (message && took && vm)
		journald_send(fd, fields, ARRAY_SIZE(fields));
}
