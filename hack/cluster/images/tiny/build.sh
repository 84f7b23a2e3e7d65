#!/bin/bash
# build.sh DEBS WORK OUT: the tiny guest image, a raw disk that a PC's BIOS boots, from the Debian packages in the folder DEBS.
# Needs no root, loop device or mount: every file system is made from plain files. The same packages give the same bytes: all times are
# SOURCE_DATE_EPOCH, all names sorted, all identifiers fixed. WORK is an empty folder for what is in between.
set -euo pipefail
DEBS=$1 WORK=$2 OUT=$3
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../disk.sh"
. "$HERE/../kernel.sh"
BOOT_MIB=18 ROOT_MIB=16
cd "$WORK"
unpack_packages "$DEBS" packages
make_initramfs initrd

mkdir -p root/{bin,sbin,dev,proc,sys,tmp,run,mnt,root,home,srv,opt,lib/x86_64-linux-gnu,usr/{bin,sbin,lib,local/bin},var/tmp,var/www,var/lib/guest,var/log,etc/dropbear}
cp "$BUSYBOX" root/bin/
for name in $("$BUSYBOX" --list); do [ "$name" = busybox ] || ln -s busybox "root/bin/$name"; done
ln -s ../bin/busybox root/sbin/init
# add_program FILE FOLDER: copies it with the shared libraries that it names, from the same packages.
add_program() {
  local name file
  cp -L "$1" "$2"
  for name in $(objdump -p "$1" | awk '$1 == "NEEDED" {print $2}'); do
    [ ! -e "root/lib/x86_64-linux-gnu/$name" ] || continue
    file=$(find packages/lib packages/usr/lib -name "$name" | sort | head -n 1)
    [ -n "$file" ] || { echo "$1 needs $name, and no package of the list has it" >&2; exit 1; }
    add_program "$file" "root/lib/x86_64-linux-gnu/$name"
  done
}
add_program packages/usr/sbin/dropbear root/usr/sbin/
add_program packages/sbin/resize2fs root/usr/sbin/
for name in dropbearkey dbclient; do add_program "packages/usr/bin/$name" root/usr/bin/; done
mkdir root/lib64
ln -s ../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 root/lib64/
for name in virtio_net isofs sr_mod virtio-rng button evdev virtio_balloon pvpanic-pci; do add_module "$name" root/usr/lib/modules; done
cp -r "$HERE/root/." root/
chmod -R u=rwX,go=rX root
chmod 755 root/etc/init.d/* root/var/www/cgi-bin/*
chmod 600 root/etc/shadow
chmod 700 root/root
chmod 1777 root/tmp root/var/tmp
settle root
make_ext4 root root.img "$ROOT_MIB" root

make_boot boot.img "$BOOT_MIB" "$KERNEL" initrd "$COMMAND_LINE"
make_disk "$OUT" boot.img root.img
