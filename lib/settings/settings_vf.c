/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings: what is set for a virtual function, as JSON and back. Knows no function. */
#include <errno.h>
#include <net/ethernet.h>
#include <string.h>

#include "base/array.h"
#include "settings/settings.h"

/* IEEE 802.1Q: 0 is no VLAN, 4095 is reserved; a priority has three bits. */
#define VLAN_MAX 4094
#define QOS_MAX	 7

/* Mbit/s: 32 bits in include/uapi/linux/if_link.h, struct ifla_vf_rate. */
#define RATE_MAX UINT32_MAX

static const char *const protocols[] = { "802.1Q", "802.1ad" };

static int read_number(const json_t *value, json_int_t max, unsigned *ret)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > max)
		return -EINVAL;
	*ret = (unsigned)number;
	return 0;
}

static int read_switch(const json_t *value, enum vf_switch *ret)
{
	*ret = json_is_true(value) ? VF_ON : VF_OFF;
	return json_is_boolean(value) ? 0 : -EINVAL;
}

/* One card's own: neither a group of them nor nobody's (is_valid_ether_addr()). */
int vf_set_mac(struct device_settings *device, json_t *value)
{
	static const uint8_t none[ETH_ALEN];
	const char *text = json_string_value(value);
	uint8_t *mac = device->vf.mac;

	device->vf_parts |= VF_MAC;
	if (!text || vf_mac_parse(text, mac) < 0 || mac[0] & 1 || memcmp(mac, none, ETH_ALEN) == 0)
		return -EINVAL;
	return 0;
}

static int read_vlan(json_t *value, struct vf *vf)
{
	unsigned id = 0, qos = 0;
	const char *name;
	json_t *member;
	int r = 0;

	if (!json_object_get(value, "id"))
		return -EINVAL;
	json_object_foreach(value, name, member) {
		int protocol;

		if (strcmp(name, "id") == 0) {
			r = read_number(member, VLAN_MAX, &id);
		} else if (strcmp(name, "qos") == 0) {
			r = read_number(member, QOS_MAX, &qos);
		} else if (strcmp(name, "protocol") == 0 && json_is_string(member)) {
			protocol = table_find(protocols, ARRAY_SIZE(protocols), sizeof(*protocols),
					      json_string_value(member));
			vf->protocol = protocol == 1 ? ETH_P_8021AD : ETH_P_8021Q;
			r = protocol < 0 ? -EINVAL : 0;
		} else {
			r = -EINVAL;
		}
		if (r < 0)
			return r;
	}
	vf->vlan = (uint16_t)id;
	vf->qos = (uint8_t)qos;
	return r;
}

int vf_set_vlan(struct device_settings *device, json_t *value)
{
	struct vf *vf = &device->vf;
	unsigned id = 0;

	device->vf_parts |= VF_VLAN;
	vf->qos = 0;
	vf->protocol = ETH_P_8021Q;
	if (json_is_object(value))
		return read_vlan(value, vf);
	if (read_number(value, VLAN_MAX, &id) < 0)
		return -EINVAL;
	vf->vlan = (uint16_t)id;
	return 0;
}

int vf_set_trust(struct device_settings *device, json_t *value)
{
	device->vf_parts |= VF_TRUST;
	return read_switch(value, &device->vf.trust);
}

int vf_set_spoof_check(struct device_settings *device, json_t *value)
{
	device->vf_parts |= VF_SPOOF_CHECK;
	return read_switch(value, &device->vf.spoof_check);
}

int vf_set_link_state(struct device_settings *device, json_t *value)
{
	const char *name = json_string_value(value);

	device->vf_parts |= VF_LINK_STATE;
	return name && vf_link_state_parse(name, &device->vf.link_state) == 0 ? 0 : -EINVAL;
}

int vf_set_rate(struct device_settings *device, json_t *value)
{
	struct vf *vf = &device->vf;
	const char *name;
	json_t *member;

	device->vf_parts |= VF_RATE;
	vf->min_rate = vf->max_rate = 0;
	if (!json_is_object(value) || json_object_size(value) == 0)
		return -EINVAL;
	json_object_foreach(value, name, member) {
		unsigned *rate = strcmp(name, "min") == 0   ? &vf->min_rate
				 : strcmp(name, "max") == 0 ? &vf->max_rate
							    : NULL;

		if (!rate || read_number(member, RATE_MAX, rate) < 0)
			return -EINVAL;
	}
	return vf->max_rate > 0 && vf->min_rate > vf->max_rate ? -EINVAL : 0;
}

void vf_add_json(const struct device_settings *device, json_t *json)
{
	const struct vf *vf = &device->vf;
	unsigned parts = device->vf_parts;
	char mac[VF_MAC_TEXT];

	if (parts & VF_MAC)
		json_object_set_new(json, "mac", json_string(vf_mac_format(vf->mac, mac)));
	if (parts & VF_VLAN)
		json_object_set_new(json, "vlan",
				    json_pack("{s:i, s:i, s:s}", "id", vf->vlan, "qos", vf->qos,
					      "protocol", protocols[vf->protocol == ETH_P_8021AD]));
	if (parts & VF_TRUST)
		json_object_set_new(json, "trust", json_boolean(vf->trust == VF_ON));
	if (parts & VF_SPOOF_CHECK)
		json_object_set_new(json, "spoofcheck", json_boolean(vf->spoof_check == VF_ON));
	if (parts & VF_LINK_STATE)
		json_object_set_new(json, "link_state",
				    json_string(vf_link_state_name(vf->link_state)));
	if (parts & VF_RATE)
		json_object_set_new(json, "rate",
				    json_pack("{s:I, s:I}", "min", (json_int_t)vf->min_rate, "max",
					      (json_int_t)vf->max_rate));
}
