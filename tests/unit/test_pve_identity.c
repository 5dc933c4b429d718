/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests: pve/identity.c. */
#include "test.h"

#include "pve/identity.h"

static void test_of(void **state)
{
	static const struct {
		const char *config, *uuid;
		uint64_t ctime;
	} rows[] = {
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\n"
		  "meta: creation-qemu=9.0.2,ctime=1795800000\n",
		  "3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a", 1795800000 },
		{ "smbios1: base64=1,manufacturer=eA==,uuid=3C5D9A1E-6a3f-4f0e-9b0e-1f2e3d4c5b6a,serial=x\n",
		  "3C5D9A1E-6a3f-4f0e-9b0e-1f2e3d4c5b6a", 0 },
		{ "meta: ctime=7\n", "", 7 },
		{ "meta: xctime=7,ctime=\n", "", 0 },
		{ "meta: ctime=-7\n", "", 0 },
		{ "smbios1: family=uuid=abc\n", "", 0 },
		{ "smbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a-and-more\n", "", 0 },
		{ "memory: 512\n", "", 0 },
		{ "[snap]\nsmbios1: uuid=3c5d9a1e-6a3f-4f0e-9b0e-1f2e3d4c5b6a\nmeta: ctime=7\n", "",
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cleanup_vm_config struct vm_config config = { 0 };
		struct vm_identity identity;

		assert_int_equal(vm_config_parse(NULL, "it", rows[i].config, strlen(rows[i].config),
						 &config, NULL),
				 0);
		vm_identity_of(&config, &identity);
		assert_string_equal(identity.uuid, rows[i].uuid);
		assert_int_equal(identity.ctime, rows[i].ctime);
		assert_int_equal(vm_identity_is_known(&identity),
				 *rows[i].uuid != '\0' || rows[i].ctime > 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
