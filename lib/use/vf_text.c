/* SPDX-License-Identifier: GPL-2.0-or-later */
/* use: what is set for virtual functions, as words and back. Asks nobody. */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "base/array.h"
#include "base/number.h"
#include "use/vf.h"

#define NONE "none"

/* That many a physical function can have: PCI Express, TotalVFs is 16 bits; rtnetlink's list is shorter. */
#define NUMBER_MAX 65535

static const char *const link_states[] = {
	[IFLA_VF_LINK_STATE_AUTO] = "auto",
	[IFLA_VF_LINK_STATE_ENABLE] = "enable",
	[IFLA_VF_LINK_STATE_DISABLE] = "disable",
};

#define LINK_STATE_COUNT (ARRAY_SIZE(link_states))

static void format_switch(struct text *text, const char *name, enum vf_switch value)
{
	if (value != VF_UNKNOWN)
		text_add(text, ",%s=%s", name, value == VF_ON ? "on" : "off");
}

const char *vf_mac_format(const uint8_t mac[ETH_ALEN], char text[VF_MAC_TEXT])
{
	snprintf(text, VF_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3],
		 mac[4], mac[5]);
	return text;
}

static void add_vf(struct text *text, const struct vf *vf)
{
	char mac[VF_MAC_TEXT];

	text_add(text, "%u:mac=%s", vf->number, vf_mac_format(vf->mac, mac));
	if (vf->vlan || vf->qos)
		text_add(text, ",vlan=%u,qos=%u,proto=%s", vf->vlan, vf->qos,
			 vf->protocol == ETH_P_8021AD ? "802.1ad" : "802.1Q");
	if (vf->min_rate)
		text_add(text, ",min-rate=%u", vf->min_rate);
	if (vf->max_rate)
		text_add(text, ",max-rate=%u", vf->max_rate);
	if (vf->link_state > 0 && vf->link_state < LINK_STATE_COUNT)
		text_add(text, ",link-state=%s", link_states[vf->link_state]);
	format_switch(text, "trust", vf->trust);
	format_switch(text, "spoof-check", vf->spoof_check);
	format_switch(text, "rss-query", vf->rss_query);
}

static bool is_none(const uint8_t mac[ETH_ALEN])
{
	static const uint8_t none[ETH_ALEN];

	return memcmp(mac, none, ETH_ALEN) == 0;
}

static void add_words(struct text *text, const struct vf *vf, enum vf_part part)
{
	char mac[VF_MAC_TEXT];

	switch (part) {
	case VF_TRUST:
		text_add(text, "trust %s", vf->trust == VF_ON ? "on" : "off");
		break;
	case VF_MAC:
		text_add(text, "%s%s", is_none(vf->mac) ? "no MAC address" : "MAC address ",
			 is_none(vf->mac) ? "" : vf_mac_format(vf->mac, mac));
		break;
	case VF_VLAN:
		if (vf->vlan || vf->qos)
			text_add(text, "VLAN %u", vf->vlan);
		else
			text_add(text, "no VLAN");
		if (vf->qos)
			text_add(text, " with priority %u", vf->qos);
		if ((vf->vlan || vf->qos) && vf->protocol == ETH_P_8021AD)
			text_add(text, " (802.1ad)");
		break;
	case VF_SPOOF_CHECK:
		text_add(text, "spoof check %s", vf->spoof_check == VF_ON ? "on" : "off");
		break;
	case VF_LINK_STATE:
		text_add(text, "link state %s",
			 vf->link_state < LINK_STATE_COUNT ? link_states[vf->link_state] : "?");
		break;
	case VF_RATE:
		if (vf->min_rate)
			text_add(text, "at least %u and ", vf->min_rate);
		if (vf->max_rate)
			text_add(text, "at most %u Mbit/s", vf->max_rate);
		else
			text_add(text, "any rate");
		break;
	case VF_RSS_QUERY:
		text_add(text, "query of RSS %s", vf->rss_query == VF_ON ? "on" : "off");
		break;
	}
}

char *vf_words(const struct vf *vf, unsigned parts)
{
	struct text text = { 0 };

	for (unsigned part = VF_TRUST; part <= VF_RSS_QUERY; part <<= 1) {
		if (!(parts & part))
			continue;
		text_add(&text, "%s", text.data && *text.data ? ", " : "");
		add_words(&text, vf, (enum vf_part)part);
	}
	return text_take(&text);
}

char *vf_format(const struct vf *vf)
{
	struct text text = { 0 };

	add_vf(&text, vf);
	return text_take(&text);
}

char *vfs_format(const struct vfs *vfs)
{
	struct text text = { 0 };

	if (vfs->count == 0)
		return strdup(NONE);
	for (size_t i = 0; i < vfs->count; i++) {
		text_add(&text, "%s", i > 0 ? " " : "");
		add_vf(&text, &vfs->items[i]);
	}
	return text_take(&text);
}

int vf_mac_parse(const char *value, uint8_t mac[ETH_ALEN])
{
	for (size_t i = 0; i < ETH_ALEN; i++) {
		uint64_t byte;

		if (strnlen(value, 2) < 2 || parse_number(value, 2, 16, UINT8_MAX, &byte) < 0 ||
		    value[2] != (i + 1 < ETH_ALEN ? ':' : '\0'))
			return -EINVAL;
		mac[i] = (uint8_t)byte;
		value += 3;
	}
	return 0;
}

static int parse_up_to(const char *value, uint64_t max, unsigned *ret)
{
	uint64_t number;
	int r = parse_number(value, strlen(value), 10, max, &number);

	if (r == 0)
		*ret = (unsigned)number;
	return r;
}

/* One of `count` words; its place. */
static int parse_word(const char *value, const char *const *words, size_t count, unsigned *ret)
{
	int at = table_find(words, count, sizeof(*words), value);

	if (at < 0)
		return at;
	*ret = (unsigned)at;
	return 0;
}

const char *vf_link_state_name(unsigned link_state)
{
	return link_state < LINK_STATE_COUNT ? link_states[link_state] : NULL;
}

int vf_link_state_parse(const char *name, unsigned *ret)
{
	return parse_word(name, link_states, LINK_STATE_COUNT, ret);
}

/* A member that a later version adds is not known, and passed over. */
static int parse_member(const char *name, const char *value, struct vf *vf)
{
	static const char *const switches[] = { "off", "on" };
	static const char *const protocols[] = { "802.1Q", "802.1ad" };
	unsigned number = 0;
	int r = 0;

	if (strcmp(name, "mac") == 0)
		return vf_mac_parse(value, vf->mac);
	if (strcmp(name, "min-rate") == 0)
		return parse_up_to(value, UINT32_MAX, &vf->min_rate);
	if (strcmp(name, "max-rate") == 0)
		return parse_up_to(value, UINT32_MAX, &vf->max_rate);
	if (strcmp(name, "link-state") == 0)
		return vf_link_state_parse(value, &vf->link_state);
	if (strcmp(name, "vlan") == 0) {
		r = parse_up_to(value, 4095, &number);
		vf->vlan = (uint16_t)number;
	} else if (strcmp(name, "qos") == 0) {
		r = parse_up_to(value, 7, &number);
		vf->qos = (uint8_t)number;
	} else if (strcmp(name, "proto") == 0) {
		r = parse_word(value, protocols, 2, &number);
		vf->protocol = number == 1 ? ETH_P_8021AD : ETH_P_8021Q;
	} else if (strcmp(name, "trust") == 0) {
		r = parse_word(value, switches, 2, &number);
		vf->trust = number == 1 ? VF_ON : VF_OFF;
	} else if (strcmp(name, "spoof-check") == 0) {
		r = parse_word(value, switches, 2, &number);
		vf->spoof_check = number == 1 ? VF_ON : VF_OFF;
	} else if (strcmp(name, "rss-query") == 0) {
		r = parse_word(value, switches, 2, &number);
		vf->rss_query = number == 1 ? VF_ON : VF_OFF;
	}
	return r;
}

static int parse_vf(char *word, struct vf *vf)
{
	char *rest = word, *member = strsep(&rest, ":");
	int r = rest ? parse_up_to(member, NUMBER_MAX, &vf->number) : -EINVAL;

	while (r == 0 && (member = strsep(&rest, ","))) {
		char *value = strchr(member, '=');

		if (!value)
			return -EINVAL;
		*value++ = '\0';
		r = parse_member(member, value, vf);
	}
	return r;
}

int vfs_parse(const char *text, struct vfs *ret)
{
	cleanup_free char *copy = strdup(text);
	cleanup_vfs struct vfs vfs = { 0 };
	char *rest = copy, *word;
	int r = copy ? 0 : -ENOMEM;

	if (r == 0 && strcmp(text, NONE) == 0)
		rest = NULL;
	while (r == 0 && (word = strsep(&rest, " "))) {
		struct vf vf = { .protocol = ETH_P_8021Q,
				 .trust = VF_UNKNOWN,
				 .spoof_check = VF_UNKNOWN,
				 .rss_query = VF_UNKNOWN };

		r = parse_vf(word, &vf);
		if (r == 0)
			r = vfs_add(&vfs, &vf);
	}
	if (r < 0)
		return r;
	*ret = TAKE_STRUCT(vfs);
	return 0;
}

int vf_parse(const char *text, struct vf *ret)
{
	cleanup_vfs struct vfs vfs = { 0 };
	int r = text ? vfs_parse(text, &vfs) : -EINVAL;

	if (r < 0 || vfs.count != 1)
		return r < 0 ? r : -EINVAL;
	*ret = vfs.items[0];
	return 0;
}
