#!/bin/bash
# Second half of build.sh, as root: root.img from root.tar, with the kernel's modules.
set -euo pipefail
. "$HERE/../disk.sh"
mkdir root
tar --extract --preserve-permissions --numeric-owner --file root.tar --directory root
version=$(basename "$MODULES")
mkdir -p "root/lib/modules/$version"
cp -r "$MODULES/kernel" "$MODULES"/modules.builtin* "$MODULES/modules.order" "root/lib/modules/$version/"
# udev and kmod want the index of kmod's own depmod; without it no module loads, and with it the seed's ISO and the power button.
chroot root depmod "$version"
chown -R 0:0 root/lib/modules
settle root/lib/modules
touch -d "@$SOURCE_DATE_EPOCH" root/lib/. # it got an entry
# A sixth more than there is, for a guest on a disk that is no larger than the image.
mib=$(($(du --summarize --apparent-size --block-size=1K root | cut -f 1) * 7 / 6 / 1024 + 32))
make_ext4 root root.img "$mib"
rm -rf root
