# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2034
# What the tests of the package share, beside what the tests of the programs do.

# shellcheck source=tests/cli/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"

version=$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
deb=$build/pve-vfio_${version}_$(dpkg --print-architecture).deb
# What test-build makes, so that there is something to upgrade from; or a real one: OLDER=FILE.
older=0.0.9
older_deb=$build/package/pve-vfio_${older}_$(dpkg --print-architecture).deb
if [ -n "${OLDER-}" ]; then
	older_deb=$OLDER
	older=$(dpkg-deb -f "$OLDER" Version)
fi

# copy_sources FOLDER: "git ls-files" needs no commit: what is there is what is tested
copy_sources()
{
	git ls-files -z -co --exclude-standard | while IFS= read -r -d '' file; do
		[ ! -e "$file" ] || printf '%s\0' "$file"
	done | tar --null -T - -c | tar -C "$1" -x
}
