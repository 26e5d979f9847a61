#!/bin/busybox sh
# The first process of a virtual belt: what a Raspberry Pi's firmware and device tree would have done, then systemd.
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t sysfs sysfs /sys
$B mount -t devtmpfs dev /dev
disk='' nap=''
for word in $($B cat /proc/cmdline); do
    case $word in bench.disk=*) disk=${word#*=} ;; bench.nap) nap=virtio_blk.ko ;; esac
done
while read -r module; do [ "$module" = "$nap" ] || $B insmod "/modules/$module"; done </modules/order

# The 40-pin header: a simulated chip under the name of a Pi 4's
$B mount -t configfs config /sys/kernel/config
D=/sys/kernel/config/gpio-sim/pi
$B mkdir -p $D/bank0
echo 54 >$D/bank0/num_lines
echo pinctrl-bcm2711 >$D/bank0/label
echo 1 >$D/live
$B umount /sys/kernel/config

# Here a machine may be kept, and begun anew from: it has seen nothing of its disk yet
if [ -n "$nap" ]; then
    exec 3</dev/ttyS1
    # shellcheck disable=SC3045  # busybox can
    until read -r -t 0.2 _ <&3; do echo "BENCH naps"; done
    exec 3<&-
    $B insmod "/modules/$nap"
fi
n=0
while [ ! -e "$disk" ] && [ $n -lt 100 ]; do $B sleep 0.05; n=$((n + 1)); done
$B mount -t ext4 -o rw "$disk" /root || { echo "BENCH no root: $disk"; $B poweroff -f; }
$B mount -t tmpfs -o mode=755 tmpfs /root/run
$B mount -t proc proc /root/proc
$B cp -a /bench /modules /root/run/
[ -d /root/run/bench/units ] && { $B mkdir -p /root/run/systemd; $B cp -a /root/run/bench/units /root/run/systemd/system; }
[ -e /root/run/bench/cpuinfo ] && $B mount --bind /root/run/bench/cpuinfo /root/proc/cpuinfo
[ -e /root/run/bench/prepare ] && $B chroot /root /bin/sh -eu /run/bench/prepare
$B umount /proc /sys
exec $B switch_root /root /sbin/init
