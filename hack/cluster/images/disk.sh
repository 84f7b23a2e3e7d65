# Shell functions for disks from plain files, the same bytes each time; sourced by the build scripts. They expect SOURCE_DATE_EPOCH.
export LC_ALL=C TZ=UTC
umask 022
# A file system of another build has the same identifiers: they only have to differ from those of other disks in one guest.
FAT_ID=ba5a1700
DISK_ID=0xba5a1700
ROOT_UUID=ba5a1700-0000-4000-8000-000000000001

# settle FOLDER: gives everything in it the one time.
settle() { find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +; }

# make_boot OUT MIB KERNEL INITRD COMMAND_LINE: a FAT file system with syslinux, which starts the kernel at once.
make_boot() {
  local out=$1 mib=$2 kernel=$3 initrd=$4
  mkdir boot-files
  cp "$kernel" boot-files/vmlinuz
  cp "$initrd" boot-files/initrd
  printf 'DEFAULT linux\nPROMPT 0\nTIMEOUT 0\nLABEL linux\n  KERNEL vmlinuz\n  INITRD initrd\n  APPEND %s\n' "$5" > boot-files/syslinux.cfg
  settle boot-files
  truncate -s "${mib}M" "$out"
  mkfs.vfat --invariant -F 16 -s 2 -i "$FAT_ID" -n BOOT "$out" > /dev/null
  mcopy -m -i "$out" boot-files/vmlinuz boot-files/initrd boot-files/syslinux.cfg ::
  syslinux --install "$out"
}

# make_ext4 FOLDER OUT MIB [root]: with `root`, everything belongs to root, whoever builds; else to whom it belongs in the folder. Groups that
# are added when it grows need no zeroing (uninit_bg). mke2fs copies times of inodes that nobody can set: they are put right afterwards.
make_ext4() {
  local folder=$1 out=$2 mib=$3 owner=${4:-} path field
  export E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
  mke2fs -q -t ext4 -b 4096 -i 16384 -J size=4 -m 0 -O '^metadata_csum,uninit_bg' -E "root_owner=0:0,hash_seed=$ROOT_UUID,lazy_itable_init=0" \
    -U "$ROOT_UUID" -L root -d "$folder" "$out" "${mib}M" > /dev/null
  find "$folder" -mindepth 1 -printf '%P\n' | sort | while read -r path; do
    for field in atime ctime crtime; do echo "set_inode_field \"/$path\" $field @$SOURCE_DATE_EPOCH"; done
    [ -z "$owner" ] || printf 'set_inode_field "/%s" uid 0\nset_inode_field "/%s" gid 0\n' "$path" "$path"
  done > inode-fields
  debugfs -w -f inode-fields "$out" > debugfs.log 2>&1
  if grep -v '^debugfs' debugfs.log; then return 1; fi
}

# make_disk OUT BOOT ROOT: an MBR whose first partition BOOT is active, and ROOT last, where a larger disk lets it grow.
make_disk() {
  local out=$1 boot_mib root_mib
  boot_mib=$(($(stat -c %s "$2") >> 20))
  root_mib=$(($(stat -c %s "$3") >> 20))
  truncate -s "$((1 + boot_mib + root_mib))M" "$out"
  sfdisk --quiet "$out" <<TABLE
label: dos
label-id: $DISK_ID
start=2048, size=${boot_mib}M, type=6, bootable
start=$((2048 * (1 + boot_mib))), size=${root_mib}M, type=83
TABLE
  dd if=/usr/lib/syslinux/mbr/mbr.bin of="$out" conv=notrunc bs=440 count=1 status=none
  dd if="$2" of="$out" conv=notrunc,sparse bs=1M seek=1 status=none
  dd if="$3" of="$out" conv=notrunc,sparse bs=1M seek=$((1 + boot_mib)) status=none
}
