#!/bin/bash
# build.sh DEBS WORK OUT: the tiny guest image, a raw disk that a PC's BIOS boots, from the Debian packages in the folder DEBS.
# Needs no root, loop device or mount: every file system is made from plain files. The same packages give the same bytes: all times are
# SOURCE_DATE_EPOCH, all names sorted, all identifiers fixed. WORK is an empty folder for what is in between.
set -euo pipefail
DEBS=$1 WORK=$2 OUT=$3
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../disk.sh"
BOOT_MIB=18 ROOT_MIB=16
COMMAND_LINE="console=tty0 console=ttyS0,115200 quiet loglevel=3 mitigations=off nokaslr no_timer_check tsc=reliable cryptomgr.notests random.trust_cpu=on 8250.nr_uarts=1 panic=1"

echo "unpacking"
for deb in "$DEBS"/*.deb; do dpkg-deb -x "$deb" "$WORK/packages"; done
cd "$WORK"
KERNEL=$(echo packages/boot/vmlinuz-*)
MODULES=$(echo packages/lib/modules/*)
BUSYBOX=packages/bin/busybox
# The list of dependencies is made when a kernel is installed, and this one is only unpacked.
"$BUSYBOX" depmod -b packages "$(basename "$MODULES")"

# add_module NAME FOLDER: copies a module after those that it needs, and appends its name to FOLDER/order. Stripping takes the signature
# off too, which saves the guest an RSA check per module at each boot.
add_module() {
  local name=$1 folder=$2 line needed
  mkdir -p "$folder"
  touch "$folder/order"
  grep -qx "$name" "$folder/order" && return
  line=$(grep -E "(^|/)$name\.ko:" "$MODULES/modules.dep" | head -n 1)
  [ -n "$line" ] || { echo "the kernel has no module $name" >&2; exit 1; }
  for needed in ${line#*:}; do add_module "$(basename "$needed" .ko)" "$folder"; done
  strip --strip-debug -o "$folder/$name.ko" "$MODULES/${line%%:*}"
  echo "$name" >> "$folder/order"
}

echo "initramfs"
mkdir -p early/bin early/dev early/proc early/sys early/root
cp "$BUSYBOX" early/bin/busybox
ln -s busybox early/bin/sh
for name in virtio_pci virtio_blk ata_piix sd_mod virtio_scsi; do add_module "$name" early/modules; done
install -m 755 "$HERE/initramfs-init" early/init
make_initramfs early initrd

echo "root file system"
mkdir -p root/{bin,sbin,dev,proc,sys,tmp,run,mnt,root,lib/x86_64-linux-gnu,usr/bin,usr/sbin,usr/lib,var/www,var/lib/guest,var/log,etc/dropbear}
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
chmod 1777 root/tmp
make_ext4 root root.img "$ROOT_MIB"

echo "disk"
make_boot boot.img "$BOOT_MIB" "$KERNEL" initrd "$COMMAND_LINE"
make_disk "$OUT" boot.img root.img
