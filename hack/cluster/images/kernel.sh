# Shell functions for Debian's kernel, unpacked and not installed; sourced by the build scripts.

# unpack_packages DEBS FOLDER: sets KERNEL, MODULES (the folder of its version) and BUSYBOX, and lists which module needs which.
unpack_packages() {
  local deb
  for deb in "$1"/*.deb; do dpkg-deb -x "$deb" "$2"; done
  KERNEL=$(echo "$2"/boot/vmlinuz-*)
  MODULES=$(echo "$2"/lib/modules/*)
  BUSYBOX=$2/bin/busybox
  # The list is made when a kernel is installed.
  "$BUSYBOX" depmod -b "$2" "$(basename "$MODULES")"
}

# add_module NAME FOLDER: copies a module after those that it needs, and appends its name to FOLDER/order. Stripping takes the signature
# off, which saves the guest an RSA check per module at each boot.
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

# make_initramfs OUT: what finds the root file system on a virtio, IDE or SCSI disk. The same in all images.
make_initramfs() {
  local folder=early name
  mkdir -p $folder/{bin,dev,proc,sys,root}
  cp "$BUSYBOX" $folder/bin/busybox
  ln -s busybox $folder/bin/sh
  for name in virtio_pci virtio_blk ata_piix sd_mod virtio_scsi; do add_module "$name" $folder/modules; done
  install -m 755 "$HERE/../initramfs-init" $folder/init
  settle $folder
  (cd $folder && find . -print0 | sort -z | cpio --null --create --format=newc --owner=0:0 --reproducible --quiet) | lz4 -l -9 -q > "$1"
}

# For a guest without hardware virtualisation, where each of these saves time: no mitigations, no tests of clocks and ciphers, one port.
COMMAND_LINE="console=tty0 console=ttyS0,115200 quiet loglevel=3 mitigations=off nokaslr no_timer_check tsc=reliable cryptomgr.notests random.trust_cpu=on 8250.nr_uarts=1 panic=1"
