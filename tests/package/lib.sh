# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034
# What the tests of the package share, beside what the tests of the programs do.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"

version=$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
deb=$build/pve-vfio_${version}_amd64.deb
# What test-build makes, so that there is something to upgrade from.
older=0.0.9
