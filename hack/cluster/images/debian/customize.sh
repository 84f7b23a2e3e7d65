#!/bin/sh
# customize.sh TREE: what makes a Debian tree a guest. Called by mmdebstrap, which makes the tree's bytes the same each time afterwards.
set -eu
tree=$1
here=$(cd "$(dirname "$0")" && pwd)
cp -r "$here/files/." "$tree/"
chmod -R u=rwX,go=rX "$tree/etc/cloud/cloud.cfg.d/90_basalt.cfg" "$tree/etc/systemd/system" "$tree/etc/fstab"
chmod 755 "$tree/usr/local/sbin/guest-up"
echo guest > "$tree/etc/hostname"
# What each guest has of its own is made at its first boot.
: > "$tree/etc/machine-id"
rm -f "$tree"/etc/ssh/ssh_host_*
rm -rf "$tree"/var/log/journal/* "$tree"/var/lib/dbus/machine-id
chroot "$tree" systemctl --quiet enable systemd-networkd serial-getty@ttyS0 guest-up
chroot "$tree" systemctl --quiet mask systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
  e2scrub_reap.service fstrim.timer
