#!/bin/bash
# build.sh DEBS WORK OUT: the guest image debian: a minimal Debian of this machine's release, with systemd, the real cloud-init, the guest
# agent and an SSH server, and Debian's kernel for virtual machines from the folder DEBS. Packages come from the mirrors that this machine's
# apt knows. Without root everything runs in a user namespace (/etc/subuid). WORK is an empty folder for what is in between.
set -euo pipefail
DEBS=$1 WORK=$2 OUT=$3
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$HERE/../disk.sh"
. "$HERE/../kernel.sh"
BOOT_MIB=18
cd "$WORK"

# Debian's own archives among the sources of apt, whatever their address here; other sources are none of the image's business.
apt-get indextargets --format '$(ORIGIN) deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sed -n 's/^Debian //p' | sort -u > sources
release=$(apt-get indextargets --format '$(ORIGIN) $(CODENAME)' 'Created-By: Packages' | sed -n 's/^Debian \([a-z]*\)$/\1/p' | head -n 1)
[ -n "$release" ] || { echo "apt has no package lists of Debian: run apt-get update as root" >&2; exit 1; }

packages=systemd-sysv,udev,dbus,kmod,cloud-init,cloud-guest-utils,netplan.io,iproute2,iputils-ping,e2fsprogs,openssh-server,qemu-guest-agent
mmdebstrap --quiet --variant=minbase --mode="$([ "$(id -u)" = 0 ] && echo root || echo unshare)" --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/i18n/*' --dpkgopt='path-exclude=/usr/lib/udev/hwdb.d/*' \
  --aptopt='Acquire::Languages "none"' --aptopt='Apt::Install-Recommends "false"' \
  --customize-hook="$HERE/customize.sh" "$release" root.tar sources

unpack_packages "$DEBS" packages
make_initramfs initrd
# Owners in the tree are those of the guest, so it exists only where we are root, or seem to be.
export HERE SOURCE_DATE_EPOCH MODULES
if [ "$(id -u)" = 0 ]; then bash "$HERE/root.sh"; else mmdebstrap --unshare-helper bash "$HERE/root.sh"; fi
make_boot boot.img "$BOOT_MIB" "$KERNEL" initrd "$COMMAND_LINE"
make_disk "$OUT" boot.img root.img
